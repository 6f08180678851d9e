"""Reading events for traces: a place which is kept, and nobody who waits for it."""

from pathlib import Path

import pytest

from angarium.events.checkpoint import passed
from angarium.web.follow import OLD_SECONDS, Follow
from helpers.streams import StreamWriter, reception


@pytest.fixture
def writer(tmp_path: Path) -> StreamWriter:
    return StreamWriter(tmp_path / "spool" / "000")


def idents(follow: Follow, now: float) -> list[int]:
    return [getattr(each, "id", 0) for each in follow.read(now)]


def test_events_are_read_once_also_by_who_comes_after(tmp_path: Path, writer: StreamWriter) -> None:
    writer.put(reception(1), reception(2))
    first = Follow(tmp_path, 0.0)
    assert idents(first, 0.0) == [1, 2]
    assert idents(first, 10.0) == []
    first.close()
    writer.put(reception(3))
    second = Follow(tmp_path, 0.0)
    assert idents(second, 0.0) == [3]
    second.close()


def test_what_is_old_when_it_begins_is_not_traced(tmp_path: Path, writer: StreamWriter) -> None:
    event = reception(1)
    writer.put(event)
    late = Follow(tmp_path, event.at + OLD_SECONDS + 1)
    assert idents(late, 0.0) == []
    late.close()


def test_two_do_not_read_at_once(tmp_path: Path, writer: StreamWriter) -> None:
    writer.put(reception(1))
    first, second = Follow(tmp_path, 0.0), Follow(tmp_path, 0.0)
    assert idents(first, 0.0) == [1]
    assert idents(second, 0.0) == []
    first.close()
    writer.put(reception(2))
    assert idents(second, 5.0) == [2]
    second.close()


def test_owners_of_streams_do_not_wait_for_it(tmp_path: Path, writer: StreamWriter) -> None:
    writer.put(reception(1))
    follow = Follow(tmp_path, 0.0)
    follow.read(0.0)
    follow.close()
    assert passed(tmp_path / "hose") == {}


def test_a_place_which_is_damaged_is_no_reason_to_stop(
    tmp_path: Path, writer: StreamWriter
) -> None:
    writer.put(reception(1))
    first = Follow(tmp_path, 0.0)
    assert idents(first, 0.0) == [1]
    first.close()
    for path in (tmp_path / "web" / "traces").glob("*.json"):
        path.write_bytes(b"\x00")
    second = Follow(tmp_path, 0.0)
    second.read(0.0)
    writer.put(reception(2))
    assert 2 in [*idents(second, 2.0), *idents(second, 4.0)]
    second.close()
