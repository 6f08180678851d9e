"""Connections which introduce themselves: which message goes over which, and what fails."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest

from angarium.core.message import Message, Recipient
from angarium.outbound.introducing import IntroducingSession
from helpers.peer import Peer
from helpers.sending import Sending

LOGIN = {
    "outbound_smtp_auth_type": "PLAIN",
    "outbound_smtp_auth_user": "me",
    "outbound_smtp_auth_pass": "secret",
    "outbound_smtp_auth_in_clear": True,
}
OK, AGAIN = "235 2.7.0 welcome", "220 again"


def peer(answers: Mapping[str, Sequence[str]] | None = None, *, xclient: bool = False) -> Peer:
    made = Peer(answers)
    words = "PIPELINING\n250-XCLIENT ADDR PORT" if xclient else "PIPELINING"
    made.defaults |= {"EHLO": f"250-peer.test\n250-{words}\n250 AUTH PLAIN", "AUTH": OK}
    made.defaults["XCLIENT"] = AGAIN
    return made


def sending(host: Peer, **options: Any) -> Sending:
    return Sending(
        host.port, transport={"idle_timeout": 60.0} | options, max_outbound_connections=1
    )


def put(of: Sending, address: str, source: str = "", **variables: str) -> None:
    """Bring a message from a client, with variables of its recipient."""
    put_in, known = of.spool.put, variables

    def with_source(message: Message, recipients: list[Recipient], done: Any) -> None:
        message.source = source
        for each in recipients:
            each.variables = dict(known)
        put_in(message, recipients, done)

    cast(Any, of.spool).put = with_source
    of.put(address)
    cast(Any, of.spool).put = put_in


def named(user: str) -> dict[str, str]:
    return {"outbound_smtp_auth_type": "plain", "outbound_smtp_auth_user": user}


async def test_who_has_logged_in_sends_all_its_mail() -> None:
    async with peer() as host, sending(host, **LOGIN) as of:
        for number in range(5):
            of.put(f"b{number}@example.test")
        await of.quiet()
        assert host.verbs.count("AUTH") == 1
        assert (host.connections, len(of.deliveries)) == (1, 5)
        assert isinstance(of.sessions[0], IntroducingSession)


async def test_where_nothing_is_wanted_nobody_introduces_himself() -> None:
    async with peer(xclient=True) as host, sending(host) as of:
        of.put("b@example.test")
        await of.quiet()
        assert not isinstance(of.sessions[0], IntroducingSession)
        assert host.verbs == ["EHLO", "MAIL", "RCPT", "DATA"]


async def test_a_message_of_somebody_else_goes_over_another_connection() -> None:
    async with peer() as host, sending(host, **LOGIN) as of:
        of.pool.logins.by_message = True
        for user in ("one", "one", "two"):
            put(of, f"{user}@example.test", **named(user))
        await of.until(lambda: len(of.deliveries) == 3)
        assert host.verbs.count("AUTH") == host.connections == 2
        connections = [each.connection for each in host.messages]
        assert connections[0] == connections[1] != connections[2]
        assert of.delays == []


async def test_variables_count_only_where_the_module_is() -> None:
    async with peer() as host, sending(host) as of:
        put(of, "b@example.test", **named("me"))
        await of.quiet()
        assert "AUTH" not in host.verbs


async def test_a_mechanism_nobody_knows_puts_the_message_off() -> None:
    async with peer() as host, sending(host) as of:
        of.pool.logins.by_message = True
        put(of, "b@example.test", outbound_smtp_auth_type="GSSAPI", outbound_smtp_auth_user="x")
        await of.until(lambda: of.delays)
        assert "names no mechanism" in of.delays[0].reason
        assert "MAIL" not in host.verbs


async def test_who_is_refused_does_not_try_again_at_once() -> None:
    answers = {"AUTH": ["535 5.7.8 no", "535 5.7.8 no"]}
    async with peer(answers) as host, sending(host, dead_destination_delay=60.0, **LOGIN) as of:
        for number in range(3):
            of.put(f"b{number}@example.test")
        await of.until(lambda: of.delays)
        await of.until(lambda: not host.open)
        assert [each.stage for each in of.delays] == [11]
        await of.later(50.0)
        assert host.verbs.count("AUTH") == 1
        await of.later(15.0)
        await of.until(lambda: host.verbs.count("AUTH") == 2)
        await of.until(lambda: not host.open)
        assert of.failures == []


@pytest.mark.parametrize("answer", ["!close", "!reset", "421 4.3.2 going !close"])
async def test_a_host_which_breaks_off_meanwhile_has_failed_the_message(answer: str) -> None:
    async with peer({"AUTH": [answer]}) as host, sending(host, **LOGIN) as of:
        of.put("b@example.test")
        await of.until(lambda: of.delays)
        assert of.delays[0].stage == 11
        assert not of.deliveries


async def test_a_host_which_says_nothing_to_auth_is_given_up() -> None:
    async with peer({"AUTH": ["!nothing"]}) as host, sending(host, ehlo_timeout=5.0, **LOGIN) as of:
        of.put("b@example.test")
        await of.until(lambda: "AUTH" in host.verbs)
        await of.later(8.0)
        assert of.delays[0].reason == "451 4.4.2 [internal] no AUTH response"


async def test_each_client_is_claimed_before_its_mail_on_one_connection() -> None:
    async with peer(xclient=True) as host, sending(host, xclient="ifavailable", **LOGIN) as of:
        put(of, "a@example.test", "192.0.2.1:1")
        put(of, "b@example.test", "192.0.2.1:1")
        put(of, "c@example.test", "[2001:db8::1]:2")
        await of.until(lambda: len(of.deliveries) == 3)
        assert host.connections == 1
        talk = [each for each in host.verbs if each in ("XCLIENT", "AUTH", "MAIL")]
        assert talk == ["XCLIENT", "AUTH", "MAIL", "MAIL", "XCLIENT", "AUTH", "MAIL"]


async def test_mail_of_our_own_does_not_go_as_a_client_of_before() -> None:
    async with peer(xclient=True) as host, sending(host, xclient="ifavailable") as of:
        put(of, "a@example.test", "192.0.2.1:1")
        put(of, "b@example.test")
        await of.until(lambda: len(of.deliveries) == 2)
        assert host.connections == 2
        assert host.messages[0].connection != host.messages[1].connection


async def test_a_host_which_refuses_a_second_claim_does_not_get_mail_by_the_first() -> None:
    answers = {"XCLIENT": [AGAIN, "550 5.7.0 no"]}
    async with peer(answers, xclient=True) as host, sending(host, xclient="ifavailable") as of:
        put(of, "a@example.test", "192.0.2.1:1")
        put(of, "b@example.test", "192.0.2.2:1")
        await of.until(lambda: len(of.deliveries) == 2)
        assert host.connections == 2
        assert host.verbs.count("XCLIENT") == 3
        assert of.delays == []


@pytest.mark.parametrize("offered", [True, False])
async def test_without_xclient_mail_goes_all_the_same_if_it_may(offered: bool) -> None:
    answers = {"XCLIENT": ["550 5.7.0 no"] * 9}
    async with peer(answers, xclient=offered) as host, sending(host, xclient="ifavailable") as of:
        for number in range(3):
            put(of, f"b{number}@example.test", f"192.0.2.{number}:1")
        await of.until(lambda: len(of.deliveries) == 3)
        assert host.connections == 1
        assert host.verbs.count("XCLIENT") == int(offered)


async def test_another_password_is_another_connection_after_a_reload() -> None:
    async with peer() as host, sending(host, **LOGIN) as of:
        of.put("a@example.test")
        await of.until(lambda: of.deliveries)
        configuration = cast(Any, of.queues.configuration)
        values = {name: getattr(configuration.transport, name) for name in LOGIN}
        assert values == LOGIN
        changed = LOGIN | {"outbound_smtp_auth_pass": "other"}
        configuration.transport = type(configuration.transport).make(
            remote_smtp_port=host.port, idle_timeout=60.0, **changed
        )
        configuration.generation += 1
        of.pool.configure(configuration)
        of.put("b@example.test")
        await of.until(lambda: len(of.deliveries) == 2)
        assert host.connections == 2
