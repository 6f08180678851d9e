"""The content of a message, read, searched and changed."""

import pytest

from angarium.core.body import MemoryBody
from angarium.core.message import Message, Recipient
from angarium.policy.context import Steps
from angarium.policy.mail import Mail
from helpers.objects import CONTENT, each, mail, refused, said

LATIN = (
    b"Subject: =?utf-8?q?H=C3=A4?=\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe an alle\r\n"
)


def test_header_fields_are_read_decoded() -> None:
    text = "return #msg:header('None'), msg:header('subject')[1], msg:header('X')[1]"
    assert said(text, mail(content=LATIN)) == [0, "Hä".encode(), None]


def test_header_fields_are_set_in_each_mode() -> None:
    one = mail()
    text = """
    msg:header("Subject", "Two")
    msg:header("X-A", "a")
    msg:header("X-A", "b", "append")
    msg:header("X-A", "c", "prepend")
    msg:header("X-B", {"1", "2"})
    msg:header("X-C", "grüße")
    return msg:header("To", ""), msg:header("To", ""), msg:header("X-B", nil)
    """
    assert said(text, one) == [True, False, True]
    draft = one.draft
    assert draft.texts("Subject") == ["Two"]
    assert sorted(draft.texts("X-A")) == ["a", "b", "c"]
    assert draft.texts("X-A")[0] == "c"
    assert draft.texts("X-C") == ["grüße"]
    assert (draft.value("X-C") or b"").startswith(b"=?utf-8?")
    assert not draft.texts("To")
    assert not draft.texts("X-B")


def test_what_is_no_header_field_is_refused() -> None:
    assert "the mode is replace" in refused("msg:header('X', 'y', 'other')", mail())
    assert "a string" in refused("msg:header('X', print)", mail())
    assert refused("msg:header('X Y', 'z')", mail())
    assert b"Evil" not in _written("msg:header('X', 'a\\r\\nEvil: 1')")


def _written(text: str) -> bytes:
    one = mail()
    try:
        said(text, one)
    except Exception:  # noqa: BLE001 - refused is as good
        return b""
    return one.draft.whole().replace(b"\r\n Evil", b"")


def test_addresses_are_taken_out_of_header_fields() -> None:
    text = "return msg:address_header('From')[1], msg:address_header('To', 'domain')[1]"
    assert said(text, mail()) == [b"a@example.com", b"example.org"]
    assert "an address has all, " in refused("msg:address_header('To', 'x')", mail())


def test_body_and_whole_are_read_and_set() -> None:
    one = mail()
    assert said("return msg:body(), msg:raw()", one) == [b"Text one\r\n", CONTENT]
    assert said("return msg:body('New\\r\\n.\\r\\n')", one) == b"New\r\n"
    assert one.finish().body.whole().endswith(b"\r\n\r\nNew\r\n")
    assert said("return msg:raw('A: b\\r\\n\\r\\nc\\r\\n.\\r\\n')", one) == b"A: b\r\n\r\nc\r\n"
    assert "a body is a string" in refused("msg:body({})", one)


def test_text_is_decoded_and_written_back_in_its_charset() -> None:
    one = mail(content=LATIN)
    assert said("return msg:text()", one) == "Grüße an alle\r\n".encode()
    assert said("return msg:text_replace('Grüße', 'Größe')", one) is True
    assert b"Gr=F6=DFe an alle" in one.draft.body_octets
    said("msg:text('Neu ü', 'text/html', 'utf-8')", one)
    assert said("return msg:text()", one) == "Neu ü".encode()
    assert one.draft.value("Content-Type") == b"text/html; charset=utf-8"


def test_several_texts_are_a_table() -> None:
    content = (
        b"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\n"
        b"Content-Type: text/html\r\n\r\ntwo\r\n--b--\r\n"
    )
    assert said("return msg:text()", mail(content=content)) == [b"one", b"two"]


@pytest.mark.parametrize("what", ["body", "raw", "text"])
def test_a_search_gives_captures_and_all_matches(what: str) -> None:
    found = said(f"return msg:{what}_match('T(ext) (?<n>one)')", mail())
    assert found[0] == b"Text one"
    assert (found[1], found[b"n"]) == (b"ext", b"one")
    assert len(found[b"matches"]) == 1
    assert said(f"return msg:{what}_match('nowhere')", mail()) is False
    assert refused(f"msg:{what}_match('(')", mail())


@pytest.mark.parametrize("what", ["body", "raw", "text"])
def test_a_replacement_says_whether_anything_changed(what: str) -> None:
    one = mail()
    assert said(f"return msg:{what}_replace('Text (one)', '$1 text')", one) is True
    assert one.draft.body_octets == b"one text\r\n"
    assert said(f"return msg:{what}_replace('nowhere', 'x')", one) is False


def test_a_copy_for_one_recipient_is_its_own() -> None:
    whole = mail("b@example.org", "c@example.org")
    one, other = whole.each()
    one.step = other.step = Steps.EACH
    said("msg:header('X-One', '1') msg:body_replace('Text', 'Word')", one)
    assert said("return #msg:header('X-One'), msg:body()", other) == [0, b"Text one\r\n"]
    assert said("return msg:body()", one) == b"Word one\r\n"


EDITS = [
    "msg:header('X', 'y')", "msg:body('x')", "msg:raw('x')", "msg:text('x')",
    "msg:body_replace('a', 'b')", "msg:raw_replace('a', 'b')", "msg:text_replace('a', 'b')",
]  # fmt: skip


@pytest.mark.parametrize("edit", EDITS)
def test_a_message_is_not_changed_in_set_binding_nor_before_it_has_come(edit: str) -> None:
    assert "in validate_set_binding a message" in refused(edit, each(mail(), Steps.BINDING))
    empty = Mail(Message("a@x.test", MemoryBody(b"")), [Recipient("b@x.test", "")], whole=False)
    assert "no content yet" in refused(edit, empty)
    assert "no content yet" in refused("return msg:body()", empty)
