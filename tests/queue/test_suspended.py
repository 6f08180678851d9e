"""What is suspended stands in a file: workers go by it, and it outlives them."""

import os
from pathlib import Path

import pytest

from angarium.queue.suspended import Place, Suspended, SuspendedError, change, read
from helpers.queues import Queues


def suspended(queues: Queues, state: Path, alarms: list[str] | None = None) -> Suspended:
    return Suspended(state, queues.board, ([] if alarms is None else alarms).append)


def work(queues: Queues) -> None:
    while queues.board.work():
        pass


def test_what_is_added_covers_lines_which_are_there_and_those_to_come(tmp_path: Path) -> None:
    queues = Queues()
    here = queues.put("a.test")
    worker = suspended(queues, tmp_path)
    change(tmp_path, lambda places: [*places, Place(domain="*.test", who="alice", since=5)])
    worker.look()
    work(queues)
    assert not here.take(1)
    assert not queues.put("b.test").take(1)
    assert queues.put("a.example").take(1)


def test_a_worker_that_starts_finds_it_suspended(tmp_path: Path) -> None:
    change(tmp_path, lambda places: [Place(binding="b1")])
    queues = Queues()
    worker = suspended(queues, tmp_path)
    worker.look()
    assert not queues.put("a.test", binding="b1").take(1)
    assert queues.put("a.test", binding="b2").take(1)
    assert worker.places == [Place(binding="b1")]


def test_what_is_resumed_is_offered_again(tmp_path: Path) -> None:
    queues = Queues()
    worker = suspended(queues, tmp_path)
    change(tmp_path, lambda places: [Place()])
    worker.look()
    line = queues.put("a.test")
    queues.demands.clear()
    change(tmp_path, lambda places: [])
    worker.look()
    work(queues)
    assert queues.demands == [line]
    assert line.take(1)


def test_the_file_is_looked_at_only_when_it_changed(tmp_path: Path) -> None:
    queues = Queues()
    worker = suspended(queues, tmp_path)
    change(tmp_path, lambda places: [Place()])
    worker.look()
    work(queues)
    worker.look()
    assert not queues.board.work()


@pytest.mark.parametrize("octets", [b"{", b'[{"domain": "/(/"}]', b'[{"domain": 1}]'])
def test_a_file_which_cannot_be_read_changes_nothing_and_is_told(
    tmp_path: Path, octets: bytes
) -> None:
    queues, alarms = Queues(), list[str]()
    worker = suspended(queues, tmp_path, alarms)
    change(tmp_path, lambda places: [Place(domain="a.test")])
    worker.look()
    (tmp_path / "suspended").write_bytes(octets)
    os.utime(tmp_path / "suspended", ns=(1, 1))
    worker.look()
    assert [alarm.partition(":")[0] for alarm in alarms] == ["what is suspended stays as it was"]
    assert worker.places == [Place(domain="a.test")]


def test_a_broken_file_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "suspended").write_bytes(b"{")
    with pytest.raises(SuspendedError):
        change(tmp_path, lambda places: [])
    assert (tmp_path / "suspended").read_bytes() == b"{"


def test_places_say_what_they_are() -> None:
    places = [Place(), Place("b"), Place("", "d"), Place("b", "d")]
    assert [str(each) for each in places] == [
        "all", "binding b", "domain d", "binding b domain d",
    ]  # fmt: skip


def test_without_a_file_nothing_is_suspended(tmp_path: Path) -> None:
    assert read(tmp_path) == []
