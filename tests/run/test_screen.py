"""The screen: whole on 80 by 24, and nothing on it that a terminal obeys."""

from typing import Any

import pytest
from rich.console import Console

import angarium.run.declared  # noqa: F401 - all metrics
from angarium.run.screen import KEYS, SORTS, in_the_way, plain, screen
from angarium.web.overview import History, Queue, Sample, overview


def seen(queues: int = 0, workers: int = 2, **values: float) -> dict[str, Any]:
    history = History()
    rows: dict[str, Any] = {f"worker {number}": {"queued": 0.0} for number in range(workers)}
    rows["worker 0"] |= {"queued": 1000.0, **values}
    rows["supervisor"] = {"workers": workers}
    rows["hose"] = {"hose_lag_seconds": 0.1}
    history.add(Sample.of(1000.0, {name: {} for name in rows}))
    history.add(Sample.of(1001.0, rows))
    many = [
        Queue("default", f"binding-{n}", f"d{n:03}.example.com", n, 100 - n, 1, n % 7, "suspended")
        for n in range(queues)
    ]
    return overview(history, many, {"node": "mx.node.test", "version": "0.1.0"})


def drawn(what: dict[str, Any], height: int = 24, width: int = 80, sort: str = "w") -> list[str]:
    console = Console(width=width, height=height, color_system=None)
    with console.capture() as capture:
        console.print(screen(what, height, sort))
    return [line.rstrip() for line in capture.get().splitlines()]


@pytest.mark.parametrize("queues", [0, 1, 5, 50])
@pytest.mark.parametrize("workers", [1, 4, 64])
@pytest.mark.parametrize("troubles", [0, 5])
def test_it_is_whole_on_80_by_24(queues: int, workers: int, troubles: int) -> None:
    names = ("intake_stopped", "delivery_stopped", "hose_held", "isolated", "recovering")
    lines = drawn(seen(queues, workers, **dict.fromkeys(names[:troubles], 1.0)))
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert lines[-1] == KEYS
    assert lines[0].startswith("mx.node.test  NOT READY" if troubles else "mx.node.test  ready")


def test_more_room_shows_more_queues() -> None:
    few, many = drawn(seen(50)), drawn(seen(50), height=60, width=140)
    assert sum("example.com" in line for line in few) < 10
    assert sum("example.com" in line for line in many) > 30


def test_what_is_not_shown_is_added_up() -> None:
    lines = drawn(seen(50))
    assert any(line.startswith("all others") for line in lines)


@pytest.mark.parametrize(
    ("sort", "first"),
    [("w", "d000"), ("a", "d049"), ("d", "d000"), ("c", "d006"), ("n", "d000"), ("?", "d000")],
)
def test_queues_are_ordered_as_the_key_says(sort: str, first: str) -> None:
    lines = drawn(seen(50), sort=sort)
    assert next(line for line in lines if "example.com" in line).startswith(first)
    assert any(f"queues by {SORTS.get(sort, SORTS['w'])[0]}" in line for line in lines)


def test_a_name_cannot_move_the_cursor() -> None:
    evil = Queue("g", "b\x1b[2J", "\x1b]0;owned\x07x\r\n.test", 1, 0, 0, 0, "\x9b31m")
    history = History()
    history.add(Sample.of(1.0, {"supervisor": {"workers": 0.0}}))
    what = overview(history, [evil], {"node": "\x1b[H", "version": "1"})
    assert not any(
        ord(each) < 32 or 127 <= ord(each) < 160 for line in drawn(what) for each in line
    )
    assert plain("a\x1bb") == "a?b"


def test_what_is_in_the_way_is_told_the_most_frequent_first() -> None:
    counts: Any = {"limits_hit|line": 3.0, "failures|10": 9.0, "dials|opened": 5.0}
    what = seen(0, **counts)
    assert in_the_way(what) == [("bounce Invalid Recipient", 9.0), ("limit line", 3.0)]
