"""A spool in memory does what queues and policy ask of one."""

from angarium.core.body import MemoryBody
from angarium.core.message import Message, Recipient
from angarium.events.schema import ServerEvent
from angarium.queue.spool.slot import unpack
from angarium.run.stage.memory import LargeWriter, MemorySpool
from helpers.clock import FakeClock


def test_what_is_put_is_there_at_once() -> None:
    spool = MemorySpool(FakeClock())
    told: list[object] = []
    message = Message("a@x.test", MemoryBody(b"x"))
    recipient = Recipient("b@y.test", "y.test", "g", "b1")
    spool.put(message, [recipient], told.append)
    assert told == [None]
    assert message.batch
    assert spool.load(recipient.id) == (message, recipient)
    assert spool.routes.key(unpack(spool.live[recipient.id]).route) == ("g", "b1", "y.test")
    spool.rebind(recipient.id, "g", "b2", "z.test", None)
    assert spool.routes.key(unpack(spool.live[recipient.id]).route) == ("g", "b2", "z.test")
    assert spool.routes.find(("g", "b2", "z.test")) == 1
    event = ServerEvent(1.0, "x", "y", 1)
    spool.settle(recipient.id, event)
    assert (spool.live, spool.events) == ({}, [event])


def test_a_large_body_is_its_pieces() -> None:
    writer = LargeWriter()
    writer.write(b"a")
    writer.write(b"b")
    assert writer.finish().whole() == b"ab"
