"""Files which are there whole or not at all, also after a power cut."""

import contextlib
import os
from collections.abc import Callable


def write(
    path: str, octets: bytes, mode: int, *, prepare: Callable[[int], None] | None = None
) -> None:
    """Make a new file and sync it; a leftover of that name is removed.

    Args:
        prepare: is given the open file, to set its owner and such before there is anything in it.

    Raises:
        OSError: there is no such file then.
    """
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)  # A leftover may have another mode, or be open somewhere.
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
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
