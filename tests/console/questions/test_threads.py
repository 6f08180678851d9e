"""The threads of a process."""

import os
import threading
from pathlib import Path

from angarium.console.questions.threads import LOOP, Threads, working


def test_the_loop_and_the_threads_beside_it_are_told_apart() -> None:
    stop = threading.Event()
    beside = [threading.Thread(target=stop.wait, name=f"spool-read_{n}") for n in range(2)]
    for each in beside:
        each.start()
    try:
        found = working()
    finally:
        stop.set()
        for each in beside:
            each.join()
    assert found[LOOP].count == 1
    assert found["spool-read"].count == 2


def test_time_is_counted_in_seconds_of_a_processor(tmp_path: Path) -> None:
    ticks = os.sysconf("SC_CLK_TCK")
    own = tmp_path / str(os.getpid())
    own.mkdir()
    (own / "stat").write_text(f"1 (a) b) S {'0 ' * 10}{3 * ticks} {ticks} 0")
    assert working(tmp_path) == {LOOP: Threads(1, 4.0)}
    assert Threads(1, 1.0) + Threads(2, 0.5) == Threads(3, 1.5)
