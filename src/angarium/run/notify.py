"""What systemd is told of us: that we are ready, reload, stop, and that we are alive.

A datagram to the socket named by NOTIFY_SOCKET, as sd_notify(3) describes it; without the variable
nothing is sent. Nothing here fails: whether anybody listens is not our matter.
"""

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress

_MICROSECONDS = 1_000_000


class Notify:
    """The way to the service manager, if there is one.

    Attributes:
        alive_seconds: how often `alive` is to be called at least; 0 if nobody waits for it.
    """

    __slots__ = ("_address", "_alive_at", "_socket", "alive_seconds")

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        path = environment.get("NOTIFY_SOCKET", "")
        # An @ stands for the octet which begins an abstract name.
        self._address = f"\0{path[1:]}" if path.startswith("@") else path
        self._socket: socket.socket | None = None
        if self._address:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.setblocking(False)
        self.alive_seconds = 0.0
        self._alive_at = 0.0
        meant = environment.get("WATCHDOG_PID", str(os.getpid()))
        with suppress(ValueError):
            if meant == str(os.getpid()):
                limit = int(environment.get("WATCHDOG_USEC", "0")) / _MICROSECONDS
                self.alive_seconds = limit / 2

    def ready(self, status: str) -> None:
        self._send("READY=1", f"STATUS={status}")

    def reloading(self, status: str) -> None:
        """A reload or an upgrade begins; `ready` says that it is over, however it went."""
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._send("RELOADING=1", f"MONOTONIC_USEC={now}", f"STATUS={status}")

    def stopping(self, status: str) -> None:
        self._send("STOPPING=1", f"STATUS={status}")

    def alive(self, now: float) -> None:
        """Say that we live, when it is time to; to be called each second with a monotonic time."""
        self._alive_at = self._alive_at or now  # The first look begins.
        if self.alive_seconds and now - self._alive_at >= self.alive_seconds - 1.0:
            self._alive_at = now
            self._send("WATCHDOG=1")

    def _send(self, *lines: str) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.sendto("\n".join(lines).encode(), self._address)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
