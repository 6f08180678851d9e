"""As whom messages log in, and for which client they speak."""

import pytest

from angarium.core.body import MemoryBody
from angarium.core.message import Message, Recipient
from angarium.core.reply import Reply
from angarium.outbound.logins import FAILED, UNKNOWN, HostLogins, claim
from angarium.outbound.options import Transport
from angarium.policy.chain import Policy
from angarium.policy.context import Which
from angarium.policy.guard import Guard, Handler
from angarium.policy.hooks import OutboundAuth
from angarium.queue.entry import Entry
from angarium.wire.smtp_introduction import Login
from helpers.queues import Queues

OPTIONS = {
    "outbound_smtp_auth_type": "LOGIN",
    "outbound_smtp_auth_user": "me",
    "outbound_smtp_auth_pass": "secret",
}


def entry(source: str = "192.0.2.9:4711", **variables: str) -> Entry:
    queues = Queues()
    board = queues.start()
    message = Message("a@b.test", MemoryBody(b"x\r\n"), source=source, variables=dict(variables))
    recipient = Recipient("c@d.test", "d.test", "default", "default")
    queues.spool.put(message, [recipient], lambda error: None)
    board.accepted(message, [recipient])
    [taken] = board.line("default", "default", "d.test").take(1)
    return taken


def asked(of: Entry, handler: object = None, **options: object) -> Login | Reply | None:
    logins = HostLogins(lambda: "n0nce")
    handlers = [] if handler is None else [(OutboundAuth, Handler(handler, "x", "x"))]  # type: ignore[arg-type]
    logins.use(Policy(handlers, Guard(lambda *_: None)), by_message=True)
    return logins.login(of, Transport.make(**options))


def test_the_options_say_so() -> None:
    login = HostLogins(lambda: "n0nce").login(entry(), Transport.make(**OPTIONS))
    assert login == Login("LOGIN", "me", "secret")


@pytest.mark.parametrize("missing", ["outbound_smtp_auth_type", "outbound_smtp_auth_user"])
def test_half_of_it_is_nothing(missing: str) -> None:
    options = {name: value for name, value in OPTIONS.items() if name != missing}
    logins = HostLogins()
    assert not logins.wanted(Transport.make(**options))
    assert logins.login(entry(), Transport.make(**options)) is None
    assert logins.wanted(Transport.make(**OPTIONS))


def test_variables_of_the_message_count_more() -> None:
    message = entry(outbound_smtp_auth_user="you", outbound_smtp_auth_type="plain")
    assert asked(message, **OPTIONS) == Login("PLAIN", "you", "secret")
    assert HostLogins().login(message, Transport.make(**OPTIONS)) == Login("LOGIN", "me", "secret")


def test_a_handler_is_asked_last() -> None:
    def who(event: OutboundAuth) -> None:
        event.mail.recipient.variables["outbound_smtp_auth_pass"] = "new"  # type: ignore[union-attr]

    assert asked(entry(), who, **OPTIONS) == Login("LOGIN", "me", "new")


def test_a_handler_which_fails_lets_nobody_log_in_by_mistake() -> None:
    def who(event: OutboundAuth) -> None:
        raise ValueError

    assert asked(entry(), who, **OPTIONS) == FAILED
    assert FAILED.temporary


@pytest.mark.effect("outbound_smtp_auth_key")
def test_a_handler_is_lent_the_key_of_the_options_unless_the_message_has_one() -> None:
    seen: list[str | None] = []

    def who(event: OutboundAuth) -> None:
        seen.append(event.mail.get(Which.MESSAGE, "outbound_smtp_auth_key"))

    message = entry()
    for key in ("gold", "silver", ""):
        asked(message, who, outbound_smtp_auth_key=key or None)
    assert seen == ["gold", "silver", None]
    assert "outbound_smtp_auth_key" not in message.recipient.variables
    asked(entry(outbound_smtp_auth_key="own"), who, outbound_smtp_auth_key="gold")
    assert seen[3:] == ["own"]


def test_a_key_which_a_handler_gives_stays() -> None:
    def who(event: OutboundAuth) -> None:
        event.mail.set(Which.MESSAGE, "outbound_smtp_auth_key", "new")

    message = entry()
    asked(message, who, outbound_smtp_auth_key="gold")
    assert message.recipient.variables["outbound_smtp_auth_key"] == "new"


def test_an_unknown_mechanism_is_told() -> None:
    assert asked(entry(outbound_smtp_auth_type="NTLM"), **OPTIONS) == UNKNOWN


def test_a_handler_alone_makes_sessions_introduce_themselves() -> None:
    logins = HostLogins()
    handler = Handler(lambda event: None, "x", "x")
    logins.use(Policy([(OutboundAuth, handler)], Guard(lambda *_: None)), by_message=False)
    assert logins.wanted(Transport.make())
    logins.use(Policy([], Guard(lambda *_: None)), by_message=False)
    assert not logins.wanted(Transport.make())


@pytest.mark.parametrize(
    ("source", "address", "port"),
    [
        ("192.0.2.9:4711", "192.0.2.9", "4711"),
        ("[2001:db8::9]:4711", "IPV6:2001:db8::9", "4711"),
        ("192.0.2.9:0", "192.0.2.9", "[UNAVAILABLE]"),
    ],
)
def test_a_claim_is_the_client_which_brought_the_message(
    source: str, address: str, port: str
) -> None:
    found = claim(entry(source), Transport.make(xclient="required"))
    assert found is not None
    assert found.required
    assert (found.attributes["ADDR"], found.attributes["PORT"]) == (address, port)


def test_mail_of_our_own_speaks_for_nobody() -> None:
    assert claim(entry(""), Transport.make(xclient="ifavailable")) is None
    assert claim(entry(), Transport.make()) is None
