"""What workers tell each other of what they share, and the order of things that replace each other.

A worker tells values, never differences: so what it says may be lost, come twice or late, and the
next time it says it mends that. Keys are octets: text of Lua has no encoding.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, Protocol, TypeAlias, TypeVar

import msgspec

from angarium.core.clock import Clock

T = TypeVar("T")
Number: TypeAlias = int | float
Plain: TypeAlias = bool | int | float | bytes | None  # what may be kept
Origin: TypeAlias = tuple[int, int]  # number of a worker, and when it was born in ms of Unix time

MOST: Final = float(1 << 53)  # of a number, either way: Lua knows whole ones up to here
WORKERS: Final = 1024  # more than a node may have
PIECE: Final = 400  # things told at once; with usual keys some 16 KiB


class Shape(msgspec.Struct, array_like=True, frozen=True):
    """Which thing it is: its kind, its name, and what it was made with."""

    kind: str
    name: str = ""
    numbers: tuple[int, ...] = ()


class Entry(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One thing told.

    Attributes:
        slot: of a series the window, of a value the time in ms at which it ends, else 0.
        stamp: of a value when it was set; of a sum when the key was last set to nothing.
    """

    key: bytes
    value: Plain
    slot: int = 0
    stamp: int = 0


class Heard(Protocol):
    """Told that something has changed here, which others do not know yet."""

    def __call__(self, table: "Table", /) -> None: ...


class Table(Protocol):
    """A thing which is shared."""

    @property
    def shape(self) -> Shape: ...

    def changes(self) -> list[Entry]:
        """Return what has changed here since it was last asked."""
        ...

    def own(self) -> Iterator[list[Entry]]:
        """Yield all that this worker has done to it, in pieces, while it goes on changing."""
        ...

    def others(self) -> Iterator[tuple[Origin, list[Entry]]]:
        """Yield what is known of what others have done to it."""
        ...

    def merge(self, origin: Origin, entries: Iterable[Entry], *, hearsay: bool = False) -> None:
        """Take what a worker has done to it.

        Args:
            hearsay: another one says so, and may know less than we do.
        """
        ...

    def gone(self, origin: Origin) -> None:
        """A worker has ended."""
        ...


class Stamps:
    """Numbers which rise with time, no two of which are equal on a node.

    Args:
        number: of the worker.
    """

    __slots__ = ("_clock", "_last", "_number")

    def __init__(self, clock: Clock, number: int) -> None:
        self._clock = clock
        self._number = number
        self._last = 0

    def __call__(self) -> int:
        micro = int(self._clock.time() * 1_000_000)
        self._last = micro = max(micro, self._last + 1)
        return micro * WORKERS + self._number


@dataclass(frozen=True, slots=True)
class Means:
    """What every shared thing needs of its worker."""

    clock: Clock
    stamps: Stamps
    heard: Heard


def seconds_of(stamp: int) -> float:
    """Return the Unix time of a stamp."""
    return stamp // WORKERS / 1_000_000


def maker_of(stamp: int) -> int:
    """Return the worker which made a stamp."""
    return stamp % WORKERS


def octets(key: str | bytes) -> bytes:
    """Return a key as it is kept."""
    return key if isinstance(key, bytes) else key.encode("utf-8", "surrogateescape")


def text(key: bytes) -> str:
    """Return a key as it is shown."""
    return key.decode("utf-8", "backslashreplace")


def bounded(value: Number) -> Number:
    """Return a number as it may be kept: a whole one where it is whole, none beyond all bounds."""
    if not -MOST <= value <= MOST:  # NaN is neither.
        return int(MOST) if value > 0 else int(-MOST) if value < 0 else 0
    return int(value) if value == int(value) else value


def pieces(found: Iterable[T]) -> Iterator[list[T]]:
    """Yield keys or entries in lists of PIECE."""
    each = iter(found)
    while piece := list(islice(each, PIECE)):
        yield piece
