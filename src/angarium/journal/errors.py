"""What can go wrong with files which must survive."""

import errno

from angarium.core.errors import Error

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class SpoolError(Error):
    """Something could not be made durable; the peer may try again.

    Args:
        full: the disk is full, which is 452 4.3.1; everything else is 451.
    """

    def __init__(self, message: str, *, full: bool = False, **fields: object) -> None:
        super().__init__(message, **fields)
        self.full = full

    @property
    def code(self) -> int:
        return 452 if self.full else 451


class FormatError(Error):
    """A file is of a version this program does not know; nothing in it was touched."""


class DamageError(Error):
    """Octets on the disk are not what was written there."""


class ColdError(Error):
    """What was asked for is not in the page cache; a thread must read it."""


class LockedError(Error):
    """Another process has the directory."""


def refused(error: OSError, doing: str) -> SpoolError:
    """Return what the failure of the operating system means for mail."""
    number = error.errno or 0
    return SpoolError(
        f"{doing} failed",
        full=number in FULL,
        errno=errno.errorcode.get(number, str(number)),
        path=error.filename,
    )
