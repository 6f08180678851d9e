"""Which commands somebody may give: the Authorization stanza, and the groups he is in.

His name and each of his groups count as roles. A role allows what one of its patterns is found in;
what no role allows is refused. The rules and the groups are looked at for each command, so that a
change of either counts at once, also for who is connected.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from angarium.config.resolve import Configuration
from angarium.console.errors import CommandError
from angarium.console.options.authorization import Role

GROUPS: Final = "groups://"
MAX_FILE: Final = 4 << 20  # octets


class Groups:
    """A file of groups: `group:user,user` or `group:password:user,user`, a line each."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._members: dict[str, frozenset[str]] = {}

    def of(self, user: str) -> list[str]:
        """Return the groups of a user. Raises CommandError if the file cannot be read."""
        try:
            found = os.stat(self._path)
            stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
            if stamp != self._stamp:
                if found.st_size > MAX_FILE:
                    raise CommandError("the file of groups is too long")
                self._members = _members(Path(self._path).read_text(encoding="utf-8"))
                self._stamp = stamp
        except (OSError, UnicodeDecodeError):
            raise CommandError("the file of groups cannot be read; see the service log") from None
        return [group for group, users in self._members.items() if user in users]


class Authority:
    """What one user may do.

    Args:
        uri: of the groups; "" where only his name counts.
    """

    def __init__(self, user: str, uri: str) -> None:
        self._user = user
        self._groups = Groups(uri.removeprefix(GROUPS)) if uri else None

    @property
    def roles(self) -> Sequence[str]:
        """Return his roles. Raises CommandError."""
        groups = self._groups.of(self._user) if self._groups is not None else []
        return [self._user, *(each for each in groups if each != self._user)]

    def allows(self, configuration: Configuration, command: str) -> bool:
        """Say whether he may give a command; it is in normal form (`session`)."""
        roles = set(self.roles)
        return any(
            pattern.search(command)
            for name, role in rules(configuration)
            if name in roles
            for pattern in role.allow
        )


def rules(configuration: Configuration) -> Sequence[tuple[str, Role]]:
    """Return the roles of the Authorization stanza, in their order."""
    outer = configuration.root.get("authorization")
    found = outer.all("authorization.role") if outer is not None else {}
    return [(name, configuration.of(Role, section)) for name, section in found.items()]


def _members(text: str) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for line in text.splitlines():
        words = line.strip().split(":")
        if line.startswith("#") or len(words) < 2:
            continue
        found[words[0].strip()] = found.get(words[0].strip(), frozenset()) | _names(words[-1])
    return found


def _names(text: str) -> frozenset[str]:
    names: Iterable[str] = text.replace(",", " ").split()
    return frozenset(names)
