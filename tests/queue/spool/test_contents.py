"""Reading messages back."""

import pytest

from angarium.journal.errors import ColdError, DamageError
from angarium.queue.spool import contents
from angarium.queue.spool.slot import unpack
from helpers.disk import MemoryDisk
from helpers.spool import HOME, Life


@pytest.fixture
def life() -> Life:
    return Life(MemoryDisk()).start()


def place(life: Life, ident: int) -> tuple[str, int]:
    slot = unpack(life.spool.live[ident])
    return f"{HOME}/data/{slot.segment:010d}.seg", slot.offset


class Counting(MemoryDisk):
    """A disk which counts what is read."""

    reads = 0
    octets = 0

    def read(self, handle: int, size: int, offset: int) -> bytes:
        data = super().read(handle, size, offset)
        self.reads += 1
        self.octets += len(data)
        return data


def test_one_of_a_thousand_recipients_is_read_without_the_rest() -> None:
    life = Life(Counting()).start()
    idents = life.put(*(f"recipient-{n}@example.org" for n in range(1000)))
    disk = life.disk
    assert isinstance(disk, Counting)
    disk.reads = disk.octets = 0
    message, recipient = life.spool.load(idents[700])
    assert recipient.address == "recipient-700@example.org"
    assert disk.reads <= 4
    assert disk.octets < 5000
    assert message.body.whole() == b"body\r\n"


def test_a_message_with_one_recipient_is_one_read() -> None:
    life = Life(Counting()).start()
    (ident,) = life.put()
    disk = life.disk
    assert isinstance(disk, Counting)
    disk.reads = 0
    life.spool.load(ident)
    assert disk.reads == 1


def test_a_long_header_is_read_whole(life: Life) -> None:
    header = b"X-Long: " + b"y" * 3000 + b"\r\n"
    (ident,) = life.put(header=header)
    message, _ = life.spool.load(ident)
    assert (message.header, message.body.whole()) == (header, b"body\r\n")


def test_an_empty_message_has_no_octets(life: Life) -> None:
    (ident,) = life.put(body=b"", header=b"")
    message, _ = life.spool.load(ident)
    assert (message.header, message.body.whole(), message.size) == (b"", b"", 0)


@pytest.mark.parametrize("at", [3, 50, 70, 140, 190])
def test_damage_is_told_and_nothing_else_raised(life: Life, at: int) -> None:
    (ident,) = life.put()
    path, offset = place(life, ident)
    life.disk.damage(path, offset + at, b"\xfe\xff")
    with pytest.raises(DamageError):
        life.spool.load(ident)


def test_a_file_that_is_gone_is_told(life: Life) -> None:
    (ident,) = life.put()
    segments = life.spool._home.data.segments  # type: ignore[union-attr]
    del segments[unpack(life.spool.live[ident]).segment]
    with pytest.raises(DamageError, match="missing"):
        life.spool.load(ident)


def test_a_body_that_stays_is_read_while_its_segment_would_be_freed(life: Life) -> None:
    """Who delivers holds the body; the segment is not given to others before he is done."""
    idents = [life.put(body=b"%d" % n * 2000)[0] for n in range(12)]
    message, _ = life.spool.load(idents[0])
    for ident in idents:
        life.deliver(ident)
    life.pass_time(20.0)
    assert message.body.whole() == b"0" * 2000


def test_only_so_many_segments_are_kept_open(monkeypatch: pytest.MonkeyPatch, life: Life) -> None:
    monkeypatch.setattr(contents, "OPEN", 3)
    idents = [life.put(body=b"x" * 6000)[0] for _ in range(10)]
    life = Life(life.kill()).start()
    for ident in idents:
        assert life.spool.load(ident)[1].id == ident
    handles = [s.handle for s in life.spool._home.data.segments.values()]  # type: ignore[union-attr]
    assert sum(handle >= 0 for handle in handles) <= 4


def test_what_is_not_cached_is_not_waited_for(life: Life) -> None:
    (ident,) = life.put()
    life.disk.cold = True
    with pytest.raises(ColdError):
        life.spool.load(ident, cached=True)
    assert life.spool.load(ident)
