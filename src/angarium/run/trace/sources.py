"""Files of logs, compressed or not, line by line; what is read is never held whole."""

import bz2
import gzip
import lzma
import os
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, cast

from angarium.core.errors import Error

LONGEST: Final = 1 << 20  # octets of a line; a longer one is passed over and counted
_PIECE: Final = 1 << 20
_KINDS: Final[dict[bytes, Callable[..., Any]]] = {
    b"BZh": bz2.open,
    b"\x1f\x8b": gzip.open,
    b"\xfd7zXZ\x00": lzma.open,
}


class SourceError(Error):
    """A file cannot be read, or not to its end."""


@dataclass(slots=True)
class Source:
    """A file that can be read again and again.

    Attributes:
        too_long: lines that were passed over, the last time.
    """

    name: str
    open: Callable[[], IO[bytes]]
    too_long: int = 0

    def lines(self) -> Iterator[str]:
        """Yield the lines without their ends. Raises SourceError."""
        self.too_long = 0
        try:
            with self.open() as file:
                whole = True
                while piece := file.readline(LONGEST):
                    ends = piece.endswith(b"\n")
                    if whole and (ends or len(piece) < LONGEST):
                        yield piece.rstrip(b"\r\n").decode("utf-8", "surrogateescape")
                    elif whole:
                        self.too_long += 1
                    whole = ends
        except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
            reason = error.strerror if isinstance(error, OSError) else None
            raise SourceError("cannot be read", file=self.name,
                              reason=reason or str(error)) from error  # fmt: skip


def of(path: Path) -> Source:
    """Return a file as a source; how it is compressed is told by how it begins."""

    def opened() -> IO[bytes]:
        with path.open("rb") as file:
            begins = file.read(6)
        kind = next((kind for mark, kind in _KINDS.items() if begins.startswith(mark)), None)
        return cast("IO[bytes]", kind(path, "rb")) if kind is not None else path.open("rb")

    return Source(str(path), opened)


def of_stream(stream: IO[bytes], *, once: bool) -> Source:
    """Return a stream as a source; it is copied to a file, unless it is read `once` only."""
    if once:
        return Source("-", lambda: stream)
    with tempfile.TemporaryFile() as copy:
        while piece := stream.read(_PIECE):
            copy.write(piece)
        copy.flush()
        handle = os.dup(copy.fileno())  # closed when we end
    source = of(Path(f"/proc/self/fd/{handle}"))
    source.name = "-"
    return source
