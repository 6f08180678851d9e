"""SMTP on standard input and output (`sendmail -bs`): octets carried to the server and back."""

import os
import selectors
import socket
from typing import Final

_PIECE: Final = 1 << 16
AWAY: Final = b"421 4.3.2 the mail server of this machine is not running\r\n"


def speak(place: tuple[str, int], source: int, target: int) -> bool:
    """Carry a session between two descriptors and the server, until either side ends it.

    Returns False, and says 421, if the server is not there.
    """
    try:
        server = socket.create_connection(place, timeout=10.0)
    except OSError:
        os.write(target, AWAY)
        return False
    with server, selectors.DefaultSelector() as selector:
        server.settimeout(None)
        selector.register(server, selectors.EVENT_READ)
        # A regular file is always ready, and epoll does not take it.
        streams = _registered(selector, source)
        while True:
            ready = [key.fileobj for key, _ in selector.select(None if streams else 0)]
            if server in ready:
                octets = server.recv(_PIECE)
                if not octets:
                    return True
                _write(target, octets)
            if source in ready or (not streams and source >= 0):
                octets = os.read(source, _PIECE)
                if octets:
                    server.sendall(octets)
                    continue
                server.shutdown(socket.SHUT_WR)
                if streams:
                    selector.unregister(source)
                streams, source = True, -1


def _registered(selector: selectors.BaseSelector, source: int) -> bool:
    try:
        selector.register(source, selectors.EVENT_READ)
    except PermissionError:
        return False
    return True


def _write(target: int, octets: bytes) -> None:
    while octets:
        octets = octets[os.write(target, octets) :]
