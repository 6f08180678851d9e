"""Commands of the console on many queued messages: how long they take, and what mail notices.

    python -m benchmarks.commands [--count 1000000] [--messages 4000] [--rounds 3]

First each command on an idle server; then rounds of load in turns: without, and with a console that
looks through all of the queue again and again. Figures of a machine which does other things as well
are rough; the ratio of neighbouring rounds is what counts.
"""

import argparse
import contextlib
import shutil
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Final

from angarium.console.client import Client, ConsoleError
from benchmarks.fill import fill, over
from benchmarks.peers import Angarium, Sink, inject

DELAY: Final = 7200
LOOKS: Final = (
    "active 1000",
    "mailq",
    "binding summary",
    "domain d1.sink.test",
    "showqueue binding all d1.sink.test",
    "fail all --dry-run --age 0s --domain *",
    "fail all --dry-run --attempts 99",
    "fail all --dry-run --sender nobody@*",
    "fail all --dry-run --header X-Kind bulk",
)
CHANGES: Final = (
    "flush domain --attempts 99 all",
    "fail all quiet --domain d1.sink.test",
    "reroute queue d2.sink.test d3.sink.test",
)


def ask(run: Path, command: str) -> tuple[float, str, int]:
    """Return how long the answer took, its last line, and how many lines of progress there were."""
    client = Client(run)
    notes: list[str] = []
    begin = time.monotonic()
    try:
        text = "".join(client.ask(command, note=notes.append))
    finally:
        client.close()
    return time.monotonic() - begin, text.strip().rpartition("\n")[2], len(notes)


def load(one: Angarium, sink: Sink, messages: int) -> float:
    """Return messages a second, from the first command to the last delivery."""
    goal = sink.count + messages
    begin = time.monotonic()
    inject(one.port, messages, 1024, 20)
    return messages / (sink.wait(goal) - begin)


def beside(run: Path, over: threading.Event, command: str) -> None:
    while not over.is_set():
        with contextlib.suppress(ConsoleError):
            ask(run, command)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--messages", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="commands-"))
    one, sink = Angarium(folder, port=2625, relay_port=2626), Sink(2626)
    try:
        fill(folder / "state", options.count, delay=DELAY, place=over(0, 100))
        one.resume()
        run = folder / "state" / "run"
        time.sleep(2.0)
        while f"{options.count}" not in ask(run, "active 100000000")[1]:
            time.sleep(0.5)
        for command in (*LOOKS, *CHANGES):
            took, said, notes = ask(run, command)
            print(f"{took:7.2f} s  {notes:3} notes  {command}: {said}", flush=True)
        ratios = []
        for command in (LOOKS[5], LOOKS[8]):
            for _ in range(options.rounds):
                without = load(one, sink, options.messages)
                over_event = threading.Event()
                asking = threading.Thread(target=beside, args=(run, over_event, command))
                asking.start()
                with_it = load(one, sink, options.messages)
                over_event.set()
                asking.join()
                ratios.append(with_it / without)
                print(f"{without:7.0f} /s without, {with_it:7.0f} /s with {command}", flush=True)
            print(f"ratio {statistics.median(ratios):.3f}", flush=True)
            ratios.clear()
    finally:
        one.stop()
        sink.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
