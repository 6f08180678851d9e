"""The depth curve: what a server with 1,000, 100,000 and 1,000,000 queued messages does.

    python -m benchmarks.depth [--depths 1000,100000,1000000]

The server: seconds until it takes mail and until all is found, while it takes mail; memory;
the longest pauses meanwhile and after. The queues, on a real spool, without sockets: what each
entry costs to be promoted, to be tried and put off again, to be flushed, listed and failed, and the
longest piece of work on the loop. Both from the same files.
"""

import argparse
import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import uvloop

from angarium.config.load import load_text
from angarium.config.resolve import Configuration
from angarium.events.metrics import Metrics, percentile
from angarium.net.loop import LagWatch, RealClock, settle_memory
from angarium.queue import bulk
from angarium.queue.beat import Steps
from angarium.queue.board import Board
from angarium.queue.bulk import Tally, Where
from angarium.queue.entry import Entry
from angarium.queue.spool.store import Spool
from angarium.queue.timer import Timer
from benchmarks.fill import fill, over, spool
from benchmarks.peers import Angarium, Sink, inject
from benchmarks.process import pss_octets
from benchmarks.watch import Watch, total, until

DELAY: Final = 7200  # seconds until what is queued is due: later than any of this
DOMAINS: Final = 100
BATCH: Final = 100


class Later(RealClock):
    """The clock of the system, and what has been skipped."""

    def __init__(self) -> None:
        self.skipped = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.skipped

    def time(self) -> float:
        return time.time() + self.skipped


def server(folder: Path, count: int, quiet: float) -> int:
    """Start a server over the files; print what it does; return its memory."""
    sink = Sink(2526)
    one = Angarium(folder)
    state = folder / "state"
    try:
        begin = time.monotonic()
        one.resume()
        ready = time.monotonic() - begin
        with Watch(state) as watch:
            accepted = 0
            while total(state, "recovering") or not accepted:
                inject(one.port, 1000, 1024, 20)
                accepted += 1000
            found = until(state, "recovering", 0, 120.0) - begin
        sink.wait(accepted)
        time.sleep(2.0)
        with Watch(state) as after:
            time.sleep(quiet)
        memory = pss_octets(one.pids())
        print(
            f"{count:9}: ready {ready:.2f} s, all found {found:.2f} s,"
            f" {accepted} accepted meanwhile; {watch}; after that {after};"
            f" PSS {memory / (1 << 20):.0f} MB",
            flush=True,
        )
        return memory
    finally:
        one.stop()
        sink.close()


@contextmanager
def measured(what: str, count: int, pieces: list[float]) -> Iterator[None]:
    pieces.clear()
    yield
    spent, longest = sum(pieces), max(pieces, default=0.0)
    print(
        f"           {what:34} {spent / count * 1e6:7.2f} us an entry,"
        f" longest piece {longest * 1e3:5.1f} ms",
        flush=True,
    )


class Queues:
    """The queues of a worker on a real spool; the caller is the loop."""

    def __init__(self, store: Spool) -> None:
        self.clock = Later()
        configuration: Configuration = load_text('hostname = "bench.test"\n')
        self.spool = store
        self.board = Board(store, Timer(int(self.clock.time())), configuration, self.clock)
        store.found = self.board.found
        self.pieces: list[float] = []
        self.ended = 0

    def piece(self, work: Callable[[], object]) -> object:
        begin = time.thread_time()
        result = work()
        self.pieces.append(time.thread_time() - begin)
        return result

    def run(self, job: Steps | None = None) -> None:
        if job is not None:
            self.board.begin(job)
        while self.piece(self.board.work):
            pass

    def end(self, entry: Entry) -> None:
        self.spool.rebind(entry.id, *entry.line.key, None)  # a record, as an end is one
        self.board.ended(entry)
        self.ended += 1

    def retry(self) -> None:
        """Take what is active in batches, and put it off again."""
        due = int(self.clock.time()) + DELAY
        for line in list(self.board.lines.values()):
            while batch := self.piece(lambda line=line: line.take(BATCH)):  # type: ignore[misc]
                assert isinstance(batch, list)
                self.piece(lambda batch=batch: self.put_off(batch, due))  # type: ignore[misc]

    def put_off(self, batch: list[Entry], due: int) -> None:
        for number, entry in enumerate(batch):
            self.spool.defer(entry.id, 2, due + number, None)
            self.board.delay(entry, due + number)


async def queues(directory: str, count: int) -> None:
    store = spool()
    kept = Queues(store)
    await store.open(directory)
    await store.recovered()
    settle_memory()
    some = count // 10
    everything: bulk.Matches = Where().matches
    few = {f"d{number}.sink.test" for number in range(DOMAINS // 10)}
    matches: bulk.Matches = lambda key: key[2] in few  # noqa: E731
    with measured("list all", count, kept.pieces):
        kept.run(bulk.search(kept.board, everything, lambda ident, delayed: None))
    with measured("flush every tenth domain", some, kept.pieces):
        kept.run(bulk.flush(kept.board, matches, Tally()))
    with measured("... and retry: read, try, put off", some, kept.pieces):
        kept.retry()
    with measured("fail every tenth domain", some, kept.pieces):
        kept.run(bulk.fail(kept.board, matches, kept.end, Tally()))
    kept.clock.skipped = 2.0 * DELAY
    with measured("promotion of the rest, all due", len(kept.board.timer) or 1, kept.pieces):
        kept.piece(kept.board.tick)
        kept.run()
    print(f"           checkpoint: {await checkpoint(store)}", flush=True)
    await store.close()


async def checkpoint(store: Spool) -> str:
    """Write one; return how long the loop stood still, and for how much it was ours."""
    metrics, done = Metrics(), asyncio.Event()
    lag = LagWatch(asyncio.get_running_loop(), RealClock(), metrics)
    lag.start()
    begin = time.monotonic()
    (keeper,) = store.keepers.values()
    keeper.checkpoint(lambda failure: done.set())
    await done.wait()
    took = time.monotonic() - begin
    await asyncio.sleep(1.1)
    lag.stop()
    longest = (percentile(counts(metrics, name), 1.0) for name in ("loop_pauses", "loop_work"))
    pause, work = (1e3 * seconds for seconds in longest)
    return f"{took:.1f} s, longest pause under {pause:.0f} ms, own work under {work:.0f} ms"


def counts(metrics: Metrics, name: str) -> list[int]:
    found = metrics.snapshot()[name]
    assert isinstance(found, list)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--depths", default="1000,100000,1000000")
    parser.add_argument("--quiet", type=float, default=15.0, help="seconds watched after recovery")
    parser.add_argument("--quick", action="store_true", help="1000 and 20,000 messages")
    args = parser.parse_args()
    depths = "1000,20000" if args.quick else args.depths
    folder = Path(tempfile.mkdtemp(prefix="angarium-bench-", dir="/var/tmp"))
    memory: dict[int, int] = {}
    try:
        for depth in map(int, depths.split(",")):
            where = folder / str(depth)
            begin = time.monotonic()
            fill(where / "state", depth, delay=DELAY, place=over(0, DOMAINS))
            print(f"{depth:9} queued in {time.monotonic() - begin:.1f} s", flush=True)
            memory[depth] = server(where, depth, 2.0 if args.quick else args.quiet)
            uvloop.run(queues(f"{where}/state/spool/000", depth // 2))
            shutil.rmtree(where)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    least, most = min(memory), max(memory)
    slope = (memory[most] - memory[least]) / (most - least)
    print(f"slope from {least} to {most}: {slope:.0f} octets of PSS for each delayed message")


if __name__ == "__main__":
    main()
