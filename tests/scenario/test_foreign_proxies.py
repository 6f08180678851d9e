"""HAProxy and microsocks, before our listeners and between us and hosts.

What the guide and the example show of HAProxy's configuration is what runs here.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from helpers.caller import Caller
from helpers.foreignproxies import haproxy, microsocks
from helpers.outlook import Outlook, second
from helpers.preload import preload
from helpers.world import World, reserved_port

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/proxies"
MAIL = b"Subject: x\r\n\r\nhi\r\n"
HERE = "* A 127.0.0.1"
NOBODY = "127.0.3.9"  # no host is there
CLIENT, OTHER, SHUT_OUT = "127.0.6.9", "127.0.6.10", "127.0.6.11"
FROM = "127.0.5.1"  # of HAProxy, to send from

BEFORE = """
defaults
    mode tcp
    timeout connect 5s
    timeout client 90s
    timeout server 90s
frontend first
    bind 127.0.0.1:{first}
    default_backend text
frontend second
    bind 127.0.0.1:{second}
    default_backend binary
backend text
    server mx1 127.0.0.1:{behind} send-proxy
backend binary
    server mx1 127.0.0.1:{behind} send-proxy-v2 proxy-v2-options crc32c,unique-id
"""
LISTENER = """
  listen "127.0.0.1:{behind}" {{
    proxy_protocol = true
    peer "127.0.6.9" {{
      banner_hostname = "for-nine.test"
      relay_hosts = ( "127.0.6.9" )
      smtp_extensions = ( XCLIENT )
    }}
    peer "127.0.6.10" {{ relay_hosts = () }}
  }}
"""
POLICY = """
from angarium.policy.script import Refuse, Session, on

@on.connect
def shut(session: Session) -> None:
    if session.address == "127.0.6.11":
        raise Refuse(554, "5.7.1 nothing from " + session.address, hang_up=True)
"""
BEYOND = """
use_ipv6 = true
max_retry_interval = 1
host_failure_retry = 0
dead_destination_delay = 1
binding "by-haproxy" {{
  ha_proxy_server = "127.0.0.1:{haproxy}"
  ha_proxy_src_addr = "127.0.5.1"
  ha_proxy_ipv6_src_addr = "::1"
}}
binding "unlisted" {{
  ha_proxy_server = "127.0.0.1:{haproxy}"
  ha_proxy_src_addr = "127.0.5.9"
}}
binding "by-socks" {{
  socks_server = "127.0.0.1:{socks}"
  socks_user = "mail"
  socks_pass = "secret"
}}
binding "unknown" {{
  socks_server = "127.0.0.1:{socks}"
  socks_user = "mail"
  socks_pass = "{password}"
}}
binding "by-open-socks" {{ socks_server = "127.0.0.1:{opened}" }}
"""


@pytest.fixture
def ports() -> Iterator[list[int]]:
    with ExitStack() as stack:
        yield [stack.enter_context(reserved_port()).getsockname()[1] for _ in range(3)]


@asynccontextmanager
async def coming(port: int, source: str) -> AsyncIterator[Caller]:
    """Connect to a proxy from an address."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
    caller = Caller(reader, writer)
    try:
        caller.banner = await caller.reply()
        if caller.banner.startswith("220"):
            caller.greeting = await caller.say("EHLO peer.test")
        yield caller
    finally:
        writer.close()


def placed(text: str, *changes: tuple[str, str]) -> str:
    """Put places of ours where what is shown has others."""
    for shown, ours in changes:
        assert shown in text, shown
        text = text.replace(shown, ours)
    return text


@pytest.mark.peer
async def test_a_client_behind_haproxy_is_itself_by_both_versions_of_the_header(
    tmp_path: Path, ports: list[int]
) -> None:
    first, second, behind = ports
    listener = LISTENER.format(behind=behind)
    (tmp_path / "p.py").write_text(POLICY)
    config = 'python { script "p" { source = "p.py" } }'
    with haproxy(BEFORE.format(first=first, second=second, behind=behind)):
        async with World(tmp_path, config, HERE, listener=listener) as world:
            for port in (first, second):
                async with coming(port, CLIENT) as caller:
                    assert caller.banner.startswith("220 for-nine.test")
                    assert (await caller.deliver(MAIL, f"b{port}@x.test")).startswith("250")
                mail = await world.arrived(f"b{port}@x.test")
                assert re.search(rb"from \[127\.0\.6\.9\] \(\[127\.0\.6\.9:", mail.content or b"")
                async with coming(port, OTHER) as caller:
                    assert caller.banner.startswith("220 mx.node.test")
                    assert "XCLIENT" not in caller.greeting
                    assert (await caller.deliver(MAIL, "b@x.test")).startswith("550 5.7.1")
                async with coming(port, SHUT_OUT) as caller:
                    assert caller.banner == "554 5.7.1 nothing from 127.0.6.11"
                # XCLIENT is for who stands behind the proxy, and goes beyond the header.
                async with coming(port, CLIENT) as caller:
                    assert "XCLIENT" in caller.greeting
                    said = await caller.say("XCLIENT ADDR=192.0.2.33 HELO=far.test")
                    assert said.startswith("220 "), said
                    await caller.say("EHLO far.test")
                    assert (await caller.deliver(MAIL, "b@x.test")).startswith("550 5.7.1")
                for source in (OTHER, SHUT_OUT, "192.0.2.33"):
                    told = rf'R="{re.escape(source)}:\d+" L="127\.0\.0\.1:{port}"'
                    await world.logged("rejectlog", told)
            assert len(await world.logged("mainlog", r"@R@.*@127\.0\.6\.9@", 2)) == 2


@pytest.mark.peer
async def test_mail_goes_by_real_proxies_and_waits_for_what_they_do_not_do(
    tmp_path: Path, ports: list[int]
) -> None:
    by, socks, opened = ports
    domains = {
        "haproxy.test": "by-haproxy",
        "dead.haproxy.test": "by-haproxy",
        "unlisted.test": "unlisted",
        "six.test": "by-haproxy",
        "socks.test": "by-socks",
        "dead.socks.test": "by-socks",
        "open.test": "by-open-socks",
        "unknown.test": "unknown",
    }
    mails = [("default", binding, f"b@{domain}") for domain, binding in domains.items()]
    await preload(tmp_path / "state", mails)
    zone = f"dead.haproxy.test A {NOBODY}\ndead.socks.test A {NOBODY}\nsix.test AAAA ::1\n{HERE}"
    config = partial(BEYOND.format, haproxy=by, socks=socks, opened=opened)
    text = placed(
        (EXAMPLE / "haproxy.cfg").read_text("utf-8"),
        ("*:25\n", "abns@unused\n"),
        ("    timeout connect", "    retries 0\n    timeout connect"),
        ("127.0.0.1:5000", f"127.0.0.1:{by}"),
        ("198.51.100.25", FROM),
        ("2001:db8::25", "::1"),
    )
    with (
        haproxy(text),
        microsocks(socks, "mail", "secret", source="127.0.5.2"),
        microsocks(opened, source="127.0.5.3"),
    ):
        async with Outlook(tmp_path, config(password="guess"), zone) as world:
            seen = {}
            for domain in ("haproxy.test", "socks.test", "open.test"):
                [letter] = await world.came(f"*@{domain}")
                seen[domain] = letter.peer
            assert seen == {
                "haproxy.test": FROM,
                "socks.test": "127.0.5.2",
                "open.test": "127.0.5.3",
            }
            beside = await second(world, "::1")
            try:
                await world.until(lambda: beside.accepted, "mail by IPv6")
                assert beside.accepted[0].peer == "::1"
            finally:
                await beside.stop()
            # HAProxy only hangs up; a server of SOCKS says that the host cannot be reached.
            for domain, reason in (
                ("dead.haproxy.test", "connection closed by remote host"),
                ("unlisted.test", "connection closed by remote host"),
                ("dead.socks.test", "No valid hosts (unable to make any connections)"),
            ):
                failed = (await world.records("mainlog", "T", domain))[0]
                assert failed[-1].endswith(f"[internal] {reason}")
            # What only the proxy refuses blames no host.
            await world.until(lambda: told(world, "refuses our name and password"), "an alarm")
            assert world.rows("mainlog", "T", "unknown.test") == []
            await world.reload(config(password="secret"))
            await world.came("*@unknown.test")
            assert world.rows("mainlog", "P") == []


def told(world: World, text: str) -> bool:
    return any(text in line for line in world.output)


class Example(World):
    """The server of the example: its ports and addresses are ours."""

    ports: list[int]

    def configure(self, extra: str) -> None:
        behind, beyond = self.ports
        text = placed(
            (EXAMPLE / "ecelerity.conf").read_text("utf-8"),
            ("127.0.0.1:2525", f"127.0.0.1:{behind}"),
            ("127.0.0.1:5000", f"127.0.0.1:{beyond}"),
            ("198.51.100.25", FROM),
            ("192.0.2.0/24", "127.0.6.0/24"),
            ("/var/log/angarium", str(self.logs)),
        )
        self.config.write_text(
            f'{text}dns_servers = ( "127.0.0.1:{self.dns.port}" )\n'
            f'remote_smtp_port = {self.sink.port}\neventloop "pool" {{ concurrency = 1 }}\n'
        )


@pytest.mark.peer
async def test_the_example_works_between_its_two_haproxies(
    tmp_path: Path, ports: list[int]
) -> None:
    entry, behind, beyond = ports
    text = placed(
        (EXAMPLE / "haproxy.cfg").read_text("utf-8"),
        ("*:25\n", f"127.0.0.1:{entry}\n"),
        ("127.0.0.1:2525", f"127.0.0.1:{behind}"),
        ("127.0.0.1:5000", f"127.0.0.1:{beyond}"),
        ("198.51.100.25", FROM),
        ("2001:db8::25", "::1"),
    )
    world = Example(tmp_path, zone=HERE)
    world.ports = [behind, beyond]
    with haproxy(text) as proxy:
        async with world:
            await world.eventually(lambda: proxy.is_up("mail,mx1"), "a check which was answered")
            async with coming(entry, CLIENT) as caller:
                assert (await caller.deliver(MAIL, "b@example.com")).startswith("250")
            assert (await world.arrived("b@example.com")).peer == FROM
            await world.logged("mainlog", r"@R@.*@127\.0\.6\.9@")
            async with coming(entry, "127.0.7.1") as caller:
                assert (await caller.deliver(MAIL, "c@example.com")).startswith("550 5.7.1")
            # Neither side's checks are anything to tell of.
            assert not told(world, "PROXY header")
            assert not told(world, "out of order")


def test_what_the_guide_shows_of_haproxy_is_in_the_example() -> None:
    guide = placed(
        (ROOT / "docs/guide/proxies.md").read_text("utf-8"),
        ("server mx1 10.0.0.5:25", "server mx1 127.0.0.1:2525"),
        ("bind 10.0.0.9:5000", "bind 127.0.0.1:5000"),
    )
    shown = re.findall(r"(?m)^    (?:defaults|frontend|backend)\b.*\n(?:     +.*\n)*", guide)
    assert len(shown) >= 4
    lines = (EXAMPLE / "haproxy.cfg").read_text("utf-8").splitlines()
    for line in "".join(shown).splitlines():
        assert line.removeprefix("    ") in lines
