"""What the logs say, put together."""

import pytest

from angarium.core.body import MemoryBody
from angarium.core.lane import lane_of
from angarium.core.message import Message, Recipient
from angarium.journal.errors import FormatError
from angarium.journal.scan import Found
from angarium.queue.spool import changes, envelope
from angarium.queue.spool.replay import Replay
from angarium.queue.spool.routes import Routes
from angarium.queue.spool.slot import lane_in, unpack

ONE, TWO = 0x65_0000_0001, 0x65_0000_0002


def content(number: int, kind: int, offset: int, *idents: int) -> Found:
    message = Message("a@sender.test", MemoryBody(b"hello\r\n"), batch=0x65_0000_0000)
    recipients = [
        Recipient(f"{each:x}@example.com", "example.com", "g", "b", id=each) for each in idents
    ]
    meta, _ = envelope.encode(message, recipients)
    return Found(number, kind, offset, meta, 7, 0)


def keyed(number: int, kind: int, offset: int, *idents: int) -> Found:
    """A content with a lane."""
    message = Message("a@sender.test", MemoryBody(b"hello\r\n"), batch=0x65_0000_0000)
    message.fairness_key, message.priority = "acme", 1
    recipients = [Recipient("b@example.com", "example.com", "g", "b", id=each) for each in idents]
    return Found(number, kind, offset, envelope.encode(message, recipients)[0], 7, 0)


def state(number: int, kind: int, meta: bytes) -> Found:
    return Found(number, kind, 128, meta, 0, 0)


def entries(replay: Replay) -> dict[int, tuple[int, int]]:
    """Return what is left: id to segment and offset."""
    return {ident: (unpack(slot).segment, unpack(slot).offset) for ident, slot, _ in replay.rest()}


def test_what_was_put_and_has_no_end_is_left_where_it_was_moved_to() -> None:
    replay = Replay(Routes())
    replay.content(content(1, envelope.PUT, 128, ONE, TWO), 1)
    replay.content(content(9, envelope.MOVE, 512, TWO), 3)
    replay.change(state(4, changes.SETTLE, changes.settled(ONE, changes.DELIVERED, b"")))
    assert entries(replay) == {TWO: (3, 512)}
    assert replay.counts == [2, 1, 0, 0, 0, 0]


def test_a_move_of_what_the_checkpoint_knows_is_only_a_place() -> None:
    routes = Routes()
    replay = Replay(routes)
    replay.content(content(9, envelope.MOVE, 512, ONE), 3)
    assert entries(replay) == {}
    assert len(routes) == 0


@pytest.mark.parametrize("ended", [False, True])
def test_without_a_checkpoint_what_was_moved_is_as_put(ended: bool) -> None:
    # The record it was moved from went with a checkpoint which cannot be read any more.
    routes = Routes()
    replay = Replay(routes, salvaging=True)
    replay.content(content(9, envelope.MOVE, 512, ONE), 3)
    if ended:
        replay.change(state(12, changes.SETTLE, changes.settled(ONE, changes.BOUNCED, b"")))
    assert entries(replay) == ({} if ended else {ONE: (3, 512)})
    assert len(routes) == (not ended)
    assert replay.counts == [1, 0, int(ended), 0, 0, 0]


def test_a_content_of_a_newer_version_ends_it() -> None:
    found = content(1, envelope.PUT, 128, ONE)
    newer = found._replace(meta=bytes([envelope.CODEC + 1]) + found.meta[1:])
    with pytest.raises(FormatError, match="newer version"):
        Replay(Routes()).content(newer, 1)


@pytest.mark.parametrize("kind", [envelope.PUT, envelope.MOVE])
def test_the_lane_is_that_of_the_content(kind: int) -> None:
    replay = Replay(Routes(), salvaging=True)
    replay.content(keyed(1, kind, 128, ONE), 1)
    replay.content(content(2, kind, 512, TWO), 1)
    replay.change(state(4, changes.DEFER, changes.deferred(ONE, 99, 2, b"")))
    assert {ident: lane_in(slot) for ident, slot, _ in replay.rest()} == {
        ONE: lane_of(1, "acme"),
        TWO: 0,
    }
