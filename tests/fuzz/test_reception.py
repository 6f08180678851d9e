"""Octets nobody wrote, in the place of a client: never an exception, never mail nobody promised.

Short in CI; `make fuzz` runs it long.
"""

import re

from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.format.seven import seven_bit
from helpers.reception import Desk

DIALOGUE = (
    b"EHLO client.example\r\nMAIL FROM:<a@client.example> SIZE=100 BODY=8BITMIME RET=FULL\r\n"
    b"RCPT TO:<b@mx.example> NOTIFY=SUCCESS ORCPT=rfc822;b@mx.example\r\nDATA\r\n"
    b"Subject: x\r\n y\r\nFrom: a@b.example\r\n\r\n..text\xe9\r\n.\r\n"
    b"MAIL FROM:<>\r\nRCPT TO:<c@mx.example>\r\nBDAT 14\r\nSubject: x\r\n\r\n"
    b"BDAT 8 LAST\r\n.body.\r\nVRFY x\r\nRSET\r\nQUIT\r\n"
)
MESSAGE = (
    "Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
    "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\né\r\n"
    "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: y\r\n\r\né\r\n--b--\r\n"
).encode()
BITS = [b"\r", b"\n", b".", b"\r\n", b" ", b"<", b">", b"\0", b"\xff", b"BDAT 9\r\n", b"DATA\r\n"]
EDITS = st.lists(
    st.tuples(
        st.integers(0, 600), st.integers(0, 4), st.sampled_from(BITS) | st.binary(max_size=3)
    ),
    max_size=8,
)
OPTIONS = st.sampled_from(
    [
        "",
        "rfc2822_lone_lf_in_body = fix\nrfc2822_lone_lf_in_headers = fix",
        "rfc2822_missing_headers = allow\nrfc2822_max_line_length = 20\n"
        "rfc2822_max_line_length_policy = fix\nrfc2821_pedantic_address_rules = false",
    ]
)


def edited(octets: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    """Replace, insert and remove some octets."""
    for at, removed, added in edits:
        place = at % (len(octets) + 1)
        octets = octets[:place] + added + octets[place + removed :]
    return octets


@given(EDITS, OPTIONS, st.integers(1, 60))
def test_a_spoilt_dialogue(edits: list[tuple[int, int, bytes]], options: str, cut: int) -> None:
    desk = Desk(options)
    talk = desk.connect()
    talk.send(edited(DIALOGUE, edits), cut)
    said = talk.transport.written
    assert re.fullmatch(rb"(?:[2-5]\d\d[ -][ -~]*\r\n)*", said)
    assert said.count(b"250 2.0.0 OK 00/") == len(desk.admit.taken)
    for message, recipients in desk.admit.taken:
        assert recipients
        assert all(each.domain == "mx.example" for each in recipients)
        header = message.header
        assert header.endswith(b"\r\n")
        assert header.count(b"\r") == header.count(b"\n") == header.count(b"\r\n")
        if "fix" in options:
            whole = message.body.whole()
            assert not re.search(rb"(?<!\r)\n\.[\r\n]", whole)


CLAIMS = (
    b"EHLO c\r\nXDUMPCONTEXT\r\nXCLIENT NAME=mx.example ADDR=IPV6:2001:db8::1 PORT=25 HELO=a\r\n"
    b"XSETCONTEXT a=b+20c d=e\r\nXREMOTEIP 198.51.100.7\r\nXDUMPCONTEXT\r\n"
    b"MAIL FROM:<>\r\nRCPT TO:<b@mx.example>\r\nDATA\r\nSubject: x\r\n\r\n.\r\nXDUMPCONTEXT\r\n"
)


@given(EDITS, st.integers(1, 60))
def test_a_spoilt_dialogue_of_a_trusted_client(
    edits: list[tuple[int, int, bytes]], cut: int
) -> None:
    words = "XCLIENT XREMOTEIP XSETCONTEXT XDUMPCONTEXT"
    talk = Desk(listener=f"smtp_extensions = ( {words} )").connect()
    talk.send(edited(CLAIMS, edits), cut)
    assert re.fullmatch(rb"(?:[2-5]\d\d[ -][ -~]*\r\n)*", talk.transport.written)
    for message, _ in talk.desk.admit.taken:
        assert message.header.count(b"\r\nReceived: ") == 1
        assert message.header.count(b"\r") == message.header.count(b"\n")


@given(EDITS)
def test_a_spoilt_message_in_7_bit(edits: list[tuple[int, int, bytes]]) -> None:
    seven = seven_bit(edited(MESSAGE, edits))
    assert seven is None or seven.isascii()
