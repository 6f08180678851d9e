"""What a shard does by itself beside the mail."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from angarium.core.errors import Error
from angarium.journal.reader import Tail
from helpers.disk import MemoryDisk
from helpers.faultydisk import Fault, FaultyDisk
from helpers.spool import HOME, SMALL, Life


@pytest.fixture
def life() -> Life:
    return Life(MemoryDisk()).start()


def churn(life: Life, count: int, size: int = 1000) -> None:
    """Let mail come and go."""
    for _ in range(count):
        life.deliver(life.put(body=b"x" * size)[0])


def test_much_state_makes_a_checkpoint_and_frees_what_came_before(life: Life) -> None:
    churn(life, 60)
    life.pass_time(10.0)
    assert life.keeper().checkpoints >= 1
    states = [name for name in life.disk.names(f"{HOME}/state") if name.endswith(".seg")]
    assert len(states) <= 2
    assert len(life.disk.names(f"{HOME}/checkpoints")) == 1


def test_what_is_settled_takes_no_room_for_long(life: Life) -> None:
    for _ in range(8):
        churn(life, 30)
        life.pass_time(3.0)
    used = [name for name in life.disk.names(f"{HOME}/data") if name.endswith(".seg")]
    assert len(used) <= 2 + 1
    assert life.spool.counts()["delivered"] == 240


def test_files_are_used_again(life: Life) -> None:
    for _ in range(8):
        churn(life, 10)
        life.pass_time(3.0)
    first = {id(file) for file in life.disk._files()}
    for _ in range(8):
        churn(life, 10)
        life.pass_time(3.0)
    data = [life.disk.names_cached[f"{HOME}/data/{n}"] for n in life.disk.names(f"{HOME}/data")]
    assert all(id(file) in first for file in data)


@pytest.mark.effect("checkpoint_interval")
def test_a_checkpoint_is_due_after_some_time_too() -> None:
    life = Life(
        MemoryDisk(), replace(SMALL, checkpoint_octets=1 << 16, checkpoint_seconds=30.0)
    ).start()
    churn(life, 3)
    life.pass_time(20.0)
    assert life.keeper().checkpoints == 0
    life.pass_time(20.0)
    assert life.keeper().checkpoints == 1
    life.pass_time(300.0)
    assert life.keeper().checkpoints == 1, "nothing happened since"


def test_mail_which_only_comes_makes_a_checkpoint_due() -> None:
    """It changes no state, and a restart would read all of it."""
    life = Life(
        MemoryDisk(), replace(SMALL, checkpoint_octets=1 << 16, checkpoint_seconds=30.0)
    ).start()
    for _ in range(20):
        life.put()
    life.pass_time(40.0)
    assert life.keeper().checkpoints == 1
    again = Life(life.kill(), start=life.loop.time()).start()
    again.pass_time(300.0)
    assert again.keeper().checkpoints == 0, "nothing happened since"
    assert len(again.spool) == 20


def test_a_checkpoint_that_fails_is_told_and_tried_again(life: Life) -> None:
    churn(life, 10)
    life.pass_time(0.5)
    life.disk.fail_at(1)
    told: list[object] = []
    life.keeper().checkpoint(told.append)
    life.pass_time(0.5)
    assert told[0] is not None
    assert life.keeper().checkpoints == 0
    life.keeper().checkpoint(told.append)
    life.pass_time(0.5)
    assert told[1] is None
    life = Life(life.kill()).start()
    assert life.spool.counts()["delivered"] == 10


def streams(life: Life) -> list[str]:
    return [name for name in life.disk.names(f"{HOME}/events") if name.endswith(".seg")]


def test_what_a_checkpoint_frees_is_freed_although_some_of_it_cannot_be() -> None:
    disk = FaultyDisk()
    life = Life(disk).start()
    churn(life, 30)
    disk.plan = Fault("rename", "state/segment", lasting=True)
    life.pass_time(10.0)
    assert disk.failed
    assert any("writing a checkpoint" in str(each) for each in life.alarms)
    used = [name for name in disk.names(f"{HOME}/data") if name.endswith(".seg")]
    assert len(used) <= 2
    disk.plan = None
    life.keeper().checkpoint(lambda failure: None)
    life.pass_time(2.0)
    states = [name for name in disk.names(f"{HOME}/state") if name.endswith(".seg")]
    assert len(states) <= 2


@pytest.mark.effect("event_retention")
def test_events_are_kept_until_readers_have_passed_and_then_a_while() -> None:
    life = Life(MemoryDisk(), replace(SMALL, retention_seconds=100.0))
    passed: dict[str, int] = {}
    life.means.passed = lambda: passed
    life.start()
    churn(life, 100, size=10)
    life.pass_time(300.0)
    many = len(streams(life))
    assert many > 2
    passed["000/events"] = 1 << 60
    life.pass_time(30.0)
    assert len(streams(life)) < many


def test_a_clock_set_forward_and_back_makes_no_event_old() -> None:
    life = Life(MemoryDisk(), replace(SMALL, retention_seconds=1000.0))
    life.means.passed = lambda: {"000/events": 1 << 60}
    life.start()
    churn(life, 100, size=10)
    many = len(streams(life))
    for jump in (3600.0, -7200.0, 3600.0):
        life.loop.clock.set(life.loop.clock.time() + jump)
        life.pass_time(30.0)
        assert len(streams(life)) == many
    life.pass_time(1000.0)
    assert len(streams(life)) < many


@pytest.mark.effect("event_retention_size")
def test_events_do_not_fill_the_disk_even_if_nobody_reads_them() -> None:
    life = Life(MemoryDisk(), replace(SMALL, retention_octets=3 * 8192)).start()
    churn(life, 150, size=10)
    life.pass_time(30.0)
    assert len(streams(life)) <= 3
    assert any("lost to a reader" in str(alarm) for alarm in life.alarms)


def test_what_readers_have_passed_may_be_too_much_without_an_alarm() -> None:
    life = Life(MemoryDisk(), replace(SMALL, retention_octets=3 * 8192))
    read: Mapping[str, int] = {"000/events": 1 << 60}
    life.means.passed = lambda: read
    life.start()
    churn(life, 150, size=10)
    life.pass_time(30.0)
    assert not life.alarms


def test_a_stop_tells_all_events_and_ends_every_log(life: Life) -> None:
    churn(life, 3)
    life.stop()
    tail = Tail(life.disk, f"{HOME}/events", "events")
    assert tail.read(0, 100)
    assert life.disk.locked == {}
    assert not life.disk.handles or all("seg" in path for path, _ in life.disk.handles.values())


def test_a_stop_with_a_broken_disk_says_so(life: Life) -> None:
    (ident,) = life.put()
    life.pass_time(0.5)
    life.deliver(ident)
    life.disk.break_down()
    with pytest.raises(Error):
        life.run(life.spool.close())
    life.loop.close()


def test_a_name_that_is_no_shards_is_refused(life: Life) -> None:
    with pytest.raises(Error, match="three digits"):
        life.run(life.spool.adopt("/spool/x01"))
