"""The octets of a message, wherever they are.

A body is what came between DATA and the final dot, dot-stuffing undone. Small ones are in memory
while they are worked on (`MemoryBody`); one that was put down or is large is a `Body` of
`queue/spool`, read by pieces. Nobody but the spool asks which it is.
"""

from collections.abc import Iterator
from typing import Protocol


class Body(Protocol):
    """Octets of known number, read any number of times."""

    @property
    def size(self) -> int:
        """Octets."""
        ...

    def pieces(self, at_most: int = 65536) -> Iterator[bytes]:
        """Yield the octets in order; a piece may be longer than `at_most` if it costs nothing."""
        ...

    def whole(self) -> bytes:
        """Return all octets. Only for bodies under large_message_threshold, and in tests."""
        ...


class MemoryBody:
    """A body in memory, in the pieces it arrived in."""

    __slots__ = ("_pieces", "size")

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = pieces
        self.size = sum(map(len, pieces))

    def pieces(self, at_most: int = 65536) -> Iterator[bytes]:
        return iter(self._pieces)

    def whole(self) -> bytes:
        if len(self._pieces) == 1:
            return self._pieces[0]
        return b"".join(self._pieces)

    def __repr__(self) -> str:
        return f"<MemoryBody of {self.size} octets>"
