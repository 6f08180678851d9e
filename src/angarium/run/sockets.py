"""The listening sockets of a configuration: opened by the supervisor, inherited by all workers.

One socket for each address; a worker that dies takes no connection with it. On reload what is
still wanted stays open, so no client sees a refused connection.
"""

import errno
import os
import socket
from collections.abc import Callable, Iterable

from angarium.config.resolve import Endpoint
from angarium.core.errors import Error


class ListenError(Error):
    """An address cannot be listened on."""


def label(where: Endpoint) -> str:
    """Return the label under which the socket is handed to a worker."""
    return f"{where.listener} {where.name}"


def shown(where: Endpoint) -> str:
    """Return the address for people."""
    if where.path:
        return where.path
    return f"[{where.host}]:{where.port}" if ":" in where.host else f"{where.host}:{where.port}"


def open_socket(where: Endpoint, backlog: int, mode: int = 0o660) -> socket.socket:
    """Bind and listen. Raises ListenError which says who can mend it."""
    family = socket.AF_INET6 if ":" in where.host else socket.AF_INET
    if where.path:
        family = socket.AF_UNIX
    opened = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        if where.path:
            _bind_unix(opened, where.path, mode)
        else:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            opened.bind((where.host, where.port))
        opened.listen(backlog)
    except OSError as error:
        opened.close()
        raise ListenError(
            f"cannot listen on {shown(where)}: {error.strerror}{_advice(error)}", listen=where.name
        ) from error
    return opened


def _bind_unix(opened: socket.socket, path: str, mode: int) -> None:
    """Bind, in place of a socket whose server is gone."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            pass
        else:
            raise OSError(errno.EADDRINUSE, "another server answers there")
    try:
        opened.bind(path)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        os.unlink(path)  # Left by a server which is gone: nobody answered the probe.
        opened.bind(path)
    os.chmod(path, mode)


def _advice(error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return "; another server has it: stop that one or choose another port"
        case errno.EACCES:
            return "; ports below 1024 need root or CAP_NET_BIND_SERVICE at the start"
        case errno.EADDRNOTAVAIL:
            return "; the address is not on this machine"
        case _:
            return ""


class Sockets:
    """What is open, by the name of its listen stanza."""

    def __init__(self, opener: Callable[[Endpoint, int], socket.socket] = open_socket) -> None:
        self._opener = opener
        self.open: dict[Endpoint, socket.socket] = {}

    def change(self, wanted: Iterable[tuple[Endpoint, int]]) -> "Change":
        """Open what is wanted and not open yet; nothing is closed before `Change.commit`.

        Args:
            wanted: endpoints with their backlogs.

        Raises:
            ListenError: one could not be opened; then none was.
        """
        backlogs = dict(wanted)
        opened: dict[Endpoint, socket.socket] = {}
        try:
            for where, backlog in backlogs.items():
                if where not in self.open:
                    opened[where] = self._opener(where, backlog)
        except ListenError:
            for each in opened.values():
                each.close()
            raise
        return Change(self, opened, [where for where in self.open if where not in backlogs])

    def descriptors(self) -> dict[str, int]:
        return {label(where): each.fileno() for where, each in self.open.items()}

    def close(self) -> None:
        for each in self.open.values():
            each.close()
        self.open.clear()


class Change:
    """Sockets opened for a generation which may still be refused."""

    def __init__(
        self, sockets: Sockets, opened: dict[Endpoint, socket.socket], unwanted: list[Endpoint]
    ) -> None:
        self._sockets = sockets
        self._opened = opened
        self._unwanted = unwanted

    def descriptors(self) -> dict[str, int]:
        return {label(where): each.fileno() for where, each in self._opened.items()}

    def commit(self) -> None:
        for where in self._unwanted:
            self._sockets.open.pop(where).close()
        self._sockets.open |= self._opened

    def abort(self) -> None:
        for each in self._opened.values():
            each.close()
