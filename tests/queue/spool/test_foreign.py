"""Letters of other programs: who sends them, who gets them, and how their lines end."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.queue.spool.foreign import (
    ForeignError,
    is_maildir,
    is_postcat,
    letter,
    lines,
    maildir,
    postcat,
)
from angarium.queue.spool.letter import Letter


def content(made: Letter) -> bytes:
    return b"".join(made.octets())


def to(made: Letter) -> list[tuple[str, str]]:
    return [(each.target.address, each.target.domain) for each in made.receivers]


def test_a_message_in_a_file_says_whom_it_is_from_and_for() -> None:
    octets = (
        b"Return-Path: <s@x.test>\nDelivered-To: a@Y.test\nDelivered-To:\n <b@y.test>\n"
        b"To: nobody@z.test\n\nTo: liar@z.test\n.\n"
    )
    made = letter(octets, None, (), 12.0)
    assert made.envelope.sender == "s@x.test"
    assert to(made) == [("a@Y.test", "y.test"), ("b@y.test", "y.test")]
    assert content(made) == octets.replace(b"\n", b"\r\n")
    assert (made.envelope.received_at, made.size) == (12.0, len(content(made)))


def test_what_is_said_outside_counts_more() -> None:
    octets = b"Return-Path: <s@x.test>\r\nX-Original-To: a@y.test\r\n\r\nhi\r\n"
    made = letter(octets, "", ["c@y.test", "c@y.test"], 0.0)
    assert (made.envelope.sender, to(made)) == ("", [("c@y.test", "y.test")])
    assert content(made) == octets


@pytest.mark.parametrize("recipients", [(), ("no address",), ("a@-.test",)])
def test_who_is_for_nobody_is_told(recipients: tuple[str, ...]) -> None:
    with pytest.raises(ForeignError):
        letter(b"Subject: x\n\nDelivered-To: a@y.test\n", None, recipients, 0.0)


def test_a_maildir_gives_what_was_delivered(tmp_path: Path) -> None:
    for name in ("cur", "new", "tmp"):
        (tmp_path / name).mkdir()
    for name in ("new/2", "cur/1:2,S", "tmp/3"):
        (tmp_path / name).touch()
    assert is_maildir(tmp_path)
    assert not is_maildir(tmp_path / "new")
    assert [each.name for each in maildir(tmp_path)] == ["1:2,S", "2"]


POSTCAT = b"""\
*** ENVELOPE RECORDS deferred/1/1A2B ***
message_size:             500             200
message_arrival_time: Tue Nov 24 12:00:00 2026
sender: s@x.test
named_attribute: rewrite_context=local
original_recipient: alias@y.test
recipient: a@y.test
done_recipient: had@y.test
recipient: b@y.test
*** MESSAGE CONTENTS deferred/1/1A2B ***
Received: by x.test
Subject: hi

recipient: liar@y.test
*** HEADER EXTRACTED deferred/1/9999 ***
.the end
*** HEADER EXTRACTED deferred/1/1A2B ***
named_attribute: encoding=8bit
*** MESSAGE FILE END deferred/1/1A2B ***
"""


def test_what_postcat_prints_is_read() -> None:
    made = postcat(POSTCAT, 3.0)
    assert made.envelope.sender == "s@x.test"
    assert [address for address, _ in to(made)] == ["a@y.test", "b@y.test"]
    assert content(made) == (
        b"Received: by x.test\r\nSubject: hi\r\n\r\nrecipient: liar@y.test\r\n"
        b"*** HEADER EXTRACTED deferred/1/9999 ***\r\n.the end\r\n"
    )


@pytest.mark.parametrize("end", [b"", b"*** MESSAGE CONTENTS", b"*** HEADER EXTRACTED"])
def test_what_is_not_all_of_it_is_told(end: bytes) -> None:
    cut = POSTCAT.partition(end)[0] if end else b""
    if end == b"*** HEADER EXTRACTED":
        cut = POSTCAT.partition(b"recipient: liar")[0]
    with pytest.raises(ForeignError):
        postcat(cut, 0.0)


@given(st.text(alphabet="ab\r\n", max_size=40), st.integers(1, 9))
def test_lines_are_the_same_however_they_are_cut(text: str, piece: int) -> None:
    octets = text.encode()
    whole = octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    assert b"".join(lines(octets, piece)) == whole


def test_what_postcat_prints_is_known_by_its_beginning() -> None:
    assert is_postcat(POSTCAT)
    assert not is_postcat(b"Subject: *** ENVELOPE RECORDS")
