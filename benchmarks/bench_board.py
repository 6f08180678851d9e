"""What the queue itself costs an entry, the spool left out.

    python benchmarks/bench_board.py [ENTRIES]

Goals: 6 us for accept, take and settle of an entry; 1.5 us for an entry found at recovery; 40
octets for a delayed entry beside its slot.
"""

import sys
import tracemalloc
from collections.abc import Callable
from time import perf_counter, time

from angarium.config.option import Options
from angarium.core.body import MemoryBody
from angarium.core.message import Message, Recipient
from angarium.queue.board import Board
from angarium.queue.options import Residence, ServerLimits, Shape
from angarium.queue.spool.options import Spooling
from angarium.queue.spool.routes import Routes
from angarium.queue.spool.slot import SLOT
from angarium.queue.timer import Timer


class Clock:
    def __init__(self) -> None:
        self.passed = 0.0
        self.started = time()

    def time(self) -> float:
        return self.started + self.passed

    def monotonic(self) -> float:
        return perf_counter() + self.passed


class Spool:
    """A table of slots and nothing on disk."""

    def __init__(self) -> None:
        self.live: dict[int, bytes] = {}
        self.routes = Routes()
        self.delivery = True
        self.message = Message("a@example.org", MemoryBody(b"x" * 10_000), received_at=time())

    def load(self, ident: int, *, cached: bool = False) -> tuple[Message, Recipient]:
        return self.message, Recipient("u@a.test", "a.test", "default", "default", id=ident)

    def rebind(self, *_: object) -> None:
        raise AssertionError("nothing moves here")


class Configuration:
    generation = 1

    def __init__(self) -> None:
        self.shape = Shape.make()
        self.tops: dict[type, Options] = {
            cls: cls.make() for cls in (Residence, ServerLimits, Shape, Spooling)
        }

    def at(self, cls: type, **_: str) -> Shape:
        return self.shape

    def top(self, cls: type) -> object:
        return self.tops[cls]

    def bindings(self) -> list[tuple[str, str]]:
        return [("default", "default")]


def board() -> tuple[Board, Spool, Clock]:
    clock, spool = Clock(), Spool()
    made = Board(spool, Timer(int(clock.time())), Configuration(), clock)  # type: ignore[arg-type]
    return made, spool, clock


def report(what: str, count: int, work: Callable[[], object]) -> None:
    begin = perf_counter()
    work()
    took = perf_counter() - begin
    print(f"{what:58} {took / count * 1e6:8.2f} us  {took * 1e3:9.1f} ms for {count}")


def relay(count: int) -> None:
    made, spool, clock = board()
    key = ("default", "default", "a.test")
    now = int(clock.time()) << 32
    stock = [
        (
            Message("a@example.org", MemoryBody(b"x"), received_at=clock.time()),
            [Recipient("u@a.test", "a.test", "default", "default", id=now + number)],
        )
        for number in range(count)
    ]
    slot = SLOT.pack(spool.routes.hold(key), 0, 0, 0, 0, 0, 0, 1)

    def work() -> None:
        for message, recipients in stock:
            spool.live[recipients[0].id] = slot
            made.accepted(message, recipients)
            line = made.lines[key]
            for entry in line.take(100):
                made.ended(entry)

    report("accept, take, end: one recipient", count, work)


def recover(count: int, domains: int, due: int) -> tuple[Board, Spool, Clock]:
    made, spool, clock = board()
    now = int(clock.time())
    routes = [spool.routes.hold(("default", "default", f"d{n}.test")) for n in range(domains)]
    for number in range(count):
        route = routes[number % domains]
        at = now + due + number % 3600 if due else now - 10
        spool.live[(now << 32) + number] = SLOT.pack(route, at, 1, 0, 0, 0, 0, 1)
    found, items = made.found, list(spool.live.items())

    def work() -> None:
        for ident, slot in items:
            found(ident, slot)

    report(f"found: {domains} domains, {'delayed' if due else 'due'}", count, work)
    return made, spool, clock


def promote(made: Board, count: int, what: str) -> None:
    longest = 0.0

    def work() -> None:
        nonlocal longest
        more = True
        while more:
            begin = perf_counter()
            more = made.work()
            longest = max(longest, perf_counter() - begin)

    made.timer.advance(int(made.clock.time()))
    report(f"promote: {what}", count, work)
    print(f"{'':58} {longest * 1e3:8.2f} ms longest slice")


def drain(made: Board, count: int) -> None:
    def work() -> None:
        for line in made.lines.values():
            while batch := line.take(100):
                for entry in batch:
                    made.ended(entry)

    report("take what was promoted (load left out), end", count, work)


def memory(count: int) -> None:
    made, spool, clock = board()
    now = int(clock.time())
    route = spool.routes.hold(("default", "default", "a.test"))
    for number in range(count):
        at = now + 60 + number % 40_000
        spool.live[(now << 32) + number] = SLOT.pack(route, at, 1, 0, 0, 0, 0, 1)
    tracemalloc.start()
    for ident, slot in spool.live.items():
        made.found(ident, slot)
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(f"{'memory of a delayed entry beside its slot':58} {used / count:8.1f} octets")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    relay(count)
    recover(count, 1, 600)
    recover(count, count, 600)
    made, _, _ = recover(count, 1, 0)
    promote(made, count, "all due, one domain")
    drain(made, count)
    made, _, _ = recover(count, count, 0)
    promote(made, count, "all due, each a domain of its own")
    memory(count)


if __name__ == "__main__":
    main()
