"""What a line of a text log costs: decode and format one event.

    .venv/bin/python benchmarks/bench_format.py

The budget: 2.5 us a line, decoding included (2 lines a message, of 150 to 250 us in all).
"""

import timeit
from typing import Final

from angarium.events import format as lines
from angarium.events.schema import Delivery, Event, PermanentFailure, Reception, decode, encode

IDS: Final = (0x65432100_00000123, 0x65432100_00000122, 0x65432100_00000001)
WHO: Final = ("bob@example.com", "info@postalengine.com", "example.com")
BOUND: Final = ("default", "default")
AT: Final = 1700000000.123456
EVENTS: Final[dict[str, Event]] = {
    "R": Reception(AT, *IDS, *WHO, "10.0.1.1:4455", 10240, "esmtp", "default", *BOUND),
    "D": Delivery(AT, *IDS, 0, *WHO, 10240, *BOUND, AT - 0.5, "10.0.0.1:25", "250 2.0.0 queued"),
    "P": PermanentFailure(
        *(AT, *IDS, 0, *WHO, 31, 10240, *BOUND, AT - 0.5, "10.0.0.1:25", 5),
        reason="550 5.1.1 <bob@example.com> User unknown",
        classification=10,
    ),
}


def each_in_us(statement: str, event: Event, count: int = 50_000) -> float:
    names = globals() | {"event": event, "octets": encode(event)}
    return min(timeit.repeat(statement, number=count, repeat=5, globals=names)) / count * 1e6


def whole(octets: bytes) -> bytes:
    event = decode(octets)
    return lines.line(lines.MAINLOG[type(event)](event, lines.seconds(event.at)))


def main() -> None:
    print(f"{'line':6}{'encode':>8}{'decode':>8}{'decode and line':>17}  us")
    for name, event in EVENTS.items():
        costs = (each_in_us(code, event) for code in ("encode(event)", "decode(octets)"))
        row = "".join(f"{cost:8.2f}" for cost in costs)
        print(f"{name:6}{row}{each_in_us('whole(octets)', event):17.2f}")


if __name__ == "__main__":
    main()
