"""What a query returns: rows, each an ordered mapping of names to values.

A value is what scripts have too: nothing, truth, numbers, text, octets, or a list of these. What a
database has beyond that, such as dates, is text as it writes it (`plain`). Rows are shared by all
who ask the same, so they cannot be changed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final, TypeAlias

Scalar: TypeAlias = bool | int | float | str | bytes | None
Value: TypeAlias = Scalar | Sequence["Value"]

_OBJECT: Final = 56  # octets of an object without its content, about


class Columns:
    """The columns of a result.

    Attributes:
        named: the database has told their names; else they are their places, from "1".
    """

    __slots__ = ("named", "names", "places")

    def __init__(self, names: Sequence[str], *, named: bool = True) -> None:
        self.named = named
        self.names = tuple(names)
        # Of two columns with one name the last one has it, as in a table of a script.
        self.places = {name: place for place, name in enumerate(self.names)}

    @classmethod
    def unnamed(cls, count: int) -> "Columns":
        return cls([str(place) for place in range(1, count + 1)], named=False)


class Row(Mapping[str, Value]):
    """One row: by name, in the order of the columns, or by place."""

    __slots__ = ("columns", "line")

    def __init__(self, columns: Columns, line: Sequence[Value]) -> None:
        self.columns = columns
        self.line = tuple(line)

    def __getitem__(self, name: str) -> Value:
        return self.line[self.columns.places[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns.places)

    def __len__(self) -> int:
        return len(self.columns.places)

    def at(self, place: int) -> Value:
        """Return the value of a column by its place, the first one is 1. Raises IndexError."""
        if place < 1:
            raise IndexError(place)
        return self.line[place - 1]

    def __eq__(self, other: object) -> bool:
        return dict(self) == other

    __hash__ = None  # type: ignore[assignment]  # it is a mapping

    def __repr__(self) -> str:
        return f"<Row {dict(self)!r}>"


Rows: TypeAlias = tuple[Row, ...]


def rows(columns: Columns, lines: Iterable[Sequence[Value]]) -> Rows:
    return tuple(Row(columns, line) for line in lines)


def plain(value: object) -> Value:
    """Return what a driver has as what scripts have.

    A decimal without a fraction is an int of any size, another one a float: who needs all digits
    of one asks the database for text.
    """
    match value:
        case None | bool() | int() | float() | str() | bytes():
            return value
        case Decimal():
            whole = value.is_finite() and value == value.to_integral_value()
            return int(value) if whole else float(value)
        case datetime():
            return value.isoformat(" ")
        case date() | time():
            return value.isoformat()
        case timedelta():
            return _interval(value)
        case bytearray() | memoryview():
            return bytes(value)
        case list() | tuple() | set() | frozenset():
            return tuple(plain(each) for each in value)
        case _:
            return str(value)


def _interval(value: timedelta) -> str:
    """Return a duration as SQL writes a time: 26:03:04.5."""
    sign, value = ("-", -value) if value < timedelta() else ("", value)
    minutes, seconds = divmod(value.days * 86400 + value.seconds, 60)
    fraction = f".{value.microseconds:06}".rstrip("0") if value.microseconds else ""
    return f"{sign}{minutes // 60:02}:{minutes % 60:02}:{seconds:02}{fraction}"


def text(octets: bytes, charset: str) -> str:
    """Return octets of which nobody has said what they are: UTF-8 where they can be that."""
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode(charset, "replace")


def footprint(found: Rows) -> int:
    """Return the octets which rows take in memory, about."""
    return _OBJECT + sum(2 * _OBJECT + sum(map(_size, row.line)) for row in found)


def _size(value: Value) -> int:
    if isinstance(value, str | bytes):
        return _OBJECT + len(value)
    if isinstance(value, Sequence):
        return _OBJECT + sum(map(_size, value))
    return _OBJECT // 2
