"""The jobs: when they are due, and where they are kept."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from angarium.console import schedule
from angarium.console.errors import CommandError
from angarium.console.schedule import Schedule, Store
from helpers.clock import FakeClock


async def aside(work: Callable[..., Any], *arguments: object) -> Any:
    return work(*arguments)


def made(clock: FakeClock) -> Schedule:
    found = Schedule(clock)
    found.configured = True
    return found


async def test_a_job_is_due_at_its_time_and_only_once() -> None:
    clock = FakeClock()
    jobs = made(clock)
    now = int(clock.time())
    await jobs.add(now + 60, 0, "summary", aside)
    assert await jobs.due(aside) == []
    assert jobs.next == now + 60
    clock.advance(61)
    assert [each.command for each in await jobs.due(aside)] == ["summary"]
    assert await jobs.due(aside) == []
    assert jobs.jobs == []


async def test_a_recurrent_job_comes_again_and_missed_times_are_not_made_up_for() -> None:
    clock = FakeClock()
    jobs = made(clock)
    now = int(clock.time())
    await jobs.add(now + 60, 60, "summary", aside)
    clock.advance(200)
    assert len(await jobs.due(aside)) == 1
    assert jobs.next == now + 240


@pytest.mark.effect("sched.backing_store")
async def test_jobs_in_a_file_outlive_the_server(tmp_path: Path) -> None:
    clock, path = FakeClock(), str(tmp_path / "sched.db")
    first = made(clock)
    await first.use(path, aside)
    await first.add(int(clock.time()) + 60, 0, "one", aside)
    await first.add(int(clock.time()) + 60, 60, "two", aside)
    await first.add(int(clock.time()) + 60, 0, "three", aside)
    await first.delete(3, aside)
    assert Path(path).stat().st_mode & 0o777 == 0o600
    clock.advance(61)
    second = made(clock)
    await second.use(path, aside)
    assert [each.command for each in second.jobs] == ["one", "two"]
    assert len(await second.due(aside)) == 2
    # They are counted as run before they are: the next server runs none of them again.
    third = made(clock)
    await third.use(path, aside)
    assert await third.due(aside) == []
    assert [each.command for each in third.jobs] == ["two"]
    assert (await third.add(0, 0, "new", aside)).number == 3


async def test_a_file_that_cannot_be_had_leaves_all_as_it_was(tmp_path: Path) -> None:
    clock = FakeClock()
    jobs = made(clock)
    await jobs.add(0, 60, "one", aside)
    (tmp_path / "text").write_text("no database at all, but long enough to be looked at" * 9)
    for path in (tmp_path / "text", tmp_path / "missing" / "db"):
        with pytest.raises(CommandError, match="cannot be kept"):
            await jobs.use(str(path), aside)
    assert [each.command for each in jobs.jobs] == ["one"]


async def test_a_job_that_cannot_be_written_is_not_run(tmp_path: Path) -> None:
    clock, path = FakeClock(), str(tmp_path / "sched.db")
    jobs = made(clock)
    await jobs.use(path, aside)
    await jobs.add(int(clock.time()), 0, "one", aside)

    async def broken(_work: object, *_arguments: object) -> Any:
        raise sqlite3.OperationalError("disk I/O error")

    with pytest.raises(CommandError, match="disk I/O error"):
        await jobs.due(broken)
    assert [each.command for each in await jobs.due(aside)] == ["one"]
    assert Store(path).load() == []


async def test_what_was_counted_as_run_is_run_though_the_next_one_cannot_be(
    tmp_path: Path,
) -> None:
    clock, path = FakeClock(), str(tmp_path / "sched.db")
    jobs = made(clock)
    await jobs.use(path, aside)
    for command in ("one", "two"):
        await jobs.add(int(clock.time()), 0, command, aside)
    left = [1]

    async def once(work: Callable[..., Any], *arguments: object) -> Any:
        if not left:
            raise sqlite3.OperationalError("disk I/O error")
        left.pop()
        return work(*arguments)

    assert [each.command for each in await jobs.due(once)] == ["one"]
    assert [each.command for each in await jobs.due(aside)] == ["two"]


async def test_a_job_that_is_deleted_while_it_comes_due_does_not_come_back(tmp_path: Path) -> None:
    clock, path = FakeClock(), str(tmp_path / "sched.db")
    jobs = made(clock)
    await jobs.use(path, aside)
    await jobs.add(int(clock.time()), 60, "one", aside)
    meanwhile = [1]

    async def slow(work: Callable[..., Any], *arguments: object) -> Any:
        if meanwhile:
            meanwhile.pop()
            await jobs.delete(1, aside)
        return work(*arguments)

    assert await jobs.due(slow) == []
    assert Store(path).load() == []


async def test_jobs_are_bounded_and_need_the_module(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = Schedule(FakeClock())
    with pytest.raises(CommandError, match="no module sched"):
        await jobs.add(0, 0, "one", aside)
    monkeypatch.setattr(schedule, "MOST", 1)
    jobs.configured = True
    await jobs.add(0, 0, "one", aside)
    with pytest.raises(CommandError, match="as many as there may be"):
        await jobs.add(0, 0, "two", aside)
    with pytest.raises(CommandError, match="no job 7"):
        await jobs.delete(7, aside)
