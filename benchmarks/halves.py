"""Reception and delivery measured apart, and what a second worker costs.

    python -m benchmarks.halves [--sizes 1,10] [--seconds 8]

Reception: delivery is suspended, so that mail is taken in and stays. Delivery: the same server is
told by a reload to send what it has. Then both at once, with one worker and with two: as fast as
it goes, and at the same rate for each worker.
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.peers import Angarium, Sink, inject
from benchmarks.process import cpu_seconds
from benchmarks.spread import send
from benchmarks.watch import Watch

SUSPENDED: Final = "suspend_delivery = true\n"
SESSIONS: Final = 20
PROBE: Final = 2000
EQUAL_RATE: Final = 1500  # messages a second for each worker, which all can do

Row = tuple[float, float]  # messages a second, processor microseconds of each


class Measured:
    """Messages and processor time of a stretch of work."""

    def __init__(self, server: Angarium) -> None:
        self._server = server
        self._cpu = cpu_seconds(server.pids())
        self._begin = time.monotonic()

    def row(self, count: int, end: float) -> Row:
        time.sleep(0.5)  # The logs are written behind; their cost counts.
        cpu = cpu_seconds(self._server.pids()) - self._cpu
        return count / (end - self._begin), cpu / count * 1e6


def received(server: Angarium, octets: int, seconds: float) -> tuple[Row, int]:
    """Have a server that delivers nothing take mail in; return what it was, and how many."""
    begin = time.monotonic()
    inject(server.port, PROBE, octets, SESSIONS)
    count = max(PROBE, int(PROBE / (time.monotonic() - begin) * seconds))
    measured = Measured(server)
    inject(server.port, count, octets, SESSIONS)
    return measured.row(count, time.monotonic()), count


def apart(folder: Path, octets: int, workers: int, seconds: float) -> tuple[Row, Row, int]:
    """Return reception alone, delivery alone, and how many messages that were."""
    server, sink = Angarium(folder, workers=workers, extra=SUSPENDED), Sink(2526)
    try:
        server.start()
        taken, count = received(server, octets, seconds)
        measured = Measured(server)
        server.reload("")
        sent = measured.row(count + PROBE, sink.wait(count + PROBE))
        if sink.count != count + PROBE:
            sys.exit(f"{sink.count} of {count + PROBE} messages arrived")
        return taken, sent, count
    finally:
        server.stop()
        sink.close()


def together(folder: Path, octets: int, workers: int, count: int) -> tuple[Row, str]:
    """Return the relay of so many messages, and the longest pauses of the loops."""
    server, sink = Angarium(folder, workers=workers), Sink(2526)
    try:
        server.start()
        inject(server.port, PROBE, octets, SESSIONS)
        sink.wait(PROBE)
        with Watch(folder / "state") as watch:
            measured = Measured(server)
            inject(server.port, count, octets, SESSIONS)
            row = measured.row(count, sink.wait(PROBE + count))
        return row, str(watch)
    finally:
        server.stop()
        sink.close()


def equal(folder: Path, octets: int, workers: int, rate: float, seconds: float) -> float:
    """Return the processor time of a message where each worker has the same load, not all it can.

    What saturates one worker keeps two from having as much to do at once, for generator and sink
    want the same two processors.
    """
    server, sink = Angarium(folder, workers=workers), Sink(2526)
    try:
        server.start()
        inject(server.port, PROBE, octets, SESSIONS)
        sink.wait(PROBE)
        measured = Measured(server)
        words = ("--rate", f"{rate * workers:.0f}", "--duration", f"{seconds:.0f}s")
        connections = str(SESSIONS * workers)
        size = str(octets)
        said = send(server.port, *words, "--connections", connections, "--sizes", size)
        count: int = said["acknowledged"]
        return measured.row(count, sink.wait(PROBE + count))[1]
    finally:
        server.stop()
        sink.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="1,10", help="kilobytes")
    parser.add_argument("--seconds", type=float, default=8.0, help="of reception, about")
    parser.add_argument("--quick", action="store_true", help="1 KB, 2 s")
    args = parser.parse_args()
    sizes, seconds = ("1", 2.0) if args.quick else (args.sizes, args.seconds)
    folder = Path(tempfile.mkdtemp(prefix="angarium-bench-", dir="/var/tmp"))
    try:
        for size in map(int, sizes.split(",")):
            relays = []
            for workers in (1, 2):
                taken, sent, count = apart(folder / "apart", size * 1024, workers, seconds)
                both, pauses = together(folder / "both", size * 1024, workers, count)
                relays.append(both[1])
                print(
                    f"{size:4} KB, workers: {workers}; reception {taken[0]:6.0f}/s"
                    f" {taken[1]:4.0f} us; delivery {sent[0]:6.0f}/s {sent[1]:4.0f} us;"
                    f" relay {both[0]:6.0f}/s {both[1]:4.0f} us; {pauses}",
                    flush=True,
                )
            print(
                f"{size:4} KB, with two workers a message costs {relays[1] / relays[0]:.2f} where"
                " each has all it can take",
                flush=True,
            )
            one, two = (
                equal(folder / "equal", size * 1024, workers, EQUAL_RATE, seconds)
                for workers in (1, 2)
            )
            print(
                f"{size:4} KB, with {EQUAL_RATE}/s for each worker: {one:.0f} us with one,"
                f" {two:.0f} with two, {two / one:.2f}",
                flush=True,
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
