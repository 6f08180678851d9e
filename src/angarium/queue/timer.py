"""One timer for all delayed entries of a worker: a wheel of one-second slots that hold ids.

An id costs 8 octets here (12 while it is far off) and no object, so the garbage collector sees
none of it. Rule: **an id is in the timer at most once, and whoever wakes it early takes it out**;
so what comes due is due, and nobody asks twice. The ids of the next hour or two lie in slots of a
second, those beyond in spans of 4096 s, which are spread over seconds by and by before their time.

`TimeLine` says what time it is for the timer. Due times are Unix seconds, kept on disk; the time
line is the system clock too, except that where that is set back, the monotonic clock is followed
instead: the difference is `skew`, added to due times on their way into the timer. So a clock set
back parks no mail, and one set forward makes due what is due by it.
"""

import math
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from angarium.core.clock import Clock

SPAN_BITS: Final = 12
SPAN: Final = 1 << SPAN_BITS  # seconds
# A span is spread while this much of the one before it is left, so that there is time for it.
_LEAD: Final = SPAN // 2
_PIECE: Final = 256  # ids handled between two looks at the clock
_MANY: Final = 4 * SPAN  # seconds passed at once from which sorting the slots is cheaper

JUMP_SECONDS: Final = 2.0  # less than this between the two clocks is drift, not a setting
FAR_SECONDS: Final = 3600  # a due time further off than this is checked against the entry's age
LONGEST_SECONDS: Final = 14 * 86400  # no schedule goes further than that


class TimeLine:
    """The time of the timer: never goes back by more than a drift.

    Attributes:
        skew: seconds by which it is ahead of the system clock.
        sane: due times (Unix seconds) of entries found on disk beyond this go by `sane_due`.
    """

    __slots__ = ("_base", "_clock", "sane", "skew")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._base = clock.time() - clock.monotonic()
        self.skew = 0
        self.sane = int(clock.time()) + FAR_SECONDS

    def now(self) -> float:
        return self._base + self._clock.monotonic()

    def follow(self) -> None:
        """Compare the two clocks; call it once a second."""
        wall, now = self._clock.time(), self.now()
        ahead = wall + self.skew - now
        if ahead < -JUMP_SECONDS:  # Set back: go on as if it had not been.
            self.skew = math.ceil(now - wall)
        else:
            if ahead > JUMP_SECONDS:  # Set forward, perhaps only to where it was before.
                self.skew = max(0, math.ceil(now - wall))
            self._base += wall + self.skew - now
        self.sane = int(wall) + FAR_SECONDS

    def sane_due(self, ident: int, due: int) -> int:
        """Return a due time no further off than the entry can have meant.

        An id tells when it was made. Was that in the future, or is due further off than any
        schedule goes, then the clock has been set back since.
        """
        now, made = int(self._clock.time()), ident >> 32
        if made > now + JUMP_SECONDS:
            return min(due, now + max(due - made, 0), now + FAR_SECONDS)
        return due if due < now + LONGEST_SECONDS else now


class Timer:
    """Ids by the second at which they are due.

    Args:
        now: whole seconds of the time line which `add` and `advance` speak of.
    """

    __slots__ = ("_edge", "_far", "_late", "_next", "_passed", "_seconds", "_spreading")

    def __init__(self, now: int) -> None:
        self._next = now  # the first second which has not passed
        self._edge = ((now >> SPAN_BITS) + 1) << SPAN_BITS  # from here on ids lie in spans
        self._seconds: dict[int, array[int]] = {}
        self._far: dict[int, tuple[array[int], array[int]]] = {}  # span to ids and their dues
        self._spreading: deque[tuple[array[int], array[int]]] = deque()
        self._passed: deque[array[int]] = deque()  # slots whose second has passed, oldest first
        self._late: array[int] = array("Q")  # ids which were due already when they came

    def __len__(self) -> int:
        near = sum(map(len, self._seconds.values())) + sum(map(len, self._passed))
        far = sum(len(ids) for ids, _ in (*self._far.values(), *self._spreading))
        return near + far + len(self._late)

    def add(self, ident: int, due: int) -> None:
        """Put an id in; it must not be in already. A due time in the past is due at once."""
        try:
            self._seconds[due].append(ident)
        except KeyError:
            self._add_elsewhere(ident, due)

    def _add_elsewhere(self, ident: int, due: int) -> None:
        if due < self._next:
            self._late.append(ident)
        elif due < self._edge:
            self._seconds[due] = array("Q", (ident,))
        else:
            ids, dues = self._far.setdefault(due >> SPAN_BITS, (array("Q"), array("Q")))
            ids.append(ident)
            dues.append(due)

    def remove(self, ident: int, due: int) -> bool:
        """Take one id out, given the due time it was put in with; say whether it was there.

        Costs a look at each id of its slot; for many ids there is `sift`.
        """
        for ids, dues in (self._far.get(due >> SPAN_BITS, _NOTHING), *self._spreading):
            if ident in ids:
                at = ids.index(ident)
                del ids[at], dues[at]
                return True
        for slot in (self._seconds.get(due, _NOTHING[0]), *self._passed, self._late):
            if ident in slot:
                slot.remove(ident)
                return True
        return False

    def advance(self, now: int) -> None:
        """Let time pass, up to and including the second `now`; back it does not go."""
        if now < self._next:
            return
        seconds = self._seconds
        over: Iterable[int] = range(self._next, now + 1)
        if now - self._next > _MANY:
            over = sorted(second for second in seconds if second <= now)
        for second in over:
            slot = seconds.pop(second, None)
            if slot:
                slot.reverse()
                self._passed.append(slot)
        self._next = now + 1
        while self._edge - now < _LEAD:
            far = self._far.pop(self._edge >> SPAN_BITS, None)
            self._edge += SPAN
            if far is not None:
                self._spreading.append(far)

    def spread(self) -> bool:
        """Do a piece of the spreading of spans over seconds; say whether some is left."""
        if not self._spreading:
            return False
        ids, dues = self._spreading[0]
        for ident, due in zip(ids[-_PIECE:], dues[-_PIECE:], strict=True):
            self.add(ident, due)
        del ids[-_PIECE:], dues[-_PIECE:]
        if not ids:
            self._spreading.popleft()
        return bool(self._spreading)

    def take(self, most: int = _PIECE) -> "array[int]":
        """Take at most `most` due ids out, sorted, so that those of one message are neighbours."""
        passed = self._passed
        while passed and not passed[0]:
            passed.popleft()
        if not passed:
            if not self._late:
                return _NONE
            self._late.reverse()
            passed.append(self._late)
            self._late = array("Q")
        slot = passed[0]
        taken = array("Q", sorted(slot[-most:]))
        del slot[-most:]
        return taken

    @property
    def edge(self) -> int:
        """The second from which on ids lie in spans; it grows when a span is to be spread."""
        return self._edge

    @property
    def spreading(self) -> bool:
        """Whether a span is being spread over seconds."""
        return bool(self._spreading)

    def members(self) -> Iterator["array[int]"]:
        """Yield all ids, slot by slot, in the direction in which they move: see `soundness`.

        A slot that is yielded is the timer's own: it is to be read at once and left as it is.
        Time may pass and ids may come and go between two slots.
        """
        for ids, _ in (*self._far.values(), *self._spreading):
            yield ids
        for second in sorted(self._seconds):
            slot = self._seconds.get(second)
            if slot is not None:
                yield slot
        yield from (*self._passed, self._late)

    def upcoming(self) -> Iterator["array[int]"]:
        """As `members`, but what is due first comes first: so a look for the first one ends soon.

        What is spread over seconds, or comes due, between two slots may be missed.
        """
        yield from (self._late, *self._passed)
        for second in sorted(self._seconds):
            slot = self._seconds.get(second)
            if slot is not None:
                yield slot
        for ids, _ in self._spreading:
            yield ids
        for span in sorted(self._far):
            far = self._far.get(span)
            if far is not None:
                yield far[0]

    def sift(self, wanted: Callable[[int], bool]) -> Iterator[list[int]]:
        """Go through all ids in pieces; take out and yield those which are wanted.

        Time may pass and ids may come between two pieces. Ids go from spans to seconds to what
        has passed, and so does this, so it misses only what came in or became due meanwhile;
        the latter is then with its line.
        """
        for ids, dues in (*self._far.values(), *self._spreading):
            yield from _sift(ids, dues, wanted)
        for second in sorted(self._seconds):
            slot = self._seconds.get(second)
            if slot is not None:
                yield from _sift(slot, None, wanted)
                if not slot and self._seconds.get(second) is slot:
                    del self._seconds[second]
        for slot in (*self._passed, self._late):
            yield from _sift(slot, None, wanted)


_NONE: Final = array("Q")
_NOTHING: Final = (array("Q"), array("Q"))


def _sift(
    ids: "array[int]", dues: "array[int] | None", wanted: Callable[[int], bool]
) -> Iterator[list[int]]:
    # From the end: what is taken away there meanwhile was seen, or has become due.
    at = len(ids)
    while at > 0:
        end = min(at, len(ids))
        at = max(end - _PIECE, 0)
        piece = ids[at:end]
        found = [ident for ident in piece if wanted(ident)]
        if found:
            gone = set(found)
            ids[at:end] = array("Q", (ident for ident in piece if ident not in gone))
            if dues is not None:
                kept = zip(piece, dues[at:end], strict=True)
                dues[at:end] = array("Q", (due for ident, due in kept if ident not in gone))
        yield found
