"""Messages nobody wrote, in the hands of policy: never an exception, never another message.

Short in CI; `make fuzz` runs it long.
"""

import re

from hypothesis import given
from hypothesis import strategies as st

from angarium.core.body import MemoryBody
from angarium.mail.format.addresses import mailboxes
from angarium.mail.format.build import leaf
from angarium.mail.format.draft import Draft
from angarium.mail.format.fields import FieldError
from angarium.mail.format.text import set_text, text_of, text_parts, text_replace
from angarium.mail.format.tree import MimeError, tree
from angarium.mail.report import arf, status
from angarium.mail.report.bounce import bounce_of
from angarium.mail.report.codes import CLASSES

MESSAGE = (
    "Received: from a\r\n\tby b\r\nSubject: =?utf-8?q?J=C3=B6?= =?utf-8?b?cmc=?=\r\n"
    'From: "B, b" <a@b.example>, Team: c@d (x);\r\n'
    "Content-Type: multipart/report; boundary=out\r\n\r\npre\r\n"
    "--out\r\nContent-Type: text/plain; charset=iso-8859-1; name*=utf-8''%C3%A9\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n\r\n550 5.1.1 =E9=\r\nx\r\n"
    '--out\r\nContent-Type: multipart/alternative; boundary="in ner"\r\n\r\n'
    "--in ner\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+\r\n"
    "--in ner--\r\n\r\n--out\r\nContent-Type: message/delivery-status\r\n\r\n"
    "Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; a@b\r\nAction: failed\r\n"
    "Diagnostic-Code: smtp; 552 full\r\nStatus: 5.2.2\r\n\r\n--out\r\n"
    "Content-Type: message/rfc822\r\n\r\nSubject: in\r\nTo: é@x\r\n\r\ntext\r\n--out--\r\npost"
).encode()
BITS = [
    b"\r", b"\n", b"\r\n", b"\r\n\r\n", b" ", b"--out", b"--out\r\n", b"--in ner--\r\n", b"\0",
    b"\xff", b"=?", b"?=", b":", b";", b'"', b"<", b"(", b"=",
    b"Content-Type: message/rfc822\r\n\r\n",
    b"Content-Type: message/feedback-report\r\n\r\nFeedback-Type: x\r\n", b"charset=utf-7",
]  # fmt: skip
EDITS = st.lists(
    st.tuples(
        st.integers(0, 1200), st.integers(0, 6), st.sampled_from(BITS) | st.binary(max_size=3)
    ),
    max_size=10,
)


def edited(edits: list[tuple[int, int, bytes]]) -> bytes:
    octets = MESSAGE
    for at, removed, added in edits:
        place = at % (len(octets) + 1)
        octets = octets[:place] + added + octets[place + removed :]
    return octets


@given(EDITS)
def test_a_spoilt_message_is_read(edits: list[tuple[int, int, bytes]]) -> None:
    octets = edited(edits)
    draft = Draft(octets, b"Received: us\r\n")
    top = tree(draft)
    for part in top.walk():
        _ = (part.kind, part.body, part.raw)
        for name in {name.decode() for name in part.header.names}:
            part.header.texts(name)
            for value in part.header.values(name):
                mailboxes(value)
    for part in text_parts(top):
        text_of(part)
    assert bounce_of(top).code in CLASSES
    status.read(top)
    arf.read(top)
    assert draft.whole() == b"Received: us\r\n" + octets
    assert draft.content().whole() == octets


@given(EDITS, st.integers(0, 9), st.sampled_from(["append", "prepend", "set", "replace"]))
def test_an_edit_of_a_spoilt_message_is_seen_and_changes_nothing_else(
    edits: list[tuple[int, int, bytes]], which: int, how: str
) -> None:
    octets = edited(edits)
    draft = Draft(octets)
    body = draft.body_octets
    names = draft.names
    getattr(draft, how)("X-New", "é", "2")
    again = Draft(draft.whole())
    assert again.texts("x-new") == ["é", "2"]
    assert again.body_octets == body
    assert [name for name in again.names if name != b"x-new"] == names
    draft.delete("x-new")
    assert Draft(draft.whole()).names == names
    top = tree(draft, readonly=False)
    part = list(top.walk())[which % len(list(top.walk()))]
    before = [each.raw for each in top.parts]
    try:
        match which % 5:
            case 0:
                part.header.append("X-New", "1")
            case 1:
                set_text(part, "new")
            case 2:
                part.add_last(leaf("text/plain", b"new"))
            case 3:
                part.unlink()
            case _:
                text_replace(part, re.compile("x"), lambda _: "new")
    except (MimeError, FieldError):
        return
    if part is top:
        return  # all of it was changed
    after = tree(Draft(MemoryBody(draft.whole())))
    kept = [each for each in before if each in {each.raw for each in after.parts}]
    assert len(kept) >= len(before) - 1
