"""One recipient in a queue: an object while it is worked on, packed octets in the spool else.

    READY     in the active part of its line, with its message in memory
    FLYING    taken from the line by an attempt, or by a command which ends it
    DELAYED   known by its id alone, in the timer and in the spool's table
    ENDED     delivered, failed, discarded or moved to another server

What may follow what stands in MOVES; the one thing to know is that only what was taken can be
delayed or ended, so an entry is in one pair of hands at a time. An id which waits in its line
without an object (no room in memory, or not due long enough) is loaded when it is taken.
"""

import enum
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Protocol

from angarium.core.message import Message, Recipient

if TYPE_CHECKING:
    from angarium.queue.line import Line


class State(enum.Enum):
    READY = "waits for an attempt"
    FLYING = "is in an attempt"
    DELAYED = "waits until it is due"
    ENDED = "is over"


READY, FLYING, DELAYED, ENDED = State

MOVES: Final[Mapping[str, tuple[State, State]]] = {
    "take": (READY, FLYING),
    "put back": (FLYING, READY),
    "delay": (FLYING, DELAYED),
    "end": (FLYING, ENDED),
}


class Note(Protocol):
    """Where a worker says over whose message it works, so that a crash is known by its message."""

    def enter(self, ident: int) -> None:
        """Code runs over the message of this recipient from now on."""
        ...

    def leave(self) -> None:
        """We are back in the loop."""
        ...


class _Unread:
    """A note nobody reads."""

    def enter(self, ident: int) -> None: ...

    def leave(self) -> None: ...


UNREAD: Final = _Unread()


class Entry:
    """A recipient's entry while it is active.

    Attributes:
        attempts: attempts made so far; 0 before the first.
        due: Unix time from which it may be attempted; 0.0: at once.
        lane: of its message, see `core/lane`.
    """

    __slots__ = ("attempts", "due", "id", "lane", "line", "message", "recipient", "state")

    def __init__(
        self,
        ident: int,
        line: "Line",
        message: Message,
        recipient: Recipient,
        attempts: int = 0,
        due: float = 0.0,
        lane: int = 0,
    ) -> None:
        self.id = ident
        self.line = line
        self.message = message
        self.recipient = recipient
        self.attempts = attempts
        self.due = due
        self.lane = lane
        self.state = READY

    def __repr__(self) -> str:
        return f"<Entry {self.id} to {self.recipient.address} {self.state.name}>"


class MoveError(RuntimeError):
    """A bug: an entry was to do what its state does not allow."""


def wrong(entry: Entry, move: str) -> MoveError:
    """Return what to raise where `move` is not allowed for the entry."""
    return MoveError(f"{entry!r} cannot {move}: it must be {MOVES[move][0].name}")
