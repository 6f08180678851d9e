"""Many connections at once: 10,000 which came and do nothing, 2,000 of ours which rest.

    python -m benchmarks.crowd [--inbound 10000] [--outbound 2000]

Memory of the server for each, and what becomes of the traffic beside them. Memory which the kernel
takes for sockets is not in it.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.peers import Angarium, wait_for_banner
from benchmarks.process import pss_octets
from benchmarks.spread import PROGRAM, send
from benchmarks.watch import Watch, total

# Each domain keeps its own connection, and none is closed.
APART: Final = """
migrate_connections_between_sibling_domains = false
idle_timeout = 600
"""
WAIT_SECONDS: Final = 60.0


class LabSink:
    """`angarium sink`, which takes as many connections as it has descriptors."""

    def __init__(self, port: int) -> None:
        words = ["sink", "--listen", f"127.0.0.1:{port}"]
        self._process = subprocess.Popen(
            [*PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        wait_for_banner(port)

    def close(self) -> dict[str, int]:
        self._process.terminate()
        said, _ = self._process.communicate()
        found: dict[str, int] = json.loads(said)
        return found


def traffic(server: Angarium, seconds: float, connections: int) -> str:
    """Send for some seconds to one domain; return how it went."""
    words = ("--duration", f"{seconds:g}s", "--connections", str(connections), "--sizes", "1k")
    with Watch(server.folder / "state") as watch:
        said = send(server.port, *words)
    ms = said["latency_ms"]
    return f"{said['rate']:.0f}/s, p99 {ms['p99']:.1f} ms, {watch}"


def reach(state: Path, gauge: str, count: int) -> float:
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end and total(state, gauge) < count:
        time.sleep(0.2)
    return total(state, gauge)


def crowd(folder: Path, inbound: int, outbound: int, seconds: float) -> None:
    sink, server = LabSink(2526), Angarium(folder / "crowd", extra=APART)
    state = server.folder / "state"
    holding: subprocess.Popen[bytes] | None = None
    try:
        server.start()
        send(server.port, "--duration", "3s", "--connections", "20")
        print(f"alone: {traffic(server, seconds, 20)}", flush=True)
        before = pss_octets(server.pids())
        words = ("--count", str(outbound), "--domains", f"o{{1..{outbound}}}.sink.test")
        send(server.port, *words, "--connections", "20")
        ours = reach(state, "connections_out", outbound)
        memory = pss_octets(server.pids())
        print(f"{ours:.0f} outbound: {(memory - before) / 1024 / outbound:.1f} KB each", flush=True)
        print(f"beside them: {traffic(server, seconds, 20)}", flush=True)
        before = pss_octets(server.pids())
        command = [*PROGRAM, "send", "--server", f"127.0.0.1:{server.port}", "--rate", "1/10"]
        holding = subprocess.Popen(
            [*command, "--duration", "600s", "--idle", str(inbound)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        theirs = reach(state, "sessions_in", inbound)
        time.sleep(2.0)
        memory = pss_octets(server.pids())
        print(f"{theirs:.0f} inbound: {(memory - before) / 1024 / inbound:.1f} KB each", flush=True)
        print(f"beside both: {traffic(server, seconds, 20)}", flush=True)
        print(
            f"still open: {total(state, 'connections_out'):.0f} outbound,"
            f" {total(state, 'sessions_in'):.0f} inbound",
            flush=True,
        )
        if min(ours - outbound, theirs - inbound) < 0:
            sys.exit("not all could be opened")
    finally:
        if holding is not None:
            holding.kill()
            holding.wait()
        server.stop()
        sink.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inbound", type=int, default=10_000)
    parser.add_argument("--outbound", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=8.0, help="of traffic each time")
    parser.add_argument("--quick", action="store_true", help="a tenth of all")
    args = parser.parse_args()
    part = 10 if args.quick else 1
    folder = Path(tempfile.mkdtemp(prefix="angarium-bench-", dir="/var/tmp"))
    try:
        seconds = 2.0 if args.quick else args.seconds
        crowd(folder, args.inbound // part, args.outbound // part, seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
