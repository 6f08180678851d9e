"""What operators have suspended, in a file: STATE/suspended, which all workers look at.

A JSON list of places, each with who did it and when; {} in place of binding and domain is any. The
rule: **the file is the truth**. It is there before anybody is told, it outlives workers and
server, and a worker which could not be told sees it within a second: by one stat. So nothing that
is suspended sends after a restart, not for a moment.
"""

import contextlib
import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from angarium.config import durable
from angarium.core.errors import Error
from angarium.queue.bulk import Suspensions
from angarium.queue.choice import ChoiceError, word
from angarium.queue.line import Key

if TYPE_CHECKING:
    from angarium.queue.board import Board

NAME: Final = "suspended"  # in the state directory
_MODE: Final = 0o640


class SuspendedError(Error):
    """The file cannot be read."""


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """Queues, by words as in `choice`; an empty one is any."""

    binding: str = ""
    domain: str = ""
    who: str = ""
    since: int = 0

    @property
    def words(self) -> tuple[str, str]:
        return self.binding.lower(), self.domain.lower()

    def __str__(self) -> str:
        named = [f"binding {self.binding}"] if self.binding else []
        named += [f"domain {self.domain}"] if self.domain else []
        return " ".join(named) or "all"


class Covers:
    """What says of a queue whether a place covers it."""

    __slots__ = ("_binding", "_domain", "_words")

    def __init__(self, place: Place) -> None:
        self._words = place.words
        self._binding, self._domain = word(place.binding), word(place.domain)

    def matches(self, key: Key) -> bool:
        return self._binding(key[1]) and self._domain(key[2])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Covers) and self._words == other._words

    def __hash__(self) -> int:
        return hash(self._words)


def read(state: Path) -> list[Place]:
    """Return what is suspended. Raises SuspendedError, OSError."""
    try:
        octets = (state / NAME).read_bytes()
    except FileNotFoundError:
        return []
    try:
        return msgspec.json.decode(octets, type=list[Place])
    except (msgspec.MsgspecError, RecursionError) as error:
        raise SuspendedError(f"{NAME} cannot be read: {error}") from error


def change(state: Path, edit: Callable[[list[Place]], list[Place]]) -> list[Place]:
    """Change the file, whole or not at all; return what it has then. It may be waited for.

    Raises:
        SuspendedError, OSError: it is as it was.
    """
    with open(state / f"{NAME}.lock", "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = read(state)
        places = edit(before)
        if places != before:
            coming = str(state / f"{NAME}.new")
            durable.write(coming, msgspec.json.format(msgspec.json.encode(places)), _MODE)
            os.replace(coming, state / NAME)
            durable.sync_folder(str(state))
        return places


class Suspended:
    """The suspensions of one worker, as the file has them.

    Args:
        alarm: told where it cannot be read: then what was suspended stays so.
    """

    __slots__ = ("_alarm", "_seen", "_state", "_suspensions", "places")

    def __init__(self, state: Path, board: "Board", alarm: Callable[[str], None]) -> None:
        self._state = state
        self._suspensions = Suspensions(board)
        self._alarm = alarm
        self._seen: tuple[int, int, int] | None = None
        self.places: list[Place] = []

    def look(self) -> None:
        """Go by the file, if it has changed; once a second, and when we are told."""
        seen = None
        with contextlib.suppress(FileNotFoundError):
            status = os.stat(self._state / NAME)
            seen = status.st_mtime_ns, status.st_ino, status.st_size
        if seen == self._seen:
            return
        self._seen = seen
        try:
            places = read(self._state)
            covers = [Covers(each) for each in places]
        except (SuspendedError, ChoiceError, OSError) as error:
            self._alarm(f"what is suspended stays as it was: {error}")
            return
        self.places = places
        self._suspensions.use(covers)
