"""The resolver as options and files make it."""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from angarium.config.kinds import Place
from angarium.net.loop import RealClock
from angarium.net.options.resolver import Resolver as Options
from angarium.net.resolvconf import Server
from angarium.net.resolver import Naming
from helpers.clock import FakeClock
from helpers.dns import DnsServer


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
