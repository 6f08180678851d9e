"""A directory of segments, written at its end."""

import errno
from random import Random

import hypothesis.strategies as st
import pytest
from hypothesis import given

from angarium.journal.errors import FormatError
from angarium.journal.log import Landed, Log, Manner
from angarium.journal.record import END
from angarium.journal.scan import Found, Scan, complete
from angarium.journal.segment import CUT, RESERVE, SPARE, Segment, name_of, survey
from helpers.disk import MemoryDisk
from helpers.formats import newer

KIND = 16
DATA = Manner("data", 400, spares=2)
STATE = Manner("state", 400, keep=True, spares=1, reserve=400)


def log_on(disk: MemoryDisk, manner: Manner = DATA) -> Log:
    disk.make_dir("/log")
    log = Log(disk, "/log", manner, random=Random(1), clock=lambda: 1.0)
    log.resume(survey(disk, "/log", manner.kind))
    return log


def trip(log: Log, *, sync: bool = True, even_nothing: bool = False) -> Landed:
    """What the group commit does with one log."""
    landed = log.write(log.take(even_nothing=even_nothing), sync=sync)
    log.landed(landed)
    return landed


def records(disk: MemoryDisk, kind: str = "data") -> list[tuple[int, bytes]]:
    """What recovery would read."""
    taken: list[Found] = []
    segments = survey(disk, "/log", kind).segments
    for segment, following in zip(segments, [*segments, None][1:], strict=True):
        handle = disk.open(f"/log/{name_of(segment.sequence)}")
        ceiling = following.floor if following is not None else 1 << 64
        follows = following is not None and not following.flags & CUT
        scan = Scan(disk, handle, segment, taken.append, ceiling=ceiling, follows=follows)
        assert not complete(scan.run()).gaps
        disk.close(handle)
    return [(each.number, each.meta) for each in taken]


def test_records_are_numbered_and_read_in_order() -> None:
    disk = MemoryDisk()
    log = log_on(disk)
    for number in range(20):
        log.append(KIND, b"record %d" % number)
        assert log.number == number + 2
    assert (log.written, log.waiting > 0) == (0, True)
    trip(log)
    assert (log.written, log.synced, log.waiting) == (20, 20, 0)
    assert records(disk) == [(n + 1, b"record %d" % n) for n in range(20)]
    assert len(log.segments) > 2


def test_nothing_waits_means_nothing_to_take() -> None:
    log = log_on(MemoryDisk())
    assert log.take() == []
    log.append(KIND, b"x")
    trip(log)
    assert log.take() == []
    assert len(log.take(even_nothing=True)) == 1


def test_a_record_larger_than_a_segment_gets_one_of_its_own() -> None:
    disk = MemoryDisk()
    log = log_on(disk)
    log.append(KIND, b"small")
    log.append(KIND, b"large", [b"x" * 1000], 1000, 0)
    log.append(KIND, b"small")
    trip(log)
    assert [number for number, _ in records(disk)] == [1, 2, 3]
    assert [len(disk.content(f"/log/{name_of(n)}")) for n in (1, 3)] == [400, 400]


def test_a_closed_segment_says_so_and_takes_no_number() -> None:
    disk = MemoryDisk()
    log = log_on(disk)
    log.append(KIND, b"one")
    log.roll()
    log.append(KIND, b"two")
    trip(log)
    assert [number for number, _ in records(disk)] == [1, 2]
    handle = disk.open(f"/log/{name_of(1)}")
    outcome = complete(Scan(disk, handle, log.segments[1], lambda _: None).run())
    assert (outcome.ended, outcome.last) == (True, 1)
    assert END != KIND


def test_after_a_restart_numbers_are_above_any_that_may_have_been_given() -> None:
    disk = MemoryDisk()
    log = log_on(disk)
    for _ in range(5):
        log.append(KIND, b"x")
    trip(log)
    again = log_on(disk)
    assert again.number > 5
    again.append(KIND, b"y")
    trip(again)
    assert [meta for _, meta in records(disk)] == [b"x"] * 5 + [b"y"]


def test_numbers_and_sequences_do_not_go_below_what_is_known() -> None:
    disk = MemoryDisk()
    log = log_on(disk)
    log.resume(survey(disk, "/log", "data"), number=1000, sequence=30)
    assert (log.number, log.segment.sequence) == (1000, 31)


def test_a_failed_sync_seals_and_voids_what_it_was_for() -> None:
    disk = MemoryDisk()
    log = log_on(disk)
    log.append(KIND, b"safe")
    trip(log)
    log.append(KIND, b"refused")
    disk.fail_at(2)  # written, and then not synced
    failed = trip(log)
    assert (failed.last, isinstance(failed.error, OSError)) == (0, True)
    log.append(KIND, b"next")
    trip(log)
    assert records(disk) == [(1, b"safe"), (3, b"next")]


def test_a_log_that_keeps_writes_again_what_was_not_synced() -> None:
    disk = MemoryDisk()
    log = log_on(disk, STATE)
    log.append(KIND, b"one")
    trip(log)
    log.append(KIND, b"two")
    trip(log, sync=False)
    log.append(KIND, b"three")
    disk.fail_at(2)
    trip(log)
    assert log.waiting > 0
    log.append(KIND, b"four")
    trip(log)
    assert records(disk, "state") == [(1, b"one"), (2, b"two"), (3, b"three"), (4, b"four")]
    assert log.synced == 4


def test_what_comes_in_while_a_trip_fails_is_not_lost_by_a_log_that_keeps() -> None:
    disk = MemoryDisk()
    log = log_on(disk, STATE)
    log.append(KIND, b"one")
    parts = log.take()
    log.append(KIND, b"two")
    disk.break_down()
    log.landed(log.write(parts, sync=True))
    disk.repair()
    trip(log)
    assert records(disk, "state") == [(1, b"one"), (2, b"two")]


def test_the_part_of_a_trip_that_was_durable_counts() -> None:
    """The trip goes over two segments; the second can't be made."""
    disk = MemoryDisk()
    log = log_on(disk)
    trip(log, even_nothing=True)
    for _ in range(6):
        log.append(KIND, b"12345678")
    first = max(each.last for each in log._parts if each.closing)
    disk.capacity = disk.used
    landed = trip(log)
    assert landed.error is not None
    assert landed.error.errno == errno.ENOSPC
    assert (landed.last, log.written) == (first, log.number - 1)
    assert [number for number, _ in records(disk)] == list(range(1, first + 1))


def test_the_reserve_serves_when_the_disk_is_full() -> None:
    disk = MemoryDisk()
    log = log_on(disk, STATE)
    log.make_reserve()
    disk.capacity = disk.used
    log.append(KIND, b"recorded all the same")
    landed = trip(log)
    assert (landed.error, landed.reserve, log.has_reserve) == (None, True, False)
    assert RESERVE not in disk.names("/log")
    assert [meta for _, meta in records(disk, "state")] == [b"recorded all the same"]
    disk.capacity *= 2
    log.make_reserve()
    assert log.has_reserve


def test_a_full_disk_is_a_failure_where_there_is_no_reserve() -> None:
    disk = MemoryDisk()
    log = log_on(disk)
    disk.capacity = 10
    log.append(KIND, b"x")
    assert trip(log).error is not None
    assert disk.names("/log") == [], "the half-made file is in the way"


def test_files_are_used_again_and_then_hold_nothing_of_before() -> None:
    disk = MemoryDisk()
    log = log_on(disk)
    for _ in range(6):
        log.append(KIND, b"old" * 20)
    trip(log)
    old = [each for each in log.segments.values() if each is not log.segment]
    for each in old:
        del log.segments[each.sequence]
    log.recycle(old)
    spares = [name for name in disk.names("/log") if name.startswith(SPARE)]
    assert len(spares) == 2, "no more than that is kept"
    log.roll()
    log.append(KIND, b"new")
    trip(log)
    assert len(disk.names("/log")) == len(spares) + 1
    assert records(disk)[-1] == (7, b"new")


class Stubborn(MemoryDisk):
    """A disk on which some files cannot be renamed."""

    def __init__(self) -> None:
        super().__init__()
        self.stubborn: set[str] = set()

    def rename(self, old: str, new: str) -> None:
        if old in self.stubborn:
            raise OSError(errno.EIO, "it will not", old)
        super().rename(old, new)


def old_segments(log: Log) -> list[Segment]:
    """Fill some segments; return those which are no longer needed, and forgotten by the log."""
    for number in range(6):
        log.append(KIND, b"%d" % number * 150)
    trip(log)
    old = [each for each in log.segments.values() if each is not log.segment]
    for each in old:
        del log.segments[each.sequence]
    return old


def test_a_file_which_cannot_be_put_aside_does_not_keep_the_others_and_is_tried_again() -> None:
    disk = Stubborn()
    log = log_on(disk)
    first, second, *_ = old = old_segments(log)
    disk.stubborn = {f"/log/{name_of(first.sequence)}"}
    with pytest.raises(OSError, match="it will not"):
        log.recycle(old)
    assert name_of(first.sequence) in disk.names("/log")
    assert name_of(second.sequence) not in disk.names("/log")
    disk.stubborn.clear()
    log.recycle([])
    assert [name for name in disk.names("/log") if name.endswith(".seg")] == [
        name_of(log.segment.sequence)
    ]


def test_a_segment_which_could_not_be_made_is_nothing_to_put_aside() -> None:
    disk = MemoryDisk()
    log = log_on(disk)
    old = old_segments(log)
    disk.unlink(f"/log/{name_of(old[0].sequence)}")
    log.recycle(old)
    assert len(survey(disk, "/log", "data").segments) == 1


@pytest.mark.parametrize("fault", ["gone", "stubborn"])
def test_a_spare_file_which_cannot_be_used_is_no_lasting_hindrance(fault: str) -> None:
    disk = Stubborn()
    log = log_on(disk)
    log.recycle(old_segments(log))
    spares = [f"/log/{name}" for name in disk.names("/log") if name.startswith(SPARE)]
    if fault == "gone":
        for spare in spares:
            disk.unlink(spare)
    else:
        disk.stubborn = {spares[-1]}
    log.roll()
    log.append(KIND, b"new")
    while trip(log, even_nothing=True).error is not None:
        log.append(KIND, b"new")
    assert records(disk)[-1][1] == b"new"
    assert sum(name.startswith(SPARE) for name in disk.names("/log")) <= DATA.spares


def test_a_newer_version_is_refused_and_left_alone() -> None:
    disk = MemoryDisk()
    log = log_on(disk)
    log.append(KIND, b"x")
    trip(log)
    path = f"/log/{name_of(1)}"
    disk.damage(path, 0, newer(disk.content(path)))
    before = dict.fromkeys(disk.names("/log")), disk.content(f"/log/{name_of(1)}")
    with pytest.raises(FormatError):
        log_on(disk)
    assert before == (dict.fromkeys(disk.names("/log")), disk.content(f"/log/{name_of(1)}"))


@given(st.data())
def test_whatever_fails_a_log_that_keeps_loses_nothing(data: st.DataObject) -> None:
    """... of what it called durable before the power went, nor anything while it lives."""
    disk = MemoryDisk()
    log = log_on(disk, STATE)
    written = durable = 0
    for _ in range(data.draw(st.integers(1, 12))):
        for _ in range(data.draw(st.integers(0, 3))):
            written += 1
            log.append(KIND, b"%d" % written)
        if data.draw(st.booleans()):
            disk.fail_at(data.draw(st.integers(1, 3)))
        trip(log, sync=data.draw(st.booleans()), even_nothing=data.draw(st.booleans()))
        durable = max(durable, log.synced)
    image = disk.power_cut(lambda n: data.draw(st.integers(0, n - 1)))
    after = records(image, "state")
    assert after == [(n, b"%d" % n) for n in range(1, len(after) + 1)]
    assert len(after) >= durable
    disk.repair()
    trip(log, even_nothing=True)
    trip(log, even_nothing=True)
    assert len(records(disk, "state")) == written


def test_numbers_are_not_given_twice_where_a_power_cut_made_the_file_shorter() -> None:
    """A reader may have read them, and would take what comes under them for old."""
    manner = Manner("rejects", 4000, allocate=False)
    disk = MemoryDisk()
    log = log_on(disk, manner)
    for _ in range(10):
        log.append(KIND, b"read by somebody")
        trip(log, sync=False)
    disk.kill()
    again = log_on(disk.power_cut(lambda n: 0), manner)
    assert again.number > 10
