"""The resolver as options and files make it."""

import asyncio
import random
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from angarium.config.kinds import Place
from angarium.net.dnssocket import UdpPort
from angarium.net.loop import RealClock
from angarium.net.options.resolver import Resolver as Options
from angarium.net.resolvconf import Server
from angarium.net.resolver import Naming
from angarium.queue.throttle import LocalLedger
from angarium.wire import dns as wire
from helpers.clock import FakeClock, FakeLoop
from helpers.dns import DnsServer
from helpers.nameservers import ONE, TWO, FakeNetwork, Reaction, reply, silent


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


def naming(loop: asyncio.AbstractEventLoop, tmp_path: Path, **options: object) -> Naming:
    files = {"resolv_conf": str(tmp_path / "resolv.conf"), "hosts_file": str(tmp_path / "hosts")}
    made = Options.make(**files | options)
    return Naming(made, loop, FakeClock(), random.Random(1))


def test_servers_come_from_the_file_and_change_with_it(
    loop: asyncio.AbstractEventLoop, tmp_path: Path
) -> None:
    (tmp_path / "resolv.conf").write_text("nameserver 192.0.2.1\noptions timeout:9\n")
    names = naming(loop, tmp_path)
    assert names.stub.servers == (Server("192.0.2.1"),)
    assert names.stub.limits.timeout == 9.0
    (tmp_path / "resolv.conf").write_text("nameserver 192.0.2.22\n")
    names.tick(1.0)
    assert names.stub.servers == (Server("192.0.2.22"),)
    assert names.stub.limits.timeout == Options.make().dns_timeout
    (tmp_path / "resolv.conf").write_text("nameserver 192.0.2.3\n")
    names.tick(2.0)
    assert names.stub.servers == (Server("192.0.2.22"),), "it is looked at every 5 s"


def test_the_option_stands_for_the_file(loop: asyncio.AbstractEventLoop, tmp_path: Path) -> None:
    (tmp_path / "resolv.conf").write_text("nameserver 192.0.2.1\noptions timeout:9\n")
    names = naming(loop, tmp_path, dns_servers=(Place("127.0.0.1", 5353), Place("::1")))
    assert list(names.stub.servers) == [
        Server("127.0.0.1", 5353, trusted=True),
        Server("::1", 53, trusted=True),
    ]
    assert names.stub.limits.timeout == Options.make().dns_timeout
    names.apply(Options.make(resolv_conf=str(tmp_path / "resolv.conf")))
    assert list(names.stub.servers) == [Server("192.0.2.1")]


def test_options_of_a_new_generation_hold(loop: asyncio.AbstractEventLoop, tmp_path: Path) -> None:
    names = naming(loop, tmp_path)
    names.apply(Options.make(dns_cache_size=7, max_cname_depth=3, max_dns_ttl=2, dns_attempts=9))
    assert (names.resolver.keeping.entries, names.resolver.keeping.aliases) == (7, 3)
    assert names.resolver.keeping.max_ttl == 2.0
    assert names.stub.limits.attempts == 9


def test_a_name_is_resolved_through_real_sockets(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("127.0.0.7 here.test\n")

    async def main(server: DnsServer) -> tuple[object, object]:
        loop = asyncio.get_running_loop()
        options = Options.make(
            dns_servers=(Place("127.0.0.1", server.port),),
            hosts_file=str(tmp_path / "hosts"),
            dns_udp_rcvbuf_size=65536,
            dns_udp_sndbuf_size=65536,
        )
        names = Naming(options, loop, RealClock(), random.SystemRandom())
        mx, local = await asyncio.gather(
            names.resolver.mx("www.test"), names.resolver.address("here.test")
        )
        names.close()
        return mx.records, local.records

    with DnsServer("www.test CNAME a.test\na.test MX 10 mx.a.test\n") as server:
        assert asyncio.run(main(server)) == (((10, "mx.a.test"),), ("127.0.0.7",))


# What each option does.


class Asked:
    """A resolver on a fake loop, whose name servers are in memory."""

    def __init__(self, *reactions: Reaction, **options: object) -> None:
        self.loop = FakeLoop()
        one, two = (*reactions, reply, reply)[:2]
        self.network = FakeNetwork(self.loop, one=one, two=two)
        servers = (Place(ONE.host), Place(TWO.host))
        made = Options.make(
            **{"dns_servers": servers, "hosts_file": "/nonexistent", "dns_timeout": 1.0} | options
        )
        self.clock = self.loop.clock
        self.ledger = LocalLedger(self.clock)
        self.names = Naming(
            made, self.loop, self.clock, random.Random(1), self.network, self.ledger.take
        )

    def mx(self, *domains: str) -> float:
        """Look domains up, all at once; return the seconds it took."""
        begun = self.loop.time()

        async def all_of_them() -> None:
            await asyncio.gather(*(self.names.resolver.mx(each) for each in domains))

        self.loop.run_until_complete(all_of_them())
        return self.loop.time() - begun

    def begin(self, count: int) -> int:
        """Ask for so many domains; return for how many a server was asked in a moment."""
        for number in range(count):
            self.names.resolver.submit(f"d{number}.test", wire.MX)
        self.loop.run_until_complete(asyncio.sleep(0.01))
        return len(self.network.asked)

    def close(self) -> None:
        self.names.close()
        self.loop.close()


@pytest.fixture
def asked() -> Iterator[Callable[..., Asked]]:
    made: list[Asked] = []

    def make(*reactions: Reaction, **options: object) -> Asked:
        made.append(Asked(*reactions, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


Make = Callable[..., Asked]


@pytest.mark.effect("dns_timeout", "dns_attempts")
@pytest.mark.parametrize(
    ("timeout", "attempts", "seconds", "questions"),
    [(1.0, 1, 2.0, 2), (1.0, 2, 6.0, 4), (3.0, 1, 6.0, 2)],
)
def test_how_long_and_how_often_silent_servers_are_asked(
    asked: Make, timeout: float, attempts: int, seconds: float, questions: int
) -> None:
    dns = asked(silent, silent, dns_timeout=timeout, dns_attempts=attempts)
    assert dns.mx("a.test") == pytest.approx(seconds)
    assert len(dns.network.asked) == questions


@pytest.mark.effect("dns_max_in_flight")
@pytest.mark.parametrize("most", [2, 5])
def test_how_many_questions_are_open_at_once(asked: Make, most: int) -> None:
    assert asked(silent, dns_max_in_flight=most).begin(9) == most


@pytest.mark.effect("dns_max_udp_queries_per_port")
@pytest.mark.parametrize(("most", "ports"), [(1, 40), (0, 4)])
def test_after_how_many_questions_a_port_is_another_one(asked: Make, most: int, ports: int) -> None:
    dns = asked(dns_max_udp_queries_per_port=most)
    for number in range(40):
        dns.mx(f"d{number}.test")
    assert len(dns.network.every_port) == ports


@pytest.mark.effect("dns_fallback_to_tcp")
@pytest.mark.parametrize(("by_tcp", "asked_by_tcp"), [(True, 1), (False, 0)])
def test_whether_what_was_cut_off_is_asked_by_tcp(
    asked: Make, by_tcp: bool, asked_by_tcp: int
) -> None:
    dns = asked(lambda query: reply(query, flags=0x8380), dns_fallback_to_tcp=by_tcp)
    dns.mx("a.test")
    assert dns.names.stub.counters["tcp"] == asked_by_tcp


@pytest.mark.effect("dns_rate_limit_enabled", "dns_rate_limit_mx_queries", "dns_rate_limit_period")
def test_at_what_rate_mx_records_are_asked_for(asked: Make) -> None:
    many = [f"d{number}.test" for number in range(21)]
    assert asked().mx(*many) < 0.1
    limited = asked(dns_rate_limit_enabled=True, dns_rate_limit_mx_queries=10)
    assert limited.mx(*many) == pytest.approx(2.0, abs=0.1)
    slower = asked(
        dns_rate_limit_enabled=True, dns_rate_limit_mx_queries=10, dns_rate_limit_period=3.0
    )
    assert slower.mx(*many) == pytest.approx(6.0, abs=0.1)


def test_an_address_is_not_limited_and_a_server_is_asked_once_by_who_limits(asked: Make) -> None:
    limits = {"dns_rate_limit_enabled": True, "dns_rate_limit_period": 3600.0}
    dns = asked(silent, silent, dns_rate_limit_mx_queries=1, dns_attempts=3, **limits)
    for number in range(9):
        dns.names.resolver.submit(f"d{number}.test", wire.A)
    dns.loop.run_until_complete(asyncio.sleep(20.0))
    assert len(dns.network.asked) == 18


@pytest.mark.effect("dns_rate_limit_max_queue")
@pytest.mark.parametrize(("most", "at_once"), [(1000, 501), (100000, 1)])
def test_what_does_not_fit_into_the_queue_is_asked_for_at_once(
    asked: Make, most: int, at_once: int
) -> None:
    dns = asked(
        silent,
        dns_max_in_flight=10_000,
        dns_rate_limit_enabled=True,
        dns_rate_limit_mx_queries=1,
        dns_rate_limit_period=3600.0,
        dns_rate_limit_max_queue=most,
    )
    assert dns.begin(1501) == at_once


def test_another_rate_holds_after_a_reload(asked: Make) -> None:
    dns = asked(dns_rate_limit_enabled=True, dns_rate_limit_period=3600.0)
    dns.begin(500)
    before = len(dns.network.asked)
    dns.names.apply(Options.make(dns_servers=(Place(ONE.host),)))
    dns.loop.run_until_complete(asyncio.sleep(0.01))
    assert (before < 100, len(dns.network.asked)) == (True, 500)


# The cache, of what a real server says.

ZONE = """
    brief.test 5 A 192.0.2.1
    long.test 7200 A 192.0.2.2
    a1.test CNAME a2.test
    a2.test CNAME a3.test
    a3.test CNAME brief.test
"""


def ttl_of(tmp_path: Path, name: str, **options: object) -> float:
    """Return for how long a name's address is kept, in seconds."""

    async def main(server: DnsServer) -> float:
        clock = FakeClock()
        servers = (Place("127.0.0.1", server.port),)
        made = Options.make(**{"dns_servers": servers, "hosts_file": "/nonexistent"} | options)
        names = Naming(made, asyncio.get_running_loop(), clock, random.Random(1))
        try:
            answer = await names.resolver.address(name)
            return answer.expires - clock.monotonic()
        finally:
            names.close()

    with DnsServer(ZONE) as server:
        return asyncio.run(main(server))


@pytest.mark.effect("min_dns_ttl", "max_dns_ttl", "dns_negative_ttl")
@pytest.mark.parametrize(
    ("name", "options", "seconds"),
    [
        ("brief.test", {}, 5.0),
        ("brief.test", {"min_dns_ttl": 30}, 30.0),
        ("long.test", {}, 7200.0),
        ("long.test", {"max_dns_ttl": 60}, 60.0),
        ("none.test", {}, 60.0),
        ("none.test", {"dns_negative_ttl": 7.0}, 7.0),
    ],
)
def test_for_how_long_an_answer_is_kept(
    tmp_path: Path, name: str, options: dict[str, float], seconds: float
) -> None:
    assert ttl_of(tmp_path, name, **options) == pytest.approx(seconds)


@pytest.mark.effect("max_cname_depth")
@pytest.mark.parametrize(("most", "found"), [(3, 1), (2, 0)])
def test_how_many_aliases_are_followed(most: int, found: int) -> None:
    async def main(server: DnsServer) -> int:
        servers = (Place("127.0.0.1", server.port),)
        made = Options.make(dns_servers=servers, max_cname_depth=most)
        names = Naming(made, asyncio.get_running_loop(), RealClock(), random.Random(1))
        try:
            return len((await names.resolver.address("a1.test")).records)
        finally:
            names.close()

    with DnsServer(ZONE) as server:
        assert asyncio.run(main(server)) == found


@pytest.mark.effect("dns_cache_size")
@pytest.mark.parametrize(("most", "kept"), [(4, 4), (100, 9)])
def test_how_many_answers_are_kept(asked: Make, most: int, kept: int) -> None:
    dns = asked(dns_cache_size=most)
    dns.mx(*(f"d{number}.test" for number in range(9)))
    assert len(dns.names.resolver) == kept


@pytest.mark.effect("dns_cache_purge_interval")
@pytest.mark.parametrize(("interval", "left"), [(60.0, 0), (36000.0, 1)])
def test_how_often_what_is_over_is_removed(asked: Make, interval: float, left: int) -> None:
    dns = asked(dns_cache_purge_interval=interval)
    dns.clock.advance(61.0)
    dns.names.tick(dns.clock.monotonic())  # The next removal is so far off from now on.
    dns.mx("a.test")
    dns.clock.advance(7200.0)
    dns.names.tick(dns.clock.monotonic())
    assert len(dns.names.resolver) == left


@pytest.mark.effect("dns_servers")
def test_the_servers_of_the_option_are_asked(asked: Make) -> None:
    dns = asked(dns_servers=(Place(TWO.host),))
    dns.mx("a.test")
    assert dns.network.asked == [TWO]


@pytest.mark.effect("resolv_conf")
def test_the_servers_of_the_named_file_are_asked(asked: Make, tmp_path: Path) -> None:
    (tmp_path / "other.conf").write_text(f"nameserver {TWO.host}\n")
    dns = asked(dns_servers=(), resolv_conf=str(tmp_path / "other.conf"))
    dns.mx("a.test")
    assert dns.network.asked == [TWO]


@pytest.mark.effect("dns_udp_rcvbuf_size", "dns_udp_sndbuf_size")
@pytest.mark.parametrize(("size", "reloaded"), [(8192, False), (65536, False), (65536, True)])
def test_the_sockets_of_dns_have_the_buffers_which_are_set(size: int, reloaded: bool) -> None:
    async def main(server: DnsServer) -> list[int]:
        made = Options.make(
            dns_servers=(Place("127.0.0.1", server.port),),
            dns_udp_rcvbuf_size=size,
            dns_udp_sndbuf_size=size,
        )
        first = Options.make() if reloaded else made
        names = Naming(first, asyncio.get_running_loop(), RealClock(), random.Random(1))
        if reloaded:
            names.apply(made)
        try:
            await names.resolver.mx("brief.test")
            port = names.stub._servers[0].ports[0].socket
            assert isinstance(port, UdpPort)
            kinds = (socket.SO_RCVBUF, socket.SO_SNDBUF)
            return [port._sock.getsockopt(socket.SOL_SOCKET, each) for each in kinds]
        finally:
            names.close()

    with DnsServer(ZONE) as server:
        assert asyncio.run(main(server)) == [2 * size, 2 * size]  # Linux doubles what is set.
