"""Relay rate, processor time and memory beside Postfix, in alternating rounds of one run.

    python -m benchmarks.relay [--sizes 1,10,100] [--rounds 3] [--seconds 10] [--workers 2]

Load comes from smtp-source, goes through the server under test and ends in smtp-sink, all on this
machine: the generator and the sink share its cores with the server. Both servers are durable and
write their logs. The number of messages is chosen for each server and size so that it works for
about --seconds. Medians over the rounds; absolute figures move with the machine, so quote the
ratios together with the sync latency printed on top.
"""

import argparse
import json
import os
import shutil
import statistics
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.peers import Angarium, Postfix, Server, Sink, inject
from benchmarks.process import cpu_seconds, pss_octets

PROBE_MESSAGES: Final = {1: 1000, 10: 800, 100: 200}


@dataclass(frozen=True)
class Figures:
    received_per_s: float
    relayed_per_s: float
    cpu_us_per_message: float
    pss_mb: float
    delivered: int
    sent: int


def sync_latency_us(folder: Path, octets: int = 10240, times: int = 200) -> tuple[float, float]:
    """Return the median and the 99th percentile of append plus fdatasync in the folder."""
    name = folder / f".sync-{os.getpid()}"
    block, took = os.urandom(octets), []
    file = os.open(name, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    try:
        for _ in range(times):
            begin = time.perf_counter()
            os.write(file, block)
            os.fdatasync(file)
            took.append((time.perf_counter() - begin) * 1e6)
    finally:
        os.close(file)
        name.unlink()
    took.sort()
    return took[times // 2], took[times * 99 // 100]


def measure(server: Server, kilobytes: int, seconds: float, sessions: int) -> Figures:
    sink = Sink(server.relay_port)
    try:
        server.start()
        probe = PROBE_MESSAGES.get(kilobytes, 300)
        begin = time.monotonic()
        inject(server.port, probe, kilobytes * 1024, sessions)
        rate = probe / (sink.wait(probe) - begin)
        messages = max(probe, int(rate * seconds))
        roots = server.pids()
        before, cpu_before, begin = sink.count, cpu_seconds(roots), time.monotonic()
        inject(server.port, messages, kilobytes * 1024, sessions)
        accepted = time.monotonic()
        last = sink.wait(before + messages)
        time.sleep(0.5)  # The logs are written behind; their cost counts.
        delivered = sink.count - before
        cpu = cpu_seconds(roots) - cpu_before
        return Figures(
            received_per_s=messages / (accepted - begin),
            relayed_per_s=delivered / (last - begin),
            cpu_us_per_message=1e6 * cpu / max(1, delivered),
            pss_mb=pss_octets(roots) / (1 << 20),
            delivered=delivered,
            sent=messages,
        )
    finally:
        server.stop()
        sink.close()


def median(rounds: list[Figures]) -> Figures:
    columns = {
        key: statistics.median(asdict(each)[key] for each in rounds) for key in asdict(rounds[0])
    }
    return Figures(**columns)


def compare(servers: list[Server], kilobytes: int, args: argparse.Namespace) -> dict[str, Any]:
    rounds: dict[str, list[Figures]] = {server.name: [] for server in servers}
    for _ in range(args.rounds):
        for server in servers:
            rounds[server.name].append(measure(server, kilobytes, args.seconds, args.sessions))
    medians = {name: median(figures) for name, figures in rounds.items()}
    for name, one in medians.items():
        print(
            f"{name:10}{kilobytes:5}KB{one.received_per_s:9.0f}{one.relayed_per_s:9.0f}"
            f"{one.cpu_us_per_message:9.0f}{one.pss_mb:8.0f}{one.delivered:9.0f}/{one.sent:<8.0f}",
            flush=True,
        )
    reference, own = medians[servers[0].name], medians[servers[-1].name]
    ratio = {
        "in": own.received_per_s / reference.received_per_s,
        "relay": own.relayed_per_s / reference.relayed_per_s,
        "cpu": own.cpu_us_per_message / reference.cpu_us_per_message,
    }
    print(" " * 10 + ", ".join(f"{key} {value:.2f}x" for key, value in ratio.items()), flush=True)
    return {name: asdict(one) for name, one in medians.items()} | {"ratio": ratio}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="1,10,100", help="kilobytes")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=10.0, help="of work in each measurement")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--alone", action="store_true", help="without Postfix")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true", help="one round of 2 s at 1 KB")
    args = parser.parse_args()
    if args.quick:
        args.sizes, args.rounds, args.seconds = "1", 1, 2.0

    folder = Path(tempfile.mkdtemp(prefix="angarium-bench-", dir="/var/tmp"))
    folder.chmod(0o755)
    servers: list[Server] = [] if args.alone else [Postfix(folder / "postfix")]
    servers.append(Angarium(folder / "angarium", workers=args.workers))
    try:
        print(
            "append and fdatasync of 10 KB here: median {:.0f} us, p99 {:.0f} us".format(
                *sync_latency_us(folder)
            )
        )
        print(f"{'':10}{'size':>7}{'in/s':>9}{'relay/s':>9}{'cpu us':>9}{'PSS MB':>8}  delivered")
        results = {f"{size}KB": compare(servers, int(size), args) for size in args.sizes.split(",")}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if args.json:
        args.json.write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
