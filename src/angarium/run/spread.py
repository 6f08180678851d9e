"""Tells the workers of a node what each has counted and set (`policy/shared`).

    50 ms after a change       all changes since, to each sibling: values, never differences
    once a second              a greeting, and a piece of everything of ours, in turn
    when a worker begins       it asks one sibling for all it knows; each tells its own besides

Each worker has a datagram socket in the state directory, and one for each sibling, so that who does
not read fills no buffer but his own. The rule: nobody is waited for. What a sibling does not take
waits in a short queue; when that is full it is dropped, and the sibling gets all of ours anew as
soon as it reads again.
"""

import asyncio
import contextlib
import os
import socket
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from angarium.events.metrics import Metrics, counter
from angarium.policy.shared.node import Shared, nothing
from angarium.policy.shared.told import Entry, Origin, Shape, Table, pieces

FOLDER: Final = "spread.1"  # in STATE/run; the number is that of what is said here
FLUSH_SECONDS: Final = 0.05
LOOK_SECONDS: Final = 1.0
ASK_SECONDS: Final = 0.5  # for a sibling to begin to tell all it knows
JOIN_SECONDS: Final = 1.0  # for a worker which begins to be told
LEAVE_SECONDS: Final = 2.0  # for one which ends to tell; less than a worker has to end
QUEUE: Final = 64  # datagrams which wait for a sibling
BURST: Final = 8  # datagrams of everything we have, to one sibling in one go
MAX_OCTETS: Final = 48 << 10  # of a datagram: a quarter of what the kernel takes by default
_RECEIVE: Final = 128 << 10
_READ: Final = 64  # datagrams in one turn of the loop
_DEAD: Final = 64  # workers remembered who have ended

SENT: Final = counter("spread_sent", "Datagrams sent to other workers about what policy shares.")
TAKEN: Final = counter("spread_taken", "Datagrams of other workers about what policy shares.")
DROPPED: Final = counter(
    "spread_dropped", "Datagrams not sent to a worker which did not read; it gets all anew."
)
BROKEN: Final = counter("spread_broken", "Datagrams of other workers which were none of ours.")


class Told(msgspec.Struct, array_like=True, tag="t", frozen=True):
    """Entries of one thing.

    Attributes:
        of: whose they are, if not those of who says it.
        anew: the first of all there are of who says it.
    """

    number: int
    born: int
    shape: Shape
    entries: list[Entry]
    of: Origin | None = None
    anew: bool = False


class Hello(msgspec.Struct, array_like=True, tag="h", frozen=True):
    """Here I am."""

    number: int
    born: int


class Ask(msgspec.Struct, array_like=True, tag="a", frozen=True):
    """Tell me all you know."""

    number: int
    born: int


class Given(msgspec.Struct, array_like=True, tag="g", frozen=True):
    """That was all; `joined`: and I know what there is."""

    number: int
    born: int
    joined: bool


Message = Told | Hello | Ask | Given
_DECODER: Final = msgspec.msgpack.Decoder(Message)
_ENCODER: Final = msgspec.msgpack.Encoder()


@dataclass(slots=True, eq=False)
class Sibling:
    """Another worker, as far as it has been heard of."""

    number: int
    end: socket.socket
    born: int = 0
    queue: "deque[bytes]" = field(default_factory=deque)
    anew: Iterator[bytes] | None = None  # what it gets of all there is

    @property
    def origin(self) -> Origin:
        return self.number, self.born

    @property
    def waits(self) -> bool:
        return bool(self.queue) or self.anew is not None


class Spread:
    """A worker's side.

    Args:
        run: the folder for sockets.
    """

    def __init__(
        self,
        shared: Shared,
        run: Path,
        loop: asyncio.AbstractEventLoop,
        metrics: Metrics | None = None,
    ) -> None:
        metrics = metrics or Metrics()
        self.siblings: dict[int, Sibling] = {}
        self._shared = shared
        self._folder = run / FOLDER
        self._loop = loop
        self._clock = clock = shared.clock
        self._me = shared.number, int(clock.time() * 1000)
        self._sent, self._taken = metrics.cell(SENT), metrics.cell(TAKEN)
        self._dropped, self._broken = metrics.cell(DROPPED), metrics.cell(BROKEN)
        self._inbox: socket.socket | None = None
        self._directory = -1
        self._flushing: asyncio.TimerHandle | None = None
        self._looking: asyncio.TimerHandle | None = None
        self._round: Iterator[bytes] = iter(())
        self._to_ask: deque[int] | None = None  # None: we have joined
        self._asked_until = 0.0
        self._joined = asyncio.Event()
        self._dead: deque[Origin] = deque(maxlen=_DEAD)
        shared.alive = self._alive
        shared.opened = self.open
        shared.changed = self._changed
        if shared.in_use or self._others_speak():  # Policy, or who is to end, was there before us.
            self.open()

    @property
    def open_(self) -> bool:
        return self._inbox is not None

    def _alive(self) -> list[Origin]:
        return [self._me, *(each.origin for each in self.siblings.values())]

    def _others_speak(self) -> bool:
        """Say whether there is anything to hear: what the console counts is defined nowhere."""
        return self._folder.is_dir() and any(True for _ in self._numbers())

    # -- begin and end -----------------------------------------------------------------------

    def open(self) -> None:
        """Begin; there is something to share."""
        if self._inbox is not None:
            return
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._directory = os.open(self._folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        own = self._folder / str(self._me[0])
        own.unlink(missing_ok=True)  # of a worker of this number which was killed
        self._inbox = _socket()
        self._inbox.bind(self._name(self._me[0]))
        self._loop.add_reader(self._inbox, self._read)
        self._to_ask = deque()
        self._look()
        self._to_ask = deque(sorted(self.siblings))
        self._ask_next()
        self._changed()  # what was counted before

    async def known(self) -> None:
        """Wait for what others know, for JOIN_SECONDS at most: who asks policy then is not new."""
        if self._inbox is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(JOIN_SECONDS):
                    await self._joined.wait()

    async def leave(self) -> None:
        """Tell all that siblings wait for, LEAVE_SECONDS at most: nobody else may know it.

        In an upgrade those who ask have just begun, and on a busy machine not yet heard all.
        """
        if self._inbox is None:
            return
        end = self._clock.monotonic() + LEAVE_SECONDS
        self._read()  # Who has asked is not to be left without an answer.
        self._flush()
        while any(each.waits for each in self.siblings.values()):
            if self._clock.monotonic() >= end:
                return
            await asyncio.sleep(0.005)
            for sibling in list(self.siblings.values()):
                self._pump(sibling)

    def close(self) -> None:
        """Tell what is left, and end."""
        if self._inbox is None:
            return
        self._flush()
        for timer in (self._flushing, self._looking):
            if timer is not None:
                timer.cancel()
        self._loop.remove_reader(self._inbox)
        (self._folder / str(self._me[0])).unlink(missing_ok=True)
        for end in (self._inbox, *(each.end for each in self.siblings.values())):
            end.close()
        os.close(self._directory)
        self.siblings.clear()
        self._inbox = None
        self._shared.opened = self._shared.changed = nothing

    def _name(self, number: int) -> str:
        """Return an address: a path has room for 108 octets only."""
        return f"/proc/self/fd/{self._directory}/{number}"

    # -- what we say ---------------------------------------------------------------------------

    def _changed(self) -> None:
        if self._flushing is None and self._inbox is not None:
            self._flushing = self._loop.call_later(FLUSH_SECONDS, self._flush)

    def _flush(self) -> None:
        """Tell what has changed, and go on with who gets all anew."""
        self._flushing = None
        for table in self._shared.take_changed():
            entries = table.changes()
            for piece in pieces(entries) if self.siblings else ():
                for datagram in self._cut(table.shape, piece):
                    self._tell(datagram)
        if self._to_ask is not None and self._clock.monotonic() > self._asked_until:
            self._ask_next()
        for sibling in list(self.siblings.values()):
            self._pump(sibling)
        if self._to_ask is not None or any(each.waits for each in self.siblings.values()):
            self._changed()

    def _tell(self, datagram: bytes) -> None:
        for sibling in self.siblings.values():
            if len(sibling.queue) < QUEUE:
                sibling.queue.append(datagram)
            else:
                self._dropped.value += len(sibling.queue) + 1
                sibling.queue.clear()
                sibling.anew = self._ours(anew=True)

    def _pump(self, sibling: Sibling) -> None:
        """Send what waits for a sibling, as far as it takes it."""
        queue = sibling.queue
        left = len(queue) + BURST
        while left:
            left -= 1
            if not queue and sibling.anew is not None:
                following = next(sibling.anew, None)
                if following is None:
                    sibling.anew = None
                else:
                    queue.append(following)
            if not queue or not self._send(sibling, queue[0]):
                return
            queue.popleft()

    def _send(self, sibling: Sibling, datagram: bytes) -> bool:
        try:
            sibling.end.send(datagram)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            self._gone(sibling)
            return False
        self._sent.value += 1
        return True

    def _cut(
        self, shape: Shape, entries: list[Entry], of: Origin | None = None, *, anew: bool = False
    ) -> Iterator[bytes]:
        """Yield datagrams which are not too long."""
        number, born = self._me
        if not entries and not anew:
            return
        datagram = _ENCODER.encode(Told(number, born, shape, entries, of, anew))
        if len(datagram) <= MAX_OCTETS or len(entries) == 1:
            yield datagram
            return
        half = len(entries) // 2
        yield from self._cut(shape, entries[:half], of, anew=anew)
        yield from self._cut(shape, entries[half:], of)

    def _ours(self, *, anew: bool = False) -> Iterator[bytes]:
        """Yield all that this worker has done."""
        for table in self._shared.tables:
            first = anew
            for entries in table.own():
                yield from self._cut(table.shape, entries, anew=first)
                first = False
            if first:
                yield from self._cut(table.shape, [], anew=True)

    def _everything(self) -> Iterator[bytes]:
        """Yield all that is known here, for who asks."""
        yield from self._ours(anew=True)
        for table in self._shared.tables:
            for origin, entries in table.others():
                yield from self._cut(table.shape, entries, origin)
        yield _ENCODER.encode(Given(*self._me, self._to_ask is None))

    # -- who is there ------------------------------------------------------------------------

    def _look(self) -> None:
        """Once a second: who is there, and is anything missing?"""
        self._looking = self._loop.call_later(LOOK_SECONDS, self._look)
        hello = _ENCODER.encode(Hello(*self._me))
        for number in self._numbers():
            if number not in self.siblings:
                self._meet(number)
        piece = next(self._round, None)
        if piece is None:
            self._round = self._ours()
        for sibling in list(self.siblings.values()):
            if not sibling.waits and self._send(sibling, hello) and piece is not None:
                self._send(sibling, piece)
        if any(each.waits for each in self.siblings.values()):
            self._changed()

    def _numbers(self) -> Iterable[int]:
        with os.scandir(self._folder) as found:
            names = [each.name for each in found]
        return [int(name) for name in names if name.isdecimal() and int(name) != self._me[0]]

    def _meet(self, number: int) -> Sibling | None:
        """Return a sibling which has a socket; None if nobody listens at it."""
        end = _socket()
        try:
            end.connect(self._name(number))
        except OSError:
            end.close()
            return None
        sibling = self.siblings[number] = Sibling(number, end)
        sibling.anew = self._ours(anew=True)
        return sibling

    def _gone(self, sibling: Sibling) -> None:
        """A sibling has ended."""
        if self.siblings.get(sibling.number) is sibling:
            del self.siblings[sibling.number]
        sibling.end.close()
        self._ended(sibling.origin)

    def _ended(self, origin: Origin) -> None:
        self._dead.append(origin)
        for table in self._shared.tables:
            table.gone(origin)

    def _ask_next(self) -> None:
        """Ask the next sibling for all it knows; if there is none left, we know all there is."""
        while self._to_ask:
            sibling = self.siblings.get(self._to_ask.popleft())
            if sibling is not None and self._send(sibling, _ENCODER.encode(Ask(*self._me))):
                self._asked_until = self._clock.monotonic() + ASK_SECONDS
                self._changed()
                return
        self._join()

    def _join(self) -> None:
        if self._to_ask is not None:
            self._to_ask = None
            self._shared.know()
            self._joined.set()

    # -- what we hear ----------------------------------------------------------------------

    def _read(self) -> None:
        assert self._inbox is not None
        for _ in range(_READ):
            try:
                datagram = self._inbox.recv(_RECEIVE)
            except (BlockingIOError, InterruptedError):
                return
            try:
                message = _DECODER.decode(datagram)
            except msgspec.DecodeError:
                self._broken.value += 1
                continue
            self._taken.value += 1
            self._heard(message)

    def _heard(self, message: Message) -> None:
        sibling = self.siblings.get(message.number)
        if sibling is not None and sibling.born and sibling.born < message.born:
            self._gone(sibling)  # Another one has its number now.
            sibling = None
        if sibling is None and (message.number, message.born) not in self._dead:
            sibling = self._meet(message.number)
            self._changed()
        if sibling is not None and not sibling.born:
            sibling.born = message.born
        match message:
            case Told():
                self._told(message)
            case Ask() if sibling is not None:
                sibling.anew = self._everything()
                self._changed()
            case Given(joined=joined) if self._to_ask is not None:
                if joined:
                    self._join()
                else:
                    self._ask_next()
            case _:
                pass

    def _told(self, message: Told) -> None:
        table: Table | None = self._shared.told(message.shape)
        origin = message.number, message.born
        if table is None or message.of == self._me:
            return
        if self._to_ask is not None:
            self._asked_until = self._clock.monotonic() + ASK_SECONDS  # It goes on.
        if message.anew:
            table.gone(origin)
        table.merge(message.of or origin, message.entries, hearsay=message.of is not None)
        if origin in self._dead:
            table.gone(origin)


def _socket() -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    made.set_inheritable(False)
    return made
