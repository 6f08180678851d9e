"""Which mail is meant: by words, by slots, by envelopes and contents."""

import pytest

from angarium.core.body import MemoryBody
from angarium.core.message import Message, Recipient
from angarium.queue.choice import Choice, ChoiceError, campaigns_of, fields_of, word
from angarium.queue.spool.slot import SLOT

HEADER = (
    b"Subject: one\r\n two\r\n\tthree\r\nX-Kind:  bulk \r\nX-Campaign-ID: spring\r\n"
    b"\r\nX-Kind: body\r\n"
)


def message(content: bytes = HEADER, **variables: str) -> Message:
    return Message("News@A.test", MemoryBody(content[:20], content[20:]), variables=variables)


def says(choice: Choice, one: Message | None = None) -> bool:
    return choice.messages()(one or message(k="v"), Recipient("u@b.test", "b.test"))


@pytest.mark.parametrize(
    ("text", "name", "meant"),
    [
        ("", "x", True),
        ("a.test", "A.TEST", True),
        ("a.test", "b.a.test", False),
        ("*.test", "a.TEST", True),
        ("*.test", "a.testing", False),
        ("a?.test", "ab.test", True),
        ("a?.test", "a.test", False),
        ("[192.0.2.1]", "[192.0.2.1]", True),
        ("[ab]*", "a", False),
        ("/^a|b$/", "xb", True),
        ("/^a|b$/", "xbx", False),
        ("/", "/", True),
    ],
)
def test_a_word_is_a_name_a_glob_or_a_regular_expression(text: str, name: str, meant: bool) -> None:
    assert word(text)(name) is meant


def test_what_is_no_pattern_is_refused() -> None:
    with pytest.raises(ChoiceError, match="is no pattern"):
        Choice(domain="/(/").queues()


def test_a_queue_is_meant_by_its_names() -> None:
    meant = Choice(domain="*.test", binding="b1").queues()
    assert meant(("g", "b1", "a.test"))
    assert not meant(("g", "b2", "a.test"))
    assert not meant(("g", "b1", "a.example"))


def test_an_entry_is_meant_by_its_age_and_attempts() -> None:
    slot = SLOT.pack(0, 0, 3, 0, 1, 2, 3, 4)
    old = 1000 << 32
    assert Choice(age=50, attempts=3).slots(1050.0)(old, slot)
    assert not Choice(age=51).slots(1050.0)(old, slot)
    assert not Choice(attempts=4).slots(1050.0)(old, slot)


def test_a_message_is_meant_by_its_envelope_and_context() -> None:
    assert says(Choice(sender="news@*", recipient="u@b.test", meta=("k", "v")))
    assert not says(Choice(sender="x@*"))
    assert not says(Choice(recipient="v@b.test"))
    assert not says(Choice(meta=("k", "V")))
    assert not says(Choice(meta=("other", "v")))


@pytest.mark.parametrize(
    ("name", "line", "meant"),
    [
        ("x-kind", "bulk", True),
        ("X-Kind", "Bulk", False),
        ("X-Kind", "body", False),
        ("subject", "one", True),
        ("subject", " two", True),
        ("subject", "\tthree", True),
        ("subject", "two", False),
        ("subject", "one two three", False),
    ],
)
def test_a_header_is_meant_by_exactly_one_of_its_lines(name: str, line: str, meant: bool) -> None:
    assert says(Choice(header=(name, line))) is meant


def test_our_own_fields_before_the_content_count() -> None:
    one = message()
    one.header = b"Received: from a\r\n\tby b\r\n"
    assert says(Choice(header=("received", "\tby b")), one)
    assert says(Choice(header=("x-kind", "bulk")), one)


@pytest.mark.parametrize("content", [b"", b"no field", b"\r\nX-Kind: bulk", b"X-Kind: bulk"])
def test_any_content_has_a_header_or_none(content: bytes) -> None:
    assert len([*fields_of(message(content))]) == content.startswith(b"X")


def test_a_campaign_is_named_in_the_context_or_else_in_the_header() -> None:
    to = Recipient("u@b.test", "b.test")
    assert [*campaigns_of(message(), to)] == ["spring"]
    assert [*campaigns_of(message(mo_campaign_id="autumn"), to)] == ["autumn"]
    assert says(Choice(campaign="spr*"))
    assert not says(Choice(campaign="spr*"), message(campaign_id="autumn"))


def test_what_is_asked_for_says_what_has_to_be_looked_at() -> None:
    assert Choice(domain="a").by_queue
    assert not Choice(age=1).by_queue
    assert not Choice(age=1).by_message
    assert Choice(campaign="x").by_message
    assert Choice().everything
    assert not Choice(idents=[1]).by_queue
