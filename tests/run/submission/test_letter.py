"""Messages as programs give them."""

import time
from datetime import UTC, datetime
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.run.submission import letter
from angarium.run.submission.addresses import AddressError
from angarium.run.submission.letter import Letter, LetterError, completed, recipients

AT = datetime(2026, 11, 25, 21, 0, tzinfo=UTC)


def read(octets: bytes, *, dots: bool = True, most: int = 1 << 24) -> tuple[Letter, bytes]:
    found = letter.read(BytesIO(octets), dots=dots, most=most)
    with found.body as body:
        return found, body.read()


def test_line_ends_become_crlf() -> None:
    found, body = read(b"A: 1\nB: 2\r\n more\n\none\r\ntwo\nthree")
    assert found.header == b"A: 1\r\nB: 2\r\n more\r\n"
    assert body == b"one\r\ntwo\r\nthree\r\n"
    assert found.size == len(body)


def test_a_message_without_a_header_or_without_the_empty_line() -> None:
    assert read(b"just text\nmore\n")[0].header == b""
    assert read(b"just text\n")[1] == b"just text\r\n"
    assert read(b"A: 1\nno field\n")[1] == b"no field\r\n"
    assert read(b"\nA: 1\n")[1] == b"A: 1\r\n"
    assert read(b"")[1] == b""


def test_the_line_of_a_mailbox_is_no_field() -> None:
    assert read(b"From bob Wed Nov 25\nA: 1\n\n")[0].header == b"A: 1\r\n"


def test_a_dot_alone_ends_unless_it_may_not() -> None:
    assert read(b"A: 1\n\nx\n.\ny\n")[1] == b"x\r\n"
    assert read(b"A: 1\n\nx\n.\ny\n", dots=False)[1] == b"x\r\n.\r\ny\r\n"
    assert read(b"A: 1\n\nx\n..\ny\n")[1] == b"x\r\n..\r\ny\r\n"


def test_a_long_line_stays_one_and_a_dot_in_it_is_no_end() -> None:
    long = b"x" * (1 << 16) + b".\n"
    assert read(b"\n" + long)[1] == long[:-1] + b"\r\n"


def test_a_return_is_held_until_it_is_known_what_it_ends() -> None:
    piece = 1 << 16
    for before in range(piece - 3, piece + 3):
        text = b"x" * before
        assert read(b"\n" + text + b"\r\nnext\r")[1] == text + b"\r\nnext\r\n"
        assert read(b"\n" + text + b"\ry")[1] == text + b"\ry\r\n"
    assert read(b"\n\r")[1] == b"\r\n"


@pytest.mark.parametrize("piece", [b"\r", b"\n", b".", b"\r\n", b"\r.", b"\n.\r", b"\0"])
def test_a_hostile_body_takes_linear_time(piece: bytes) -> None:
    begun = time.process_time()
    read(b"\n" + piece * ((1 << 20) // len(piece)), dots=False)
    assert time.process_time() - begun < 4.0


def test_too_much_is_refused() -> None:
    with pytest.raises(LetterError):
        read(b"\n" + b"x" * 2000, most=1000)
    with pytest.raises(LetterError):
        read(b"A: 1\n" + b" x\n" * (letter.MAX_HEADER // 3))
    with pytest.raises(LetterError):
        read(b"A: " + b"x" * (letter.MAX_HEADER + 1))


def test_eight_bit_is_found_in_header_and_body() -> None:
    assert read("Subject: ü\n\n".encode())[0].eight_bit
    assert read("A: 1\n\nü".encode())[0].eight_bit
    assert not read(b"A: 1\n\nx\0\n")[0].eight_bit


@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b".", b"x", b"\0"]), max_size=60))
def test_no_line_feed_comes_without_its_return(pieces: list[bytes]) -> None:
    _, body = read(b"\n" + b"".join(pieces), dots=False)
    assert body.count(b"\n") == body.count(b"\r\n")
    assert not body or body.endswith(b"\r\n")


def test_recipients_of_the_header() -> None:
    header = b"To: A <a@x>,\r\n b@y\r\nCC: c@z\r\nbcc : d@w\r\nReply-To: no@no\r\n"
    assert recipients(header) == ["a@x", "b@y", "c@z", "d@w"]


def test_who_sends_again_sends_to_the_new_ones() -> None:
    header = b"To: a@x\r\nResent-To: b@y\r\nResent-Bcc: c@z\r\n"
    assert recipients(header) == ["b@y", "c@z"]


def test_a_field_which_is_no_list_is_an_error() -> None:
    with pytest.raises(AddressError):
        recipients(b"To: <a@x\r\n")
    with pytest.raises(LetterError):
        recipients(b"To: \xff@x\r\n")


def made(header: bytes = b"", **changed: str) -> bytes:
    said = {"sender": "me@h.test", "name": "", "host": "h.test", "token": "1.2"} | changed
    return completed(header, at=AT, **said)


def test_what_is_missing_is_added_and_bcc_taken_away() -> None:
    found = made(b"To: a@x\r\nBcc: s@x,\r\n t@x\r\nSubject: x\r\nResent-Bcc: u@x\r\n", name="Me")
    assert found == (
        b"Date: Wed, 25 Nov 2026 21:00:00 +0000\r\nFrom: Me <me@h.test>\r\n"
        b"Message-ID: <1.2@h.test>\r\nTo: a@x\r\nSubject: x\r\n"
    )


def test_what_is_there_stays() -> None:
    header = b"from: a@b\r\nDATE: x\r\nMessage-Id: <y>\r\n"
    assert made(header) == header


@pytest.mark.parametrize(
    ("name", "sender", "field"),
    [
        ('O"Brien, <x>', "me@h.test", '"O\\"Brien, <x>" <me@h.test>'),
        ("Jürgen", "me@h.test", "=?utf-8?q?J=C3=BCrgen?= <me@h.test>"),
        ("Jürgen", "jürgen@h.test", '"Jürgen" <jürgen@h.test>'),
        ("", "", "MAILER-DAEMON@h.test"),
    ],
)
def test_the_name_of_the_sender_is_quoted(name: str, sender: str, field: str) -> None:
    assert f"From: {field}\r\n".encode() in made(name=name, sender=sender)


def test_a_warning_stands_first() -> None:
    found = completed(
        b"", sender="", name="", host="h", token="1", at=AT, warnings=["h: bob set sender"]
    )
    assert found.startswith(b"X-Authentication-Warning: h: bob set sender\r\n")
    assert letter.received("h", 7, "ab", AT).startswith(b"Received: by h (Angarium, from userid 7)")
