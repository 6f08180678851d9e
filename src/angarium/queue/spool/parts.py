"""A dictionary by id in parts, so that nothing which touches all of it happens at once.

A Python dictionary that is full is copied into one twice as large: 25 ms for 700,000 entries, 55
for twice as many, and the loop stands still. Here an id belongs to one of 32 dictionaries, whose
shares of the ids differ on purpose: the largest gets almost twice what the smallest gets. As the
whole grows they become full one after the other, never together, and each is small.
"""

from collections.abc import Iterator, MutableMapping
from typing import Final

PARTS: Final = 32
# Ids made in a row, or every second one of them, spread evenly over a prime number of places.
PLACES: Final = 1021


def _places() -> list[int]:
    """Return the part of each place: part n has 2 ** (n / PARTS) times the share of part 0."""
    weights = [2 ** (part / PARTS) for part in range(PARTS)]
    total, reached, places = sum(weights), 0.0, list[int]()
    for part, weight in enumerate(weights):
        reached += weight
        places += [part] * (round(PLACES * reached / total) - len(places))
    return places


_PART_OF: Final = _places()


class Parts(MutableMapping[int, bytes]):
    """Slots by id.

    Attributes:
        parts: the dictionaries, each id in one of them.
        places: the dictionary of an id is `places[ident % PLACES]`.
    """

    __slots__ = ("parts", "places")

    def __init__(self) -> None:
        self.parts: list[dict[int, bytes]] = [{} for _ in range(PARTS)]
        self.places = [self.parts[part] for part in _PART_OF]

    def __getitem__(self, ident: int) -> bytes:
        return self.places[ident % PLACES][ident]

    def get(self, ident: int, default: bytes | None = None) -> bytes | None:  # type: ignore[override]
        return self.places[ident % PLACES].get(ident, default)

    def __setitem__(self, ident: int, slot: bytes) -> None:
        self.places[ident % PLACES][ident] = slot

    def __delitem__(self, ident: int) -> None:
        del self.places[ident % PLACES][ident]

    def pop(self, ident: int, default: bytes | None = None) -> bytes | None:  # type: ignore[override]
        """Return the slot and remove it; `default` where there is none."""
        return self.places[ident % PLACES].pop(ident, default)

    def __contains__(self, ident: object) -> bool:
        return isinstance(ident, int) and ident in self.places[ident % PLACES]

    def __iter__(self) -> Iterator[int]:
        for part in self.parts:
            yield from part

    def __len__(self) -> int:
        return sum(map(len, self.parts))
