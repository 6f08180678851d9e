"""Where a server listens for consoles, as an operator writes it.

/tmp/2025  2025         a Unix socket; a bare name is one in /tmp
127.0.0.1:2025  [::1]:2025  host:2025
john@...                as this user
"""

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from angarium.core.errors import Error

DEFAULT: Final = "/tmp/2025"
FOLDER: Final = "/tmp"
CONNECT_SECONDS: Final = 10.0
_SSH: Final = "ssh://"


class EndpointError(Error):
    """What was written is no endpoint."""


class Name:
    """A name of a socket which fits into an address: those have 108 octets, paths may have more.

    Raises:
        OSError: there is no such folder.
    """

    def __init__(self, folder: Path, socket_name: str) -> None:
        self._folder = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._socket_name = socket_name

    def __enter__(self) -> str:
        return f"/proc/self/fd/{self._folder}/{self._socket_name}"

    def __exit__(self, *error: object) -> None:
        os.close(self._folder)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A Unix socket, or a host and a port. `user` is "" where none is named."""

    user: str = ""
    path: str = ""
    host: str = ""
    port: int = 0

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        where = self.path or f"{host}:{self.port}"
        return f"{self.user}@{where}" if self.user else where

    @property
    def private(self) -> bool:
        """Say whether nobody but this machine hears what is said there."""
        return bool(self.path) or self.host in ("localhost", "::1") or self.host.startswith("127.")

    def connected(self) -> socket.socket:
        """Return a connection. Raises OSError."""
        if not self.path:
            return socket.create_connection((self.host, self.port), CONNECT_SECONDS)
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        path = Path(self.path)
        try:
            made.settimeout(CONNECT_SECONDS)
            with Name(path.parent, path.name) as name:
                made.connect(name)
        except OSError:
            made.close()
            raise
        return made


def endpoint(text: str) -> Endpoint:
    """Return what an operator has written. Raises EndpointError."""
    if text.startswith(_SSH):
        raise EndpointError(
            "there is no ssh:// here; run ssh -L 2025:127.0.0.1:2025 HOST and connect to that"
        )
    user, at, where = text.rpartition("@")
    if at and not user or not where:
        raise EndpointError(f"{text!r} is no endpoint, such as john@127.0.0.1:2025 or {DEFAULT}")
    if "/" in where:
        return Endpoint(user, path=where)
    host, colon, port = where.rpartition(":")
    if not colon:
        return Endpoint(user, path=f"{FOLDER}/{where}")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise EndpointError(f"{where!r}: write an IPv6 address as [2001:db8::1]:2025")
    if not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise EndpointError(f"{where!r}: {port!r} is no port")
    return Endpoint(user, host=host or "localhost", port=int(port))
