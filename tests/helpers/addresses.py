"""Addresses and ports which no other test takes: several run at once, and whole runs beside others.

A server of ours has its port kept for it (`world.reserved_port`). Here is what is for others: ports
for programs which cannot be given a port that is kept, or where nobody is to listen, and addresses
for ports which have to be certain ones: 443 is in an RFC, others have to be low.
"""

import contextlib
import ipaddress
import os
import secrets
import socket
from typing import Final

# Of 127.0.0.0/8, behind what tests write out; process ids have 22 bits.
_FIRST: Final = ipaddress.IPv4Address("127.64.0.0")


def own_address(process: int = 0) -> str:
    """Return an IPv4 address which no other process of tests binds.

    Args:
        process: its id; 0: ours.
    """
    return str(_FIRST + (process or os.getpid()))


def free_port() -> int:
    """Return a port of 127.0.0.1 which nobody has, of TCP or UDP.

    The system gives out none of these by itself, so nobody comes by it before its owner does.
    """
    while True:
        port = 20_000 + secrets.randbelow(12_000)  # whatever seeds `random`
        with contextlib.suppress(OSError), socket.socket() as tcp:
            tcp.bind(("127.0.0.1", port))
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                udp.bind(("127.0.0.1", port))
                return port
