"""The listening sockets of a configuration: opened by the supervisor, inherited by all workers.

One socket for each address; a worker that dies takes no connection with it. On reload what is
still wanted stays open, so no client sees a refused connection.
"""

import contextlib
import errno
import os
import socket
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from angarium.config.resolve import Endpoint
from angarium.core.errors import Error

_CREDENTIALS: Final = struct.Struct("3i")  # pid, uid, gid: unix(7), SO_PEERCRED
SUPERVISORS: Final = "control_listener"  # whose sockets no child gets


class ListenError(Error):
    """An address cannot be listened on."""


class LowPortError(ListenError):
    """... because only who may open ports below 1024 could: after a restart we can."""


class Manner(NamedTuple):
    """How a socket listens: its backlog, and the mode of a Unix socket."""

    backlog: int
    mode: int = 0o660


def user_of(connection: socket.socket) -> int:
    """Return the user at the other end of a Unix socket, as the kernel says."""
    octets = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(octets)[1])


def label(where: Endpoint) -> str:
    """Return the label under which the socket is handed to a worker."""
    return f"{where.listener} {where.name}"


def is_of(listener: str, label: str) -> bool:
    """Say whether a label is that of a socket of such a listener."""
    return label.startswith(f"{listener} ")


def shown(where: Endpoint) -> str:
    """Return the address for people."""
    if where.path:
        return where.path
    return f"[{where.host}]:{where.port}" if ":" in where.host else f"{where.host}:{where.port}"


def open_socket(where: Endpoint, manner: Manner) -> socket.socket:
    """Bind and listen. Raises ListenError which says who can mend it."""
    family = socket.AF_INET6 if ":" in where.host else socket.AF_INET
    if where.path:
        family = socket.AF_UNIX
    opened = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        if where.path:
            _bind_unix(opened, where.path, manner.mode)
        else:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            opened.bind((where.host, where.port))
        opened.listen(manner.backlog)
    except OSError as error:
        opened.close()
        denied = error.errno == errno.EACCES and not where.path
        raise (LowPortError if denied else ListenError)(
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

    def __init__(self, opener: Callable[[Endpoint, Manner], socket.socket] = open_socket) -> None:
        self._opener = opener
        self.open: dict[Endpoint, socket.socket] = {}

    def change(
        self, wanted: Iterable[tuple[Endpoint, Manner]], *, running: bool = False
    ) -> "Change":
        """Open what is wanted and not open yet; nothing is closed before `Change.commit`.

        Args:
            wanted: endpoints, and how each is to listen.
            running: privileges are dropped: leave out what needs them.

        Raises:
            ListenError: one could not be opened; then none was.
        """
        manners = dict(wanted)
        opened: dict[Endpoint, socket.socket] = {}
        left_out: list[Endpoint] = []
        for where, manner in manners.items():
            if where in self.open:
                continue
            try:
                opened[where] = self._opener(where, manner)
            except ListenError as error:
                if running and isinstance(error, LowPortError):
                    left_out.append(where)
                    continue
                for each in opened.values():
                    each.close()
                raise
        return Change(self, opened, manners, left_out)

    def descriptors(self) -> dict[str, int]:
        return {label(where): each.fileno() for where, each in self.open.items()}

    def handed(self) -> dict[str, int]:
        """Return those which children get."""
        return _handed(self.open)

    def resume(self, wanted: Iterable[Endpoint], descriptors: Mapping[str, int]) -> None:
        """Go on listening with the sockets of the program before us."""
        for where in wanted:
            if (descriptor := descriptors.get(label(where))) is not None:
                self.open[where] = socket.socket(fileno=descriptor)

    def close(self) -> None:
        for each in self.open.values():
            each.close()
        self.open.clear()


class Change:
    """Sockets opened for a generation which may still be refused.

    Attributes:
        left_out: what cannot be listened on before a restart.
    """

    def __init__(
        self,
        sockets: Sockets,
        opened: dict[Endpoint, socket.socket],
        manners: dict[Endpoint, Manner],
        left_out: Sequence[Endpoint] = (),
    ) -> None:
        self.left_out = left_out
        self._sockets = sockets
        self._opened = opened
        self._manners = manners

    def descriptors(self) -> dict[str, int]:
        return _handed(self._opened)

    def wanted(self) -> dict[str, int]:
        """Return the descriptors of all sockets of the generation, also of those open before."""
        both = self._sockets.open | self._opened
        return _handed({where: each for where, each in both.items() if where in self._manners})

    def commit(self) -> None:
        now = self._sockets.open
        for where in [where for where in now if where not in self._manners]:
            now.pop(where).close()
        for where, stays in now.items():
            backlog, mode = self._manners[where]
            stays.listen(backlog)  # said again, it only changes the backlog
            if where.path:
                # Where it was made as root and we are not any more, it stays as it is.
                with contextlib.suppress(OSError):
                    os.chmod(where.path, mode)
        now |= self._opened

    def abort(self) -> None:
        for each in self._opened.values():
            each.close()


def _handed(sockets: Mapping[Endpoint, socket.socket]) -> dict[str, int]:
    return {
        label(where): each.fileno()
        for where, each in sockets.items()
        if where.listener != SUPERVISORS
    }
