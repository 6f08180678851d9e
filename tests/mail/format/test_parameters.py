"""Content-Type and Content-Disposition."""

from email.message import Message

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from angarium.mail.format.parameters import content_type, disposition, written


@pytest.mark.parametrize(
    ("field", "value", "parameters"),
    [
        (None, "text/plain", {}),
        ("", "text/plain", {}),
        ("text", "text/plain", {}),
        ("TEXT/Html", "text/html", {}),
        (" text / html ; CHARSET = UTF-8 ", "text/html", {"charset": "UTF-8"}),
        ('a/b; x="y; z=\\"1\\""; q=2', "a/b", {"x": 'y; z="1"', "q": "2"}),
        ("a/b; charset=utf-8 (plain); x=1", "a/b", {"charset": "utf-8", "x": "1"}),
        ("a/b;; x; =1; y=2; y=3", "a/b", {"y": "2"}),
        ("a/b; name=my file.txt", "a/b", {"name": "my file.txt"}),
        ('a/b; name="never closed', "a/b", {"name": "never closed"}),
        ('a/b; name=""; x=1', "a/b", {"name": "", "x": "1"}),
        ('a/b; name="=?utf-8?q?=C3=A9?="', "a/b", {"name": "é"}),
        ("a/b; name=é", "a/b", {"name": "é"}),
        # RFC 2231.
        ("a/b; name*=iso-8859-1'de'%E9x", "a/b", {"name": "éx"}),
        ("a/b; name=old; name*=utf-8''%C3%A9", "a/b", {"name": "é"}),
        ("a/b; n*1=\"two\"; n*0=\"one \"", "a/b", {"n": "one two"}),
        ("a/b; n*0*=utf-8''%C3; n*1*=%A9; n*2=%41", "a/b", {"n": "é%41"}),
        ("a/b; n*0=a; n*2=c", "a/b", {"n": "a"}),
        ("a/b; n*=broken", "a/b", {"n": ""}),
        ("a/b; n*x=1; **=2", "a/b", {}),
    ],
)  # fmt: skip
def test_parameters_are_read(field: str | None, value: str, parameters: dict[str, str]) -> None:
    found = content_type(None if field is None else field.encode())
    assert found.value == value
    assert found.parameters == parameters


def test_a_disposition_is_a_word() -> None:
    assert disposition(None).value == ""
    assert disposition(b'Attachment; filename="a"').value == "attachment"
    assert disposition(b'; filename="a"').get("filename") == "a"
    assert disposition(b"inline").get("filename") == ""


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=80)


@example({"name": "\u0130"})
@example({"name": "\u0131\u017f\u212a"})
@given(st.dictionaries(st.sampled_from(["name", "x-a", "q"]), TEXT))
def test_what_is_written_is_read(parameters: dict[str, str]) -> None:
    if any("=?" in text for text in parameters.values()):
        return
    line = written("a/b", parameters)
    assert line.isascii()
    assert content_type(line.encode()).parameters == parameters


@given(TEXT)
def test_others_read_what_is_written(name: str) -> None:
    if "=?" in name or "\\" in name or '"' in name:  # they do not undo these here
        return
    message = Message()
    message["Content-Disposition"] = written("attachment", {"filename": name})
    if name == name.strip() and name:
        assert message.get_filename() == name


@given(
    st.lists(
        st.sampled_from(
            [b";", b"=", b'"', b"*", b"'", b"0", b"1", b"%", b"%41", b" ", b"\\", b"n", b"\xff"]
        )
    ).map(b"".join)
)
def test_any_octets_have_some_parameters(field: bytes) -> None:
    content_type(field)
    disposition(b"a/b; n" + field)


@pytest.mark.parametrize(
    "bit", [";", ';"', "; ", " ", '"', "\\", ";n=", ';n="\\', "(", "a", "=?", ";a*0=x"]
)
def test_a_long_field_takes_time_in_proportion(bit: str) -> None:
    content_type(b"a/b; n=" + bit.encode() * 50_000)
    content_type(b"a/b; n=x" + bit.encode() * 50_000 + b"y)")
    content_type(b"a/b; " + bit.encode() * 50_000)
