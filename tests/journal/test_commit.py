"""Group commit: what waits goes together, in order, and is told at once."""

import asyncio
import errno
import threading
from collections.abc import Iterator
from random import Random

import pytest

from angarium.core.errors import Error
from angarium.journal.commit import COMPANY, ENOUGH, Commit, Lane, ThreadExecutor
from angarium.journal.log import Landed, Log, Manner
from helpers.clock import FakeLoop
from helpers.disk import MemoryDisk
from helpers.spool import LoopChains, LoopExecutor

KIND = 16


class Setting:
    """Three logs of one commit, on a disk in memory."""

    def __init__(self, loop: FakeLoop) -> None:
        self.loop = loop
        self.disk = MemoryDisk()
        self.told: list[str] = []
        self.data = self.lane("data", eager=True, sync=True)
        self.state = self.lane("state", keep=True)
        self.stream = self.lane("stream", keep=True, kind=KIND)
        self.commit = Commit(
            LoopExecutor(loop), loop, [self.data, self.state, self.stream], self.after,
            linger=0.005,
        )  # fmt: skip

    def lane(self, name: str, *, keep: bool = False, **kinds: object) -> Lane:
        self.disk.make_dir(f"/{name}")
        manner = Manner(name, 1 << 16, keep=keep)
        log = Log(self.disk, f"/{name}", manner, random=Random(3), clock=lambda: 1.0)

        def landed(what: Landed) -> None:
            self.told.append(f"{name} {'failed' if what.error else what.last}")

        return Lane(log, landed, sync_within=0.1, **kinds)  # type: ignore[arg-type]

    def after(self) -> None:
        self.told.append("after")

    def run(self, seconds: float = 0.004) -> list[str]:
        """Let time pass; return what was told meanwhile."""
        self.loop.run_until_complete(asyncio.sleep(seconds))
        told, self.told = self.told, []
        return told

    def synced(self, lane: Lane) -> bool:
        return not lane.log.unsynced


@pytest.fixture
def s() -> Iterator[Setting]:
    loop = FakeLoop()
    yield Setting(loop)
    loop.close()


def test_what_somebody_waits_for_goes_at_once_and_is_synced(s: Setting) -> None:
    s.data.log.append(KIND, b"x")
    s.commit.soon()
    assert s.run() == ["data 1", "after"]
    assert s.synced(s.data)


def test_a_burst_is_one_trip(s: Setting) -> None:
    for _ in range(100):
        s.data.log.append(KIND, b"x")
        s.commit.soon()
    assert s.run() == ["data 100", "after"]
    assert s.commit.trips == 1


def dense(s: Setting) -> None:
    """Let trips carry several appends for so long that company is to be expected."""
    for _ in range(20):
        for _ in range(3):
            s.data.log.append(KIND, b"x")
            s.commit.soon()
        s.run(0.001)
    s.run(0.01)


def test_where_appends_are_dense_a_trip_waits_for_company(s: Setting) -> None:
    dense(s)
    before = s.commit.trips
    s.data.log.append(KIND, b"x")
    s.commit.soon()
    assert s.run(COMPANY / 2) == []
    s.data.log.append(KIND, b"x")
    s.commit.soon()
    assert s.run(COMPANY)[-1] == "after"
    assert s.commit.trips == before + 1


def test_it_waits_no_longer_when_enough_have_come(s: Setting) -> None:
    dense(s)
    before = s.commit.trips
    for _ in range(ENOUGH):
        s.data.log.append(KIND, b"x")
        s.commit.soon()
    assert s.run(COMPANY / 4)[-1] == "after"
    s.run(2 * COMPANY)
    assert s.commit.trips == before + 1


def test_who_comes_alone_again_and_again_is_never_kept_waiting(s: Setting) -> None:
    for _ in range(100):
        s.data.log.append(KIND, b"x")
        s.commit.soon()
        assert s.run(COMPANY / 8)[-1] == "after"


def test_where_they_have_become_sparse_none_waits(s: Setting) -> None:
    dense(s)
    for _ in range(30):
        s.data.log.append(KIND, b"x")
        s.commit.soon()
        s.run(0.1)
    s.data.log.append(KIND, b"x")
    s.commit.soon()
    assert s.run(COMPANY / 4)[-1] == "after"


def test_what_may_wait_lingers_and_then_goes_together(s: Setting) -> None:
    for _ in range(3):
        s.state.log.append(KIND, b"x")
        s.commit.later()
    assert s.run(0.004) == []
    assert s.run(0.004) == ["state 3", "after"]
    assert not s.synced(s.state)


def test_what_may_wait_rides_along_with_what_may_not(s: Setting) -> None:
    s.state.log.append(KIND, b"x")
    s.commit.later()
    s.data.log.append(KIND, b"x")
    s.commit.soon()
    assert s.run() == ["data 1", "state 1", "after"]


def test_written_records_are_synced_in_time(s: Setting) -> None:
    s.state.log.append(KIND, b"x")
    s.commit.later()
    s.run(0.05)
    assert not s.synced(s.state)
    s.run(0.1)
    assert s.synced(s.state)


def test_what_was_gathered_becomes_one_record(s: Setting) -> None:
    for number in range(5):
        s.stream.gather.append(b"%d" % number)
        s.commit.later()
    assert s.run(0.01) == ["stream 1", "after"]
    assert b"01234" in s.disk.content("/stream/0000000001.seg")


def test_flush_makes_everything_durable(s: Setting) -> None:
    s.state.log.append(KIND, b"x")
    s.stream.gather.append(b"y")
    flushed: list[bool] = []
    s.commit.flush(flushed.append)
    s.run()
    assert flushed == [True]
    assert s.synced(s.state)
    assert s.synced(s.stream)


def test_a_flush_that_failed_says_so(s: Setting) -> None:
    s.state.log.append(KIND, b"x")
    s.disk.break_down()
    flushed: list[bool] = []
    s.commit.flush(flushed.append)
    s.run()
    assert flushed == [False]


def test_after_one_failure_a_log_goes_on_by_itself(s: Setting) -> None:
    s.state.log.append(KIND, b"x")
    s.commit.later()
    s.disk.fail_at(1)
    assert s.run(0.02) == ["state failed", "after", "state 1", "after"]
    assert (s.state.failures, s.state.resting) == (0, False)


def test_after_two_failures_it_rests_until_the_disk_is_well(s: Setting) -> None:
    s.state.log.append(KIND, b"x")
    s.commit.later()
    s.disk.break_down()
    assert s.run(0.02) == ["state failed", "after", "state failed", "after"]
    assert s.state.resting
    s.commit.probe()
    assert s.run(0.02) == ["state failed", "after"]
    s.disk.repair()
    s.commit.probe()
    assert s.run(0.02) == ["state 1", "after"]
    assert not s.state.resting


def test_a_full_disk_is_not_tried_twice(s: Setting) -> None:
    s.state.log.append(KIND, b"x")
    s.commit.later()
    s.disk.break_down(errno.ENOSPC)
    assert s.run(0.02) == ["state failed", "after"]
    assert (s.state.resting, s.state.full) == (True, True)


def test_the_failure_of_one_log_leaves_the_others(s: Setting) -> None:
    s.data.log.append(KIND, b"x")
    s.state.log.append(KIND, b"y")
    s.commit.soon()
    s.disk.fail_at(1)
    told = s.run(0.02)
    assert told[:2] == ["data failed", "state 1"]


def test_what_comes_while_a_trip_is_under_way_is_the_next_group(s: Setting) -> None:
    s.data.log.append(KIND, b"x")
    s.commit.soon()
    s.loop.run_until_complete(asyncio.sleep(0))
    s.loop.run_until_complete(asyncio.sleep(0))
    for _ in range(10):
        s.data.log.append(KIND, b"x")
        s.commit.soon()
    assert s.run(0.02) == ["data 1", "after", "data 11", "after"]


async def test_a_thread_runs_jobs_in_order_and_tells_the_loop() -> None:
    loop = asyncio.get_running_loop()
    executor = ThreadExecutor(loop, "test", lambda: None)
    told: list[object] = []
    end = loop.create_future()
    here = threading.get_ident()

    def where() -> bool:
        return threading.get_ident() == here

    def fail() -> None:
        raise Error("foreseen")

    executor.submit(where, lambda result, failure: told.append((result, failure)))
    executor.submit(fail, lambda result, failure: told.append((result, str(failure))))
    executor.submit(lambda: None, lambda *_: end.set_result(None))
    await end
    executor.stop()
    assert told == [(False, None), (None, "foreseen")]


async def test_a_thread_that_dies_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    died = loop.create_future()
    executor = ThreadExecutor(loop, "test", lambda: died.set_result(True))
    shown = threading.Event()
    monkeypatch.setattr(threading, "excepthook", lambda _: shown.set())

    def bug() -> None:
        raise ZeroDivisionError

    executor.submit(bug, lambda *_: None)
    assert await died
    assert shown.wait(90.0)


class Chained(Setting):
    """The same, where the kernel does what it can."""

    def __init__(self, loop: FakeLoop) -> None:
        super().__init__(loop)
        self.commit = Commit(
            LoopExecutor(loop), loop, [self.data, self.state, self.stream], self.after,
            linger=0.005, chains=LoopChains(self.disk, loop),
        )  # fmt: skip
        self.data.log.append(KIND, b"the first makes the file")
        self.state.log.append(KIND, b"s")
        self.commit.soon()
        self.run()


@pytest.fixture
def chained() -> Iterator[Chained]:
    loop = FakeLoop()
    yield Chained(loop)
    loop.close()


def test_a_chain_is_told_of_as_a_trip_of_the_thread_is(chained: Chained) -> None:
    chained.data.log.append(KIND, b"d")
    chained.state.log.append(KIND, b"s")
    chained.commit.soon()
    assert chained.run() == ["data 2", "state 2", "after"]
    assert chained.synced(chained.data)
    assert not chained.synced(chained.state)


def test_a_step_that_fails_is_its_logs_failure_and_the_others_go_on(chained: Chained) -> None:
    chained.data.log.append(KIND, b"d")
    chained.state.log.append(KIND, b"s")
    chained.disk.fail_at(3)  # the sync of the data, behind all writes
    chained.commit.soon()
    told = chained.run()
    assert told[:2] == ["data failed", "state 2"]


def test_a_write_in_part_is_written_again_whole(chained: Chained) -> None:
    chained.data.log.append(KIND, b"d")
    chained.disk.fail_at(1, errno.EIO, short=True)
    chained.commit.soon()
    assert chained.run()[0] == "data 2"
    assert chained.synced(chained.data)


def test_a_ring_that_takes_nothing_is_not_asked_again(chained: Chained) -> None:
    class Broken:
        asked = 0

        def submit(self, chain: object, done: object) -> None:
            self.asked += 1
            raise OSError(errno.EBUSY, "no room")

    broken = Broken()
    chained.commit._chains = broken
    for number in (2, 3):
        chained.data.log.append(KIND, b"d")
        chained.commit.soon()
        assert chained.run()[0] == f"data {number}"
    assert broken.asked == 1
