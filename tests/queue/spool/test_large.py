"""Bodies in files of their own."""

from functools import partial

import pytest

from angarium.journal.errors import SpoolError
from angarium.queue.spool.large import DIRECTORY, PendingBody, remove
from helpers.disk import MemoryDisk
from helpers.faultydisk import Fault, FaultyDisk
from helpers.spool import HOME, Life

PLACE = f"{HOME}/{DIRECTORY}"


@pytest.fixture
def life() -> Life:
    return Life(MemoryDisk()).start()


def body(life: Life, *sizes: int) -> PendingBody:
    writer = life.spool.large()
    for size in sizes:
        writer.write(bytes([size % 200]) * size)
    assert writer.size == sum(sizes)
    return writer.finish()


def test_a_large_body_comes_back_after_a_power_cut(life: Life) -> None:
    (ident,) = life.put(body=body(life, 300_000, 5, 70_000))
    life.kill()
    life = Life(life.disk.power_cut(lambda n: 0)).start()
    message, _ = life.spool.load(ident)
    assert message.size == 370_005 + len(message.header)
    assert b"".join(message.body.pieces()) == bytes([0]) * 300_000 + b"\5" * 5 + bytes([0]) * 70_000


def test_its_file_goes_when_the_last_end_is_durable(life: Life) -> None:
    idents = life.put("a@example.org", "b@example.org", body=body(life, 300_000))
    life.deliver(idents[0])
    life.pass_time(3.0)
    assert len(life.disk.names(PLACE)) == 1
    life.deliver(idents[1])
    assert len(life.disk.names(PLACE)) == 1
    life.pass_time(3.0)
    assert life.disk.names(PLACE) == []


def test_a_file_which_cannot_be_removed_keeps_no_other_and_is_tried_again() -> None:
    disk = FaultyDisk()
    life = Life(disk).start()
    idents = [life.put(body=body(life, 300_000))[0] for _ in range(3)]
    disk.plan = Fault("unlink", "large/body")
    for ident in idents:
        life.deliver(ident)
    life.pass_time(1.5)
    assert len(disk.names(PLACE)) == 1
    assert life.alarms
    life.pass_time(1.5)
    assert disk.names(PLACE) == []


def test_what_nobody_took_is_removed_at_the_next_start(life: Life) -> None:
    (kept,) = life.put(body=body(life, 300_000))
    body(life, 300_000)
    life.pass_time(0.1)
    assert len(life.disk.names(PLACE)) == 2
    life = Life(life.kill()).start()
    assert len(life.disk.names(PLACE)) == 1
    assert life.spool.load(kept)[0].body.size == 300_000


def test_a_message_that_does_not_come_leaves_nothing(life: Life) -> None:
    writer = life.spool.large()
    writer.write(b"x" * 300_000)
    writer.abort()
    life.pass_time(0.1)
    assert life.disk.names(PLACE) == []


def test_a_failed_write_refuses_this_message_only(life: Life) -> None:
    life.put()
    pending = body(life, 300_000)
    life.disk.fail_at(1)
    message, _ = life.begin(body=pending)
    other, _ = life.begin()
    life.pass_time(0.1)
    assert isinstance(life.outcomes[id(message)], SpoolError)
    assert life.outcomes[id(other)] is None
    assert life.disk.names(PLACE) == []
    assert [each.message for each in life.alarms] == ["writing a large body failed"]


def test_a_full_disk_is_said_to_be_full(life: Life) -> None:
    writer = life.spool.large()
    life.disk.capacity = life.disk.used + 1000
    writer.write(b"x" * 300_000)
    life.pass_time(0.1)
    assert writer.full
    with pytest.raises(SpoolError) as refused:
        life.put(body=writer.finish())
    assert refused.value.code == 452


def test_a_writer_says_what_waits_and_when_there_is_room(life: Life) -> None:
    writer = life.spool.large()
    told: list[int] = []
    writer.on_room = lambda: told.append(writer.backlog)
    writer.write(b"x" * 1_000_000)
    assert writer.backlog == 1_000_000
    life.pass_time(0.01)
    assert (told, writer.backlog) == ([0], 0)


def test_a_second_message_with_the_same_body_has_a_copy(life: Life) -> None:
    """A report which returns the message must outlive it."""
    pending = body(life, 5000)
    (first,) = life.put(body=pending)
    (second,) = life.put(body=life.spool.load(first)[0].body)
    life.deliver(first)
    life.pass_time(3.0)
    assert life.spool.load(second)[0].body.whole() == bytes([0]) * 5000


def test_an_orphan_that_is_gone_already_is_no_failure(life: Life) -> None:

    (kept,) = life.put(body=body(life, 5000))
    remove(life.disk, [f"{PLACE}/missing"])
    assert life.spool.load(kept)[0].body.size == 5000


def test_where_too_much_waits_in_all_every_writer_has_to_wait(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("angarium.queue.spool.large.ALL", 500_000)
    writers = [life.spool.large() for _ in range(3)]
    woken: list[int] = []
    for number, writer in enumerate(writers):
        writer.on_room = partial(woken.append, number)
        writer.write(bytes(200_000))
    assert [writer.backlog >= 500_000 for writer in writers] == [True, True, True]
    life.pass_time(0.01)
    assert 2 in woken  # the one which had to wait, for it was given on at once
    assert writers[0].backlog == 200_000
    writers[0].abort()
    assert life.means.streaming.octets == 200_000
    writers[1].finish()
    life.pass_time(0.01)
    assert life.means.streaming.octets == 0
