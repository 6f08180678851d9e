"""The sockets of another process, of the same user: to see how the system has them."""

import ctypes
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PIDFD_GETFD = 438  # on every architecture; Python has no name for it
_MAX_BACKLOG_AT = 28  # tcpi_sacked in struct tcp_info, which is this for a socket that listens


@contextmanager
def sockets(pid: int) -> Iterator[list[socket.socket]]:
    """Yield copies of all sockets of a process."""
    held: list[socket.socket] = []
    process = os.pidfd_open(pid)
    try:
        for each in Path(f"/proc/{pid}/fd").iterdir():
            if os.readlink(each).startswith("socket:"):
                number = ctypes.CDLL(None, use_errno=True).syscall(
                    _PIDFD_GETFD, process, int(each.name), 0
                )
                if number < 0:
                    raise OSError(ctypes.get_errno(), "pidfd_getfd")
                held.append(socket.socket(fileno=number))
        yield held
    finally:
        for borrowed in held:
            borrowed.close()
        os.close(process)


def backlog(listening: socket.socket) -> int:
    """Return how many connections a TCP socket holds until they are accepted."""
    info = listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    return int.from_bytes(info[_MAX_BACKLOG_AT : _MAX_BACKLOG_AT + 4], "little")
