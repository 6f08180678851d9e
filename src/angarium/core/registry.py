"""`Registry`: names to declarations, each with the file and line it stands at.

Options, hooks, commands, events and Lua functions are registered in one of these at import, by a
decorator or a descriptor, and never changed afterwards.
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from angarium.core.errors import Error

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is declared."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Registry(Mapping[str, T], Generic[T]):
    """Declarations by name, in the order of their declaration."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._declared: dict[str, T] = {}
        self._places: dict[str, Place] = {}

    def add(self, name: str, declared: T, *, depth: int = 1) -> None:
        """Register; `depth` counts the frames between the declaration and this call.

        Raises:
            Error: the name is taken.
        """
        frame = sys._getframe(depth)
        place = Place(frame.f_code.co_filename, frame.f_lineno)
        if name in self._declared:
            raise Error(
                f"{self._what} declared twice", name=name, here=place, first=self._places[name]
            )
        self._declared[name] = declared
        self._places[name] = place

    def place(self, name: str) -> Place:
        return self._places[name]

    def __getitem__(self, name: str) -> T:
        return self._declared[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._declared)

    def __len__(self) -> int:
        return len(self._declared)
