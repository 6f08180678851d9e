"""TLS of listeners of HTTP by the options for who connects, over real sockets."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from angarium.config.load import load_text
from angarium.events.metrics import Metrics
from angarium.lab.sink import stop_listening
from angarium.run.httptls import HANDSHAKES, HttpTls
from helpers.certificates import authority, client_context, server
from helpers.clock import FakeClock


class Greeter(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"hello\n")
        transport.close()


class Listener:
    def __init__(self, text: str) -> None:
        self.told: list[str] = []
        self.metrics = Metrics()
        self.tls = HttpTls(self.told.append, self.metrics, FakeClock())
        self.use(text)
        self.port = 0

    def use(self, text: str) -> None:
        configuration = load_text(text)
        self.tls.use(configuration)
        [self.where] = configuration.listens("http_listener")

    def count(self, outcome: str) -> float:
        return self.metrics.cell(HANDSHAKES, outcome).value

    async def hear(self, source: str = "127.0.0.1", *, clear: bool = False) -> bytes:
        """Return what is said to a client, b"" if he is hung up on."""
        how: Any = {} if clear else {"ssl": client_context(), "server_hostname": "localhost"}
        try:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", self.port, local_addr=(source, 0), **how
            )
        except (OSError, ssl.SSLError):
            return b""
        try:
            return await asyncio.wait_for(reader.read(), 90)
        except OSError:
            return b""
        finally:
            writer.close()
            with contextlib.suppress(OSError, ssl.SSLError):
                await writer.wait_closed()


@contextlib.asynccontextmanager
async def listening(text: str) -> AsyncIterator[Listener]:
    made = Listener(text)
    opened = await asyncio.get_running_loop().create_server(
        made.tls.before(made.where, Greeter), "127.0.0.1", 0
    )
    made.port = opened.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        await stop_listening(opened)


def configured(folder: Path, listener: str) -> str:
    server().write(folder, "own")
    files = f'tls_certificate = "{folder}/own.crt" tls_key = "{folder}/own.key"'
    return f"http_listener {{ {files} listen 127.0.0.1:2081 {{ {listener} }} }}"


@pytest.mark.effect("use_ssl")
async def test_it_is_decided_by_the_address_of_who_connects(tmp_path: Path) -> None:
    text = configured(tmp_path, 'use_ssl = true peer "127.0.0.2" { use_ssl = false }')
    async with listening(text) as listener:
        assert await listener.hear() == b"hello\n"
        assert await listener.hear("127.0.0.2", clear=True) == b"hello\n"
        assert listener.count("secure") == 1


async def test_where_nothing_asks_for_tls_nothing_is_put_before_a_protocol(tmp_path: Path) -> None:
    listener = Listener(configured(tmp_path, ""))
    assert listener.tls.before(listener.where, Greeter) is Greeter


async def test_a_certificate_which_has_gone_is_told_once_and_nobody_is_served_in_clear(
    tmp_path: Path,
) -> None:
    text = configured(tmp_path, "use_ssl = true")
    (tmp_path / "own.crt").unlink()
    async with listening(text) as listener:
        assert [await listener.hear(), await listener.hear(clear=True)] == [b"", b""]
        [told] = listener.told
        assert "own.crt cannot be read" in told
        listener.use(text)
        await listener.hear()
        assert len(listener.told) == 2


async def test_contexts_are_read_again_when_they_are_to_be(tmp_path: Path) -> None:
    async with listening(configured(tmp_path, "use_ssl = true")) as listener:
        assert await listener.hear() == b"hello\n"
        authority().signed("elsewhere.example").write(tmp_path, "own")
        assert await listener.hear() == b"hello\n"
        assert listener.tls.contexts.renew() == (1, [])
        assert await listener.hear() == b""  # It is another name now.
