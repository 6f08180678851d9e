"""The sockets of the stub resolver: datagrams from random ports, and TCP for long answers."""

import asyncio
import socket
from collections.abc import Callable
from typing import Final, Protocol, cast

from angarium.net.resolvconf import Server

RECEIVE: Final = 4096  # octets; we announce 1232, a server which ignores that is cut off
AT_ONCE: Final = 32  # datagrams read per wake, so that a flood does not keep the loop


class Port(Protocol):
    """An open UDP port, connected to one server."""

    def send(self, data: bytes) -> None:
        """Send a datagram. Raises OSError."""
        ...

    def close(self) -> None: ...


class Network(Protocol):
    """What the resolver needs of the system; a fake one stands in for it in tests."""

    def open(
        self,
        server: Server,
        received: Callable[[bytes], None],
        failed: Callable[[OSError], None],
    ) -> Port:
        """Open a port nobody can foretell. Raises OSError."""
        ...

    async def exchange(self, server: Server, data: bytes) -> bytes:
        """Ask over TCP, one connection for one question. Raises OSError, EOFError."""
        ...


class UdpPort:
    """A connected socket: the kernel drops what does not come from the server's address and port.

    It also chooses the port, at random among the ephemeral ones (RFC 6056), and tells by
    ECONNREFUSED at once that nobody listens there.
    """

    __slots__ = ("_failed", "_loop", "_received", "_sock")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
        received: Callable[[bytes], None],
        failed: Callable[[OSError], None],
    ) -> None:
        self._loop = loop
        self._sock = sock
        self._received = received
        self._failed = failed
        loop.add_reader(sock, self._readable)

    def send(self, data: bytes) -> None:
        self._sock.send(data)

    def close(self) -> None:
        if self._sock.fileno() >= 0:
            self._loop.remove_reader(self._sock)
            self._sock.close()

    def _readable(self) -> None:
        for _ in range(AT_ONCE):
            try:
                data = self._sock.recv(RECEIVE)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                self._failed(error)
                return
            self._received(data)
            if self._sock.fileno() < 0:  # The last answer it waited for closed it.
                return


class Sockets:
    """The real Network. Buffer sizes are octets, 0 leaves them to the system."""

    __slots__ = ("_loop", "receive_buffer", "send_buffer")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, receive_buffer: int = 0, send_buffer: int = 0
    ) -> None:
        self._loop = loop
        self.receive_buffer = receive_buffer
        self.send_buffer = send_buffer

    def open(
        self,
        server: Server,
        received: Callable[[bytes], None],
        failed: Callable[[OSError], None],
    ) -> Port:
        host, _, scope = server.host.partition("%")
        v6 = ":" in host
        sock = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            if self.receive_buffer:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
            if self.send_buffer:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.send_buffer)
            if v6:
                sock.connect((host, server.port, 0, socket.if_nametoindex(scope) if scope else 0))
            else:
                sock.connect((host, server.port))
            return UdpPort(self._loop, sock, received, failed)
        except OSError:
            sock.close()
            raise

    async def exchange(self, server: Server, data: bytes) -> bytes:
        done: asyncio.Future[bytes] = self._loop.create_future()
        transport, _ = await self._loop.create_connection(
            lambda: _OneAnswer(data, done), server.host, server.port
        )
        try:
            return await done
        finally:
            transport.abort()


class _OneAnswer(asyncio.Protocol):
    """Sends a question with its length before it, reads an answer (RFC 1035 section 4.2.2)."""

    __slots__ = ("_buffer", "_data", "_done")

    def __init__(self, data: bytes, done: asyncio.Future[bytes]) -> None:
        self._data = data
        self._done = done
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not an instance: uvloop's transports are none of asyncio's.
        stream = cast(asyncio.WriteTransport, transport)
        stream.write(len(self._data).to_bytes(2, "big") + self._data)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        size = int.from_bytes(self._buffer[:2], "big")
        if len(self._buffer) >= 2 + size and len(self._buffer) >= 2 and not self._done.done():
            self._done.set_result(bytes(self._buffer[2 : 2 + size]))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(exc or EOFError("the name server closed the connection"))
