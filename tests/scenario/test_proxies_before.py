"""Clients behind a proxy: who they are is what its PROXY header says, for rights, limits, logs."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import pytest

from angarium.wire.proxy import SIGNATURE, encode, encode_line
from helpers.certificates import client_context, server
from helpers.world import PATIENCE, World, reserved_port

ZONE = "* A 127.0.0.1"
CONFIG = 'relay_domains = ( "ours.test" )\n'
PROXIED = """
  listen "127.0.0.1:{behind}" {{
    proxy_protocol = true
    proxy_protocol_timeout = {timeout}
    peer "192.0.2.9" {{ banner_hostname = "for-nine.test" }}
    peer "198.51.100.0/24" {{ relay_hosts = ( "198.51.100.0/24" ) sessions_per_address = 1 }}
  }}
"""
Program = Callable[[str], str]


@pytest.fixture
def ports() -> Iterator[list[int]]:
    with ExitStack() as stack:
        yield [stack.enter_context(reserved_port()).getsockname()[1] for _ in range(2)]


class Client:
    """One connection, which says what it is told to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def line(self) -> str:
        octets = await asyncio.wait_for(self.reader.readline(), PATIENCE)
        return octets.decode().removesuffix("\r\n")

    async def say(self, text: str) -> str:
        self.writer.write(text.encode() + b"\r\n")
        reply = await self.line()
        while reply[3:4] == "-":
            reply = await self.line()
        return reply


@asynccontextmanager
async def behind(port: int, header: bytes) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(header)
        yield Client(reader, writer)
    finally:
        writer.close()


def told(address: str, port: int = 40000) -> bytes:
    return encode((address, port), ("203.0.113.1", 25))


@pytest.mark.effect("proxy_protocol")
async def test_the_address_which_the_proxy_tells_rules(tmp_path: Path, ports: list[int]) -> None:
    listener = PROXIED.format(behind=ports[0], timeout=60)
    async with World(tmp_path, CONFIG, ZONE, listener=listener) as world:
        async with behind(ports[0], told("192.0.2.9") + b"EHLO a.test\r\n") as client:
            assert (await client.line()).startswith("220 for-nine.test ESMTP")
            while (await client.line())[3] == "-":
                pass
            assert (await client.say("MAIL FROM:<a@sender.test>")).startswith("250")
            assert (await client.say("RCPT TO:<b@theirs.test>")).startswith("550 5.7.1")
            assert (await client.say("RCPT TO:<b@ours.test>")).startswith("250")
            assert (await client.say("DATA")).startswith("354")
            assert (await client.say("Subject: x\r\n\r\nhi\r\n.")).startswith("250")
        mail = await world.arrived("b@ours.test")
        assert b"from [192.0.2.9] ([192.0.2.9:40000] helo=a.test)" in (mail.content or b"")
        await world.logged("mainlog", r"@R@.*@192\.0\.2\.9@")
        await world.logged("rejectlog", r'R="192\.0\.2\.9:40000" L="203\.0\.113\.1:25"')
        # Rights and limits are those of the address, by either version of the header.
        line = encode_line(("198.51.100.7", 1), ("203.0.113.1", 25))
        async with behind(ports[0], line) as first, behind(ports[0], line) as second:
            said = sorted([(await first.line())[:3], (await second.line())[:3]])
            assert said == ["220", "421"]
        async with behind(ports[0], told("198.51.100.8")) as client:
            assert (await client.line()).startswith("220")
            await client.say("EHLO a.test")
            await client.say("MAIL FROM:<a@sender.test>")
            assert (await client.say("RCPT TO:<c@theirs.test>")).startswith("250")
        # A check of the proxy's own has the rights of the proxy.
        async with behind(ports[0], SIGNATURE + b"\x20\0\0\0") as client:
            assert (await client.line()).startswith("220 mx.node.test")
            await client.say("EHLO a.test")
            await client.say("MAIL FROM:<a@sender.test>")
            assert (await client.say("RCPT TO:<c@theirs.test>")).startswith("250")


async def test_without_a_header_nobody_is_let_in_and_elsewhere_none_is_asked(
    tmp_path: Path, ports: list[int]
) -> None:
    listener = PROXIED.format(behind=ports[0], timeout=60)
    async with World(tmp_path, CONFIG, ZONE, listener=listener) as world:
        async with behind(ports[0], b"EHLO a.test\r\n") as client:
            assert await client.reader.read() == b""
        await world.until(
            lambda: any("do not begin with a PROXY header" in line for line in world.output),
            "an alarm",
        )
        async with world.call() as caller:
            assert (await caller.say("NOOP")).startswith("250")
        # A header where none is asked for is a command nobody knows.
        async with behind(world.port, encode_line(("192.0.2.9", 1), ("192.0.2.1", 25))) as client:
            assert (await client.line()).startswith("220 mx.node.test")
            assert (await client.line()).startswith("500")
        # And a reload asks for them on a socket that is open.
        world.listener = PROXIED.format(behind=ports[0], timeout=60) + (
            'peer "127.0.0.2" { proxy_protocol = true }'
        )
        await world.reload(CONFIG)
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", world.port, local_addr=("127.0.0.2", 0)
        )
        writer.write(b"EHLO a.test\r\n")
        assert await asyncio.wait_for(reader.read(), PATIENCE) == b""
        writer.close()
        async with world.call() as caller:  # others come as before
            assert (await caller.say("NOOP")).startswith("250")


@pytest.mark.effect("proxy_protocol_timeout")
async def test_a_header_is_waited_for_a_bounded_time(tmp_path: Path, ports: list[int]) -> None:
    listener = PROXIED.format(behind=ports[0], timeout=1)
    async with (
        World(tmp_path, CONFIG, ZONE, listener=listener) as world,
        behind(ports[0], SIGNATURE) as client,
    ):
        assert await asyncio.wait_for(client.reader.read(), PATIENCE) == b""
        await world.until(
            lambda: any("does not come in time" in line for line in world.output), "an alarm"
        )


async def test_consoles_and_http_come_behind_proxies_too(tmp_path: Path, ports: list[int]) -> None:
    console, web = ports
    config = f"""
    http_listener {{ listen "127.0.0.1:{web}" {{ }} proxy_protocol = true }}
    http_logger {{ log = "http.ec" }}
    control_listener {{
      listen "127.0.0.1:{console}" {{
        proxy_protocol = true
        enable_authentication = false
        peer "192.0.2.9" {{ always_deny = true }}
      }}
    }}
    """
    async with World(tmp_path, CONFIG + config, ZONE) as world:
        async with behind(console, told("192.0.2.9")) as client:
            assert json.loads(await client.line())["reason"] == "this address may not connect"
        async with behind(console, told("192.0.2.10")) as client:
            assert "version" in json.loads(await client.line())
        async with behind(console, b"{}\n") as client:
            assert await asyncio.wait_for(client.reader.read(), PATIENCE) == b""

        async def answered() -> bool:
            request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            async with behind(web, told("192.0.2.9", 4711) + request) as client:
                return (await client.line()).startswith("HTTP/1.1 200")

        await world.eventually(answered, "an answer by HTTP")
        log = world.state / "http.ec"
        await world.until(lambda: log.exists() and "192.0.2.9:4711 " in log.read_text(), "a line")
        async with behind(web, b"GET /healthz HTTP/1.1\r\n\r\n") as client:
            assert await asyncio.wait_for(client.reader.read(), PATIENCE) == b""


@pytest.mark.peer
async def test_swaks_comes_by_a_proxy(tmp_path: Path, ports: list[int], program: Program) -> None:
    listener = PROXIED.format(behind=ports[0], timeout=60)
    async with World(tmp_path, CONFIG, ZONE, listener=listener) as world:
        for version, family in (("1", "TCP4"), ("2", "AF_INET")):
            process = await asyncio.create_subprocess_exec(
                program("swaks"), "--server", f"127.0.0.1:{ports[0]}", "--helo", "peer.test",
                "--from", "a@sender.test", "--to", f"b{version}@ours.test",
                "--proxy-version", version, "--proxy-family", family,
                "--proxy-source", "192.0.2.9", "--proxy-source-port", "4711",
                "--proxy-dest", "203.0.113.1", "--proxy-dest-port", "25",
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            )  # fmt: skip
            said, _ = await process.communicate()
            assert process.returncode == 0, said.decode()
            mail = await world.arrived(f"b{version}@ours.test")
            assert b"from [192.0.2.9] ([192.0.2.9:4711] helo=peer.test)" in (mail.content or b"")


async def test_the_header_comes_before_tls(tmp_path: Path, ports: list[int]) -> None:
    certificate, key = server().write(tmp_path, "mx")
    tls = f'tls_certificate = "{certificate}" tls_key = "{key}"'
    smtp, console = ports
    listener = f"""
      listen "127.0.0.1:{smtp}" {{
        use_ssl = true {tls}
        proxy_protocol = true
        peer "192.0.2.9" {{ banner_hostname = "for-nine.test" }}
      }}
    """
    config = f"""
    control_listener {{
      listen "127.0.0.1:{console}" {{
        {tls} proxy_protocol = true enable_authentication = false
      }}
    }}
    """
    async with World(tmp_path, CONFIG + config, ZONE, listener=listener):
        async with behind(smtp, told("192.0.2.9")) as client:
            await client.writer.start_tls(client_context())
            assert (await client.line()).startswith("220 for-nine.test")
        async with behind(smtp, b"") as client:  # TLS at once is no header
            with pytest.raises(ConnectionError):
                await client.writer.start_tls(client_context())
        async with behind(console, told("192.0.2.9")) as client:
            assert json.loads(await client.line())["tls"] is True
            client.writer.write(b'{"is":"secure"}\n')
            assert "secure" in await client.line()
            await client.writer.start_tls(client_context())
            assert json.loads(await client.line()).get("tls") is not True
