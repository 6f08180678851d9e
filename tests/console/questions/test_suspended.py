"""One worker changes the file, all go by it."""

from pathlib import Path

import pytest

from angarium.console.question import QuestionError
from angarium.console.questions import suspended
from angarium.queue.suspended import Place
from helpers.mail import ended, worker
from helpers.queues import Queues


async def test_what_changed_is_answered(tmp_path: Path) -> None:
    parts = worker(Queues(), tmp_path)
    change, place = suspended.changed.function, Place(domain="A.test", who="alice")
    assert await change(parts, [place], []) == [place]
    assert await change(parts, [Place(domain="a.test", who="bob")], []) == []
    assert suspended.listed.function(parts) == [place]
    assert await change(parts, [], [Place(domain="a.TEST")]) == [place]
    assert await change(parts, [], [Place(domain="a.test")]) == []


async def test_a_worker_goes_by_it_when_it_is_told(tmp_path: Path) -> None:
    queues = Queues()
    parts = worker(queues, tmp_path)
    line = queues.put("a.test")
    await suspended.changed.function(parts, [Place()], [])
    steps = suspended.look.function(parts)
    next(steps)
    while queues.board.work():
        pass
    assert ended(steps) == 1
    assert line.closed


async def test_a_file_which_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "suspended").write_bytes(b"{")
    parts = worker(Queues(), tmp_path)
    with pytest.raises(QuestionError, match="nothing has changed"):
        await suspended.changed.function(parts, [Place()], [])
    with pytest.raises(QuestionError):
        suspended.listed.function(parts)
