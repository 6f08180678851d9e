"""Reception with policy beside reception without, in alternating rounds of one run.

    python -m benchmarks.policy [POLICY ...] [--size 10] [--seconds 6] [--rounds 3] [--workers 1]

Delivery is suspended, so mail is taken in and stays. Policies are those of benchmarks/policies,
`limits` if none is named. Medians of the rounds; the ratio of neighbours is what counts.
"""

import argparse
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.halves import PROBE, SESSIONS, SUSPENDED, Measured, Row
from benchmarks.peers import Angarium, inject
from benchmarks.policies import stanza


def taken(folder: Path, kind: str, octets: int, workers: int, seconds: float) -> Row:
    """Return messages a second and the processor time of each."""
    scripts = folder / "scripts"
    scripts.mkdir(parents=True, exist_ok=True)
    extra = SUSPENDED + stanza(kind, scripts)
    server = Angarium(folder / "server", workers=workers, extra=extra)
    try:
        server.start()
        begin = time.monotonic()
        inject(server.port, PROBE, octets, SESSIONS)
        count = max(PROBE, int(PROBE / (time.monotonic() - begin) * seconds))
        measured = Measured(server)
        inject(server.port, count, octets, SESSIONS)
        return measured.row(count, time.monotonic())
    except subprocess.CalledProcessError:
        print((folder / "server" / "state" / "log" / "paniclog.ec").read_text("utf-8")[-2000:])
        raise
    finally:
        server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("policies", nargs="*", default=["limits"])
    parser.add_argument("--size", type=int, default=10, help="kilobytes")
    parser.add_argument("--seconds", type=float, default=6.0, help="of reception, about")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="one round of 2 s")
    args = parser.parse_args()
    if args.quick:
        args.seconds, args.rounds = 2.0, 1
    kinds = ["none", *args.policies]
    rows: dict[str, list[Row]] = {kind: [] for kind in kinds}
    folder = Path(tempfile.mkdtemp(prefix="angarium-bench-", dir="/var/tmp"))
    folder.chmod(0o755)
    try:
        for _ in range(args.rounds):
            for kind in kinds:
                row = taken(folder, kind, args.size * 1024, args.workers, args.seconds)
                rows[kind].append(row)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for kind in kinds:
        rates, costs = zip(*rows[kind], strict=True)
        ratios = [mine[0] / none[0] for mine, none in zip(rows[kind], rows["none"], strict=True)]
        print(
            f"{kind.partition('=')[0]:16}{args.size:4} KB{statistics.median(rates):8.0f}/s"
            f"{statistics.median(costs):7.0f} us   {statistics.median(ratios):.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
