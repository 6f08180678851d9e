"""A peer who reads octet by octet: whoever sends to it finds its window closed nearly always.

The rule which keeps it simple: who reads is exchanged under the protocol, which goes on as before
and is given what comes, one octet at a time. The kernel's buffer is made as small as it may be.
"""

import asyncio
import socket
from typing import cast


class Sipping(asyncio.BufferedProtocol):
    """Reads an octet, rests, reads the next.

    Args:
        behind: gets the octets, and the end.
        pause: seconds between two octets.
    """

    def __init__(
        self, transport: asyncio.Transport, behind: asyncio.Protocol, pause: float
    ) -> None:
        self._transport = transport
        self._behind = behind
        self._pause = pause
        self._octet = bytearray(1)
        self._timer: asyncio.TimerHandle | None = None

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._octet

    def buffer_updated(self, nbytes: int) -> None:
        self._transport.pause_reading()
        self._timer = asyncio.get_running_loop().call_later(self._pause, self._thirsty)
        self._behind.data_received(bytes(self._octet))

    def _thirsty(self) -> None:
        self._timer = None
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def eof_received(self) -> bool | None:
        return self._behind.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._behind.connection_lost(exc)


def sip(transport: asyncio.Transport, pause: float) -> None:
    """Let the protocol of a connection get one octet each `pause` seconds from now on."""
    behind = transport.get_protocol()
    if isinstance(behind, Sipping):
        return
    connected = cast(socket.socket, transport.get_extra_info("socket"))
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    transport.set_protocol(Sipping(transport, cast(asyncio.Protocol, behind), pause))
