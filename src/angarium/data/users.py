"""Files of users: who there is, and what is kept of the password.

    file:///path      user:password, in clear
    digest:///path    user:realm:digest, as htdigest and ec_md5passwd write them
    passwd:///path    user:hash, as `data/hashes` knows them; more fields behind it are not read

Lines with # are comments. A file is read again when it has changed, so that a change counts at
once; what was read is kept, for a login costs one look at the file's time.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from angarium.core.errors import Error
from angarium.wire.sasl.secrets import PREFIX

MAX_FILE: Final = 4 << 20  # octets: some tens of thousands of users
MOST_FILES: Final = 64  # which are kept
_NOBODY: Final[Mapping[str, tuple[str, ...]]] = {}


class UsersError(Error):
    """A file of users cannot be read; the one who logs in is not told."""


class Users:
    """The files which were read, by path."""

    __slots__ = ("_files",)

    def __init__(self) -> None:
        self._files: dict[str, tuple[tuple[int, ...], Mapping[str, tuple[str, ...]]]] = {}

    def of(self, path: str, user: str) -> tuple[str, ...]:
        """Return what stands behind the name of a user; of several lines all. Raises UsersError."""
        try:
            found = os.stat(path)
            stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
            known = self._files.get(path)
            if known is None or known[0] != stamp:
                known = stamp, _read(path, found.st_size)
                self._files.pop(path, None)
                self._files[path] = known
                if len(self._files) > MOST_FILES:
                    del self._files[next(iter(self._files))]
        except (OSError, UnicodeDecodeError) as error:
            raise UsersError(
                "a file of users cannot be read", path=path, reason=str(error)
            ) from None
        return known[1].get(user, ())

    def password(self, path: str, user: str) -> str | None:
        """Return the password of a user in a file of file://; None: he is not there."""
        found = self.of(path, user)
        return found[0] if found else None

    def hashed(self, path: str, user: str) -> str | None:
        """Return the hash of a user in a file of passwd://; None: he is not there."""
        found = self.of(path, user)
        if not found:
            return None
        fields = found[0].split(":")
        # What SCRAM keeps has two colons of its own.
        return ":".join(fields[:3]) if PREFIX in fields[0] else fields[0]

    def digest(self, path: str, user: str, realm: str) -> str | None:
        """Return the digest of a user and realm, in lower case; None: they are not there."""
        for each in self.of(path, user):
            there, colon, digest = each.rpartition(":")
            if colon and there == realm and is_digest(digest.strip()):
                return digest.strip().lower()
        return None


def _read(path: str, size: int) -> Mapping[str, tuple[str, ...]]:
    if size > MAX_FILE:
        raise UsersError("the file is too long", path=path, limit=MAX_FILE)
    users: dict[str, tuple[str, ...]] = {}
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        name, colon, rest = line.partition(":")
        if colon and name and not line.startswith("#"):
            users[name] = (*users.get(name, ()), rest)
    return users or _NOBODY


def is_digest(text: str) -> bool:
    """Say whether this is an MD5 in hexadecimal."""
    return len(text) == 32 and all(each in "0123456789abcdefABCDEF" for each in text)
