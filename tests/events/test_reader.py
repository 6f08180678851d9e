"""All streams of a node as one: order, cursors, what is told again."""

import shutil
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from angarium.events.reader import Cursor, Streams, Window, key_of
from angarium.events.schema import Event, encode
from angarium.events.stream import DATA, REJECTIONS, STATE, frame
from angarium.journal.disk import FileDisk
from helpers.streams import StreamWriter, delivery, reception, rejection, transient


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def opened(spool: Path, cursors: dict[str, Cursor] | None = None) -> Streams:
    streams = Streams([spool, spool.parent / "streams"], FileDisk(), cursors or {})
    streams.rescan()
    return streams


def everything(streams: Streams, limit: int = 1000) -> list[Event]:
    found = streams.read(limit)
    while not streams.caught_up:
        found += streams.read(limit)
    return found


def test_streams_are_merged_by_time(spool: Path) -> None:
    StreamWriter(spool / "000").put(reception(1, at=10.0), delivery(1, at=30.0))
    StreamWriter(spool / "001").put(reception(2, at=20.0), delivery(2, at=40.0))
    StreamWriter(spool / "001", REJECTIONS).put(rejection(at=25.0))
    assert [event.at for event in everything(opened(spool))] == [10.0, 20.0, 25.0, 30.0, 40.0]


def test_a_stream_keeps_its_order_when_the_clock_is_set_back(spool: Path) -> None:
    StreamWriter(spool / "000").put(reception(1, at=50.0), delivery(1, at=10.0))
    StreamWriter(spool / "001").put(reception(2, at=20.0))
    found = everything(opened(spool))
    assert [event.at for event in found] == [20.0, 50.0, 10.0]


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_a_backlog_comes_out_in_order_whatever_one_read_takes(spool: Path, limit: int) -> None:
    for shard in range(3):
        writer = StreamWriter(spool / f"{shard:03d}")
        times = [float(number * (shard + 1)) for number in range(10)]
        writer.put(*[reception(shard * 100 + n, at=at) for n, at in enumerate(times)])
    found = everything(opened(spool), limit)
    assert len(found) == 30
    assert [event.at for event in found] == sorted(event.at for event in found)


def test_what_was_read_is_not_read_again(spool: Path) -> None:
    writer = StreamWriter(spool / "000")
    streams = opened(spool)
    writer.put(reception(1))
    assert len(everything(streams)) == 1
    assert everything(streams) == []
    writer.put(delivery(1))
    assert len(everything(streams)) == 1


def test_a_cursor_goes_on_where_the_last_run_was(spool: Path) -> None:
    writer = StreamWriter(spool / "000")
    writer.put(reception(1), reception(2))
    streams = opened(spool)
    assert len(everything(streams)) == 2
    writer.put(reception(3))
    again = opened(spool, streams.cursors())
    assert everything(again) == [reception(3)]


def test_a_process_without_a_shard_has_a_stream_of_its_own(spool: Path) -> None:
    StreamWriter(spool.parent / "streams" / "web").put(reception(1))
    assert len(everything(opened(spool))) == 1


def test_shards_appear_and_vanish(spool: Path) -> None:
    streams = opened(spool)
    assert everything(streams) == []
    writer = StreamWriter(spool / "003")
    writer.put(reception(1))
    streams.rescan()
    assert len(everything(streams)) == 1
    shutil.rmtree(spool / "003")
    streams.rescan()
    assert streams.cursors() == {}


def test_another_shard_in_the_place_of_one_is_read_from_its_beginning(spool: Path) -> None:
    StreamWriter(spool / "000").put(*[reception(n) for n in range(1, 6)])
    streams = opened(spool)
    assert len(everything(streams)) == 5
    streams.mark()
    shutil.rmtree(spool / "000")
    StreamWriter(spool / "000", limit=4096).put(reception(9))
    reread = opened(spool, streams.cursors())
    assert everything(reread) == [reception(9)]


def test_events_told_again_with_their_source_are_dropped(spool: Path) -> None:
    writer = StreamWriter(spool / "000")
    writer.put(reception(1), source=5)
    writer.put(delivery(1), source=8)
    streams = opened(spool)
    assert len(everything(streams)) == 2
    writer.put(reception(1), source=5)
    writer.put(delivery(1), source=8)
    writer.put(delivery(2), source=9)
    # Another run, which has no window: the sources are enough.
    assert everything(opened(spool, streams.cursors())) == [delivery(2)]


def test_a_source_torn_in_the_middle_of_its_events_is_completed(spool: Path) -> None:
    writer = StreamWriter(spool / "000")
    writer.put(reception(1), reception(2), source=5)
    streams = opened(spool)
    assert everything(streams) == [reception(1), reception(2)]
    writer.put(reception(1), reception(2), reception(3), reception(4), source=5)
    assert everything(opened(spool, streams.cursors())) == [reception(3), reception(4)]


def test_events_told_again_under_a_new_source_are_dropped_within_the_window(spool: Path) -> None:
    writer = StreamWriter(spool / "000")
    streams = opened(spool)
    writer.put(transient(1, attempt=0), source=5)
    writer.put(transient(1, attempt=0), source=6)
    writer.put(transient(1, attempt=1), source=7)
    assert everything(streams) == [transient(1, attempt=0), transient(1, attempt=1)]


def test_several_events_of_one_record_are_taken_together(spool: Path) -> None:
    writer = StreamWriter(spool / "000")
    both = frame(DATA, 1, encode(reception(1, at=1.0))) + frame(STATE, 1, encode(delivery(1, 9.0)))
    writer.raw(both)
    writer.put(*[reception(n, at=9.0) for n in range(2, 5)])
    StreamWriter(spool / "001").put(*[reception(100 + n, at=5.0) for n in range(5)])
    streams = opened(spool)
    found = everything(streams, limit=2)
    assert len(found) == 10
    assert {each.number for each in streams.cursors().values()} == {4, 5}


def test_an_event_of_a_later_version_is_counted_and_stepped_over(spool: Path) -> None:
    writer = StreamWriter(spool / "000")
    writer.raw(frame(STATE, 1, b"\x92\xcc\x99\x01"))
    writer.raw(b"\xff")
    writer.put(delivery(1), source=2)
    streams = opened(spool)
    assert everything(streams) == [delivery(1)]
    assert streams.undecodable == 2


def test_a_full_segment_is_followed_by_the_next(spool: Path) -> None:
    writer = StreamWriter(spool / "000", limit=2048)
    streams = opened(spool)
    seen: list[Event] = []
    for number in range(1, 60):
        writer.put(reception(number, at=float(number)))
        seen += streams.read(100)
    for _ in range(5):
        seen += streams.read(100)
    assert [event.at for event in seen] == [float(number) for number in range(1, 60)]


def test_only_what_no_power_cut_can_change_is_safe(spool: Path) -> None:
    writer = StreamWriter(spool / "000")
    writer.put(reception(1), reception(2))
    writer.put(reception(3), reception(4), sync=False)
    streams = opened(spool)
    assert len(everything(streams)) == 4
    (cursor,) = streams.cursors().values()
    assert cursor.number == 4
    assert cursor.safe == 2


@given(st.lists(st.integers(0, 30), max_size=200), st.integers(1, 10))
@example([0, 2, 3, 5, 6, 7, 8, 9, 0, 1, 4, 0], 5)  # one that comes again stays known
def test_a_window_knows_at_least_the_last_of_its_size(keys: list[int], size: int) -> None:
    window = Window(size)
    for at, key in enumerate(keys):
        new = window.add(key)
        if key in keys[max(0, at - size) : at]:
            assert not new
        if key not in keys[:at]:
            assert new


def test_keys_tell_entries_attempts_and_kinds_apart() -> None:
    events: list[Event] = [
        *(reception(1), delivery(1), delivery(2), delivery(1, attempt=1), transient(1))
    ]
    assert len({key_of(event) for event in events}) == 5
