"""`make bench`: relay beside Postfix, then the other rows. About 25 minutes; with --quick, four.

Whatever else works on the machine meanwhile is in the figures.
"""

import sys
from collections.abc import Callable
from typing import Final

from benchmarks import crowd, depth, halves, latency, relay, spread

ROWS: Final[dict[str, Callable[[], None]]] = {
    "relay beside Postfix": relay.main,
    "reception and delivery apart": halves.main,
    "latency": latency.main,
    "many domains, many bindings": spread.main,
    "depth": depth.main,
    "many connections": crowd.main,
}


def main() -> None:
    words = sys.argv[1:]
    for title, row in ROWS.items():
        print(f"\n== {title}", flush=True)
        sys.argv[1:] = words
        row()


if __name__ == "__main__":
    main()
