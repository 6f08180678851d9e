"""Where a message of this machine goes: /etc/angarium/sendmail.conf, which everybody may read."""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from angarium.config.places import HostPort
from angarium.core.address import routing_domain
from angarium.core.units import size
from angarium.run import keyed
from angarium.run.keyed import SettingsError

FILE: Final = Path("/etc/angarium/sendmail.conf")
VARIABLE: Final = "ANGARIUM_SENDMAIL_CONF"  # names another one; who calls us could call anything
NAMES: Final = ("server", "maildrop", "hostname", "max_size")
SERVER: Final = ("127.0.0.1", 25)
MAILDROP: Final = Path("/var/spool/angarium-maildrop")
MAX_SIZE: Final = 256 << 20  # octets; the server has its own limit, max_message_size


@dataclass(frozen=True, slots=True)
class Settings:
    """See above.

    Attributes:
        hostname: the domain of addresses without one.
        max_size: octets of a message.
    """

    server: tuple[str, int] = SERVER
    maildrop: Path = MAILDROP
    hostname: str = "localhost"
    max_size: int = MAX_SIZE

    @classmethod
    def read(cls, path: Path | None = None, environment: Mapping[str, str] = os.environ) -> Self:
        """Return what a file says; the defaults where there is none and none was named.

        Raises:
            SettingsError: the file cannot be read, or is wrong.
        """
        variable = environment.get(VARIABLE)
        named = path or (Path(variable) if variable else None)
        file = named or FILE
        said = keyed.read(file, NAMES) if named is not None or file.exists() else {}
        try:
            place = HostPort().parse(said["server"]) if "server" in said else None
            limit = int(size(said["max_size"])) if "max_size" in said else MAX_SIZE
        except ValueError as error:
            raise SettingsError(str(error), file=str(file)) from error
        name = said.get("hostname") or socket.gethostname()
        if routing_domain(name) is None:
            name = "localhost"
        return cls(
            (place.host, place.port or SERVER[1]) if place is not None else SERVER,
            Path(said.get("maildrop", MAILDROP)),
            name,
            limit,
        )
