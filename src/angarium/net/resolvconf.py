"""The files which say where names are asked: resolv.conf and hosts.

Both are read as resolver(3) and hosts(5) say, and whatever cannot be understood is passed over, as
every other resolver does. Search domains are ignored: a domain in mail is always a whole name.
"""

import ipaddress
import os
from dataclasses import dataclass
from typing import Final

RESOLV_CONF: Final = "/etc/resolv.conf"
HOSTS: Final = "/etc/hosts"
PORT: Final = 53
MAX_SERVERS: Final = 8  # resolver(3) reads 3; more would wait longer than mail's deadline
MAX_TIMEOUT: Final = 30.0  # caps of resolver(3)
MAX_ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True)
class Server:
    """A recursive name server. `trusted`: its word is taken that an answer is authentic."""

    host: str
    port: int = PORT
    trusted: bool = False

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class ResolvConf:
    servers: tuple[Server, ...]
    timeout: float = 0.0  # seconds; 0.0: the file does not say
    attempts: int = 0
    hosts_first: bool = True  # `lookup file bind`; false: hosts only where DNS has nothing


def server(text: str, *, trusted: bool = False) -> Server | None:
    """Read "192.0.2.1", "2001:db8::1%eth0", "127.0.0.1:5353" or "[::1]:5353"; None: it is none.

    A name server on this machine is trusted, its answers cross no wire.
    """
    host, port = text, str(PORT)
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":") or str(PORT)
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        return None
    return Server(host, int(port), trusted or address.is_loopback)


def parse(text: str) -> ResolvConf:
    """Return what the text of a resolv.conf says; without a server, the one of this machine."""
    names: list[str] = []
    timeout, attempts, hosts_first, trusted = 0.0, 0, True, False
    for line in text.splitlines():
        words = line.split()
        match words:
            case ["nameserver", name, *_]:
                names.append(name)
            case ["lookup", first, *_]:
                hosts_first = first.startswith("f")
            case ["options", *options]:
                for option in options:
                    key, _, value = option.partition(":")
                    number = int(value) if value.isascii() and value.isdigit() else 0
                    if key == "timeout" and number:
                        timeout = min(float(number), MAX_TIMEOUT)
                    elif key == "retrans" and number:  # Milliseconds, as BSD and Solaris have it.
                        timeout = min(max(number / 1000, 0.1), MAX_TIMEOUT)
                    elif key in {"attempts", "retry"} and number:
                        attempts = min(number, MAX_ATTEMPTS)
                    elif key == "trust-ad":
                        trusted = True
    read = (server(name, trusted=trusted) for name in names)
    servers = tuple(each for each in read if each)[:MAX_SERVERS]
    return ResolvConf(
        servers or (Server("127.0.0.1", trusted=True),), timeout, attempts, hosts_first
    )


class Hosts:
    """The addresses of an /etc/hosts."""

    __slots__ = ("_addresses",)

    def __init__(self, text: str = "") -> None:
        self._addresses: dict[str, list[str]] = {}
        for line in text.splitlines():
            words = line.partition("#")[0].split()
            if len(words) < 2:
                continue
            try:
                address = str(ipaddress.ip_address(words[0].partition("%")[0]))
            except ValueError:
                continue
            for name in words[1:]:
                known = self._addresses.setdefault(name.lower().removesuffix("."), [])
                if address not in known:
                    known.append(address)

    def addresses(self, name: str, *, v6: bool) -> tuple[str, ...]:
        """Return the addresses of a family, in the order of the file."""
        known = self._addresses.get(name)
        return tuple(each for each in known if (":" in each) == v6) if known else ()

    def __len__(self) -> int:
        return len(self._addresses)


class WatchedFile:
    """A small text file which is read again when it has changed."""

    __slots__ = ("_seen", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self._seen: tuple[int, int, int] | None = None

    def changed(self) -> str | None:
        """Return the text if it is another than last time, else None; a missing file is "".

        What cannot be read for another reason is as it was: a moment without permission, or a full
        table of files, must not take all name servers away.
        """
        try:
            stat = os.stat(self.path)
            seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if seen == self._seen:
                return None
            with open(self.path, encoding="utf-8", errors="replace") as file:
                text = file.read(1 << 20)
        except FileNotFoundError:
            seen, text = (0, 0, 0), ""
            if seen == self._seen:
                return None
        except OSError:
            return None
        self._seen = seen
        return text
