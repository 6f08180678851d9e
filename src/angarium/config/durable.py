"""Files which are there whole or not at all, also after a power cut."""

import contextlib
import os
from collections.abc import Callable


def write(
    path: str, octets: bytes, mode: int, *, prepare: Callable[[int], None] | None = None
) -> None:
    """Make a new file and sync it; a leftover of that name is overwritten.

    Args:
        prepare: is given the open file, to set its owner and such before there is anything in it.

    Raises:
        OSError: there is no such file then.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(path, flags, mode)
    try:
        with open(handle, "wb") as file:
            if prepare is not None:
                prepare(handle)
            file.write(octets)
            file.flush()
            os.fsync(handle)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(path)
        raise


def sync_folder(path: str) -> None:
    """Put on disk which names a directory has. Raises OSError."""
    handle = os.open(path or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
