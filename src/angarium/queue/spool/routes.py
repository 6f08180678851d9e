"""Where entries go, by number: (group, binding, domain) once, however many entries go there.

A number is this worker's, lives as long as an entry holds it, and is given away again after
that; checkpoints write the names.
"""

from collections.abc import Iterator

Key = tuple[str, str, str]  # binding group, binding, domain


class Routes:
    """All routes of a worker which have entries."""

    __slots__ = ("_counts", "_free", "_keys", "_numbers")

    def __init__(self) -> None:
        self._numbers: dict[Key, int] = {}
        self._keys: list[Key | None] = []
        self._counts: list[int] = []
        self._free: list[int] = []

    def hold(self, key: Key) -> int:
        """Return the number of a route, for one more entry."""
        number = self._numbers.get(key)
        if number is None:
            return self._add(key)
        self._counts[number] += 1
        return number

    def _add(self, key: Key) -> int:
        if self._free:
            number = self._free.pop()
            self._keys[number] = key
            self._counts[number] = 1
        else:
            number = len(self._keys)
            self._keys.append(key)
            self._counts.append(1)
        self._numbers[key] = number
        return number

    def hold_again(self, number: int) -> None:
        """One more entry holds a number which others hold."""
        self._counts[number] += 1

    def release(self, number: int) -> None:
        """An entry needs its route no more; with the last one the number is free."""
        self._counts[number] -= 1
        if not self._counts[number]:
            key = self._keys[number]
            if key is not None:
                del self._numbers[key]
            self._keys[number] = None
            self._free.append(number)

    def key(self, number: int) -> Key:
        """Return what a number stands for. Raises KeyError if no entry holds it."""
        key = self._keys[number] if 0 <= number < len(self._keys) else None
        if key is None:
            raise KeyError(number)
        return key

    def find(self, key: Key) -> int | None:
        """Return the number of a route, if entries go there."""
        return self._numbers.get(key)

    def count(self, number: int) -> int:
        """Return how many entries hold a number."""
        return self._counts[number] if 0 <= number < len(self._counts) else 0

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[tuple[int, Key]]:
        return ((number, key) for number, key in enumerate(self._keys) if key is not None)
