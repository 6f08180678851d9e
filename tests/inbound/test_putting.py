"""Large contents of policy on their way to the disk."""

import asyncio

import pytest

from angarium.core.body import MemoryBody
from angarium.core.message import Message
from angarium.inbound.putting import put_down
from angarium.journal.errors import SpoolError
from angarium.mail.format.draft import Rest
from angarium.policy.going import Going
from helpers.reception import FakeAdmit, FakeWriter

SMALL, LARGE = MemoryBody(b"x" * 10), MemoryBody(b"y" * 2000)
THRESHOLD = 1000


def begun(lots: list[Message], arrived: MemoryBody, *writers: FakeWriter | SpoolError) -> FakeAdmit:
    admit, left = FakeAdmit(), list(writers)

    def large() -> FakeWriter:
        writer = left.pop(0)
        if isinstance(writer, SpoolError):
            raise writer
        return writer

    work = put_down([(each, []) for each in lots], arrived, THRESHOLD, admit, large)
    admit.going = Going(work, lambda: None)  # type: ignore[attr-defined]
    admit.at_once = admit.going.begin()  # type: ignore[attr-defined]
    return admit


def test_what_is_small_costs_nothing_and_may_be_shared() -> None:
    lots = [Message("a", SMALL), Message("b", SMALL), Message("c", MemoryBody(b"other"))]
    admit = begun(lots, SMALL)
    assert admit.at_once  # type: ignore[attr-defined]
    assert [each.body for each in lots[:2]] == [SMALL, SMALL]


async def test_the_first_keeps_what_arrived_and_the_others_get_files_of_their_own() -> None:
    lots = [Message("a", LARGE), Message("b", LARGE), Message("c", MemoryBody(b"z" * 3000))]
    begun(lots, LARGE, FakeWriter(slow=False), FakeWriter(slow=False))
    for _ in range(9):
        await asyncio.sleep(0)
    assert lots[0].body is LARGE
    assert lots[1].body is not LARGE
    assert lots[1].body.whole() == LARGE.whole()
    assert lots[2].body.whole() == b"z" * 3000


def test_what_became_small_does_not_need_the_file_it_came_from() -> None:
    lots = [Message("a", Rest(b"Subject: x", LARGE, 1995))]
    begun(lots, LARGE)
    assert isinstance(lots[0].body, MemoryBody)
    assert lots[0].body.whole() == b"Subject: xyyyyy"


def test_without_room_nothing_is_left() -> None:
    lots = [Message("a", MemoryBody(b"z" * 3000)), Message("b", MemoryBody(b"z" * 3000))]
    dropped: list[Message] = []
    admit = FakeAdmit()
    admit.dropped = dropped
    writers = [FakeWriter(slow=False)]

    def large() -> FakeWriter:
        if not writers:
            raise SpoolError("full", full=True)
        return writers.pop()

    work = put_down([(each, []) for each in lots], LARGE, THRESHOLD, admit, large)
    with pytest.raises(SpoolError):
        Going(work, lambda: None).begin()
    assert dropped == lots[:1]


async def test_a_disk_which_is_behind_is_waited_for_and_the_work_may_be_ended_there() -> None:
    writer = FakeWriter(slow=True)
    lots = [Message("a", MemoryBody(*[b"z" * 65536] * 100))]
    admit = begun(lots, LARGE, writer)
    for _ in range(9):
        await asyncio.sleep(0)
    assert 1 << 20 < writer.backlog < 2 << 20
    before = writer.backlog
    writer.drain()
    for _ in range(9):
        await asyncio.sleep(0)
    assert sum(map(len, writer.pieces)) > before
    admit.going.stop()  # type: ignore[attr-defined]
    assert writer.aborted
    await asyncio.sleep(0)
