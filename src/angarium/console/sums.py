"""Answers which add up: what several processes say of their parts, as one answer of the server.

Each is bounded by what made it: a `Table` by the keys there are, a `Page` by its limit.
"""

from collections.abc import Iterable
from heapq import merge
from itertools import islice
from typing import Any, Generic, Protocol, Self, TypeVar

import msgspec


class Adds(Protocol):
    """Something with `+`."""

    def __add__(self, other: Any, /) -> Any: ...


T = TypeVar("T")
A = TypeVar("A", bound=Adds)


class Counts(msgspec.Struct, frozen=True):
    """Numbers by name, which are summed."""

    values: dict[str, float] = {}

    def __add__(self, other: Self) -> "Counts":
        summed = dict(self.values)
        for name, value in other.values.items():
            summed[name] = summed.get(name, 0) + value
        return Counts(summed)


class Table(msgspec.Struct, Generic[A], frozen=True):
    """Rows by key; those of one key are added."""

    rows: dict[str, A] = {}

    def __add__(self, other: Self) -> "Table[A]":
        rows = dict(self.rows)
        for key, row in other.rows.items():
            rows[key] = rows[key] + row if key in rows else row
        return Table(rows)


class Page(msgspec.Struct, Generic[T], frozen=True):
    """The first of many, in their order, and how many there are in all.

    A page of all processes is the first of all their first ones: things have to be comparable
    (`Struct(order=True)`), and each process gives its own in order.
    """

    items: list[T] = []
    limit: int = 1000
    total: int = 0

    @classmethod
    def of(cls, found: Iterable[T], limit: int) -> "Page[T]":
        """Return a page of what is in order already; all of it is counted, only a page is kept."""
        each = iter(found)
        items = list(islice(each, limit))
        return Page(items, limit, len(items) + sum(1 for _ in each))

    @property
    def more(self) -> int:
        """Return how many are left out."""
        return self.total - len(self.items)

    def __add__(self, other: Self) -> "Page[T]":
        limit = min(self.limit, other.limit)
        items = list(islice(merge(self.items, other.items), limit))  # type: ignore[type-var]
        return Page(items, limit, self.total + other.total)
