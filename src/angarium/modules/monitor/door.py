"""The socket of the agent: bound by the monitor, or by the supervisor, which may have low ports."""

import socket
from typing import Final

from angarium.config.kinds import Place

PORT: Final = 8162  # which the manual suggests
LOW: Final = 1024  # ports below it are for who has the capability


def bound(address: Place) -> socket.socket:
    """Return a socket for datagrams; the host "" or * is every address of this machine.

    Raises:
        OSError: it cannot be bound there.
    """
    host = "0.0.0.0" if address.host in ("", "*") else address.host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_DGRAM)
    try:
        made.bind((host, address.port or PORT))
    except OSError:
        made.close()
        raise
    return made
