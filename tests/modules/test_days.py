"""What was seen of domains, on disk."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from angarium.events.metrics import Metrics
from angarium.mail.report.dmarc.aggregate import Row, Signature
from angarium.modules import days as module
from angarium.modules.days import day_of
from angarium.modules.sign.seen import LOST, Seen, seen
from helpers.clock import FakeClock
from helpers.guards import until

ROW = Row(
    "192.0.2.1", "none", "pass", "fail", "a.example", signatures=(Signature("d", "s", "pass"),)
)
OTHER = Row("192.0.2.2", "none", "pass", "fail", "a.example")


class Place:
    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.metrics = Metrics()
        self.told: list[tuple[str, str]] = []
        self.folder = folder / "dmarc"

    def seen(self, number: int = 0) -> Seen:
        means: Any = SimpleNamespace(
            loop=asyncio.get_running_loop(),
            clock=self.clock,
            tell=lambda level, text: self.told.append((level, text)),
            number=number,
            metrics=self.metrics,
        )
        made = seen(self.folder, means)
        made.start()
        return made

    @property
    def lost(self) -> float:
        return self.metrics.cell(LOST).value


async def test_the_rows_of_all_workers_are_summed_by_domain(tmp_path: Path) -> None:
    place = Place(tmp_path)
    one, two = place.seen(0), place.seen(1)
    for _ in range(3):
        one.add("a.example", "v=DMARC1; p=none", ROW)
    two.add("a.example", "v=DMARC1; p=reject", ROW)
    two.add("a.example", "v=DMARC1; p=reject", OTHER)
    two.add("b.example", "v=DMARC1; p=none", ROW)
    one.stop()
    two.stop()
    [day] = one.days()
    assert day == day_of(place.clock.time())
    found = one.of(day)
    assert found["a.example"] == ("v=DMARC1; p=reject", {ROW: 4, OTHER: 1})
    assert found["b.example"] == ("v=DMARC1; p=none", {ROW: 1})
    one.forget(day)
    assert not one.days()


async def test_each_day_has_its_own_file(tmp_path: Path) -> None:
    place = Place(tmp_path)
    one = place.seen()
    one.add("a.example", "", ROW)
    place.clock.advance(86400)
    one.add("a.example", "", ROW)
    one.stop()
    first, second = one.days()
    assert first < second
    assert one.of(first) == one.of(second) == {"a.example": ("", {ROW: 1})}


async def test_what_is_counted_is_written_when_it_is_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_ROWS", 2)
    place = Place(tmp_path)
    one = place.seen()
    for number in range(9):
        one.add(f"{number}.example", "", ROW)
    # One writing at a time: two rows were given to it, four more are counted meanwhile.
    assert place.lost == 3
    one.stop()
    await until(lambda: len(one.of(one.days()[0])) == 6)


async def test_a_file_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_FILE", 250)
    place = Place(tmp_path)
    one = place.seen()
    for _ in range(3):
        one.add("a.example", "", ROW)
        one.stop()
    assert place.lost > 0
    [(_, rows)] = one.of(one.days()[0]).values()
    assert rows[ROW] + place.lost == 3


@pytest.mark.parametrize("spoilt", [b"x", b"\0" * 8, b"\0\0\0\1\0\0\0\0x", b"\xff" * 100])
async def test_what_a_crash_cut_off_ends_the_reading(tmp_path: Path, spoilt: bytes) -> None:
    place = Place(tmp_path)
    one = place.seen()
    one.add("a.example", "", ROW)
    one.stop()
    [path] = place.folder.glob("*.rows")
    with path.open("ab") as file:
        file.write(spoilt)
    assert one.of(one.days()[0]) == {"a.example": ("", {ROW: 1})}


async def test_trouble_with_the_disk_is_told(tmp_path: Path) -> None:
    place = Place(tmp_path)
    one = place.seen()
    one.add("a.example", "", ROW)
    place.folder.rmdir()
    one.stop()
    assert [level for level, _ in place.told] == ["ERROR"]
    assert place.lost == 1
    assert not one.days()
