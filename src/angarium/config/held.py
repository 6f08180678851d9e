"""Files which could be read at the start only, while we were root: keys of TLS, of signatures.

    held = Held.of(paths)           all of them, before rights are given up
    held = held.needed()            afterwards: what can be read still is read from the disk
    held.read(path)                 the file, or what it held at the start
    with held.place(path) as name:  the same, for a library which wants the name of a file

The rule: what is held is in memory, and goes from process to process by their pipes; it is in no
snapshot, no history, no log and no `repr`.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, Self

import msgspec

MOST_OCTETS: Final = 4 << 20  # of one file; a bundle of authorities has 200 KB


class Held(msgspec.Struct, frozen=True):
    """Those of one server, by the path which an option names."""

    files: dict[str, bytes] = {}

    @classmethod
    def of(cls, paths: Iterable[str]) -> Self:
        """Return all which can be read now."""
        found: dict[str, bytes] = {}
        for path in dict.fromkeys(paths):
            if os.path.isfile(path):  # To open a pipe would wait for who writes to it.
                with contextlib.suppress(OSError), open(path, "rb") as file:
                    found[path] = file.read(MOST_OCTETS)
        return cls(found)

    def needed(self) -> "Held":
        """Return those which cannot be read any more."""
        return Held({path: each for path, each in self.files.items() if not _readable(path)})

    def stands_in(self, path: str) -> bool:
        """Say whether what a file held at the start counts, as nobody can read it now."""
        return path in self.files and not _readable(path)

    def read(self, path: str) -> bytes:
        """Return what is in a file, or was. Raises OSError."""
        return self.files[path] if self.stands_in(path) else Path(path).read_bytes()

    @contextlib.contextmanager
    def place(self, path: str) -> Iterator[str]:
        """Give the name of a file in which it is, for as long as this lasts. Raises OSError."""
        if not self.stands_in(path):
            yield path
            return
        handle = os.memfd_create("angarium-held", os.MFD_CLOEXEC)
        try:
            with open(handle, "wb", closefd=False) as file:
                file.write(self.files[path])
            yield f"/proc/self/fd/{handle}"
        finally:
            os.close(handle)

    def __repr__(self) -> str:
        return f"Held({', '.join(self.files)})"


NOTHING: Final = Held()


def _readable(path: str) -> bool:
    return os.access(path, os.R_OK)
