"""Logins which are bound to TLS: from one server of ours to another, and to PostgreSQL.

PostgreSQL is the one server in Debian which binds SCRAM-SHA-256-PLUS to its certificate; libgsasl
and Cyrus know other bindings only.
"""

import asyncio
import base64
import contextlib
import secrets
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio

from angarium.net.tls.facts import EXTRA
from angarium.wire.sasl.errors import SaslError
from angarium.wire.sasl.exchange import Credentials
from angarium.wire.sasl.mechanisms import client
from angarium.wire.sasl.names import SCRAM, SCRAM_PLUS
from angarium.wire.sasl.secrets import ScramSecret
from helpers.certificates import authority, server_context
from helpers.databases import Server, postgresql
from helpers.world import World

pytestmark = pytest.mark.slow
MAIL = b"Subject: x\r\n\r\nhi\r\n"
PASSWORD = "correct horse"
INNER = """
  tls_certificate = "{folder}/mx.crt" tls_key = "{folder}/mx.key"
  smtp_extensions = ( "AUTH SCRAM-SHA-256" )
  auth_failure_delay = 0
  authscramparameters = [ uri = "passwd://{folder}/users" log_authentication = true ]
"""
OUTER = """
domain "{name}.test" {{
  gateway = "127.0.0.1:{port}"
  tls = required
  outbound_smtp_auth_type = "{mechanism}"
  outbound_smtp_auth_user = tim
  outbound_smtp_auth_pass = "correct horse"
  outbound_smtp_auth_unbound = {unbound}
}}
"""


class Hosts:
    """A server which lets in who logs in, and one whose mail goes there, by several ways."""

    def __init__(self, inner: World, outer: World, seen: dict[str, list[str]]) -> None:
        self.inner, self.outer, self.seen = inner, outer, seen

    async def send(self, name: str) -> None:
        await self.outer.send("a@sender.test", [f"b@{name}.test"], MAIL)

    async def refused(self, name: str) -> str:
        """Send a message which does not get there; return the line about it."""
        await self.send(name)
        return (await self.outer.logged("mainlog", rf"@T@{name}\.test@"))[0]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hosts(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hosts]:
    folder = tmp_path_factory.mktemp("inner")
    authority().signed("localhost", "127.0.0.1").write(folder, "mx")
    (folder / "users").write_text(f"tim:{ScramSecret.of(PASSWORD, b'some salt')}\n")
    listener = INNER.format(folder=folder)
    async with (
        World(folder, "relay_hosts = ()\n", "* A 127.0.0.1", listener=listener) as inner,
        between(folder, inner.port, strips=False) as (passing, said),
        between(folder, inner.port, strips=True) as (stripping, stripped),
    ):
        ways = (
            ("must", inner.port, SCRAM_PLUS, "false"),
            ("may", inner.port, SCRAM, "false"),
            ("unbound", inner.port, SCRAM, "true"),
            ("never", inner.port, SCRAM_PLUS, "true"),
            ("between", passing, SCRAM, "false"),
            ("stripped", stripping, SCRAM, "false"),
        )
        config = "".join(
            OUTER.format(name=name, port=port, mechanism=mechanism, unbound=unbound)
            for name, port, mechanism, unbound in ways
        )
        async with World(tmp_path_factory.mktemp("outer"), config, "* A 127.0.0.1") as outer:
            yield Hosts(inner, outer, {"between": said, "stripped": stripped})


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.effect("outbound_smtp_auth_unbound")
async def test_one_server_logs_in_at_another_bound_to_its_certificate(hosts: Hosts) -> None:
    for name in ("must", "may", "unbound"):  # who says that he cannot be bound is let in without
        await hosts.send(name)
        await hosts.inner.arrived(f"b@{name}.test")
    assert "needs TLS to bind it to" in await hosts.refused("never")


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("name", "flag", "how"),
    [("between", b"p=", "AUTH SCRAM-SHA-256-PLUS: 535"), ("stripped", b"y,", "AUTH: 535")],
)
async def test_who_stands_between_is_not_let_in(
    hosts: Hosts, name: str, flag: bytes, how: str
) -> None:
    """He has a certificate of his own, and may leave out that it can be bound."""
    assert f"host refused {how}" in await hosts.refused(name)
    said = [each.split() for each in hosts.seen[name] if each.startswith("AUTH ")]
    assert [base64.b64decode(each[2])[:2] for each in said] == [flag]
    assert not any(f"b@{name}.test" in each.recipients for each in hosts.inner.sink.accepted)


@asynccontextmanager
async def between(folder: Path, port: int, *, strips: bool) -> AsyncIterator[tuple[int, list[str]]]:
    """Listen, and pass all on line by line, through TLS on both sides; yield what was said."""
    seen: list[str] = []
    theirs = ssl.create_default_context()
    theirs.check_hostname, theirs.verify_mode = False, ssl.CERT_NONE
    ours = server_context(folder, authority().signed("localhost"))
    tasks = set[asyncio.Task[None]]()

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far, near = await asyncio.open_connection("127.0.0.1", port)
        try:
            while answer := await _reply(far):
                if strips:
                    answer = answer.replace(b" SCRAM-SHA-256-PLUS", b"")
                if seen and seen[-1] == "STARTTLS":
                    await near.start_tls(theirs, server_hostname="localhost")
                    # What comes next is for TLS.
                    cast(asyncio.Transport, writer.transport).pause_reading()
                    writer.write(answer)
                    await writer.start_tls(ours)
                else:
                    writer.write(answer)
                line = await reader.readline()
                if not line:
                    break
                seen.append(line.decode().strip())
                near.write(line)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            near.close()

    def begun(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(conversation(reader, writer))
        tasks.add(task)

    listening = await asyncio.start_server(begun, "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1], seen
    finally:
        listening.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _reply(reader: asyncio.StreamReader) -> bytes:
    """Return a whole reply; nothing at the end."""
    found = b""
    while line := await reader.readline():
        found += line
        if line[3:4] != b"-":
            break
    return found


@pytest.fixture(scope="module")
def database() -> Iterator[Server]:
    with postgresql(PASSWORD) as server:
        yield server


@pytest.mark.parametrize(
    ("plus", "password", "known"),
    [(True, PASSWORD, True), (False, PASSWORD, True), (True, "wrong", False)],
)
def test_postgresql_lets_in_who_is_bound_to_its_certificate(
    database: Server, plus: bool, password: str, known: bool
) -> None:
    assert logs_in(database.port, password, plus=plus) is known


def test_postgresql_finds_another_certificate_and_who_was_not_offered_to_be_bound(
    database: Server,
) -> None:
    assert not logs_in(
        database.port, PASSWORD, plus=True, point=b"of another certificate".ljust(32)
    )
    assert not logs_in(database.port, PASSWORD, plus=False, stripped=True)


def logs_in(
    port: int, password: str, *, plus: bool, point: bytes = b"", stripped: bool = False
) -> bool:
    """Log in at PostgreSQL through TLS by our client; say whether it lets us in.

    Args:
        stripped: we could be bound, and believe that it cannot.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), timeout=60) as raw:
        raw.sendall(struct.pack("!II", 8, 80877103))  # SSLRequest
        assert raw.recv(1) == b"S"
        with context.wrap_socket(raw) as tls:
            found = EXTRA["channel_bindings"](tls)  # type: ignore[arg-type]
            assert isinstance(found, dict)
            binding = tuple({each: point or found[each] for each in found}.items())
            who = Credentials("tim", password, binding=binding if plus or stripped else ())
            exchange = client(SCRAM_PLUS if plus else SCRAM, who, secrets.token_hex(12))
            start = struct.pack("!I", 196608) + b"user\0tim\0database\0postgres\0\0"
            tls.sendall(struct.pack("!I", len(start) + 4) + start)
            kind, body = _message(tls)
            assert (kind, body[:4]) == (b"R", struct.pack("!I", 10))
            assert b"SCRAM-SHA-256-PLUS\0" in body
            initial = exchange.initial() or b""
            _say(tls, exchange.name.encode() + b"\0" + struct.pack("!I", len(initial)) + initial)
            kind, body = _message(tls)
            if kind != b"R":
                return False
            assert body[:4] == struct.pack("!I", 11)
            _say(tls, exchange.respond(body[4:]))
            kind, body = _message(tls)
            if kind != b"R":
                return False
            assert body[:4] == struct.pack("!I", 12)
            with contextlib.suppress(SaslError):
                exchange.respond(body[4:])
                exchange.finish()
                return _message(tls) == (b"R", struct.pack("!I", 0))
    return False


def _say(tls: ssl.SSLSocket, body: bytes) -> None:
    tls.sendall(b"p" + struct.pack("!I", len(body) + 4) + body)


def _message(tls: ssl.SSLSocket) -> tuple[bytes, bytes]:
    kind = _read(tls, 1)
    [size] = struct.unpack("!I", _read(tls, 4))
    return kind, _read(tls, size - 4)


def _read(tls: ssl.SSLSocket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        piece = tls.recv(size - len(found))
        assert piece, "closed"
        found += piece
    return found
