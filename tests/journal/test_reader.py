"""Following a log while it is written."""

from random import Random

import hypothesis.strategies as st
from hypothesis import given

from angarium.journal.log import Log, Manner
from angarium.journal.reader import STUCK, Tail
from angarium.journal.segment import name_of, survey
from helpers.disk import MemoryDisk

KIND = 64
MANNER = Manner("events", 400, keep=True)


def writer(disk: MemoryDisk) -> Log:
    disk.make_dir("/log")
    log = Log(disk, "/log", MANNER, random=Random(2), clock=lambda: 1.0)
    log.resume(survey(disk, "/log", "events"))
    return log


def write(log: Log, *metas: bytes, sync: bool = False) -> None:
    for meta in metas:
        log.append(KIND, meta)
    log.landed(log.write(log.take(even_nothing=sync), sync=sync))


def test_records_come_as_they_are_written() -> None:
    disk = MemoryDisk()
    log, tail = writer(disk), Tail(disk, "/log", "events")
    assert tail.read(0, 10) == []
    write(log, b"one", b"two")
    assert tail.read(0, 10) == [(1, b"one"), (2, b"two")]
    assert tail.read(2, 10) == []
    write(log, b"three")
    assert tail.read(2, 10) == [(3, b"three")]


def test_no_more_is_given_than_was_asked_for() -> None:
    disk = MemoryDisk()
    log, tail = writer(disk), Tail(disk, "/log", "events")
    write(log, *(b"%d" % number for number in range(30)))
    assert [number for number, _ in tail.read(0, 7)] == [1, 2, 3, 4, 5, 6, 7]
    assert [number for number, _ in tail.read(7, 2)] == [8, 9]


def test_a_reader_follows_into_the_next_segment() -> None:
    disk = MemoryDisk()
    log, tail = writer(disk), Tail(disk, "/log", "events")
    write(log, b"one")
    assert len(tail.read(0, 10)) == 1
    write(log, *(b"%d" % number for number in range(30)))
    assert len(tail.read(1, 100)) == 30


def test_a_reader_follows_the_next_life_of_the_writer() -> None:
    disk = MemoryDisk()
    tail = Tail(disk, "/log", "events")
    write(writer(disk), b"one", b"two")
    assert len(tail.read(0, 10)) == 2
    second = writer(disk)
    write(second, b"three")
    found = tail.read(2, 10) or tail.read(2, 10)
    assert [meta for _, meta in found] == [b"three"]
    assert found[0][0] > 2


def test_a_reader_may_begin_anywhere() -> None:
    disk = MemoryDisk()
    log = writer(disk)
    write(log, *(b"%d" % number for number in range(1, 31)))
    tail = Tail(disk, "/log", "events")
    assert tail.read(20, 2) == [(21, b"21"), (22, b"22")]
    assert tail.read(4, 1) == [(5, b"5")]
    assert tail.missed == 0


def test_what_retention_took_is_counted_and_passed() -> None:
    disk = MemoryDisk()
    log = writer(disk)
    write(log, *(b"%d" % number for number in range(1, 31)))
    tail = Tail(disk, "/log", "events")
    assert tail.read(0, 2)[0] == (1, b"1")
    tail.close()
    gone = log.segments.pop(1)
    log.recycle([gone])
    first = log.segments[2].first
    assert tail.read(2, 1) == [(first, b"%d" % first)]
    assert tail.missed == 1


def test_what_is_written_again_after_a_failure_is_read_once() -> None:
    disk = MemoryDisk()
    log, tail = writer(disk), Tail(disk, "/log", "events")
    write(log, b"one", b"two")
    assert len(tail.read(0, 10)) == 2
    disk.fail_at(2)
    write(log, b"three", sync=True)  # written, not synced: sealed
    write(log, b"four")
    found = tail.read(2, 10) or tail.read(2, 10)
    found += tail.read(found[-1][0], 10) or tail.read(found[-1][0], 10)
    assert found == [(3, b"three"), (4, b"four")]


def test_a_record_half_written_is_waited_for() -> None:
    disk = MemoryDisk()
    log, tail = writer(disk), Tail(disk, "/log", "events")
    write(log, b"one")
    path = f"/log/{name_of(1)}"
    begin = log.segment.end
    write(log, b"two")
    whole = disk.content(path)
    file = disk.names_cached[path]
    file.cached[begin + 20 :] = bytes(len(whole) - begin - 20)
    assert [number for number, _ in tail.read(0, 10)] == [1]
    file.cached[:] = whole
    assert tail.read(1, 10) == [(2, b"two")]


def test_damage_does_not_stop_a_reader_for_ever() -> None:
    disk = MemoryDisk()
    log, tail = writer(disk), Tail(disk, "/log", "events")
    write(log, b"one", sync=True)
    place = log.segment.end
    write(log, b"two", sync=True)
    write(log, b"three", sync=True)
    disk.damage(f"/log/{name_of(1)}", place + 5, b"\xff")
    assert [number for number, _ in tail.read(0, 10)] == [1]
    reads = [tail.read(1, 10) for _ in range(STUCK + 3)]
    assert [found for found in reads if found] == [[(3, b"three")]]
    assert tail.damaged == 1


def test_what_is_on_the_device_for_sure_is_known() -> None:
    disk = MemoryDisk()
    log, tail = writer(disk), Tail(disk, "/log", "events")
    write(log, b"one", b"two", sync=True)
    tail.read(0, 10)
    assert tail.safe == 0
    write(log, b"three")
    tail.read(2, 10)
    assert tail.safe == 2


@given(st.data())
def test_every_record_is_read_once_whatever_happens_between(data: st.DataObject) -> None:
    disk = MemoryDisk()
    log, tail = writer(disk), Tail(disk, "/log", "events")
    count, after, found = 0, 0, []
    for _ in range(data.draw(st.integers(1, 15))):
        for _ in range(data.draw(st.integers(0, 4))):
            count += 1
            log.append(KIND, b"%d" % count)
        if data.draw(st.booleans()):
            disk.fail_at(data.draw(st.integers(1, 3)))
        write(log, sync=data.draw(st.booleans()))
        disk.repair()
        if data.draw(st.integers(0, 4)) == 0:
            write(log, sync=True)
            log = writer(disk)
        for number, meta in tail.read(after, data.draw(st.integers(1, 5))):
            after = number
            found.append(meta)
    write(log, sync=True)
    write(log, sync=True)
    for _ in range(40):
        for number, meta in tail.read(after, 3):
            after = number
            found.append(meta)
    assert found == [b"%d" % number for number in range(1, count + 1)]


def test_what_a_power_cut_took_of_what_was_read_is_no_damage() -> None:
    disk = MemoryDisk()
    log, tail = writer(disk), Tail(disk, "/log", "events")
    write(log, b"one", sync=True)
    write(log, b"two")
    write(log, b"three")
    assert len(tail.read(0, 10)) == 3
    disk.kill()
    file = disk.names_cached[f"/log/{name_of(1)}"]
    file.pending.pop(-2)  # the second record; the third has reached the device
    file.settle()
    file.cached[:] = file.durable
    tail = Tail(disk, "/log", "events")
    for _ in range(STUCK + 5):
        assert tail.read(3, 10) == []
    assert (tail.damaged, tail.missed) == (0, 0)
