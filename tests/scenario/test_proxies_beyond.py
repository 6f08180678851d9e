"""Mail which leaves by proxies: from which addresses, and what becomes of it if one is away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from helpers.caller import Caller
from helpers.proxies import HaProxy, Proxy, Socks, running
from helpers.world import World

MAIL = b"Subject: x\r\n\r\nhi\r\n"
ZONE = """
example.com MX 10 mx.example.com
mx.example.com A 192.0.2.77
direct.test MX 10 mx.direct.test
mx.direct.test A 127.0.0.1
six.test MX 10 mx.six.test
mx.six.test AAAA 2001:db8::77
proxy.test A 127.0.0.1
"""
# The address of the binding is the proxy's, and not of this machine.
BY_HAPROXY = """
binding "default" {{
  {bind}
  ha_proxy_server = "proxy.test:{port}"
  ha_proxy_src_addr = "198.51.100.25"
  {more}
  Domain "direct.test" {{ ha_proxy_bypass = true }}
}}
"""
BY_SOCKS = """
binding "default" {{
  socks_server = "127.0.0.1:{port}"
  socks_user = "mail"
  socks_pass = "{password}"
  Domain "direct.test" {{ socks_bypass = true }}
}}
"""


def by_haproxy(port: int, bind: str = "", more: str = "") -> str:
    return BY_HAPROXY.format(port=port, bind=bind, more=more)


def by_socks(port: int, password: str = "secret") -> str:
    return BY_SOCKS.format(port=port, password=password)


@asynccontextmanager
async def behind(proxy: Proxy, folder: Path, config: Callable[[int], str]) -> AsyncIterator[World]:
    async with running(proxy), World(folder, config(proxy.port), ZONE) as world:
        proxy.place = lambda _: ("127.0.0.1", world.sink.port)
        yield world


def told(world: World, text: str) -> bool:
    return any(text in line for line in world.output)


@pytest.mark.effect("ha_proxy_server", "ha_proxy_src_addr")
async def test_haproxy_is_told_from_where_to_which_host(tmp_path: Path) -> None:
    proxy = HaProxy()
    bound = 'bind_address = "198.51.100.25"'
    async with behind(proxy, tmp_path, lambda port: by_haproxy(port, bound)) as world:
        await world.send("a@sender.test", ["b@example.com"], MAIL)
        await world.arrived("b@example.com")
        assert proxy.asked == [("192.0.2.77", world.sink.port)]
        assert [address for address, _ in proxy.sources] == ["198.51.100.25"]
        await world.logged("mainlog", r"@D@example\.com@.*@192\.0\.2\.77")
        assert not told(world, "suspended")


@pytest.mark.effect("ha_proxy_ipv6_src_addr")
async def test_hosts_of_ipv6_are_gone_to_where_the_proxy_has_an_address_for_it(
    tmp_path: Path,
) -> None:
    proxy = HaProxy()
    six = 'ha_proxy_ipv6_src_addr = "2001:db8::25"'

    def config(port: int) -> str:
        return "use_ipv6 = true\n" + by_haproxy(port, more=six)

    async with behind(proxy, tmp_path, config) as world:
        await world.send("a@sender.test", ["b@six.test"], MAIL)
        await world.arrived("b@six.test")
        assert proxy.asked == [("2001:db8::77", world.sink.port)]
        assert [address for address, _ in proxy.sources] == ["2001:db8::25"]


@pytest.mark.effect("ha_proxy_bypass")
async def test_a_domain_may_go_past_haproxy(tmp_path: Path) -> None:
    proxy = HaProxy()
    async with behind(proxy, tmp_path, by_haproxy) as world:
        await world.send("a@sender.test", ["b@direct.test", "b@example.com"], MAIL)
        await world.arrived("b@direct.test")
        await world.arrived("b@example.com")
        assert proxy.asked == [("192.0.2.77", world.sink.port)]


async def test_while_a_proxy_is_away_mail_waits_and_no_host_is_blamed(tmp_path: Path) -> None:
    proxy = Socks()
    proxy.user = ("mail", "secret")
    async with behind(proxy, tmp_path, by_socks) as world:
        await proxy.stop()
        await world.send("a@sender.test", ["b@example.com"], MAIL)
        await world.until(lambda: told(world, f":{proxy.port}: Connection refused"), "an alarm")
        failures = [line for line in world.log("mainlog") if "@T@" in line or "@P@" in line]
        assert failures == []
        await proxy.listen()
        await world.arrived("b@example.com")


@pytest.mark.effect("socks_server", "socks_user", "socks_pass", "socks_bypass")
async def test_socks_carries_mail_for_who_is_known_to_it(tmp_path: Path) -> None:
    proxy = Socks()
    proxy.user = ("mail", "secret")
    async with behind(proxy, tmp_path, by_socks) as world:
        await world.send("a@sender.test", ["b@example.com", "c@direct.test"], MAIL)
        await world.arrived("b@example.com")
        await world.arrived("c@direct.test")
        assert proxy.asked == [("192.0.2.77", world.sink.port)]
        # Another password is none, and no fault of the host.
        await world.reload(by_socks(proxy.port, "wrong"))
        await world.send("a@sender.test", ["d@example.com"], MAIL)
        await world.until(lambda: told(world, "refuses our name and password"), "an alarm")
        assert not told(world, "wrong")
        await world.reload(by_socks(proxy.port))
        await world.arrived("d@example.com")


@pytest.mark.parametrize("code", [4, 5])
async def test_a_host_which_socks_cannot_reach_is_to_blame(tmp_path: Path, code: int) -> None:
    proxy = Socks()
    proxy.user, proxy.code = ("mail", "secret"), code
    config = "dead_destination_delay = 1\nhost_failure_retry = 1\n"
    async with behind(proxy, tmp_path, lambda port: config + by_socks(port)) as world:
        await world.send("a@sender.test", ["b@example.com"], MAIL)
        await world.logged("mainlog", r"@T@")
        proxy.code = 0
        await world.arrived("b@example.com")


@pytest.mark.effect(
    "ha_proxy_client.health_check_interval",
    "ha_proxy_client.health_check_failure_threshold",
    "ha_proxy_client.health_check_success_threshold",
)
async def test_a_proxy_is_looked_at_and_left_out_while_it_does_not_answer(tmp_path: Path) -> None:
    proxy = HaProxy()
    checks = """
    ha_proxy_client {
      health_check_interval = 1
      health_check_failure_threshold = 2
      health_check_success_threshold = 2
    }
    """
    async with behind(proxy, tmp_path, lambda port: by_haproxy(port) + checks) as world:
        await proxy.stop()
        place = f"proxy proxy.test:{proxy.port}"
        await world.until(lambda: told(world, f"{place} is out of order"), "an alarm")
        await world.send("a@sender.test", ["b@example.com"], MAIL)
        await world.until(lambda: told(world, f"{place} does not answer"), "another one")
        await proxy.listen()
        await world.until(lambda: told(world, f"{place} is back"), "the end of it")
        await world.arrived("b@example.com")


EXAMPLE = Path(__file__).parents[2] / "examples/proxies/ecelerity.conf"


async def test_the_example_takes_mail_by_one_proxy_and_sends_it_by_another(tmp_path: Path) -> None:
    proxy, other = HaProxy(), Socks()

    class Example(World):
        def configure(self, extra: str) -> None:
            text = EXAMPLE.read_text("utf-8")
            for shown, ours in (
                ("127.0.0.1:2525", f"127.0.0.1:{self.port}"),
                ("127.0.0.1:5000", f"127.0.0.1:{proxy.port}"),
                ("127.0.0.1:1080", f"127.0.0.1:{other.port}"),
                ("/var/log/angarium", str(self.logs)),
            ):
                assert shown in text
                text = text.replace(shown, ours)
            self.config.write_text(
                f'{text}dns_servers = ( "127.0.0.1:{self.dns.port}" )\n'
                f'remote_smtp_port = {self.sink.port}\neventloop "pool" {{ concurrency = 1 }}\n'
            )

    async with running(proxy), running(other), Example(tmp_path, "", ZONE) as world:
        proxy.place = lambda _: ("127.0.0.1", world.sink.port)
        reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
        client = Caller(reader, writer)
        await client.put(b"PROXY TCP4 192.0.2.9 192.0.2.1 4711 25\r\n")
        assert (await client.reply()).startswith("220")
        await client.say("EHLO peer.test")
        await client.envelope("a@sender.test", "b@example.com")
        assert (await client.data(MAIL)).startswith("250")
        writer.close()
        await world.arrived("b@example.com")
        assert proxy.asked == [("192.0.2.77", world.sink.port)]
        assert [address for address, _ in proxy.sources] == ["198.51.100.25"]
        await world.logged("mainlog", r"@R@.*@192\.0\.2\.9@")
