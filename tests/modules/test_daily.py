"""Reports of a day: when they are made, by whom, and that none is made twice."""

import fcntl
from collections import Counter
from pathlib import Path

import pytest

from angarium.events.metrics import counter
from angarium.modules.daily import DAY, FIRST_SECONDS, KEPT_DAYS, Daily
from angarium.modules.days import Days, day_of
from helpers.guards import Place

LOST = counter("test_rows_lost", "Of a test.")
DELAY = 60.0


class Node:
    """A worker which has seen something of two domains."""

    def __init__(self, folder: Path) -> None:
        self.place = Place(folder, "")
        self.clock = self.place.clock
        self.means = self.place.means()
        self.told: list[str] = []
        self.means.tell = lambda _level, text: self.told.append(text)
        self.folder = folder / "reports"
        self.about: list[tuple[str, int]] = []
        self.fails: set[str] = set()
        self.day = day_of(self.clock.time())
        self.days: Days[str] = Days(self.folder, self.means, str, LOST)
        self.days.start()
        for domain in ("a.test", "a.test", "b.test"):
            self.days.add(domain, "text", "row")
        self.days.stop()
        self.daily = Daily(self.means, self.days, self.folder, DELAY, self.report)

    async def report(self, day: str, domain: str, text: str, rows: Counter[str]) -> bool:
        assert (day, text) == (self.day, "text")
        self.about.append((domain, rows["row"]))
        return domain not in self.fails

    async def after(self, seconds: float) -> None:
        """Come to so long after the end of the day."""
        end = (int(self.place.clock.time()) // DAY + 1) * DAY
        self.clock.advance(end + seconds - self.clock.time())
        await self.daily.run()


async def test_a_day_is_reported_once_when_it_is_over_for_a_while(tmp_path: Path) -> None:
    node = Node(tmp_path)
    await node.daily.run()
    await node.after(DELAY - 1)
    assert not node.about
    node.clock.advance(1)
    await node.daily.run()
    await node.daily.run()
    assert node.about == [("a.test", 2), ("b.test", 1)]
    assert [path.name for path in node.folder.iterdir()] == ["lock"]


async def test_only_what_is_not_done_with_is_tried_again(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.fails = {"a.test"}
    await node.after(DELAY)
    node.fails = set()
    node.about.clear()
    await node.daily.run()
    assert node.about == [("a.test", 2)]


async def test_what_is_too_old_is_given_up_and_told(tmp_path: Path) -> None:
    node = Node(tmp_path)
    await node.after(KEPT_DAYS * DAY + 1)
    assert not node.about
    assert node.told == [f"what was seen on {node.day} is too old to be reported"]
    assert node.days.days() == []


async def test_while_another_one_reports_nobody_else_does(tmp_path: Path) -> None:
    node = Node(tmp_path)
    with (node.folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        await node.after(DELAY)
        assert not node.about
    await node.daily.run()
    assert node.about


@pytest.mark.parametrize("first", [True, False])
async def test_the_first_worker_looks_soon_after_the_start(
    tmp_path: Path, first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = Node(tmp_path)
    later: list[tuple[float, object]] = []

    class Timer:
        def cancel(self) -> None:
            later.clear()

    class Loop:
        def call_later(self, seconds: float, call: object) -> Timer:
            later.append((seconds, call))
            return Timer()

        def create_task(self, work: object) -> Timer:
            work.close()  # type: ignore[attr-defined]
            node.about.append(("task", 1))
            return Timer()

    monkeypatch.setattr(node.means, "loop", Loop())
    monkeypatch.setattr(type(node.means.shared), "first", first, raising=False)
    node.daily.start()
    [(seconds, look)] = later
    assert seconds == FIRST_SECONDS
    look()  # type: ignore[operator]
    assert bool(node.about) is first
    node.daily.stop()
    assert not later
