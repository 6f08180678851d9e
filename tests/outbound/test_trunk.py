"""Lines which share connections: all of a gateway, or one after the other of a host."""

from collections import Counter
from typing import Any

import pytest

from angarium.config.kinds import Place
from angarium.outbound.options import Transport
from angarium.outbound.outlet import Outlet
from angarium.outbound.trunk import Trunk, has_trunk
from angarium.queue.line import PAUSED, SUSPENDED
from helpers.peer import Peer
from helpers.sending import Configuration, Sending

TWO_DOMAINS = """
    one.test     MX  10 mx.example.test
    two.test     MX  10 mx.example.test
    mx.example.test A  127.0.0.1
"""


def to(peer: Peer, transport: dict[str, Any] | None = None, **shape: Any) -> Sending:
    """Return queues whose mail all goes to the peer as a gateway."""
    options = {"gateway": Place("127.0.0.1", peer.port)} | (transport or {})
    return Sending(peer.port, transport=options, **shape)


class Again(Peer):
    """A peer on a port which was free a moment ago."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.port = port


def put_all(sending: Sending, count: int, each: int = 1, key: str = "") -> None:
    """Bring mail to many domains before any of it is asked for."""
    demand, sending.board.demand = sending.board.demand, lambda line: None
    lines = [
        sending.put(f"b{number}@d{domain}.test", key=key)
        for domain in range(count)
        for number in range(each)
    ]
    sending.board.demand = demand
    for line in dict.fromkeys(lines):
        sending.board.offer(line)


@pytest.mark.parametrize(
    ("options", "shared"),
    [
        ({"gateway": Place("mx.test", 0)}, True),
        ({}, False),
        ({"gateway": Place("mx.test", 0), "ehlo_hostname": "__message__"}, False),
        (
            {
                "gateway": Place("mx.test", 0),
                "migrate_connections_between_sibling_domains": False,
            },
            False,
        ),
    ],
)
def test_which_mail_shares_all_connections(options: dict[str, Any], shared: bool) -> None:
    assert has_trunk(Transport.make(**options)) is shared


async def test_a_connection_to_a_gateway_serves_all_domains() -> None:
    async with Peer() as peer, to(peer, max_outbound_connections=1) as sending:
        put_all(sending, 50)
        await sending.until(lambda: len(peer.messages) == 50)
        await sending.quiet()
        assert peer.connections == 1
        ledger: Any = sending.board.ledger
        assert ledger.count(f"line:default/default/127.0.0.1:{peer.port}") == 1
        assert len(sending.deliveries) == 50


async def test_domains_have_their_turns() -> None:
    async with Peer() as peer, to(peer, max_outbound_connections=1) as sending:
        put_all(sending, 3, 4)
        await sending.until(lambda: len(peer.messages) == 12)
        domains = [each.rcpts[0].partition("@d")[2][0] for each in peer.messages]
        assert "".join(domains) == "012" * 4


async def test_a_line_without_mail_is_freed_though_its_connections_stay() -> None:
    async with Peer() as peer, to(peer, {"idle_timeout": 1000.0}) as sending:
        put_all(sending, 5)
        await sending.until(lambda: len(peer.messages) == 5)
        await sending.quiet()
        assert len(sending.board.lines) == 5
        await sending.later(70.0)
        assert not sending.board.lines
        assert peer.open


async def test_what_a_lost_connection_leaves_goes_by_another() -> None:
    answers = {"MAIL": ["250 ok"] * 3 + ["!reset"]}
    async with Peer(answers) as peer, to(peer, max_outbound_connections=1) as sending:
        put_all(sending, 20)
        await sending.until(lambda: len(peer.messages) == 20)
        await sending.quiet()
        assert peer.connections == 2
        assert not sending.delays


async def test_a_suspended_line_gives_nothing_and_the_others_go_on() -> None:
    async with Peer() as peer, to(peer, max_outbound_connections=1) as sending:
        kept = sending.board.line("default", "default", "d1.test")
        kept.close(SUSPENDED)
        put_all(sending, 3)
        await sending.until(lambda: len(peer.messages) == 2)
        await sending.quiet()
        kept.open(SUSPENDED)
        sending.board.offer(kept)
        await sending.until(lambda: len(peer.messages) == 3)
        assert peer.connections == 1


async def test_a_line_suspended_while_it_waits_gives_nothing() -> None:
    async with Peer() as peer, to(peer, max_outbound_connections=1) as sending:
        put_all(sending, 3)
        kept = sending.board.line("default", "default", "d1.test")
        kept.close(SUSPENDED)
        await sending.until(lambda: len(peer.messages) == 2)
        await sending.quiet()
        assert (kept.active, kept.pool) == (1, None)


async def test_a_new_generation_leads_to_its_own_gateway() -> None:
    async with Peer() as old, Peer() as new, to(old, max_outbound_connections=1) as sending:
        put_all(sending, 40)
        await sending.until(lambda: len(old.messages) > 3)
        changed = sending.queues.configuration
        assert isinstance(changed, Configuration)
        changed.transport = Transport.make(gateway=Place("127.0.0.1", new.port))
        changed.generation += 1
        sending.pool.configure(changed)
        sending.board.configure(changed)
        sending.board.work()
        await sending.until(lambda: len(old.messages) + len(new.messages) == 40)
        await sending.until(lambda: not old.open)
        assert new.messages
        await sending.quiet()
        assert sending.board.active == 0


async def test_while_a_gateway_is_down_one_message_says_so_and_all_wait() -> None:
    async with Peer() as peer:
        port = peer.port
    sending = Sending(port, transport={"gateway": Place("127.0.0.1", port)})
    async with sending:
        put_all(sending, 10)
        await sending.quiet()
        await sending.until(lambda: sending.delays)
        assert len(sending.delays) == 1
        assert sending.board.active == 9
        async with Again(port) as again:
            await sending.later(200.0)
            await sending.until(lambda: len(again.messages) >= 9)


async def test_what_expires_while_the_gateway_is_paused_is_given_up() -> None:
    async with Peer() as peer:
        port = peer.port
    transport = {"gateway": Place("127.0.0.1", port), "mx_failures_to_delay": 1}
    sending = Sending(port, transport=transport, retry_interval=7200.0, message_expiration=3600.0)
    async with sending:
        put_all(sending, 10)
        await sending.until(lambda: sending.failures)
        await sending.quiet()
        line = sending.board.line("default", "default", "d9.test")
        assert line.trunk is not None
        assert (line.closed, line.trunk.closed, line.stuck) == (0, PAUSED, True)
        await sending.later(3700.0)
        assert len(sending.failures) >= 10


async def test_who_holds_an_entry_can_be_asked() -> None:
    async with Peer({"DATA": ["!nothing"]}) as peer, to(peer) as sending:
        put_all(sending, 2)
        await sending.until(lambda: "DATA" in peer.verbs)
        held = Counter(entry.line for each in sending.pool.in_hands() for entry in each)
        for domain in ("d0.test", "d1.test"):
            line = sending.board.line("default", "default", domain)
            assert held[line] == line.in_flight
        assert sending.board.in_flight == held.total() > 0


async def test_a_gateway_without_mail_is_forgotten() -> None:
    async with Peer() as peer, to(peer) as sending:
        put_all(sending, 3)
        await sending.until(lambda: len(peer.messages) == 3)
        await sending.quiet()
        (outlet,) = sending.pool.outlets
        assert isinstance(outlet, Outlet)
        assert isinstance(outlet.line, Trunk)
        await sending.later(20.0)
        await sending.until(lambda: not peer.open)
        await sending.later(5.0)
        assert not sending.pool.outlets
        put_all(sending, 2)
        await sending.until(lambda: len(peer.messages) == 5)


async def test_a_domain_takes_over_what_another_of_the_same_host_does_not_need() -> None:
    async with Peer() as peer, Sending(peer.port, TWO_DOMAINS) as sending:
        one = sending.put("b@one.test")
        await sending.quiet()
        two = sending.put("b@two.test")
        await sending.until(lambda: len(peer.messages) == 2)
        await sending.quiet()
        assert peer.connections == 1
        ledger: Any = sending.board.ledger
        counts = [ledger.count(f"line:default/default/{line.domain}") for line in (one, two)]
        assert counts == [0, 1]
        await sending.later(20.0)
        await sending.until(lambda: not peer.open)
        assert ledger.count("line:default/default/two.test") == 0


async def test_a_limit_of_the_host_holds_over_its_domains() -> None:
    host = {"max_outbound_connections": 1}
    async with Peer() as peer, Sending(peer.port, TWO_DOMAINS, host=host) as sending:
        for number in range(6):
            sending.put(f"b{number}@{('one', 'two')[number % 2]}.test")
            await sending.quiet()
        await sending.until(lambda: len(peer.messages) == 6)
        assert peer.connections == 1


@pytest.mark.effect("migrate_connections_between_sibling_domains")
@pytest.mark.parametrize(
    "transport",
    [{"migrate_connections_between_sibling_domains": False}, {"ehlo_hostname": "__message__"}],
)
async def test_each_domain_has_its_own_where_it_is_told_so(transport: dict[str, Any]) -> None:
    async with Peer() as peer, Sending(peer.port, TWO_DOMAINS, transport) as sending:
        for domain in ("one", "two"):
            sending.put(f"b@{domain}.test")
            await sending.quiet()
        await sending.until(lambda: len(peer.messages) == 2)
        assert peer.connections == 2


async def test_a_connection_in_use_is_not_taken_over() -> None:
    answers = {".": ["!nothing"]}
    async with Peer(answers) as peer, Sending(peer.port, TWO_DOMAINS) as sending:
        sending.put("b@one.test")
        await sending.until(lambda: "DATA" in peer.verbs)
        sending.put("b@two.test")
        await sending.until(lambda: len(peer.messages) == 1)
        assert peer.connections == 2


async def test_a_bulk_to_many_domains_does_not_hold_up_one_message_of_another_key() -> None:
    async with Peer() as peer, to(peer, max_outbound_connections=1) as sending:
        put_all(sending, 300, key="bulk")
        await sending.until(lambda: len(peer.messages) > 10)
        for domain in ("new.test", "d299.test"):  # One with no other mail, one with mail before it.
            sending.put(f"single@{domain}", key="other")
            before = len(peer.messages)
            await sending.until(lambda: len(peer.messages) > before + 10)  # noqa: B023
            order = [each.rcpts for each in peer.messages]
            # Two under way on the connection; then one of each key, twice.
            assert order.index([f"RCPT TO:<single@{domain}>"]) <= before + 6
