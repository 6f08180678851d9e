"""One message, as the worker which has it knows it."""

from pathlib import Path

from angarium.console.questions import messages
from helpers.mail import worker
from helpers.queues import Queues


async def test_a_message_is_described_with_where_it_is(tmp_path: Path) -> None:
    queues = Queues()
    line = queues.put("a.test", "a.test", "a.test")
    first, second, third = sorted(queues.spool.live)
    queues.defer(line.take(1)[0], 600)
    taken = line.take(1)
    parts = worker(queues, tmp_path)
    parts.pool.in_hands = lambda: [taken]
    for ident, state in ((first, "delayed"), (second, "in an attempt"), (third, "active")):
        [found] = await messages.details.function(parts, ident, True)
        assert (found.state, found.recipient, found.content) == (state, "u@a.test", b"x")
    [found] = await messages.details.function(parts, first, False)
    assert (found.attempts, found.content) == (1, b"")
    assert await messages.details.function(parts, 4711, True) == []


async def test_one_which_cannot_be_read_says_why(tmp_path: Path) -> None:
    queues = Queues()
    queues.put("a.test")
    [ident] = queues.spool.live
    queues.spool.broken.add(ident)
    [found] = await messages.details.function(worker(queues, tmp_path), ident, False)
    assert "the disk failed" in found.error


async def test_what_was_put_aside_is_described_and_taken_back(tmp_path: Path) -> None:
    queues = Queues()
    queues.put("a.test")
    [ident] = queues.spool.live
    parts = worker(queues, tmp_path)
    assert messages.restore.function(parts, ident) == ["queued"]
    queues.spool.isolate(ident)
    [found] = await messages.details.function(parts, ident, False)
    assert found.state == "put aside"
    assert messages.restore.function(parts, ident) == ["restored"]
    assert messages.restore.function(parts, ident) == []


def test_of_a_long_content_the_first_part_is_shown() -> None:
    assert len(messages._content(b"h", iter([b"x" * messages.MOST] * 3))) == messages.MOST + 1
