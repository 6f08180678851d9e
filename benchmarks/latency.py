"""Time to the 250 and time to delivery, at shares of the maximum rate.

    python -m benchmarks.latency [--seconds 10] [--kilobytes 10]

Messages are sent on schedule whether the server keeps up or not, and every time counts from when
the message was due: so a server that stands still is charged for all who would have come meanwhile.
Generator and sink are the lab's, each in a process of its own; the maximum is measured with the
same two, and with them on the same two processors.
"""

import argparse
import array
import asyncio
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import uvloop

from angarium.lab.histogram import Histogram
from angarium.lab.letters import Letters
from angarium.lab.load import Load, Plan, Report
from angarium.lab.received import Received
from angarium.lab.sink import Sink
from angarium.net.loop import RealClock
from benchmarks.peers import Angarium, wait_for_banner
from benchmarks.watch import Watch

PORT: Final = 2526
SHARES: Final = (0.25, 0.5, 0.9)
CONNECTIONS: Final = 40
SETTLED_SECONDS: Final = 1.5


class Arrivals:
    """A sink in a process of its own, which notes when each message came."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "arrivals"
        command = [sys.executable, "-m", "benchmarks.latency", "--arrivals", str(self._file)]
        self._process = subprocess.Popen(command)
        wait_for_banner(PORT)

    def stop(self) -> dict[str, float]:
        """Return the monotonic time of each message, by its recipient's name."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait()
        rows = (line.split() for line in self._file.read_text(encoding="ascii").splitlines())
        return {name: float(at) for name, at in rows}


async def arrivals() -> list[str]:
    """Be that process, until it is told to end; return what it noted."""
    names: list[str] = []
    times = array.array("d")

    def heard(message: Received) -> None:
        names.append(message.recipients[0].partition("@")[0])
        times.append(time.monotonic())

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with Sink("", [("127.0.0.1", PORT)], keep=False, witnesses=[heard]):
        await stop.wait()
    return [f"{name} {at:.6f}\n" for name, at in zip(names, times, strict=True)]


def load(port: int, octets: int, prefix: str, rate: float, **amount: float) -> tuple[Report, float]:
    """Run a load; return what it says, and the monotonic time of its beginning."""
    letters = Letters([(octets, 1.0)], ["sink.test"], prefix=prefix)
    plan = Plan(port=port, connections=CONNECTIONS, rate=rate, **amount)  # type: ignore[arg-type]

    async def run() -> tuple[Report, float]:
        begun = time.monotonic()
        return await Load(plan, letters, RealClock()).run(), begun

    return uvloop.run(run())


def show(what: str, times: Histogram) -> str:
    ms = times.summary()
    return (
        f"{what} p50 {ms['p50']:6.2f} p99 {ms['p99']:6.2f} p99.9 {ms['p99.9']:6.2f}"
        f" max {ms['max']:6.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="of each load")
    parser.add_argument("--kilobytes", type=int, default=10)
    parser.add_argument("--quick", action="store_true", help="2 s each")
    parser.add_argument("--arrivals", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.arrivals:
        args.arrivals.write_text("".join(uvloop.run(arrivals())), encoding="ascii")
        return
    seconds = 2.0 if args.quick else args.seconds
    folder = Path(tempfile.mkdtemp(prefix="angarium-bench-", dir="/var/tmp"))
    try:
        measure(folder, seconds, args.kilobytes * 1024)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(folder: Path, seconds: float, octets: int) -> None:
    sink, server = Arrivals(folder), Angarium(folder / "latency")
    rows: list[tuple[str, float, Report, float, str]] = []
    try:
        server.start()
        load(server.port, octets, "w", 0.0, count=2000)
        report, _ = load(server.port, octets, "m", 0.0, duration=seconds)
        top = report.acknowledged / report.seconds
        time.sleep(SETTLED_SECONDS)
        for share in SHARES:
            rate, prefix = top * share, f"s{share * 100:.0f}x"
            with Watch(folder / "latency" / "state") as watch:
                report, begun = load(server.port, octets, prefix, rate, duration=seconds)
            rows.append((prefix, rate, report, begun, str(watch)))
            time.sleep(SETTLED_SECONDS)
    finally:
        server.stop()
        came = sink.stop()
    print(f"{octets} octets, closed loop {top:.0f}/s; milliseconds from when a message was due")
    for prefix, rate, report, begun, pauses in rows:
        delivery, missing = Histogram(), 0
        for number in range(report.begun):
            at = came.get(f"{prefix}{number + 1:012d}")
            if at is None:
                missing += 1
            else:
                delivery.add(at - begun - number / rate)
        print(
            f"{rate / top:4.0%} = {rate:5.0f}/s: {show('to the 250', report.latency)};"
            f" {show('to delivery', delivery)}; missing {missing}; {pauses}",
            flush=True,
        )


if __name__ == "__main__":
    main()
