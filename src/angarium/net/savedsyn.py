"""The SYN a connection began with, as Linux keeps it: TCP_SAVE_SYN, since Linux 4.3.

    save_syns(listening, yes=True)     the system keeps the headers of SYNs from now on
    saved_syn(connection)              them; b"" where it has none

The system has none of a connection which began before, nor of one it took by a SYN cookie, when a
flood has filled its queue. It forgets them when they have been read. On other systems, and on
sockets of Unix, there is no such thing.
"""

import asyncio
import socket
from typing import Any, Final

from angarium.net.front import PROXIED

# <linux/tcp.h>; not in Python's socket.
TCP_SAVE_SYN: Final = 27
TCP_SAVED_SYN: Final = 28
_MOST: Final = 512  # octets: headers of IP and TCP at their longest


def save_syns(listening: socket.socket, *, yes: bool) -> bool:
    """Let the system keep SYNs of a socket, or not; say whether it does as it is told."""
    if listening.family not in (socket.AF_INET, socket.AF_INET6):
        return not yes
    try:
        listening.setsockopt(socket.IPPROTO_TCP, TCP_SAVE_SYN, int(yes))
    except OSError:
        return not yes
    return True


def syn_of(transport: asyncio.BaseTransport) -> bytes:
    """Return the headers of a client's SYN; one behind a proxy has none: that was the proxy's."""
    if transport.get_extra_info(PROXIED) is not None:
        return b""
    return saved_syn(transport.get_extra_info("socket"))


def saved_syn(connection: Any) -> bytes:
    """Return the headers of a connection's SYN, from that of IP on.

    Args:
        connection: its socket, or what a loop gives out as one; None has no SYN.
    """
    if connection is None:
        return b""
    try:
        found = connection.getsockopt(socket.IPPROTO_TCP, TCP_SAVED_SYN, _MOST)
    except OSError:
        return b""
    return bytes(found)
