"""The layer of TLS, over both loops and against Python's and OpenSSL's own ends of it."""

import asyncio
import contextlib
import shutil
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from angarium.net.tls.contexts import Connection, Context
from angarium.net.tls.errors import HandshakeError, TlsError, Trouble
from angarium.net.tls.handshakes import Handshakes
from angarium.net.tls.layer import TlsLayer, secure
from angarium.net.tls.library import judge_only
from helpers.certificates import Authority, authority, client_context, server, server_context

PATIENCE = 30.0
HELLO_RECORD = b"\x16\x03\x01\x40\x00"

Run = Callable[[Awaitable[None]], None]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Iterator[Run]:
    """Run a story on either loop."""

    async def patient(story: Awaitable[None]) -> None:
        async with asyncio.timeout(PATIENCE):
            await story

    with asyncio.Runner(loop_factory=request.param) as runner:
        yield lambda story: runner.run(patient(story))


class Side(asyncio.Protocol):
    """One end over the layer: keeps what it hears."""

    def __init__(self) -> None:
        self.layer: asyncio.Transport
        self.raw: asyncio.Transport
        self.heard = bytearray()
        self.calls: list[str] = []
        self.keeps = False  # stays open when the peer has ended
        self.secured = asyncio.Event()
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self.changed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, TlsLayer)
        self.layer = transport
        self.calls.append("made")
        self.secured.set()

    def data_received(self, data: bytes) -> None:
        self.heard += data
        self.changed.set()

    def eof_received(self) -> bool:
        self.calls.append("eof")
        self.changed.set()
        return self.keeps

    def pause_writing(self) -> None:
        self.calls.append("pause")

    def resume_writing(self) -> None:
        self.calls.append("resume")
        self.changed.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.calls.append("lost")
        self.lost.set_result(exc)
        self.changed.set()

    async def until(self, holds: Callable[[], object]) -> None:
        while not holds():
            await self.heard_more()

    async def heard_more(self) -> None:
        await self.changed.wait()
        self.changed.clear()


class Echo(Side):
    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self.layer.write(data)


class Plain(asyncio.Protocol):
    """What a connection begins with; gives it to the layer at once."""

    def __init__(self, begin: Callable[[asyncio.Transport], None]) -> None:
        self.begin = begin

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.begin(cast(asyncio.Transport, transport))


async def listening(
    context: ssl.SSLContext, kind: type[Side] = Echo, **how: Any
) -> tuple[asyncio.Server, int, list[Side], Handshakes]:
    """Listen, with the layer under each connection."""
    loop = asyncio.get_running_loop()
    sides: list[Side] = []
    handshakes = Handshakes(loop)

    def begin(transport: asyncio.Transport) -> None:
        side = kind()
        side.raw = transport
        sides.append(side)
        secure(transport, side, context, handshakes, server_side=True, **how)

    server = await loop.create_server(lambda: Plain(begin), "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1], sides, handshakes


async def calling(port: int, side: Side, context: ssl.SSLContext, **how: Any) -> TlsLayer:
    """Connect with the layer as a client."""
    layers: list[TlsLayer] = []

    def begin(transport: asyncio.Transport) -> None:
        side.raw = transport
        handshakes = Handshakes(asyncio.get_running_loop())
        layers.append(secure(transport, side, context, handshakes, **how))

    loop = asyncio.get_running_loop()
    await loop.create_connection(lambda: Plain(begin), "127.0.0.1", port)
    return layers[0]


def same(heard: bytes | bytearray, sent: bytes) -> bool:
    """Compare, where to show the difference would take hours."""
    return heard == sent


def pieces(data: bytes, random: Random) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        size = random.choice((1, 5, 700, 16384, 16385, 70000, 300000))
        yield data[at : at + size]
        at += size


async def python_client(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(
        "127.0.0.1", port, ssl=client_context(), server_hostname="mx.example.com"
    )


def test_a_megabyte_comes_back_as_it_was_from_python_as_the_client(
    run: Run, tmp_path: Path
) -> None:
    async def story() -> None:
        listener, port, [], handshakes = await listening(server_context(tmp_path))
        reader, writer = await python_client(port)
        sent = Random(1).randbytes(1_000_000)
        task = asyncio.create_task(reader.readexactly(len(sent)))
        for piece in pieces(sent, Random(2)):
            writer.write(piece)
            await writer.drain()
        assert same(await task, sent)
        writer.close()
        await writer.wait_closed()
        assert handshakes.under_way == 0
        listener.close()

    run(story())


def test_a_megabyte_comes_back_as_it_was_from_python_as_the_server(
    run: Run, tmp_path: Path
) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def story() -> None:
        listener = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=server_context(tmp_path))
        port = listener.sockets[0].getsockname()[1]
        side = Side()
        layer = await calling(port, side, client_context(), server_hostname="mx.example.com")
        sent = Random(1).randbytes(1_000_000)
        for piece in pieces(sent, Random(2)):
            layer.write(piece)
        await side.until(lambda: len(side.heard) == len(sent))
        assert same(side.heard, sent)
        assert layer.secure
        layer.close()
        assert await side.lost is None
        listener.close()

    run(story())


def test_it_speaks_with_itself_and_both_know_what_was_agreed(run: Run, tmp_path: Path) -> None:
    async def story() -> None:
        listener, port, sides, _ = await listening(server_context(tmp_path))
        side = Side()
        layer = await calling(port, side, client_context(), server_hostname="localhost")
        layer.writelines([b"written ", b"before ", b"it is secure"])
        assert layer.get_write_buffer_size() == 27
        assert (layer.secure, layer.facts.version) == (False, "")
        await side.until(lambda: side.heard == b"written before it is secure")
        facts = layer.facts
        assert facts.version == "TLSv1.3"
        assert facts.cipher.startswith("TLS_")
        assert facts.bits >= 128
        assert facts.certificate == server().der
        assert facts.chain == (server().der,)
        assert not facts.resumed
        assert layer.get_extra_info("peername")[1] == port
        assert layer.get_extra_info("ssl_object").version() == "TLSv1.3"
        assert layer.get_extra_info("peercert")["subject"]
        [other] = sides
        assert isinstance(other.layer, TlsLayer)
        assert other.layer.facts.cipher == facts.cipher
        assert other.layer.facts.certificate == b""
        layer.close()
        await side.lost
        assert await other.lost is None
        assert other.calls == ["made", "eof", "lost"]
        listener.close()

    run(story())


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_is_resumed_by_who_kept_it(
    run: Run, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    async def story() -> None:
        listener, port, _, _ = await listening(server_context(tmp_path))
        context = client_context()
        context.maximum_version = version
        session: ssl.SSLSession | None = None
        for resumed in (False, True):
            side = Side()
            how = {"server_hostname": "localhost", "session": session}
            layer = await calling(port, side, context, **how)
            layer.write(b"hello")
            await side.until(partial(bytes, side.heard))
            assert layer.facts.resumed is resumed
            session = layer.session
            layer.close()
            await side.lost
        listener.close()

    run(story())


def test_a_peer_which_does_not_read_stops_the_protocol_and_holds_nothing(
    run: Run, tmp_path: Path
) -> None:
    async def story() -> None:
        listener, port, sides, _ = await listening(server_context(tmp_path), Side)
        side = Side()
        layer = await calling(port, side, client_context(), server_hostname="localhost")
        await side.secured.wait()
        while not sides[0].secured.is_set():
            await sides[0].secured.wait()
        other = sides[0]
        other.layer.pause_reading()
        layer.set_write_buffer_limits(high=65536)
        assert layer.get_write_buffer_limits()[1] == 65536
        sent = Random(3).randbytes(30_000_000)
        layer.write(sent)
        assert "pause" in side.calls
        assert layer.get_write_buffer_size() > 10_000_000
        assert side.raw.get_write_buffer_size() < 1_000_000, "only a little of it is encrypted"
        layer.write(b"the end")
        layer.close()  # when all of it is sent
        heard = len(other.heard)
        await asyncio.sleep(0)
        assert len(other.heard) == heard
        other.layer.resume_reading()
        await other.lost
        assert same(other.heard, sent + b"the end")
        assert await side.lost is None
        listener.close()

    run(story())


def test_a_protocol_is_told_when_it_may_write_again(run: Run, tmp_path: Path) -> None:
    async def story() -> None:
        listener, port, sides, _ = await listening(server_context(tmp_path), Side)
        side = Side()
        layer = await calling(port, side, client_context(), server_hostname="localhost")
        await side.secured.wait()
        layer.set_write_buffer_limits(high=1000)
        layer.write(b"x" * 20_000_000)
        await side.until(lambda: "resume" in side.calls)
        assert side.calls[:3] == ["made", "pause", "resume"]
        assert layer.get_write_buffer_size() <= 1000
        await sides[0].until(lambda: len(sides[0].heard) == 20_000_000)
        layer.abort()
        await side.lost
        listener.close()

    run(story())


class Sip(Side):
    """Pauses after each call."""

    largest = 0

    def data_received(self, data: bytes) -> None:
        assert self.layer.is_reading()
        self.largest = max(self.largest, len(data))
        super().data_received(data)
        self.layer.pause_reading()
        assert not self.layer.is_reading()
        asyncio.get_running_loop().call_soon(self.layer.resume_reading)


def test_nothing_is_told_to_who_pauses_reading(run: Run, tmp_path: Path) -> None:
    async def story() -> None:
        listener, port, sides, _ = await listening(server_context(tmp_path), Sip)
        side = Side()
        layer = await calling(port, side, client_context(), server_hostname="localhost")
        sent = Random(4).randbytes(3_000_000)
        layer.write(sent)
        await side.secured.wait()
        await sides[0].until(lambda: len(sides[0].heard) == len(sent))
        layer.close()
        assert await sides[0].lost is None
        assert same(sides[0].heard, sent)
        assert isinstance(sides[0], Sip)
        assert sides[0].largest < 70000
        listener.close()

    run(story())


def blocking(port: int, talk: Callable[[ssl.SSLSocket], None]) -> threading.Thread:
    """Talk in a thread, by Python's blocking sockets, which tell a clean end from another."""

    def call() -> None:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as raw,
            client_context().wrap_socket(
                raw, server_hostname="localhost", suppress_ragged_eofs=False
            ) as tls,
        ):
            talk(tls)

    thread = threading.Thread(target=call)
    thread.start()
    return thread


def test_close_says_so_before_the_connection_ends(run: Run, tmp_path: Path) -> None:
    class Bye(Side):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            self.layer.write(b"bye")
            self.layer.close()
            self.layer.write(b"too late")
            assert self.layer.is_closing()

    heard: list[bytes] = []

    def talk(tls: ssl.SSLSocket) -> None:
        while data := tls.recv(100):
            heard.append(data)

    async def story() -> None:
        listener, port, _, _ = await listening(server_context(tmp_path), Bye)
        thread = blocking(port, talk)
        await asyncio.to_thread(thread.join)
        assert b"".join(heard) == b"bye"
        listener.close()

    run(story())


def test_after_write_eof_the_peer_hears_the_end_and_is_heard_no_more(
    run: Run, tmp_path: Path
) -> None:
    class LastWords(Side):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            self.layer.write(b"421 go\r\n")
            assert self.layer.can_write_eof()
            self.layer.write_eof()
            assert not self.layer.can_write_eof()

    ended = threading.Event()

    def talk(tls: ssl.SSLSocket) -> None:
        tls.sendall(b"x" * 100_000)
        assert tls.recv(100) == b"421 go\r\n"
        assert tls.recv(100) == b""
        ended.set()

    async def story() -> None:
        listener, port, sides, _ = await listening(server_context(tmp_path), LastWords)
        thread = blocking(port, talk)
        await asyncio.to_thread(thread.join)
        assert ended.is_set()
        await sides[0].lost
        assert sides[0].heard == b""
        listener.close()

    run(story())


def test_who_stays_when_the_peer_has_ended_can_answer(run: Run, tmp_path: Path) -> None:
    class Late(Side):
        def eof_received(self) -> bool:
            asyncio.get_running_loop().call_soon(self.answer)
            return super().eof_received() or True

        def answer(self) -> None:
            self.layer.write(b"late")
            self.layer.close()

    async def story() -> None:
        listener, port, _, _ = await listening(server_context(tmp_path), Late)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = client_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                writer.write(outgoing.read())
                incoming.write(await reader.read(65536))
        tls.write(b"hello")
        with pytest.raises(ssl.SSLWantReadError):
            tls.unwrap()
        # All at once: the end of the handshake, what is said, and that nothing follows.
        writer.write(outgoing.read())
        writer.write_eof()
        incoming.write(await reader.read())
        assert tls.read(100) == b"late"
        writer.close()
        listener.close()

    run(story())


@pytest.mark.parametrize(
    ("octets", "ends", "trouble", "words"),
    [
        (b"", False, Trouble.TIMEOUT, "too slow"),
        (HELLO_RECORD, False, Trouble.TIMEOUT, "too slow"),
        (b"", True, Trouble.CLOSED, "end of file"),
        (HELLO_RECORD, True, Trouble.CLOSED, "end of file"),
        (b"EHLO client.example.com\r\n", False, Trouble.PROTOCOL, "wrong version number"),
        (b"GET / HTTP/1.0\r\n\r\n", False, Trouble.PROTOCOL, "http request"),
        (b"\x00" * 200_000, False, Trouble.PROTOCOL, "wrong version number"),
    ],
)
def test_a_broken_handshake_ends_with_an_error_that_says_why(
    run: Run, tmp_path: Path, octets: bytes, ends: bool, trouble: Trouble, words: str
) -> None:
    async def story() -> None:
        seconds = 0.2 if trouble is Trouble.TIMEOUT else PATIENCE
        listener, port, sides, handshakes = await listening(
            server_context(tmp_path), seconds=seconds
        )
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(octets)
        if ends:
            writer.write_eof()
        try:
            await reader.read()  # an alert, and the end
        except ConnectionResetError:
            assert len(octets) > 100_000, "it left most of it unread"
        error = await sides[0].lost
        assert isinstance(error, HandshakeError)
        assert (error.trouble, error.reason) == (trouble, words)
        assert error.peer.startswith("127.0.0.1:")
        assert error.reason in str(error)
        assert sides[0].calls == ["lost"]
        assert handshakes.under_way == 0
        writer.close()
        listener.close()

    run(story())


def test_a_handshake_without_an_end_is_given_up(run: Run, tmp_path: Path) -> None:
    """A hello which says that it has 131,300 octets: OpenSSL would take all of them."""

    async def story() -> None:
        listener, port, sides, _ = await listening(server_context(tmp_path))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        hello = b"\x01\x02\x00\xe4" + b"\x03\x03" + bytes(131_290)
        for at in range(0, len(hello), 16384):
            piece = hello[at : at + 16384]
            writer.write(b"\x16\x03\x01" + len(piece).to_bytes(2, "big") + piece)
        await reader.read()
        error = await sides[0].lost
        assert isinstance(error, HandshakeError)
        assert error.trouble is Trouble.TOO_MUCH
        writer.close()
        listener.close()

    run(story())


def test_a_certificate_of_nobody_we_trust_is_told_with_its_code(run: Run, tmp_path: Path) -> None:
    async def story() -> None:
        other = Authority("Somebody Else").signed("localhost")
        listener, port, sides, _ = await listening(server_context(tmp_path, other))
        side = Side()
        layer = await calling(port, side, client_context(), server_hostname="localhost")
        error = await side.lost
        assert isinstance(error, HandshakeError)
        assert error.trouble is Trouble.CERTIFICATE
        assert error.verify_code == 20  # X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY
        assert not layer.secure
        theirs = await sides[0].lost
        assert isinstance(theirs, TlsError)
        assert "unknown ca" in theirs.reason
        listener.close()

    run(story())


def test_a_name_which_is_none_fails_the_handshake_only(run: Run, tmp_path: Path) -> None:
    async def story() -> None:
        listener, port, _, _ = await listening(server_context(tmp_path))
        side = Side()
        await calling(port, side, client_context(), server_hostname=".a..b")
        error = await side.lost
        assert isinstance(error, HandshakeError)
        assert "no name for a host" in error.reason
        listener.close()

    run(story())


def test_a_record_which_was_tampered_with_ends_the_connection(run: Run, tmp_path: Path) -> None:
    async def story() -> None:
        listener, port, sides, _ = await listening(server_context(tmp_path))
        side = Side()
        layer = await calling(port, side, client_context(), server_hostname="localhost")
        layer.write(b"hello")
        await side.until(lambda: side.heard == b"hello")
        side.raw.write(b"\x17\x03\x03\x00\x20" + bytes(32))
        error = await sides[0].lost
        assert isinstance(error, TlsError)
        assert not isinstance(error, HandshakeError)
        assert (error.trouble, error.reason) == (
            Trouble.PROTOCOL,
            "decryption failed or bad record mac",
        )
        assert bytes(sides[0].heard) == b"hello"
        listener.close()

    run(story())


def test_who_closes_during_the_handshake_gives_it_up(run: Run, tmp_path: Path) -> None:
    async def story() -> None:
        listener, port, sides, handshakes = await listening(server_context(tmp_path))
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        side = Side()
        layer = await calling(port, side, client_context(), server_hostname="localhost")
        assert not layer.can_write_eof()
        layer.close()
        layer.close()
        error = await side.lost
        assert isinstance(error, HandshakeError)
        assert error.trouble is Trouble.GIVEN_UP
        writer.close()
        for each in sides:
            assert isinstance(await each.lost, HandshakeError)
        assert handshakes.under_way == 0
        listener.close()

    run(story())


def test_a_connection_goes_over_in_mid_life(run: Run, tmp_path: Path) -> None:
    """As by STARTTLS: the protocol goes on, only its transport is another one."""

    class Upgraded(Side):
        def __init__(self) -> None:
            super().__init__()
            self.handshakes = Handshakes(asyncio.get_running_loop())

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.layer = cast(asyncio.Transport, transport)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self.layer.write(b"220 go\r\n" if data == b"STARTTLS\r\n" else data.upper())
            if data == b"STARTTLS\r\n":
                self.layer = secure(
                    self.layer,
                    self,
                    server_context(tmp_path),
                    self.handshakes,
                    server_side=True,
                    ready=lambda _layer: self.calls.append("secured"),
                )

    async def story() -> None:
        loop = asyncio.get_running_loop()
        sides: list[Side] = []

        def made() -> Side:
            sides.append(Upgraded())
            return sides[-1]

        listener = await loop.create_server(made, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"STARTTLS\r\n")
        assert await reader.readline() == b"220 go\r\n"
        await writer.start_tls(client_context(), server_hostname="localhost")
        writer.write(b"hello\r\n")
        assert await reader.readline() == b"HELLO\r\n"
        assert sides[0].calls == ["secured"]
        writer.close()
        await sides[0].lost
        listener.close()

    run(story())


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_openssl_s_client_speaks_with_it(run: Run, tmp_path: Path) -> None:
    async def story() -> None:
        listener, port, sides, _ = await listening(server_context(tmp_path))
        client = await asyncio.create_subprocess_exec(
            *("openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{port}"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert client.stdin is not None and client.stdout is not None  # noqa: PT018
        sent = b"a line of it\n" * 20000
        reading = asyncio.create_task(client.stdout.readexactly(len(sent)))
        client.stdin.write(sent)
        assert same(await reading, sent)
        client.stdin.close()
        client.terminate()
        await client.wait()
        assert await sides[0].lost is None
        listener.close()

    run(story())


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_it_speaks_with_openssl_s_server(run: Run, tmp_path: Path) -> None:
    async def story() -> None:
        certificate, key = server().write(tmp_path, "peer")
        process = await asyncio.create_subprocess_exec(
            *("openssl", "s_server", "-rev", "-accept", "127.0.0.1:0"),
            *("-cert", str(certificate), "-key", str(key)),
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        line = b""
        while not line.startswith(b"ACCEPT"):
            line = await process.stdout.readline()
        port = int(line.rsplit(b":", 1)[1])
        side = Side()
        layer = await calling(port, side, client_context(), server_hostname="localhost")
        layer.write(b"hello\n")
        await side.until(lambda: side.heard.endswith(b"\n"))
        assert side.heard == b"olleh\n"
        layer.close()
        assert await side.lost is None
        process.terminate()
        await process.wait()

    run(story())


def resident() -> int:
    """Return the octets of memory of this process."""
    fields = Path("/proc/self/statm").read_text(encoding="ascii").split()
    return int(fields[1]) * 4096


@pytest.mark.slow
def test_a_used_connection_costs_at_most_300_kilobytes(run: Run, tmp_path: Path) -> None:
    async def story() -> None:
        listener, port, sides_there, _ = await listening(server_context(tmp_path))
        context = client_context()
        sides: list[Side] = []

        async def more(count: int) -> None:
            for _ in range(count):
                side = Side()
                layer = await calling(port, side, context, server_hostname="localhost")
                layer.write(b"x" * 100_000)
                while len(side.heard) < 100_000:
                    await side.heard_more()
                side.heard.clear()
                sides_there[-1].heard.clear()
                sides.append(side)

        await more(30)
        before = resident()
        await more(150)
        # Both ends are in this process.
        assert (resident() - before) / 150 < 300_000
        for side in sides:
            side.raw.abort()
            await side.lost
        listener.close()

    run(story())


def test_hundreds_of_slow_handshakes_harm_nobody(run: Run, tmp_path: Path) -> None:
    async def story() -> None:
        listener, port, sides, handshakes = await listening(server_context(tmp_path), seconds=5.0)
        slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(300)]
        for _, writer in slow:
            writer.write(HELLO_RECORD)
        reader, writer = await python_client(port)
        writer.write(b"quick")
        assert await reader.readexactly(5) == b"quick"
        writer.close()
        for _, each in slow:
            each.close()
        for side in sides:
            await side.lost
        assert handshakes.under_way == 0
        listener.close()

    run(story())


class Kept(asyncio.Transport):
    """A transport in memory, which takes everything."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.over = False

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = cast(asyncio.Protocol, protocol)

    def resume_reading(self) -> None:
        """It always reads."""

    def pause_reading(self) -> None:
        """It reads all the same."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.over

    def close(self) -> None:
        self.over = True

    def abort(self) -> None:
        self.over = True


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(
    ("signs", "verified"), [(authority, True), (partial(Authority, "Nobody"), False)]
)
def test_a_client_which_speaks_octet_by_octet_is_judged_all_the_same(
    tmp_path: Path, signs: Callable[[], Authority], verified: bool, version: ssl.TLSVersion
) -> None:
    context = Context(ssl.PROTOCOL_TLS_SERVER)
    context.sslobject_class = Connection
    context.load_cert_chain(*server().write(tmp_path, "server"))
    context.load_verify_locations(cadata=authority().pem.decode())
    judge_only(context)
    theirs = client_context()
    theirs.maximum_version = version
    theirs.load_cert_chain(*signs().signed("client.example").write(tmp_path, "client"))

    async def story() -> None:
        side, transport = Side(), Kept()
        handshakes = Handshakes(asyncio.get_running_loop())
        layer = secure(
            cast(asyncio.Transport, transport), side, context, handshakes, server_side=True
        )
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = theirs.wrap_bio(incoming, outgoing, server_hostname="localhost")
        while not side.secured.is_set():
            with contextlib.suppress(ssl.SSLWantReadError):
                client.do_handshake()
            for octet in outgoing.read():
                transport.protocol.data_received(bytes([octet]))
                await asyncio.sleep(0)  # the step of the handshake
            incoming.write(transport.written)
            transport.written = b""
        assert layer.facts.certificate
        assert (layer.facts.verified, not layer.facts.verdict) == (verified, verified)
        assert (layer.get_extra_info("verified_peer") is not None) is verified
        transport.protocol.connection_lost(None)

    asyncio.run(story())


@given(
    pieces_=st.lists(
        st.one_of(
            st.binary(max_size=300),
            # Records which look like those of a handshake.
            st.tuples(st.sampled_from([20, 21, 22, 23]), st.binary(max_size=200)).map(
                lambda pair: bytes([pair[0], 3, 3]) + len(pair[1]).to_bytes(2, "big") + pair[1]
            ),
        ),
        min_size=1,
        max_size=8,
    ),
    ends=st.booleans(),
)
def test_whatever_comes_instead_of_a_handshake_ends_as_an_error_or_waits(
    pieces_: list[bytes], ends: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async def story() -> None:
        side, transport = Side(), Kept()
        handshakes = Handshakes(asyncio.get_running_loop())
        context = server_context(tmp_path_factory.getbasetemp())
        secure(transport, side, context, handshakes, server_side=True)
        for piece in pieces_:
            if piece and not transport.over:
                transport.protocol.data_received(piece)
                await asyncio.sleep(0)
        if ends and not transport.over:
            transport.protocol.eof_received()
        await asyncio.sleep(0)
        assert transport.over or (not ends and handshakes.under_way == 1)
        transport.protocol.connection_lost(None)
        assert isinstance(await side.lost, HandshakeError)
        assert side.calls == ["lost"]
        assert handshakes.under_way == 0

    asyncio.run(story())
