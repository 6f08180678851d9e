from pathlib import Path

import pytest

from angarium.modules.guard.keeping import Keeping
from angarium.policy.shared.blocks import packed
from angarium.policy.shared.node import Shared
from angarium.policy.shared.series import Series
from angarium.policy.shared.series_file import path_of, read
from helpers.clock import FakeClock
from helpers.guards import until

A = packed("192.0.2.1")


class Worker:
    """A worker with one series, which is kept."""

    def __init__(
        self, folder: Path, clock: FakeClock, number: int = 0, born: int = 1, name: str = "s"
    ) -> None:
        self.told: list[str] = []
        self.shared = Shared(clock, number)
        self.shared.alive = lambda: [(number, born)]
        self.series = self.shared.define_series(name, "cidr", 60, 3)
        self.series.persist = True
        self.keeping = Keeping(
            self.shared, folder / "logs", folder / "kept", 0.01, self.told.append
        )

    def begin(self) -> Series:
        self.keeping.start()
        self.shared.know()
        return self.series


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


async def test_a_series_survives_a_restart(tmp_path: Path, clock: FakeClock) -> None:
    before = Worker(tmp_path, clock)
    before.begin().add(A, 3)
    clock.advance(60)
    before.series.add(A, 4)
    before.keeping.stop()
    after = Worker(tmp_path, clock, born=2)
    assert [after.begin().count(A, n, n) for n in range(3)] == [4, 3, 0]
    after.keeping.stop()
    assert before.told == after.told == []


async def test_workers_which_read_the_same_file_count_it_once(
    tmp_path: Path, clock: FakeClock
) -> None:
    before = Worker(tmp_path, clock)
    before.begin().add(A, 3)
    before.keeping.stop()
    one, two = Worker(tmp_path, clock, born=2), Worker(tmp_path, clock, 1, 2)
    for each in (one, two):
        each.begin()
    two.series.merge((0, 2), one.series.changes())
    for origin, entries in one.series.others():
        two.series.merge(origin, entries, hearsay=True)
    assert two.series.count(A) == 3
    for each in (one, two):
        each.keeping.stop()


async def test_a_file_of_a_worker_which_still_lives_is_left(
    tmp_path: Path, clock: FakeClock
) -> None:
    """Another one has begun again: what the file has it is told by who has written it."""
    first = Worker(tmp_path, clock)
    first.begin().add(A, 3)
    first.keeping.stop()
    again = Worker(tmp_path, clock, 1, 2)
    again.shared.alive = lambda: [(0, 1), (1, 2)]
    assert again.begin().count(A) == 0
    again.keeping.stop()


async def test_windows_which_are_over_are_logged_once(tmp_path: Path, clock: FakeClock) -> None:
    worker = Worker(tmp_path, clock)
    worker.series.persist, worker.series.serialize = False, True
    worker.begin().add(A, 3)
    began = int(clock.time()) // 60 * 60
    path = path_of(tmp_path / "logs", "s", f".{began}")
    clock.advance(60)
    worker.series.add(A, 4)
    await until(path.exists)
    assert read(path).kept == {began: {A: 3}}
    assert [each.name for each in path.parent.iterdir() if not each.name.startswith(".")] == [
        path.name
    ]
    worker.keeping.stop()
    assert read(path_of(tmp_path / "logs", "s", f".{began + 60}")).kept == {began + 60: {A: 4}}


async def test_only_the_first_worker_writes(tmp_path: Path, clock: FakeClock) -> None:
    worker = Worker(tmp_path, clock, number=1)
    worker.shared.alive = lambda: [(0, 1), (1, 1)]
    worker.begin().add(A, 3)
    worker.keeping.stop()
    assert not (tmp_path / "kept").exists()


async def test_what_is_no_series_or_cannot_be_written_is_told(
    tmp_path: Path, clock: FakeClock
) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "s").write_text("nonsense")
    worker = Worker(tmp_path, clock)
    worker.begin().add(A, 3)
    assert "is not read" in worker.told[0]
    (tmp_path / "kept" / "s").unlink()
    (tmp_path / "kept").rmdir()
    (tmp_path / "kept").write_text("in the way")
    worker.keeping.stop()
    assert "is not written" in worker.told[1]


async def test_a_series_of_other_windows_is_not_taken_for_this_one(
    tmp_path: Path, clock: FakeClock
) -> None:
    before = Worker(tmp_path, clock)
    before.begin().add(A, 3)
    before.keeping.stop()
    after = Worker(tmp_path, clock, born=2)
    after.series = after.shared.define_series("s", "cidr", 30, 3)
    after.series.persist = True
    assert after.begin().count(A, 0, 2) == 0
    after.keeping.stop()
