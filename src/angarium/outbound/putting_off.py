"""Lets the mail of a domain wait, as if an attempt had failed for now, because somebody says so."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

from angarium.core.reply import Reply
from angarium.outbound.errors import DeliveryError
from angarium.queue.acts import PutOff
from angarium.queue.choice import Choice
from angarium.queue.entry import Entry
from angarium.queue.errand import Errand, Means, Steps

if TYPE_CHECKING:
    from angarium.outbound.settle import Settle
    from angarium.queue.board import Board


class Hands(Protocol):
    """Who has taken mail to deliver it."""

    def in_hands(self) -> Iterator[list[Entry]]: ...


class PuttingOff:
    """Called with a domain and the reply that is logged; it is done in slices of the loop.

    Args:
        hands: what they have is left to them.
        parts: of the table of entries, see `queue/errand`.
    """

    def __init__(
        self,
        board: "Board",
        settle: "Settle",
        hands: Hands,
        parts: Callable[[], Iterable[Mapping[int, bytes]]],
    ) -> None:
        self._board = board
        self._settle = settle
        self._hands = hands
        self._means = Means(parts, self._in_hands)

    def __call__(self, domain: str, reply: Reply) -> None:
        errand = Errand(self._board, Choice(domain=domain), self._means)
        error = DeliveryError(reply)
        act = PutOff(self._board, lambda entry: self._settle.failed(entry, error), _always)
        self._board.begin(_steps(errand.run(act)))

    def _in_hands(self) -> list[int]:
        taken = [entry.id for entries in self._hands.in_hands() for entry in entries]
        return taken + list(self._settle.reported)


def _steps(errand: Steps) -> Iterator[None]:
    """Take the steps one by one, also while something is still being read."""
    for _ in errand:
        yield None


def _always() -> bool:
    return True
