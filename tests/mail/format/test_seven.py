"""8BITMIME made 7 bit, whole and in pieces of any size."""

import email
import email.policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.format.seven import MAX_DEPTH, MAX_HEADER, converted, seven_bit, survey

TEXT = "héllo\r\n.wörld =\r\n trailing \r\n"


def parsed(content: bytes) -> email.message.EmailMessage:
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, email.message.EmailMessage)
    return message


def test_text_becomes_quoted_printable() -> None:
    head = b"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    seven = seven_bit(head + b"Content-Transfer-Encoding: 8bit\r\n\r\n" + TEXT.encode())
    assert seven is not None
    assert seven.isascii()
    message = parsed(seven)
    assert message["content-transfer-encoding"] == "quoted-printable"
    assert message.get_content() == TEXT
    assert max(map(len, seven.split(b"\r\n"))) <= 76


def test_other_content_becomes_base64() -> None:
    content = b"\xff\xfe\0" * 100
    seven = seven_bit(b"Content-Type: application/x\r\n\r\n" + content)
    assert seven is not None
    message = parsed(seven)
    assert message["content-transfer-encoding"] == "base64"
    assert message["mime-version"] == "1.0"
    assert message.get_content() == content


def part(kind: str, body: str, encoding: str = "") -> str:
    field = f"Content-Transfer-Encoding: {encoding}\r\n" if encoding else ""
    return f"Content-Type: {kind}\r\n{field}\r\n{body}\r\n"


def multi(boundary: str, *parts: str) -> str:
    return "".join(f"--{boundary}\r\n{each}" for each in parts) + f"--{boundary}--\r\n"


def test_only_the_parts_which_need_it_are_changed() -> None:
    inner = multi("in", part("text/html; charset=utf-8", "<p>é</p>", "8bit"))
    plain = part("text/plain", "ascii stays  ")
    outer = multi("out", plain, part('multipart/alternative; boundary="in"', inner, "8bit"))
    head = 'Subject: x\r\nContent-Type: multipart/mixed;\r\n boundary="out"\r\n\r\npreamble\r\n'
    seven = seven_bit((head + outer).encode())
    assert seven is not None
    assert seven.isascii()
    assert plain.encode() in seven
    assert b"preamble\r\n--out\r\n" in seven
    assert seven.endswith(b"--in--\r\n\r\n--out--\r\n")
    html = parsed(seven).get_body(("html",))
    assert html is not None
    assert html.get_content() == "<p>é</p>"


def test_a_message_in_a_message_is_changed_inside() -> None:
    inner = "Subject: in\r\n" + part("text/plain; charset=utf-8", "é", "8bit")
    content = multi("b", part("message/rfc822", inner))
    seven = seven_bit(b"Content-Type: multipart/digest; boundary=b\r\n\r\n" + content.encode())
    assert seven is not None
    assert seven.isascii()
    assert b"=C3=A9" in seven


@pytest.mark.parametrize(
    "content",
    [
        "Subject: é\r\n\r\ntext é\r\n",
        "Content-Transfer-Encoding: base64\r\n\r\né\r\n",
        "Content-Type: multipart/mixed\r\n\r\né\r\n",
        "Content-Type: multipart/mixed; boundary=x\r\n\r\né\r\n",
        "Content-Type: multipart/mixed; boundary=x\r\n\r\né\r\n--x\r\n\r\n\r\n--x--\r\n",
    ],
)
def test_what_cannot_be_made_7_bit_is_said_so(content: str) -> None:
    assert seven_bit(content.encode()) is None


def test_what_is_7_bit_stays_octet_by_octet() -> None:
    content = b"Content-Transfer-Encoding: 8bit\r\n\r\nplain \r\n"
    assert seven_bit(content) == content


def test_nesting_is_bounded() -> None:
    content = part("text/plain", "é")
    for depth in range(MAX_DEPTH + 2):
        content = part(f"multipart/mixed; boundary=b{depth}x", multi(f"b{depth}x", content))
    assert seven_bit(content.encode()) is None


MIME = st.lists(
    st.sampled_from(
        [
            "Content-Type: multipart/mixed; boundary=b\r\n", "Content-Type: text/plain\r\n",
            "\r\n", "--b\r\n", "--b--\r\n", "--bb\r\n", "é", "text", "--b", "\n",
            "Content-Type: message/rfc822\r\n", "Content-Transfer-Encoding: 8bit\r\n",
        ]
    ),
    max_size=15,
)  # fmt: skip


@given(MIME, st.lists(st.integers(1, 9), max_size=30))
def test_any_cut_gives_the_same(parts: list[str], cuts: list[int]) -> None:
    content = "".join(parts).encode()
    pieces, at = [], 0
    for size in [*cuts, len(content)]:
        pieces.append(content[at : at + size])
        at += size
    plan, whole = survey(pieces), seven_bit(content)
    assert (plan is None) is (whole is None)
    if plan is not None:
        assert b"".join(converted(pieces, plan)) == whole


def test_what_is_kept_of_a_large_content_is_small() -> None:
    line = "é".encode() * 30 + b"\r\n"
    head = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    parts = [
        b"--b\r\nContent-Type: text/plain\r\n\r\n", *[line * 100] * 500,
        b"--b\r\nContent-Type: text/plain\r\n\r\n", *[line.strip() * 100] * 500,
        b"\r\n--b\r\nContent-Type: image/x\r\n\r\n", *[line * 100] * 500, b"--b--\r\n",
    ]  # fmt: skip
    plan = survey([head, *parts])
    assert plan == [b"7bit", b"quoted-printable", b"quoted-printable", b"base64"]
    out = list(converted([head, *parts], plan))
    assert max(map(len, out)) < 600_000
    message = parsed(b"".join(out))
    text, endless, image = message.iter_parts()
    assert text.get_payload(decode=True) == (line * 50_000)[:-2]
    payload = endless.get_payload(decode=True)
    assert payload == line.strip() * 50_000
    assert image.get_payload(decode=True) == (line * 50_000)[:-2]


def test_a_header_without_end_is_not_collected() -> None:
    pieces = ["é".encode() * 1000] * (MAX_HEADER // 1000)
    assert survey(pieces) is None


@given(MIME)
def test_any_message_comes_back_in_7_bit_or_not_at_all(parts: list[str]) -> None:
    content = "".join(parts).encode()
    seven = seven_bit(content)
    assert seven is None or seven.isascii()
    if content.isascii():
        assert seven == content
