"""What rate alone does not say: latency, idle connections, depth, recovery.

    python -m benchmarks.rows [latency] [idle] [depth] [--depth 100000]

Load comes from `angarium send`, which sends on schedule whether the server keeps up or not, so a
stall of the server counts for all messages that were due meanwhile.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from benchmarks.peers import Angarium, Sink, inject, wait_for_banner
from benchmarks.process import pss_octets, tree

PROGRAM: Final = [sys.executable, "-m", "angarium.run.programs.cli"]
SECONDS: Final = 10
REFUSE_ALL: Final = "at rcpt reply 451 4.2.0 come back later\n"
# Deferred mail stays deferred while it is measured, and enough connections defer it quickly.
PATIENT: Final = "retry_interval = 7200\nmax_retry_interval = 7200\n"


def send(port: int, *words: str) -> dict[str, Any]:
    """Run a load and return what `angarium send --json` says of it."""
    command = [*PROGRAM, "send", "--server", f"127.0.0.1:{port}", *words, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False, timeout=900)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def top_rate(server: Angarium, sink: Sink) -> float:
    """Return the rate at which 10 KB messages are relayed, closed loop."""
    inject(server.port, 2000, 10240, 20)
    sink.wait(2000)
    begin, before = time.monotonic(), sink.count
    inject(server.port, 20000, 10240, 20)
    return 20000 / (sink.wait(before + 20000) - begin)


def latency(folder: Path) -> None:
    """Time to the 250 at shares of the maximum rate."""
    sink, server = Sink(2526), Angarium(folder / "latency")
    try:
        server.start()
        top = top_rate(server, sink)
        print(f"latency to the 250, 10 KB; closed loop {top:.0f}/s", flush=True)
        for share in (0.25, 0.5, 0.9):
            rate = int(top * share)
            said = send(
                server.port,
                *("--rate", str(rate), "--duration", f"{SECONDS}s", "--connections", "40"),
            )
            ms = said["latency_ms"]
            print(
                f"  {share:4.0%} = {rate:5}/s  got {said['rate']:7.0f}/s  p50 {ms['p50']:7.2f}"
                f"  p99 {ms['p99']:7.2f}  p99.9 {ms['p99.9']:7.2f}  max {ms['max']:7.2f} ms",
                flush=True,
            )
    finally:
        server.stop()
        sink.close()


def idle(folder: Path, connections: int = 2000) -> None:
    """What idle connections cost: memory of each, and the traffic beside them."""
    sink, server = Sink(2526), Angarium(folder / "idle")
    words = ["--duration", f"{SECONDS}s", "--connections", "20"]
    try:
        server.start()
        send(server.port, "--duration", "3s", "--connections", "20")
        alone = send(server.port, *words)["rate"]
        before = pss_octets(server.pids())
        holding = subprocess.Popen(
            [*PROGRAM, "send", "--server", f"127.0.0.1:{server.port}", "--duration", "40s"]
            + ["--rate", "1/10", "--idle", str(connections)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(8)
        each = (pss_octets(server.pids()) - before) / connections
        beside = send(server.port, *words)["rate"]
        holding.terminate()
        holding.wait()
        print(
            f"{connections} idle connections: {each / 1024:.1f} KB each; traffic alone"
            f" {alone:.0f}/s, beside them {beside:.0f}/s ({beside / alone:.0%})",
            flush=True,
        )
    finally:
        server.stop()
        sink.close()


class Deferring:
    """A sink that puts everything off."""

    def __init__(self, folder: Path, port: int) -> None:
        script = folder / "sink.txt"
        script.write_text(REFUSE_ALL, encoding="ascii")
        words = ["sink", "--listen", f"127.0.0.1:{port}", "--script", str(script)]
        self._process = subprocess.Popen(
            [*PROGRAM, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for_banner(port)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


def deferred(server: Angarium) -> int:
    """Return how many transient failures are logged."""
    log = server.folder / "state" / "log" / "mainlog.ec"
    found = subprocess.run(
        ["grep", "-c", "@T@", str(log)], stdout=subprocess.PIPE, check=False, timeout=60
    )
    return int(found.stdout or b"0")


def fill(server: Angarium, target: int, step: int) -> None:
    """Queue until `target` messages have been put off."""
    inject(server.port, step, 1024, 20)
    end = time.monotonic() + 600
    while deferred(server) < target and time.monotonic() < end:
        time.sleep(0.2)


def restarted(server: Angarium) -> tuple[float, float, int]:
    """Restart; return seconds to `ready`, seconds until all is recovered, and PSS afterwards."""
    server.stop()
    begin = time.monotonic()
    server.resume()
    ready = time.monotonic() - begin
    quiet = settled(server)
    return ready, quiet - begin, pss_octets(server.pids())


def settled(server: Angarium) -> float:
    """Wait until the workers do nothing any more; return since when."""
    last, since = -1, time.monotonic()
    while time.monotonic() - since < 3.0:
        ticks = sum(int(f[11]) + int(f[12]) for f in tree(server.pids()).values())
        if ticks > last + 3:  # A look each second at timers costs a tick or two.
            last, since = ticks, time.monotonic()
        time.sleep(0.2)
    return since


def depth(folder: Path, step: int) -> None:
    """Memory of a delayed message and time to recover it."""
    server = Angarium(folder / "depth", extra=PATIENT)
    sink = Deferring(folder, server.relay_port)
    figures = []
    try:
        server.start()
        for level in (1, 2):
            fill(server, level * step, step)
            ready, recovered, pss = restarted(server)
            figures.append(pss)
            print(
                f"{level * step} delayed: ready {ready:.2f} s, recovered {recovered:.2f} s after a"
                f" restart, PSS {pss / (1 << 20):.0f} MB",
                flush=True,
            )
        slope = (figures[1] - figures[0]) / step
        print(f"slope: {slope:.0f} octets of PSS for each delayed message", flush=True)
    finally:
        server.stop()
        sink.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", nargs="*", help="latency, idle, depth; all without")
    parser.add_argument("--depth", type=int, default=100_000, help="messages, and twice as many")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="angarium-bench-", dir="/var/tmp"))
    wanted = args.rows or ["latency", "idle", "depth"]
    try:
        if "latency" in wanted:
            latency(folder)
        if "idle" in wanted:
            idle(folder)
        if "depth" in wanted:
            depth(folder, args.depth)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
