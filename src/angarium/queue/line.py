"""A line: what waits for one domain through one binding.

Its active part is a FIFO of entries whose time has come: new mail as `Entry` objects while there
is room in memory, the rest as ids, 8 octets each, which become objects when an attempt takes them.
When mail of more than one lane (priority, fairness key) waits it becomes several, and `turns` says
which is next; what was taken and put back stays in front of them all, for it had its turn.
Its delayed part is in the timer; the line does not know its members, so a line without active mail
is nothing but a few counts and may be freed.

Whether a line may send stands in `closed`, a set of reasons; only an empty set lets `take` give.
"""

import math
from array import array
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from angarium.core.lane import hash_of
from angarium.core.message import Message
from angarium.journal.errors import ColdError
from angarium.queue.entry import FLYING, READY, Entry, wrong
from angarium.queue.options import Shape
from angarium.queue.turns import CHUNK, Fifo, Flow, Turns

if TYPE_CHECKING:
    from angarium.queue.board import Board
    from angarium.queue.rooms import Room

# Why a line may not send now; bits of Line.closed.
SUSPENDED: Final = 1  # by an operator
SHUT: Final = 2  # by the option suspend_delivery
PAUSED: Final = 4  # until a time: nobody could be reached
THROTTLED: Final = 8  # until the rate allows the next message
COLD: Final = 16  # until a thread has read the next ones from the disk
ABSENT: Final = 32  # until the address to send from is on this machine

REASONS: Final = {
    SUSPENDED: "suspended",
    SHUT: "suspend_delivery",
    PAUSED: "paused",
    THROTTLED: "throttled",
    COLD: "reading",
    ABSENT: "address not on this machine",
}
AHEAD: Final = 32  # entries read by a thread in one go
_LANES: Final = 8  # of a line which count where it waits with other lines
_ROUNDS: Final = 8  # batches found expired before the loop gets its turn

Key = tuple[str, str, str]


class Line(Fifo[Entry]):
    """The mail for one (binding group, binding, domain).

    Attributes:
        active: entries whose turn it is or will be, in memory or not.
        in_flight: entries taken and not yet put back, delayed or ended.
        closed: why it may not send now; 0: it may.
        pool: for the connections of `outbound`; a line is not freed while it is set.
        trunk: whose connections it shares, when it has mail.
        received, sent, failed: see `tally`.
    """

    __slots__ = (
        "_board",
        "_generation",
        "_order",
        "_shape",
        "active",
        "closed",
        "failed",
        "failing_since",
        "failures",
        "in_flight",
        "key",
        "parked",
        "pause_reason",
        "paused_until",
        "pool",
        "received",
        "resident",
        "resting",
        "room",
        "sent",
        "trunk",
        "wake_at",
    )

    def __init__(self, board: "Board", key: Key, suspended: bool = False) -> None:
        super().__init__()
        self._board = board
        self.key = key
        self.active = 0
        self.in_flight = 0
        self.received = self.sent = self.failed = 0
        self.resident = 0  # of the active ones, those in memory
        self.closed = SUSPENDED if suspended else 0
        self.pause_reason = ""
        self.paused_until = 0.0  # monotonic
        self.failures = 0  # to connect, one after the other
        self.failing_since = 0.0  # monotonic
        self.wake_at = math.inf  # kept by `schedule`
        self.parked = ""  # kept by `schedule`: the key whose permits it waits for
        self.resting = False  # kept by the board: seen idle
        self.room: Room | None = None  # where its binding counts what is in memory
        self.pool: object = None
        self.trunk: Line | None = None  # kept by `outbound`: lines which share its connections
        # The lane of all that waits, where it is one; else their turns, and in our own two lists is
        # only what was put back.
        self._order: int | Turns[Entry] = 0
        self._generation = -1
        self._shape: Shape = self.shape

    @property
    def group(self) -> str:
        return self.key[0]

    @property
    def binding(self) -> str:
        return self.key[1]

    @property
    def domain(self) -> str:
        return self.key[2]

    @property
    def shape(self) -> Shape:
        """The options which hold for this line in the present generation."""
        if self._generation != self._board.generation:
            self._generation = self._board.generation
            self._shape = self._board.shape_of(self.key)
            if self._shape.suspend_delivery or self._board.is_shut(self.key):
                self.close(SHUT)
            else:
                self.open(SHUT)
            if isinstance(self._order, Turns):
                self._share()
        return self._shape

    @property
    def delayed(self) -> int:
        """How many of its entries wait in the timer."""
        return self._board.delayed_of(self.key)

    @property
    def stuck(self) -> bool:
        """Whether nothing moves here, by a reason of its own or of its trunk."""
        trunk = self.trunk
        closed = self.closed if trunk is None or trunk.pool is None else self.closed | trunk.closed
        return bool(closed & ~THROTTLED)

    @property
    def idle(self) -> bool:
        return not (self.active or self.in_flight)

    def close(self, reason: int) -> None:
        self.closed |= reason

    def open(self, reason: int) -> None:
        self.closed &= ~reason

    def push(self, entry: Entry) -> None:
        """Put an entry at the end."""
        self.active += 1
        self.resident += 1
        if entry.lane == self._order:
            self.inbox.append(entry)
        else:
            self._fifo(entry.lane).inbox.append(entry)

    def push_id(self, ident: int, lane: int = 0) -> None:
        """Put an entry that is not in memory at the end."""
        self.active += 1
        fifo = self if lane == self._order else self._fifo(lane)
        fifo.append_id(ident)

    def _fifo(self, lane: int) -> Fifo[Entry]:
        """Return where entries of a lane wait; for something to be put in at once."""
        order = self._order
        if isinstance(order, Turns):
            return order.flow(lane)
        if lane == order:
            return self
        if self.empty:
            self._order = lane
            return self
        return self._share().flow(lane)

    def _share(self) -> Turns[Entry]:
        """Let what waits go by turns from now on, as the options have it."""
        shape, before = self.shape, self._order
        turns: Turns[Entry] = Turns(shape.priority_shares, weights_of(shape))
        self._order = turns
        if isinstance(before, Turns):
            for flow in before:
                if not flow.empty:
                    flow.hand_over(turns.flow(flow.lane))
        elif not self.empty:
            self.hand_over(turns.flow(before))
        return turns

    def _fifos(self) -> Iterator[Fifo[Entry]]:
        """Yield all queues of the line: what is active is in one of them, or held by `sift`."""
        yield self
        if isinstance(self._order, Turns):
            yield from self._order

    def take(self, limit: int) -> list[Entry]:
        """Take the next batch: entries of one message, in the order they came.

        Returns at most `limit` and max_recipients_per_batch of them; none if there are none, or
        if the line may not send now: then `demand` is called when it may.
        """
        shape = self.shape
        board = self._board
        for _ in range(_ROUNDS):
            if self.closed or not self.active or not board.delivering:
                return []
            batch = self._take(shape, limit)
            if not shape.never_attempt_expired_messages:
                return batch
            batch = board.without_expired(batch, shape)
            if batch:
                return batch
        board.wait(self, 0.0)
        return []

    def _take(self, shape: Shape, limit: int) -> list[Entry]:
        throttle = shape.outbound_throttle_messages
        most = min(limit, shape.max_recipients_per_batch)
        if throttle is not None:
            most = min(most, throttle.rate.count)
        source: Fifo[Entry] = self
        entry = self._next(self)
        if entry is None and isinstance(self._order, Turns) and not self.closed:
            entry, source = self._by_turns(self._order)
        if entry is None:
            return []
        batch = [entry]
        message = entry.message
        while len(batch) < most and self.active > 1:
            following = self._next_of(message, source)
            if following is None:
                break
            batch.append(following)
        board = self._board
        if throttle is not None:
            wait = board.ledger.take(throttle.key, throttle.rate, len(batch))
            if wait > 0.0:
                source.outbox.extend(reversed(batch))
                self.close(THROTTLED)
                board.wait(self, wait)
                return []
        for entry in batch:
            entry.state = FLYING
        count = len(batch)
        self.active -= count
        self.resident -= count
        self.in_flight += count
        board.in_flight += count
        if self._order:
            self._took(source, count)
        return batch

    def _by_turns(self, turns: Turns[Entry]) -> tuple[Entry | None, Fifo[Entry]]:
        """Take the first entry of the flow which is next, and return the flow too."""
        while (flow := turns.next()) is not None:
            entry = self._next(flow)
            if entry is not None or self.closed:
                return entry, flow
        return None, self

    def _took(self, source: Fifo[Entry], count: int) -> None:
        """Note that so many were taken from one queue of the line."""
        order = self._order
        if not self.active:
            self._order = 0  # Nobody waits: no turns are needed, and none are owed.
        elif isinstance(order, Turns) and isinstance(source, Flow):
            order.took(source, count)

    def put_back(self, entries: list[Entry]) -> None:
        """Put entries which were taken and not attempted back in front, in their order."""
        for entry in entries:
            if entry.state is not FLYING:
                raise wrong(entry, "put back")
            entry.state = READY
        count = len(entries)
        self.outbox.extend(reversed(entries))
        self.active += count
        self.resident += count
        self.in_flight -= count
        self._board.in_flight -= count

    def connect_failed(self, now: float, most: int, seconds: float) -> bool:
        """Note that no server could be connected to; say whether the line is to be paused.

        Args:
            now: monotonic.
            most: failures in a row, mx_failures_to_delay for each server of the domain; 0: any.
            seconds: the option connect_timeout_to_delay.
        """
        self.failures += 1
        if self.failures == 1:
            self.failing_since = now
        return bool(most) and (self.failures >= most or now - self.failing_since >= seconds)

    def connected(self) -> None:
        """Note that a server answered."""
        self.failures = 0

    def destage(self) -> int:
        """Let go of what is in memory and could be read again; return how many entries."""
        if not self.resident:
            return 0
        done = 0  # Not all of the resident ones, if somebody sifts the line meanwhile.
        for fifo in self._fifos():
            for items in (fifo.inbox, fifo.outbox):
                for at, item in enumerate(items):
                    if isinstance(item, Entry):
                        items[at] = item.id
                        done += 1
        self.resident -= done
        self._board.resident -= done
        if self.room is not None:
            self.room.resident -= done
        return done

    def sift(self, wanted: Callable[[int], bool]) -> Generator[list[Entry | int], None, None]:
        """Go through the active entries in pieces; take those which are wanted out, yield them.

        They are counted as active until `lifted` says otherwise. What was not looked at
        yet cannot be taken meanwhile; who has gone through all asks the line again.
        """
        order = self._order
        if not isinstance(order, Turns):
            yield from self._sift(self, order, wanted)
            return
        found: list[Entry | int] = []
        front, self.outbox = self.outbox, []
        for item in reversed(front):
            if not isinstance(item, array) and wanted(_ident(item)):
                found.append(item)
            else:
                self.outbox.append(item)
        self.outbox.reverse()
        yield found
        for flow in list(order):
            yield from self._sift(flow, flow.lane, wanted)

    def _sift(
        self, fifo: Fifo[Entry], lane: int, wanted: Callable[[int], bool]
    ) -> Generator[list[Entry | int], None, None]:
        """As `sift`, for one queue. What stays goes to where its lane is by then."""
        items = fifo.drain()
        at = 0
        try:
            for item in items:
                at += 1
                if isinstance(item, array):
                    found = [each for each in item if wanted(each)]
                    gone = set(found)
                    left = array("Q", (each for each in item if each not in gone))
                    if left:
                        self._fifo(lane).inbox.append(left)
                    yield list[Entry | int](found)
                elif wanted(_ident(item)):
                    yield [item]
                else:
                    self._fifo(lane).inbox.append(item)
                    if not at % CHUNK:
                        yield []
        finally:
            if items[at:]:
                self._fifo(lane).inbox.extend(items[at:])

    @property
    def keyed(self) -> bool:
        """Whether what waits has priorities or fairness keys."""
        return self._order != 0

    def lanes(self) -> list[int]:
        """Return the lanes of what waits; of very many a few."""
        order = self._order
        return [order] if isinstance(order, int) else order.lanes(_LANES) or [0]

    def lifted(self, item: Entry | int) -> None:
        """Note that an entry which `sift` gave is in this line no more."""
        self.active -= 1
        if not isinstance(item, int):
            self.resident -= 1

    def fly(self, entry: Entry) -> None:
        """Note that an entry, in none of the two parts, is in the hands of somebody."""
        entry.line = self
        entry.state = FLYING
        self.in_flight += 1
        self._board.in_flight += 1

    def counted(self) -> tuple[int, int]:
        """Return how many are active and how many of these in memory, by a look; see `soundness`.

        What `sift` holds at present is not among them.
        """
        active = resident = 0
        for fifo in self._fifos():
            for items in (fifo.inbox, fifo.outbox):
                for item in items:
                    active += len(item) if isinstance(item, array) else 1
                    resident += isinstance(item, Entry)
        return active, resident

    def dropped(self, item: Entry | int) -> None:
        """Note that an entry which `sift` gave was one too many, and is nowhere any more."""
        if isinstance(item, Entry):
            self._board.resident -= 1
            if self.room is not None:
                self.room.resident -= 1

    def members(self) -> Iterator[Sequence[int]]:
        """Yield the ids of its active part, those of one turn together; see `soundness`.

        What `sift` holds at present is not among them.
        """
        for fifo in self._fifos():
            for items in (fifo.outbox, fifo.inbox):
                yield [_ident(item) for item in items if not isinstance(item, array)]
                for item in items:
                    if isinstance(item, array):
                        yield item

    def _load(self, ident: int) -> Entry | None:
        entry = self._board.recall.entry(ident, self, wait=False)
        if entry is None:
            self.active -= 1
        else:
            self.resident += 1
        return entry

    def _next(self, source: Fifo[Entry]) -> Entry | None:
        """Take the first item off and return it, loaded; `resident` counts it still."""
        while True:
            # As `Fifo.pop`, spelled out: it is asked twice for each message.
            outbox = source.outbox
            if not outbox:
                inbox = source.inbox
                if not inbox:
                    return None
                inbox.reverse()
                source.inbox, source.outbox = outbox, inbox
                outbox = inbox
            item = outbox.pop()
            if isinstance(item, Entry):
                return item
            if isinstance(item, array):
                outbox.extend(reversed(item))
                continue
            try:
                entry = self._load(item)
            except ColdError:
                source.outbox.append(item)
                ahead = reversed(source.outbox[-AHEAD:])
                self._board.recall.warm(self, [each for each in ahead if isinstance(each, int)])
                return None
            if entry is not None:
                return entry

    def _next_of(self, message: Message, source: Fifo[Entry]) -> Entry | None:
        """As `_next`, if it is of the same message."""
        entry = self._next(source)
        if entry is None:
            return None
        if entry.message is not message:
            if entry.message.batch != message.batch:
                source.outbox.append(entry)
                return None
            entry.message = message  # Loaded one by one, they are still one content.
        return entry

    def __repr__(self) -> str:
        return f"<Line {'/'.join(self.key)} {self.active} active {self.in_flight} in flight>"


def weights_of(shape: Shape) -> dict[int, float]:
    """Return the weights of fairness keys, by what a lane has of them."""
    return {hash_of(key): weight for key, weight in shape.fairness_weights.items()}


def _ident(item: Entry | int) -> int:
    return item if isinstance(item, int) else item.id
