"""Servers which do something beside one that does not, in alternating rounds of one run.

    args = wanted(__doc__, ["rsa", "spf"])
    with given() as folder:
        rows = args.alternating("plain", lambda kind: relayed(folder, kind, ...))
    args.tell(rows, lambda mine, plain: mine[1] - plain[1], "+.0f")

Absolute figures move with the machine, so each round is compared with its neighbour, and the median
of that is what counts.
"""

import argparse
import shutil
import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.halves import Row

Rows = Mapping[str, Sequence[Row]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be measured: `seconds` is about how long each server works in a round."""

    kinds: list[str]
    kilobytes: int
    seconds: float
    rounds: int
    workers: int

    @property
    def octets(self) -> int:
        return self.kilobytes * 1024

    def alternating(self, base: str, measure: Callable[[str], Row]) -> Rows:
        """Measure one after the other in each round, the one without anything first."""
        rows: dict[str, list[Row]] = {kind: [] for kind in (base, *self.kinds)}
        for _ in range(self.rounds):
            for kind, measured in rows.items():
                measured.append(measure(kind))
        return rows

    def tell(self, rows: Rows, compared: Callable[[Row, Row], float], form: str) -> None:
        """Print medians, and that of what each round is compared with the first of them."""
        base = next(iter(rows.values()))
        for kind, measured in rows.items():
            rates, costs = zip(*measured, strict=True)
            beside = statistics.median(map(compared, measured, base))
            print(
                f"{kind.partition('=')[0]:16}{self.kilobytes:4} KB"
                f"{statistics.median(rates):8.0f}/s{statistics.median(costs):7.0f} us"
                f"   {beside:{form}}",
                flush=True,
            )


def wanted(described: str | None, kinds: Sequence[str]) -> Wanted:
    """Return what the command line says; `kinds` where it names none."""
    parser = argparse.ArgumentParser(
        description=described, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kinds", nargs="*", default=list(kinds))
    parser.add_argument("--size", type=int, default=10, help="kilobytes")
    parser.add_argument("--seconds", type=float, default=6.0, help="of work, about")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="one round of 2 s")
    args = parser.parse_args()
    seconds, rounds = (2.0, 1) if args.quick else (args.seconds, args.rounds)
    return Wanted(args.kinds, args.size, seconds, rounds, args.workers)


@contextmanager
def given() -> Iterator[Path]:
    """Give a folder which servers may read, and remove it with all that is in it."""
    folder = Path(tempfile.mkdtemp(prefix="angarium-bench-", dir="/var/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
