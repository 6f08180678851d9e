"""What the spool costs a message, with a real disk under it.

    python benchmarks/bench_spool.py [MESSAGES [DIRECTORY]]

Goals, of processor time: 12 us for putting 10 KB to one recipient with its share of the commit,
5 us for settling an entry with its event, 2 s for finding 100,000 entries again, 200 octets for an
entry in the table. The cost of making a message for the test is measured and taken off.
"""

import asyncio
import resource
import shutil
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from random import Random
from time import perf_counter, process_time

import uvloop

from angarium.core.body import MemoryBody
from angarium.core.message import Message, Recipient
from angarium.events.schema import Delivery
from angarium.journal.commit import ThreadExecutor
from angarium.journal.disk import FileDisk
from angarium.journal.errors import SpoolError
from angarium.queue.spool.means import Means
from angarium.queue.spool.routes import Routes
from angarium.queue.spool.slot import Slot
from angarium.queue.spool.store import Spool
from angarium.queue.spool.table import Table

BODY = (b"x" * 78 + b"\r\n") * 128
HEADER = b"Received: from a.example (a.example [192.0.2.1])\r\n\tby mx.example with ESMTP;\r\n"
SESSIONS = 100


class Clock:
    def time(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


def spool() -> Spool:
    loop = asyncio.get_running_loop()

    def executor(name: str) -> ThreadExecutor:
        return ThreadExecutor(loop, name, lambda: sys.exit("the disk thread died"))

    alarm: Callable[[Exception], None] = print
    return Spool(Means(FileDisk(), Clock(), Random(), loop, executor, alarm=alarm))


class Puts:
    """Sessions which put one message after the other, each waiting for the disk."""

    def __init__(self, spool: Spool | None, count: int, body: bytes) -> None:
        self.spool = spool
        self.left = count
        self.waiting = 0
        self.body = body
        self.idents: list[int] = []
        self.recipients: list[Recipient] = []
        self.end = asyncio.get_running_loop().create_future()

    def one(self) -> None:
        self.left -= 1
        message = Message(
            "someone@sender.example", MemoryBody(self.body), HEADER, source="192.0.2.1:33333",
            received_at=1.7e9,
        )  # fmt: skip
        recipient = Recipient("someone@example.com", "example.com", "default", "default")
        if self.spool is None:
            return
        self.recipients.append(recipient)
        self.waiting += 1
        self.spool.put(message, [recipient], self.durable)

    def durable(self, error: SpoolError | None) -> None:
        if error is not None:
            raise error
        self.waiting -= 1
        if self.left:
            self.one()
        elif not self.waiting:
            self.end.set_result(None)

    async def run(self) -> list[int]:
        for _ in range(SESSIONS):
            self.one()
        await self.end
        return [recipient.id for recipient in self.recipients]


def report(what: str, count: int, seconds: float, note: str = "") -> None:
    print(f"{what:52} {seconds / count * 1e6:8.2f} us CPU  {note}")


def delivery(ident: int) -> Delivery:
    return Delivery(
        1.7e9, ident, ident - 1, 7, 0, "someone@example.com", "someone@sender.example",
        "example.com", len(BODY), "default", "default", 1.7e9, "192.0.2.9:25", "250 2.0.0 ok",
    )  # fmt: skip


async def live(directory: str, count: int) -> None:
    store = spool()
    await store.open(directory)
    await store.recovered()
    bare = Puts(None, count, BODY)
    began = process_time()
    for _ in range(count):
        bare.one()
    making = process_time() - began
    for turn, body in enumerate((BODY, BODY, BODY, b"x" * 1000)):
        puts = Puts(store, count, body)
        began, wall, system = process_time(), perf_counter(), _system()
        idents = await puts.run()
        took, system, wall = process_time() - began, _system() - system, perf_counter() - wall
        what = f"put of {len(body)} octets, turn {turn + 1}"
        note = f"{system / count * 1e6:.1f} of it in the kernel, {count / wall:,.0f}/s"
        report(what, count, took - making, note)
        events = [delivery(ident) for ident in idents]
        began = process_time()
        for ident, event in zip(idents, events, strict=True):
            store.settle(ident, event)
        report("settle", count, process_time() - began)
        await asyncio.sleep(1.6)  # the checkpoint frees what they used, to be used again
    await store.close()


def _system() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_stime


async def fill(directory: str, count: int) -> None:
    store = spool()
    await store.open(directory)
    idents = await Puts(store, count, b"x" * 200).run()
    began = process_time()
    for ident in idents:
        store.defer(ident, 1, 1_800_000_000, None)
    report("defer, without an event", count, process_time() - began)
    await asyncio.sleep(0.5)
    await store.close()


async def recover(directory: str, count: int, what: str) -> None:
    store = spool()
    began, wall = process_time(), perf_counter()
    await store.open(directory)
    ready = perf_counter() - wall
    await store.recovered()
    took, wall = process_time() - began, perf_counter() - wall
    note = f"open in {ready * 1e3:.0f} ms, all in {wall * 1e3:.0f} ms"
    report(f"recovery, {what}", len(store), took, note)
    idents = list(store.live)[: min(count, 20_000)]
    began = process_time()
    for ident in idents:
        store.load(ident)
    report("load", len(idents), process_time() - began)
    await store.close()


def table(count: int) -> None:
    """Print what an entry takes in memory, id, slot and dictionary."""
    routes = Routes()
    entries = Table(routes)
    tracemalloc.start()
    for number in range(count):
        route = routes.hold(("default", "default", f"d{number % 1000}.example"))
        slot = Slot(route, 1, 1, 0, number // 6000, number, 300, 10_000)
        entries.add((1_700_000_000 << 32) + number, slot.pack())
    print(f"{'in the table':52} {tracemalloc.get_traced_memory()[0] / count:8.0f} octets an entry")
    tracemalloc.stop()


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    where = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(tempfile.gettempdir())
    place = where / "bench_spool"
    shutil.rmtree(place, ignore_errors=True)
    try:
        uvloop.run(live(f"{place}/000", count))
        uvloop.run(fill(f"{place}/001", 5 * count))
        uvloop.run(recover(f"{place}/001", count, "after a clean stop"))
        table(10 * count)
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
