"""When connections are opened, and what failures mean for a line."""

from dataclasses import replace
from typing import Any

import pytest

from angarium.config.kinds import Place, Throttle
from angarium.core.reply import Reply
from angarium.core.units import Rate
from angarium.net.errors import NotLocalError
from angarium.outbound.options import Transport
from angarium.outbound.outlet import FURTHER_SECONDS, STEP_SECONDS
from angarium.outbound.smtp import Session
from angarium.queue.line import ABSENT, PAUSED
from angarium.queue.throttle import HAND_BACK_MESSAGES
from helpers.addresses import free_port
from helpers.peer import Peer
from helpers.sending import Configuration, Sending

SECOND = """
    example.test    MX  10 first.test
    example.test    MX  20 second.test
    first.test      A   127.0.0.1
    second.test     A   127.0.0.2
"""


@pytest.mark.effect("max_outbound_connections")
async def test_connections_grow_with_the_queue_up_to_their_limit() -> None:
    async with Peer() as peer, Sending(peer.port, max_outbound_connections=4) as sending:
        sending.put_many(200)
        await sending.quiet()
        assert len(peer.messages) == 200
        assert 2 <= peer.most_open <= 4


async def test_a_short_queue_needs_one_connection() -> None:
    async with Peer() as peer, Sending(peer.port) as sending:
        sending.put("b@example.test")
        sending.put("c@example.test")
        await sending.quiet()
        assert peer.connections == 1


@pytest.mark.effect("connection_allocation_aggressiveness")
async def test_high_aggressiveness_opens_all_at_once() -> None:
    shape: dict[str, Any] = {
        "connection_allocation_aggressiveness": "high",
        "max_outbound_connections": 8,
    }
    async with Peer() as peer, Sending(peer.port, **shape) as sending:
        sending.put_many(8)
        await sending.quiet()
        assert peer.connections == 8


async def test_two_lines_share_the_connections_of_a_host() -> None:
    zone = "one.test MX 10 mx.test\ntwo.test MX 10 mx.test\nmx.test A 127.0.0.1"
    async with (
        Peer() as peer,
        Sending(peer.port, zone, host={"max_outbound_connections": 1}) as sending,
    ):
        sending.put("b@one.test")
        sending.put("b@two.test")
        await sending.until(lambda: peer.messages)
        await sending.later(20.0)
        await sending.until(lambda: len(peer.messages) == 2)
        assert peer.most_open == 1


SHARED = "one.test MX 10 mx.test\ntwo.test MX 10 mx.test\nmx.test A 127.0.0.1"


async def test_a_busy_line_hands_its_permit_on_after_twenty_messages() -> None:
    limit = {"max_outbound_connections": 1}
    async with Peer() as peer, Sending(peer.port, SHARED, host=limit) as sending:
        demand, sending.board.demand = sending.board.demand, lambda line: None
        for number in range(60):
            sending.put(f"b{number}@one.test")
        waiting = sending.put("b@two.test")
        sending.board.demand = demand
        sending.board.offer(sending.board.line("default", "default", "one.test"))
        sending.board.offer(waiting)
        await sending.until(lambda: len(peer.messages) == 61)
        place = [each.rcpts for each in peer.messages].index(["RCPT TO:<b@two.test>"])
        # The client has one message more under way when the twentieth is answered.
        assert HAND_BACK_MESSAGES <= place <= HAND_BACK_MESSAGES + 2
        assert peer.most_open == 1


async def test_a_connection_without_mail_leaves_at_once_if_others_wait_for_its_permit() -> None:
    host, transport = {"max_outbound_connections": 1}, {"idle_timeout": 600.0}
    async with Peer() as peer, Sending(peer.port, SHARED, transport, host) as sending:
        sending.put("b@one.test")
        sending.put("b@two.test")
        await sending.until(lambda: len(peer.messages) == 2)


async def test_an_idle_connection_is_handed_on_to_who_waits_for_its_permit() -> None:
    host, transport = {"max_outbound_connections": 1}, {"idle_timeout": 600.0}
    async with Peer() as peer, Sending(peer.port, SHARED, transport, host) as sending:
        sending.put("b@one.test")
        await sending.quiet()
        await sending.later(2.0)
        sending.put("b@two.test")
        await sending.until(lambda: len(peer.messages) == 2)  # Without any time passing.


async def test_a_connection_which_has_paid_for_itself_is_given_up_at_once() -> None:
    limit = {"max_outbound_connections": 1}
    async with Peer() as peer, Sending(peer.port, SHARED, host=limit) as sending:
        sending.put_many(300, "one.test")
        await sending.until(lambda: len(peer.messages) > HAND_BACK_MESSAGES)
        sending.put("b@two.test")
        before = len(peer.messages)
        await sending.until(lambda: len(peer.messages) > before + 20)
        place = [each.rcpts for each in peer.messages].index(["RCPT TO:<b@two.test>"])
        assert place <= before + 4  # What is under way by then is two messages.


async def test_one_connection_is_given_up_for_one_who_waits() -> None:
    limit = {"max_outbound_connections": 4}
    shape: dict[str, Any] = {"connection_allocation_aggressiveness": "high"}
    async with Peer() as peer, Sending(peer.port, SHARED, host=limit, **shape) as sending:
        sending.put_many(600, "one.test")
        await sending.until(lambda: len(peer.messages) > 5 * HAND_BACK_MESSAGES)
        assert peer.connections == 4
        sending.put("b@two.test")
        await sending.until(
            lambda: any(each.rcpts == ["RCPT TO:<b@two.test>"] for each in peer.messages)
        )
        # One of the four, and perhaps that of the other line, which is done.
        assert peer.verbs.count("QUIT") <= 2


class Stingy:
    """A host which has so many connections and no more; what it takes it never answers."""

    def __init__(self, room: int) -> None:
        rows = ["220 a"] * room + ["421 4.7.0 too many !close"] * (8 - room)
        self.peer = Peer({"banner": rows, ".": ["!nothing"] * 100})

    def refuse(self, count: int) -> None:
        self.peer.answers["banner"] = ["421 4.7.0 too many !close"] * count


async def test_what_a_host_refuses_while_others_work_is_not_asked_for_again_at_once() -> None:
    shape: dict[str, Any] = {
        "connection_allocation_aggressiveness": "high",
        "max_outbound_connections": 8,
    }
    host = Stingy(room=2)
    async with host.peer as peer, Sending(peer.port, **shape) as sending:
        line = sending.put_many(100)
        await sending.until(lambda: peer.connections == 8)
        await sending.quiet_opening()
        assert (len(sending.sessions), line.closed, sending.delays) == (2, 0, [])
        assert sending.hosts.paused_until("127.0.0.1", "") == 0.0
        await sending.later(FURTHER_SECONDS - 1.0)
        assert peer.connections == 8
        host.refuse(1)
        await sending.later(2.0)
        await sending.until(lambda: peer.connections == 9)  # One more, and not more than one.
        await sending.quiet_opening()
        await sending.later(2 * FURTHER_SECONDS - 2.0)
        assert (peer.connections, len(sending.sessions)) == (9, 2)
        for more in (3, 4, 5):  # Now the host has room again.
            await sending.later(4.0 if more == 3 else STEP_SECONDS + 1.0)
            await sending.until(lambda: len(sending.sessions) >= more)  # noqa: B023
        assert len(sending.sessions) == 5


async def test_what_was_learnt_of_a_host_goes_with_the_last_connection() -> None:
    shape: dict[str, Any] = {
        "connection_allocation_aggressiveness": "high",
        "max_outbound_connections": 8,
    }
    rows = ["220 a"] * 2 + ["421 4.7.0 too many !close"] * 6
    async with (
        Peer({"banner": rows}) as peer,
        Sending(peer.port, transport={"idle_timeout": 1.0}, **shape) as sending,
    ):
        sending.put_many(50)
        await sending.until(lambda: len(peer.messages) == 50)
        await sending.quiet()
        await sending.later(8.0)
        await sending.until(lambda: not peer.open)
        await sending.later(1.0)
        before = peer.connections
        sending.put_many(50)
        await sending.until(lambda: len(peer.messages) == 100)
        assert peer.connections == before + 8


async def test_a_throttle_on_connections_is_waited_for() -> None:
    throttle = Throttle(Rate(1, 10), "t")
    shape: dict[str, Any] = {
        "outbound_throttle_connections": throttle,
        "max_outbound_connections": 1,
    }
    transport = {"max_deliveries_per_connection": 1}
    async with Peer() as peer, Sending(peer.port, transport=transport, **shape) as sending:
        sending.put("b@example.test")
        sending.put("c@example.test")
        await sending.until(lambda: len(peer.messages) == 1)
        await sending.later(8.0)
        assert peer.connections == 1
        await sending.later(3.0)
        await sending.until(lambda: len(peer.messages) == 2)


async def test_a_throttle_of_a_host_is_kept_by_all_its_connections() -> None:
    host = {"outbound_throttle_messages": Throttle(Rate(1, 10), "h")}
    async with Peer() as peer, Sending(peer.port, host=host) as sending:
        for number in range(3):
            sending.put(f"b{number}@example.test")
        await sending.until(lambda: len(peer.messages) == 1)
        await sending.later(8.0)
        assert len(peer.messages) == 1
        await sending.later(4.0)
        await sending.until(lambda: len(peer.messages) == 2)
        assert sending.delays == []


async def test_a_connection_saying_good_bye_does_not_hold_new_mail_up() -> None:
    answers = {"QUIT": ["!nothing"]}
    async with Peer(answers) as peer, Sending(peer.port) as sending:
        sending.put("b@example.test")
        await sending.quiet()
        await sending.later(8.0)
        await sending.until(lambda: "QUIT" in peer.verbs)
        sending.put("c@example.test")
        await sending.until(lambda: len(peer.messages) == 2)
        assert len(peer.open) == 2
        await sending.later(40.0)
        await sending.until(lambda: len(peer.open) == 0)


async def test_the_next_host_is_tried_when_one_refuses() -> None:
    async with (
        Peer() as peer,
        Sending(peer.port, SECOND.replace("127.0.0.1", "127.0.0.3")) as (sending),
    ):
        sending.dns.zone.remove("second.test")
        sending.dns.zone.add("second.test A 127.0.0.1")
        sending.put("b@example.test")
        await sending.quiet()
        assert len(peer.messages) == 1
        assert sending.hosts.paused_until("127.0.0.3", "") > 0
        assert sending.delays == []


@pytest.mark.parametrize(
    "answers", [{"banner": ["554 no service !close"]}, {"banner": ["!close"]}, {"EHLO": ["421 x"]}]
)
async def test_a_host_which_does_not_greet_is_as_good_as_none(
    answers: dict[str, list[str]],
) -> None:
    async with Peer(answers) as peer, Sending(peer.port) as sending:
        sending.put("b@example.test")
        sending.put("c@example.test")
        await sending.until(lambda: sending.delays)
        await sending.quiet()
        (event,) = sending.delays
        assert event.reason[0] == "4"
        assert event.remote == f"127.0.0.1:{peer.port}"
        assert sending.board.active == 1


async def test_without_a_host_one_message_says_so_and_the_line_rests() -> None:
    async with Sending(free_port()) as sending:
        line = sending.put_many(3)
        await sending.until(lambda: sending.delays)
        await sending.quiet()
        (event,) = sending.delays
        assert (event.stage, event.bytes_sent) == (0, 0)
        assert (
            event.reason == "451 4.4.1 [internal] No valid hosts (unable to make any connections)"
        )
        assert (line.active, line.delayed) == (2, 1)
        await sending.later(50.0)
        assert len(sending.delays) == 1


async def test_a_line_woken_a_moment_too_early_is_woken_again() -> None:
    # To the schedule times which are close are one: the earlier.
    transport = {"dead_destination_delay": 30.0}
    async with Sending(free_port(), transport=transport) as sending:
        line = sending.put_many(2)
        sending.board.schedule.wait(line, sending.clock.monotonic() + 29.995)
        await sending.until(lambda: sending.delays)
        sending.clock.advance(29.996)
        sending.board.wake()
        assert line.wake_at == pytest.approx(sending.clock.monotonic() + 0.004)


async def test_a_new_generation_is_not_kept_waiting_for_hosts_of_the_old_one() -> None:
    async with Peer() as peer, Sending(free_port()) as sending:
        line = sending.put_many(2)
        await sending.until(lambda: sending.delays)
        changed = sending.queues.configuration
        assert isinstance(changed, Configuration)
        changed.transport = Transport.make(gateway=Place("127.0.0.1", peer.port))
        changed.generation += 1
        sending.hosts.reached("127.0.0.1", "")
        sending.pool.configure(changed)
        sending.board.offer(line)
        await sending.until(lambda: peer.messages)


@pytest.mark.effect("connect_timeout_to_delay")
async def test_a_line_whose_hosts_are_away_for_long_is_paused() -> None:
    transport = {"connect_timeout_to_delay": 300.0, "host_failure_retry": 10.0}
    async with Sending(free_port(), transport=transport) as sending:
        line = sending.put_many(20)
        await sending.until(lambda: sending.delays)
        for _ in range(7):
            await sending.later(61.0)
            await sending.quiet()
        assert line.closed & PAUSED
        assert line.pause_reason.startswith("451 4.4.1")
        assert 5 <= len(sending.delays) <= 8


async def test_a_host_that_failed_is_left_alone_for_its_pause() -> None:
    async with Sending(free_port(), transport={"dead_destination_delay": 1.0}) as sending:
        sending.put("b@example.test")
        await sending.until(lambda: sending.delays)
        sending.put("c@example.test")
        await sending.later(100.0)
        assert len(sending.delays) == 1
        await sending.later(25.0)
        await sending.until(lambda: len(sending.delays) == 2)


async def test_a_line_which_never_had_a_connection_is_let_go_too() -> None:
    async with Sending(max_outbound_connections=0) as sending:
        line = sending.put("b@example.test")
        assert line.pool is not None
        for entry in line.take(1):
            sending.settle.end(entry, Reply(550, "failed by an operator"), report=False)
        await sending.later(2.0)
        assert (line.pool, sending.pool.outlets) == (None, set())


async def test_mail_for_a_domain_which_is_none_fails_at_once() -> None:
    async with Sending(zone="sender.test A 127.0.0.1", generate_bounces=False) as sending:
        line = sending.put_many(50, "no.test")
        await sending.until(lambda: len(sending.failures) == 50)
        assert sending.failures[0].reason == "554 5.4.4 [internal] Domain Lookup Failed"
        assert (sending.failures[0].classification, line.idle) == (21, True)


async def test_what_dns_cannot_tell_for_now_waits() -> None:
    async with Sending(zone="dead.test SERVFAIL") as sending:
        sending.put("b@dead.test")
        await sending.until(lambda: sending.delays)
        assert sending.delays[0].reason == "454 4.4.4 [internal] no MX or A for domain"


@pytest.mark.parametrize(("how", "kind"), [("internal", "discarded"), ("inline", "failed")])
async def test_a_blackholed_line_fails_its_mail(how: str, kind: str) -> None:
    async with Sending(blackhole=how) as sending:
        sending.put("b@example.test", sender="")
        await sending.until(lambda: sending.failures)
        (event,) = sending.failures
        assert (event.kind, event.reason) == (kind, "554 5.7.0 [internal] Blackholed")


async def test_a_line_without_its_address_is_closed_and_no_mail_fails() -> None:
    transport = {"bind_address": "192.0.2.77"}
    async with Peer() as peer, Sending(peer.port, transport=transport) as sending:
        line = sending.put("b@example.test")
        await sending.quiet()
        assert "192.0.2.77" in sending.alarms[0]
        assert (line.active, bool(line.closed & ABSENT)) == (1, True)
        assert sending.spool.events == []


async def test_an_address_lost_while_running_suspends_when_it_is_missed() -> None:
    transport = {"bind_address": "127.0.0.7"}
    async with Peer() as peer, Sending(peer.port, transport=transport) as sending:
        lost = {"127.0.0.7"}
        sending.pool.sources._is_local = lambda each: each not in lost

        async def gone(*_: object, **__: object) -> tuple[object, Session]:
            raise NotLocalError("the source address is not on this machine")

        known, sending.pool.dialer = (
            sending.pool.dialer,
            replace(sending.pool.dialer, connect=gone),
        )
        line = sending.put("b@example.test")
        await sending.until(lambda: line.closed & ABSENT)
        assert (sending.spool.events, len(sending.alarms)) == ([], 1)
        lost.clear()
        sending.pool.dialer = known
        await sending.later(7.0)
        await sending.until(lambda: peer.messages)


@pytest.mark.parametrize(
    ("name", "said"),
    [("__hostname__", "node.test"), ("__message__", "sender.test"), ("out.test", "out.test")],
)
async def test_the_name_we_give(name: str, said: str) -> None:
    heard: list[str] = []
    async with Peer() as peer, Sending(peer.port, transport={"ehlo_hostname": name}) as sending:
        sending.put("b@example.test")
        await sending.until(lambda: sending.sessions)
        heard.append(sending.sessions[0]._client._opening._name)
        await sending.quiet()
        assert heard == [said]


async def test_a_line_without_connections_is_let_go() -> None:
    async with Peer() as peer, Sending(peer.port) as sending:
        line = sending.put("b@example.test")
        await sending.quiet()
        assert line.pool is not None
        await sending.later(8.0)
        await sending.until(lambda: not peer.open)
        await sending.later(3.0)
        assert line.pool is None
        assert sending.pool.outlets == set()


@pytest.mark.effect("mx_failures_to_delay")
@pytest.mark.parametrize(("most", "paused"), [(2, True), (50, False)])
async def test_after_how_many_failures_a_queue_is_delayed(most: int, paused: bool) -> None:
    transport = {"mx_failures_to_delay": most, "host_failure_retry": 1.0}
    async with Sending(free_port(), transport=transport) as sending:
        line = sending.put_many(20)
        await sending.until(lambda: sending.delays)
        for _ in range(3):
            await sending.later(61.0)
            await sending.quiet()
        assert bool(line.closed & PAUSED) is paused


@pytest.mark.parametrize(
    ("change", "connections"),
    [({}, 1), ({"ehlo_hostname": "new.test"}, 2)],
)
async def test_a_connection_made_by_other_options_ends_with_the_next_generation(
    change: dict[str, Any], connections: int
) -> None:
    async with Peer() as peer, Sending(peer.port) as sending:
        sending.put("b@example.test")
        await sending.quiet()
        changed = sending.queues.configuration
        assert isinstance(changed, Configuration)
        changed.transport = changed.transport.replace(**change)
        changed.generation += 1
        sending.pool.configure(changed)
        sending.board.configure(changed)
        sending.put("c@example.test")
        await sending.until(lambda: len(peer.messages) == 2)
        assert peer.connections == connections


async def test_a_connection_which_knows_another_rate_of_its_host_ends_too() -> None:
    host = {"outbound_throttle_messages": Throttle(Rate(1, 3600), "h 1/3600")}
    async with Peer() as peer, Sending(peer.port, host=host) as sending:
        sending.put("b@example.test")
        await sending.quiet()
        sending.put("c@example.test")
        changed = sending.queues.configuration
        assert isinstance(changed, Configuration)
        changed.host = changed.host.replace(outbound_throttle_messages=None)
        changed.generation += 1
        sending.pool.configure(changed)
        sending.board.configure(changed)
        await sending.later(1.0)
        await sending.until(lambda: len(peer.messages) == 2)


@pytest.mark.parametrize(
    ("gateway", "domain", "moved"),
    [(False, "relay.test", 4), (False, "example.test", 0), (True, "relay.test", 0)],
)
async def test_a_queue_without_hosts_goes_where_delayed_mail_goes(
    gateway: bool, domain: str, moved: int
) -> None:
    port = free_port()
    transport: dict[str, Any] = {"mx_failures_to_delay": 1}
    if gateway:
        transport["gateway"] = Place("127.0.0.1", port)
    sending = Sending(port, transport=transport, delayed_reroute_domain=domain)
    async with sending:
        demand = sending.board.demand
        sending.board.demand = lambda line: demand(line) if line.domain == "example.test" else None
        line = sending.put_many(5)
        await sending.until(lambda: sending.delays)
        await sending.quiet()
        await sending.later(2.0)
        there = sending.board.line("default", "default", "relay.test")
        assert (line.active + there.active, there.active) == (4, moved)
