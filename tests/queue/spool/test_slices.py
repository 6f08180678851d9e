"""Long work in slices."""

import asyncio
from collections.abc import Iterator
from itertools import pairwise

import pytest

from angarium.core.errors import Error
from angarium.queue.spool.slices import Slices, Until, Work
from helpers.clock import FakeLoop
from helpers.spool import LoopExecutor


@pytest.fixture
def loop() -> Iterator[FakeLoop]:
    loop = FakeLoop()
    yield loop
    loop.close()


def run(loop: FakeLoop, work: Work, steps: int = 1 << 30) -> list[object]:
    slices = Slices(loop, loop.clock, LoopExecutor(loop), loop.time)  # busy all the time
    slices.steps = steps
    told: list[object] = []
    slices.run(work, told.append)
    loop.run_until_complete(asyncio.sleep(1.0))
    return told


def test_work_runs_to_its_end(loop: FakeLoop) -> None:
    done = []

    def work() -> Work:
        for number in range(5):
            done.append(number)
            yield None

    assert run(loop, work()) == [None]
    assert done == [0, 1, 2, 3, 4]


def test_others_have_their_turn_between_slices(loop: FakeLoop) -> None:
    order = []

    def work(name: str) -> Work:
        for _ in range(3):
            order.append(name)
            yield None

    slices = Slices(loop, loop.clock, LoopExecutor(loop), loop.time)
    slices.steps = 1
    for name in "ab":
        slices.run(work(name), lambda failure: None)
    loop.run_until_complete(asyncio.sleep(1.0))
    assert "".join(order) == "ababab"


def test_a_slice_ends_with_its_time(loop: FakeLoop) -> None:
    times = []

    def work() -> Work:
        for _ in range(4):
            times.append(loop.clock.monotonic())
            loop.clock.advance(0.0015)
            yield None

    run(loop, work())
    waits = [round(b - a, 4) for a, b in pairwise(times)]
    assert waits == [0.0015, 0.0075, 0.0015]


def test_jobs_run_elsewhere_and_bring_their_result_or_failure(loop: FakeLoop) -> None:
    seen: list[object] = []

    def fail() -> None:
        raise OSError(5, "broken")

    def work() -> Work:
        seen.append((yield lambda: 7))
        try:
            yield fail
        except OSError as error:
            seen.append(error.errno)

    assert run(loop, work()) == [None]
    assert seen == [7, 5]


def test_a_failure_is_told(loop: FakeLoop) -> None:
    def work() -> Work:
        yield None
        raise Error("no way")

    (failure,) = run(loop, work())
    assert str(failure) == "no way"


def test_work_may_wait_for_the_loop(loop: FakeLoop) -> None:
    seen = []

    def work() -> Work:
        seen.append((yield Until(lambda resume: loop.call_later(0.1, resume, "now"))))

    assert run(loop, work()) == [None]
    assert seen == ["now"]


def test_stopped_work_is_left_and_cleaned_up(loop: FakeLoop) -> None:
    ended = []

    def work() -> Work:
        try:
            while True:
                yield None
        finally:
            ended.append(True)

    slices = Slices(loop, loop.clock, LoopExecutor(loop), loop.time)
    slices.steps = 1
    told: list[object] = []
    slices.run(work(), told.append)
    loop.run_until_complete(asyncio.sleep(0.05))
    slices.stop()
    loop.run_until_complete(asyncio.sleep(0.05))
    assert (ended, told) == ([True], [])


@pytest.mark.parametrize(("busy", "share"), [(0.0, 0.75), (1.0, 0.25)], ids=["idle", "busy"])
def test_it_takes_a_quarter_of_a_loop_which_is_busy_and_most_of_one_which_is_not(
    loop: FakeLoop, busy: float, share: float
) -> None:
    """The thread computes in each slice, and as much as `busy` says of the rests between."""
    begun = loop.time()
    worked = 0.0

    def cpu() -> float:
        return worked + busy * (loop.time() - begun - worked)

    def work() -> Work:
        nonlocal worked
        while True:
            loop.clock.advance(0.0005)
            worked += 0.0005
            yield None

    slices = Slices(loop, loop.clock, LoopExecutor(loop), cpu)
    slices.run(work(), lambda failure: None)
    loop.run_until_complete(asyncio.sleep(1.0))
    slices.stop()
    loop.run_until_complete(asyncio.sleep(0.1))
    assert worked / (loop.time() - begun - 0.1) == pytest.approx(share, abs=0.08)
