"""The record of a content."""

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given

from angarium.core.body import MemoryBody
from angarium.core.message import Message, Notify, Recipient, Ret, Trait
from angarium.journal.errors import DamageError
from angarium.journal.record import HEAD_SIZE
from angarium.queue.spool import envelope
from angarium.queue.spool.envelope import (
    ITEM_SIZE,
    PREFIX_SIZE,
    encode,
    envelope_end,
    envelope_of,
    item_size,
    items,
    keep,
    message_of,
    prefix_of,
    recipient_of,
    target_at,
)

text = st.text(max_size=20)
variables = st.dictionaries(text, text, max_size=2)
u64 = st.integers(0, 2**64 - 1)
recipients = st.builds(
    Recipient, text, text, text, text, st.integers(0, 15), text, variables, id=u64
)
messages = st.builds(
    Message, text, st.just(MemoryBody(b"body")), st.binary(max_size=20), st.integers(0, 63),
    st.integers(0, 2), text, text, text, text, u64, st.floats(0, 1e10), st.integers(0, 9),
    variables, batch=u64, fairness_key=text,
)  # fmt: skip


@given(messages, st.lists(recipients, min_size=1, max_size=4, unique_by=lambda each: each.id))
def test_message_and_recipients_come_back(message: Message, targets: list[Recipient]) -> None:
    meta, offsets = encode(message, targets)
    prefix = prefix_of(meta)
    read = envelope_of(meta, prefix)
    assert read.header == len(message.header)
    assert message_of(read, prefix, message.body, message.header) == message
    assert (prefix.batch, prefix.recipients) == (message.batch, len(targets))
    assert prefix.size == message.size
    for target, offset in zip(targets, offsets, strict=True):
        assert recipient_of(*target_at(meta, offset - HEAD_SIZE)) == target
    assert [ident for ident, _, _ in items(meta, prefix)] == [each.id for each in targets]


@given(messages, st.lists(recipients, min_size=2, max_size=4, unique_by=lambda each: each.id))
def test_a_recipient_is_read_without_the_others(message: Message, targets: list[Recipient]) -> None:
    meta, offsets = encode(message, targets)
    head = meta[: envelope_end(meta[:PREFIX_SIZE])]
    assert envelope_of(head, prefix_of(head)).sender == message.sender
    item = meta[offsets[-1] - HEAD_SIZE :]
    item = item[: item_size(item[:ITEM_SIZE])]
    assert recipient_of(*target_at(item, 0)) == targets[-1]


@given(messages, st.lists(recipients, min_size=1, max_size=5, unique_by=lambda each: each.id))
def test_a_move_has_the_recipients_that_stay(message: Message, targets: list[Recipient]) -> None:
    meta, _ = encode(message, targets)
    stay = targets[::2]
    moved, offsets = keep(meta, [each.id for each in stay])
    prefix = prefix_of(moved)
    assert envelope_of(moved, prefix) == envelope_of(meta, prefix_of(meta))
    assert {ident: target_at(moved, at - HEAD_SIZE)[0] for ident, at in offsets.items()} == {
        each.id: each.id for each in stay
    }


def test_traits_and_flags_are_kept_as_numbers() -> None:
    message = Message("a@b.example", MemoryBody(b""), traits=Trait.DOTS, ret=Ret.HDRS, batch=1)
    target = Recipient("c@d.example", "d.example", notify=Notify.SUCCESS, id=2)
    meta, offsets = encode(message, [target])
    assert envelope_of(meta, prefix_of(meta)).traits == Trait.DOTS
    assert target_at(meta, offsets[0] - HEAD_SIZE)[1].notify == Notify.SUCCESS


def read(meta: bytes, at: int) -> int:
    """Read what a load reads of a record; return the id of the recipient."""
    envelope_of(meta, prefix_of(meta))
    return target_at(meta, at)[0]


@given(st.binary(max_size=120))
def test_any_octets_give_a_content_or_damage(octets: bytes) -> None:
    with pytest.raises(DamageError):
        read(octets, 3)
    with pytest.raises(DamageError):
        target_at(octets, 3)


@given(st.data())
def test_one_changed_octet_is_seen_where_it_is_read(data: st.DataObject) -> None:
    message = Message("a@b.example", MemoryBody(b"x"), batch=1)
    meta, offsets = encode(message, [Recipient("c@d.example", "d.example", id=2)])
    at = data.draw(st.integers(0, len(meta) - 1))
    broken = meta[:at] + bytes([meta[at] ^ data.draw(st.integers(1, 255))]) + meta[at + 1 :]
    try:
        found = read(broken, offsets[0] - HEAD_SIZE)
    except DamageError:
        return
    assert found != 2, "`contents` asks whose it is, and so it is seen"


def test_another_codec_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    message = Message("a@b.example", MemoryBody(b"x"), batch=1)
    monkeypatch.setattr(envelope, "CODEC", 9)
    meta, _ = encode(message, [Recipient("c@d.example", "d.example", id=2)])
    monkeypatch.setattr(envelope, "CODEC", 1)
    with pytest.raises(DamageError):
        prefix_of(meta)


def test_no_text_is_refused() -> None:
    message = Message("a\udc80@b.example", MemoryBody(b"x"), batch=1)
    with pytest.raises(UnicodeEncodeError):
        encode(message, [Recipient("c@d.example", "d.example", id=2)])


class Before(msgspec.Struct, array_like=True):
    """An envelope as programs knew it which had no fairness key."""

    header: int
    sender: str
    traits: int
    ret: int
    envid: str
    protocol: str
    source: str
    pathway: str
    connection: int
    received_at: float
    priority: int
    variables: dict[str, str]


def test_an_envelope_without_a_key_is_read_and_one_with_a_key_was_readable_before() -> None:
    before = Before(1, "a@b.test", 0, 0, "", "esmtp", "", "", 0, 1.5, 1, {})
    now = msgspec.convert(msgspec.to_builtins(before), envelope.Envelope)
    assert (now.sender, now.priority, now.fairness_key) == ("a@b.test", 1, "")
    now.fairness_key = "acme"
    packed = msgspec.msgpack.encode(now)
    assert msgspec.msgpack.decode(packed, type=Before) == before


def test_the_lane_of_what_cannot_be_read_is_none() -> None:
    message = Message("a@b.test", MemoryBody(b""), fairness_key="acme")
    meta, _ = encode(message, [Recipient("c@d.test", "d.test", id=1)])
    prefix = prefix_of(meta)
    assert envelope.lane_in(meta, prefix) == message.lane
    broken = meta[:PREFIX_SIZE] + b"\xff" + meta[PREFIX_SIZE + 1 :]
    assert envelope.lane_in(broken, prefix) == 0
