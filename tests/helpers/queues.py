"""A board without a disk: the spool, its routes and the configuration in memory."""

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any, TypeVar

from angarium.config.option import Options
from angarium.config.section import root
from angarium.core.body import MemoryBody
from angarium.core.ident import Idents
from angarium.core.message import Message, Recipient
from angarium.journal.errors import ColdError, DamageError, SpoolError
from angarium.queue.board import Board
from angarium.queue.entry import Entry
from angarium.queue.line import Key, Line
from angarium.queue.options import Shape
from angarium.queue.spool.slot import SLOT, lane_tail
from angarium.queue.timer import Timer
from helpers.clock import FakeClock

OptionsT = TypeVar("OptionsT", bound=Options)
Durable = Callable[[SpoolError | None], None]


class FakeRoutes:
    """Numbers as the spool gives them: small, used again when nothing lives under them."""

    def __init__(self) -> None:
        self.keys: list[Key] = []
        self._numbers: dict[Key, int] = {}

    def number(self, key: Key) -> int:
        if key not in self._numbers:
            self._numbers[key] = len(self.keys)
            self.keys.append(key)
        return self._numbers[key]

    def key(self, number: int) -> Key:
        return self.keys[number]

    def find(self, key: Key) -> int | None:
        return self._numbers.get(key)


class FakeSpool:
    """What `queue/spool` does for the board; `sync` makes durable what was put."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.idents = Idents(1)
        self.routes = FakeRoutes()
        self.live: dict[int, bytes] = {}
        self.kept: dict[int, tuple[Message, Recipient]] = {}
        self.intake = True
        self.refusal: SpoolError | None = None
        self.crowded = False
        self.forgotten: list[Message] = []
        self.delivery = True
        self.waiting: list[tuple[Sequence[Recipient], Durable]] = []
        self.immediate = True
        self.loads = 0
        self.broken: set[int] = set()
        self.damaged: set[int] = set()
        self.cold: set[int] = set()
        self.isolated: list[int] = []
        self.rebound: list[tuple[int, str, str, str]] = []

    def forget(self, message: Message) -> None:
        self.forgotten.append(message)

    def written(self, message: Message, done: Callable[[], None]) -> None:
        done()

    def put(
        self,
        message: Message,
        recipients: Sequence[Recipient],
        durable: Durable,
    ) -> None:
        now = self.clock.time()
        message.batch = self.idents.next(now)
        for each in recipients:
            each.id = self.idents.next(now)
            self.kept[each.id] = (message, each)
        self.waiting.append((recipients, durable))
        if self.immediate:
            self.sync()

    def _write(self, ident: int, attempts: int, due: int) -> None:
        message, each = self.kept[ident]
        number = self.routes.number((each.binding_group, each.binding, each.domain))
        slot = SLOT.pack(number, due, attempts, 0, 1, 2, 3, 4)
        self.live[ident] = slot + lane_tail(message.lane)

    def sync(self, error: SpoolError | None = None) -> None:
        waiting, self.waiting = self.waiting, []
        for recipients, durable in waiting:
            for each in recipients:
                if error is None:
                    self._write(each.id, 0, 0)
                else:
                    del self.kept[each.id]
            durable(error)

    def settle(self, ident: int) -> None:
        del self.live[ident]
        del self.kept[ident]

    def defer(self, ident: int, attempts: int, due: int, event: object = None) -> None:
        self._write(ident, attempts, due)

    def rebind(
        self, ident: int, group: str, binding: str, domain: str, event: object = None
    ) -> None:
        _, due, attempts, *_ = SLOT.unpack_from(self.live[ident])
        self.rebound.append((ident, group, binding, domain))
        message, each = self.kept[ident]
        changed = Recipient(each.address, domain, group, binding, id=ident)
        self.kept[ident] = (message, changed)
        self._write(ident, attempts, due)

    async def load_cold(self, ident: int) -> None:
        self.cold.discard(ident)

    def isolate(self, ident: int) -> None:
        self.isolated.append(ident)
        del self.live[ident]

    def load(self, ident: int, *, cached: bool = False) -> tuple[Message, Recipient]:
        self.loads += 1
        if cached and ident in self.cold:
            raise ColdError("not in the page cache")
        if ident in self.damaged:
            raise DamageError("damaged", id=ident)
        if ident in self.broken:
            raise SpoolError("the disk failed", id=ident)
        message, each = self.kept[ident]
        copy = Message(message.sender, message.body, received_at=message.received_at)
        copy.batch = message.batch
        return copy, each


class FakeConfiguration:
    """Options by binding and domain; `set` changes them for the next generation."""

    def __init__(self, **shape: Any) -> None:
        self.generation = 1
        self.names = [("default", "default"), ("g", "b1"), ("g", "b2")]
        self.shapes: dict[tuple[str, str], Shape] = {}
        self.shape = Shape.make(**shape)
        self.tops: dict[type, Any] = {}
        self.shrunk = 0
        self.root = root()

    def at(self, cls: type[OptionsT], *, group: str, binding: str, domain: str) -> OptionsT:
        found = self.shapes.get((binding, domain), self.shape)
        assert isinstance(found, cls)
        return found

    def top(self, cls: type[OptionsT]) -> OptionsT:
        found: OptionsT = self.tops.get(cls) or cls.make()
        return found

    def bindings(self) -> list[tuple[str, str]]:
        return self.names

    def shrink(self) -> Iterator[None]:
        self.shrunk += 1
        yield


class Queues:
    """A board with everything around it, and what it asked outbound to do."""

    def __init__(self, **shape: Any) -> None:
        self.clock = FakeClock()
        self.spool = FakeSpool(self.clock)
        self.configuration = FakeConfiguration(**shape)
        self.demands: list[Line] = []
        self.given_up: list[tuple[Entry, object]] = []
        self.board = self.start()

    def start(self) -> Board:
        """Make a board over the spool as it is, as after a start."""
        self.board = Board(
            self.spool,
            Timer(int(self.clock.time())),
            self.configuration,
            self.clock,
            random=Random(1),
        )
        self.board.demand = self.demands.append
        self.board.give_up = self._give_up
        return self.board

    def restart(self) -> Board:
        """Forget all that is in memory and find what is on disk."""
        board = self.start()
        for ident, slot in self.spool.live.items():
            board.found(ident, slot)
        return board

    def _give_up(self, entry: Entry, why: object) -> None:
        self.given_up.append((entry, why))
        self.end(entry)

    def message(self, key: str = "", priority: int = 0) -> Message:
        made = Message("a@example.org", MemoryBody(b"x"), received_at=self.clock.time())
        made.fairness_key, made.priority = key, priority
        return made

    def put(self, *domains: str, binding: str = "default", message: Message | None = None) -> Line:
        """Bring a message with a recipient in each domain; return the line of the last."""
        message = message or self.message()
        group = "default" if binding == "default" else "g"
        recipients = [Recipient(f"u@{each}", each, group, binding) for each in domains]
        self.spool.put(message, recipients, lambda error: None)
        self.board.accepted(message, recipients)
        return self.board.line(group, binding, domains[-1])

    def put_many(self, count: int, domain: str = "a.test") -> Line:
        """Bring messages with one recipient each; return their line."""
        for _ in range(count):
            self.put(domain)
        return self.board.line("default", "default", domain)

    def defer(self, entry: Entry, seconds: int) -> None:
        """What `outbound/settle` does after a temporary failure."""
        due = int(self.clock.time()) + seconds
        entry.attempts += 1
        self.spool.defer(entry.id, entry.attempts, due)
        self.board.delay(entry, due)

    def end(self, entry: Entry) -> None:
        """What `outbound/settle` does at the end of an entry."""
        self.spool.settle(entry.id)
        self.board.ended(entry)

    def later(self, seconds: float) -> None:
        """Let time pass, and the board notice each second of it."""
        while seconds > 0:
            step = min(seconds, 1.0)
            self.clock.advance(step)
            self.board.tick()
            seconds -= step

    def jump(self, seconds: float) -> None:
        """Let much time pass at once."""
        self.clock.advance(seconds)
        self.board.tick()

    def counts(self, line: Line) -> tuple[int, int, int]:
        return line.active, line.delayed, line.in_flight
