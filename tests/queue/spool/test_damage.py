"""What is found broken is kept, counted and told; nothing of it is deleted."""

import pytest

from angarium.core.body import MemoryBody
from angarium.core.message import Message, Recipient
from angarium.journal.errors import DamageError
from angarium.journal.record import encode as record
from angarium.queue.spool import envelope
from angarium.queue.spool.damage import DAMAGED
from angarium.queue.spool.slot import unpack
from helpers.disk import MemoryDisk
from helpers.spool import HOME, Life

SEGMENT = f"{HOME}/data/0000000001.seg"
STATE = f"{HOME}/state/0000000001.seg"


def left(life: Life) -> list[str]:
    return life.disk.names(f"{HOME}/quarantine")


def said(life: Life) -> str:
    return "; ".join(map(str, life.alarms))


def again(life: Life) -> Life:
    return Life(life.kill(), start=life.loop.clock.time() + 60.0).start()


def gone(disk: MemoryDisk, path: str) -> None:
    del disk.names_cached[path], disk.names_durable[path]


@pytest.fixture
def life() -> Life:
    return Life(MemoryDisk()).start()


@pytest.mark.parametrize("size", [30, 128, 600, 4096])
def test_a_segment_whose_beginning_is_gone_keeps_the_rest(life: Life, size: int) -> None:
    idents = [life.put(body=b"%d" % n * 400)[0] for n in range(12)]
    where = {ident: unpack(life.spool.live[ident]) for ident in idents}
    life.pass_time(2.0)
    life.disk.damage(SEGMENT, 0, bytes(size))
    life = again(life)
    whole = [ident for ident in idents if where[ident].segment > 1 or where[ident].offset >= size]
    assert sorted(life.found) == whole
    for ident in whole:
        assert life.spool.load(ident)[0].body.whole() == b"%d" % idents.index(ident) * 400
    assert "damage was put aside" in said(life)
    assert left(life)[0].startswith("data-0000000001-0")
    assert life.means.metrics.cell(DAMAGED).value >= 1
    assert sorted(again(life).found) == whole


def test_a_body_that_claims_to_be_a_record_is_none_where_the_header_is_gone(life: Life) -> None:
    """Who sends it does not know the secret, so no record of his is the first that is found."""
    forged = Message("f@x.test", MemoryBody(), batch=9)
    meta, _ = envelope.encode(forged, [Recipient("victim@x.test", "x.test", id=9 << 32)])
    body = record(4711, 5000, 1, envelope.PUT, meta) + record(4711, 5001, 1, envelope.PUT, meta)
    life.put(body=bytes(300) + body)
    (kept,) = life.put()
    life.pass_time(2.0)
    life.disk.damage(SEGMENT, 0, bytes(500))
    life = again(life)
    assert list(life.found) == [kept]


def test_a_file_in_which_nothing_is_known_is_not_written_over(life: Life) -> None:
    life.put()
    life.pass_time(2.0)
    size = len(life.disk.content(SEGMENT))
    junk = b"junk" * (size // 4)
    life.disk.damage(SEGMENT, 0, junk)
    life = again(life)
    for _ in range(30):
        life.put(body=b"x" * 900)
    assert left(life) == ["data-0000000001.seg"]
    assert life.disk.content(f"{HOME}/quarantine/data-0000000001.seg") == junk
    assert "a file was put aside" in said(life)


def test_the_file_of_another_log_is_put_aside(life: Life) -> None:
    life.put()
    life.pass_time(2.0)
    stray = f"{HOME}/state/0000000009.seg"
    handle = life.disk.open(stray, create=True)
    life.disk.write(handle, [life.disk.content(SEGMENT)], 0)
    life = again(life)
    assert len(life.found) == 1
    assert left(life) == ["state-0000000009.seg"]


def test_a_missing_checkpoint_is_told(life: Life) -> None:
    idents = [life.put(body=b"x" * 900)[0] for _ in range(30)]
    for ident in idents[:20]:
        life.deliver(ident)
    life.keeper().checkpoint(lambda failure: None)
    life.pass_time(2.0)
    gone(life.disk, f"{HOME}/checkpoints/0000000001.chk")
    life = again(life)
    assert set(idents[20:]) <= set(life.found)
    assert "the checkpoint is missing" in said(life)


def test_a_segment_that_is_missing_between_two_is_told(life: Life) -> None:
    idents = [life.put(body=b"x" * 900)[0] for _ in range(30)]
    life.pass_time(2.0)
    lost = [ident for ident in idents if unpack(life.spool.live[ident]).segment == 2]
    gone(life.disk, f"{HOME}/data/0000000002.seg")
    life = again(life)
    assert sorted(life.found) == [ident for ident in idents if ident not in lost]
    assert "records are missing" in said(life)


def test_a_body_whose_record_may_be_lost_is_kept(life: Life) -> None:
    writer = life.spool.large()
    writer.write(b"y" * 3000)
    (ident,) = life.put(body=writer.finish())
    life.put()
    where = unpack(life.spool.live[ident])
    life.pass_time(2.0)
    life.disk.damage(SEGMENT, where.offset + 2, b"\xff" * 9)
    life = again(life)
    [body] = [name for name in left(life) if name.startswith("large-")]
    assert life.disk.content(f"{HOME}/quarantine/{body}") == b"y" * 3000


def test_what_is_known_from_an_earlier_start_is_not_told_again(life: Life) -> None:
    first, second = life.put(), life.put()
    where = unpack(life.spool.live[first[0]])
    life.pass_time(2.0)
    life.disk.damage(SEGMENT, where.offset + 2, b"\xff" * 9)
    life = again(life)
    assert "put aside" in said(life)
    life = again(life)
    assert list(life.found) == second
    assert "put aside" not in said(life)
    assert life.means.metrics.cell(DAMAGED).value == 0


def test_a_header_is_checked_where_the_body_is_a_file_or_empty(life: Life) -> None:
    for body in (b"", b"z" * 10):
        (ident,) = life.put(body=body, header=b"Received: from somewhere\r\n")
        where = unpack(life.spool.live[ident])
        at = life.disk.content(SEGMENT).find(b"somewhere", where.offset)
        life.disk.damage(SEGMENT, at, b"S")
        with pytest.raises(DamageError, match="damaged"):
            life.spool.load(ident)[0].body.whole()
