"""A spool in memory: what is put is durable at once, and nothing outlives the stage."""

from collections.abc import Callable, Sequence
from typing import Any

from angarium.core.body import Body, MemoryBody
from angarium.core.clock import Clock
from angarium.core.ident import Idents
from angarium.core.message import Message, Recipient
from angarium.events.schema import Event
from angarium.inbound.content import Writer
from angarium.journal.errors import SpoolError
from angarium.queue.spool.routes import Key
from angarium.queue.spool.slot import SLOT, lane_tail

Durable = Callable[[SpoolError | None], None]


class Routes:
    """Numbers for (group, binding, domain)."""

    def __init__(self) -> None:
        self._keys: list[Key] = []
        self._numbers: dict[Key, int] = {}

    def number(self, key: Key) -> int:
        if key not in self._numbers:
            self._numbers[key] = len(self._keys)
            self._keys.append(key)
        return self._numbers[key]

    def key(self, number: int) -> Key:
        return self._keys[number]

    def find(self, key: Key) -> int | None:
        return self._numbers.get(key)


class LargeWriter:
    """A large body, which is as large in memory."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.on_room: Callable[[], None] | None = None
        self.backlog = 0

    def write(self, piece: bytes) -> None:
        self._pieces.append(piece)

    def finish(self) -> Body:
        return MemoryBody(*self._pieces)

    def abort(self) -> None:
        self._pieces.clear()


class MemorySpool:
    """What queues and policy need of a spool.

    Attributes:
        put_down: what has come since this was last emptied, in order.
        events: what became of it.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._idents = Idents(1)
        self._kept: dict[int, tuple[Message, Recipient]] = {}
        self.routes = Routes()
        self.live: dict[int, bytes] = {}
        self.intake = self.delivery = True
        self.refusal: SpoolError | None = None
        self.crowded = False
        self.put_down: list[tuple[Message, Recipient]] = []
        self.events: list[Event] = []

    def next_id(self, now: float) -> int:
        return self._idents.next(now)

    def put(self, message: Message, recipients: Sequence[Recipient], durable: Durable) -> None:
        now = self._clock.time()
        if not message.batch:
            message.batch = self._idents.next(now)
        for each in recipients:
            each.id = self._idents.next(now)
            self._kept[each.id] = (message, each)
            self._write(each.id, 0, 0)
            self.put_down.append((message, each))
        durable(None)

    def _write(self, ident: int, attempts: int, due: int) -> None:
        message, each = self._kept[ident]
        number = self.routes.number((each.binding_group, each.binding, each.domain))
        slot = SLOT.pack(number, due, attempts, 0, 1, 2, 3, 4)
        self.live[ident] = slot + lane_tail(message.lane)

    def load(self, ident: int, *, cached: bool = False) -> tuple[Message, Recipient]:
        return self._kept[ident]

    async def load_cold(self, ident: int) -> object:
        return self._kept[ident]

    def settle(self, ident: int, event: Event) -> None:
        del self.live[ident]
        del self._kept[ident]
        self.events.append(event)

    def defer(self, ident: int, attempts: int, due: int, event: Event | None) -> None:
        self._write(ident, attempts, due)
        if event is not None:
            self.events.append(event)

    def rebind(self, ident: int, group: str, binding: str, domain: str, event: object) -> None:
        _, each = self._kept[ident]
        each.binding_group, each.binding, each.domain = group, binding, domain
        _, due, attempts, *_ = SLOT.unpack_from(self.live[ident])
        self._write(ident, attempts, due)

    def isolate(self, ident: int) -> None:
        del self.live[ident]

    def forget(self, message: Message) -> None:
        """There is nothing to free."""

    def written(self, _message: Message, done: Callable[[], None]) -> None:
        done()

    def large(self) -> Writer:
        return LargeWriter()

    def note(self, event: Any) -> None:
        self.events.append(event)
