"""The content: conformance by the options, and large messages by pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.core.message import Trait
from angarium.inbound.content import Content
from angarium.journal.errors import SpoolError
from angarium.mail.format.conform import Rules
from helpers.reception import Desk, FakeWriter, Talk

HEADER = b"Subject: x\r\n\r\n"
LONG = b"x" * 999


def rcpt_to_data(desk: Desk) -> Talk:
    talk = desk.greeted()
    talk.send(b"MAIL FROM:<>\r\nRCPT TO:<b@mx.example>\r\nDATA\r\n")
    talk.heard()
    return talk


def answer(options: str, content: bytes, listener: str = "") -> str:
    return Desk(options, listener=listener).greeted().deliver(content)


def kept(options: str, content: bytes) -> bytes:
    desk = Desk(options)
    assert desk.greeted().deliver(content).startswith("250"), desk.rejections
    return desk.content


# Headers.


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "Required headers not found (see RFC2822 section 3.6)"),
        (b"\r\nbody\r\n", "Required headers not found (see RFC2822 section 3.6)"),
        (b"just text\r\n", "Required headers not found (see RFC2822 section 3.6)"),
        (b" folded: x\r\n\r\n", "Required headers not found (see RFC2822 section 3.6)"),
        (b"Subject: x\r\njust text\r\n\r\n", "Invalid header found (see RFC2822 section 3.6)"),
    ],
)
def test_mail_without_a_proper_header_is_refused_or_given_one(content: bytes, text: str) -> None:
    assert answer("", content) == f"550 5.6.0 {text}"
    desk = Desk("rfc2822_missing_headers = allow")
    assert desk.greeted().deliver(content).startswith("250")
    whole = desk.message.header + desk.content
    assert whole.endswith(content)
    header, _, body = whole.partition(b"\r\n\r\n")
    assert header.startswith(b"Return-Path")
    if not content.startswith(b"Subject"):
        assert body == content.removeprefix(b"\r\n")


def test_a_header_which_does_not_end_in_crlf_is_refused() -> None:
    desk = Desk()
    talk = desk.greeted()
    talk.send(b"MAIL FROM:<>\r\nRCPT TO:<b@mx.example>\r\nBDAT 10 LAST\r\nSubject: x")
    assert talk.heard()[-1] == (
        "550 5.6.0 Header not terminated by CR LF (see RFC2822 section 2.2)"
    )


def test_a_header_alone_is_a_message() -> None:
    assert kept("", b"Subject: x\r\n") == b"Subject: x\r\n"


def test_a_missing_date_is_refused_added_or_left() -> None:
    refused = "550 5.6.0 Missing required RFC2822 Date field (see RFC2822 section 3.6)"
    assert answer('rfc2822_date_header = "pedantic"', HEADER) == refused
    for option, added in (("ignore", False), ("ifneeded", True)):
        desk = Desk(f"rfc2822_date_header = {option}\nrfc2822_trace_headers = false")
        desk.greeted().deliver(HEADER)
        assert (b"Date: " in desk.message.header) is added
        assert desk.message.variables == {"rfc2822_date_missing": "true"}


def test_a_missing_message_id_is_added_or_left() -> None:
    for option, added in (("ignore", False), ("ifneeded", True)):
        desk = Desk(f"rfc2822_messageid_header = {option}")
        desk.greeted().deliver(HEADER)
        assert (b"Message-ID: <" in desk.message.header) is added


def test_a_loop_ends() -> None:
    fields = b"Received: from x\r\n\tby y\r\n"
    assert answer("received_header_limit = 3", fields * 3 + HEADER).startswith("250")
    loop = "554 5.4.6 mail loop: too many Received header fields"
    assert answer("received_header_limit = 3", fields * 4 + HEADER) == loop
    assert answer("", fields * 101 + HEADER) == loop
    assert answer("", fields * 100 + HEADER).startswith("250")
    assert answer("received_header_limit = 0", fields * 200 + HEADER).startswith("250")


def test_a_header_may_be_too_large() -> None:
    field = b"X: " + b"y" * 995 + b"\r\n"
    assert answer("max_header_size = 2000", field * 3 + HEADER).startswith("552 5.3.4 header")


# Lone CR and LF.


@pytest.mark.parametrize(
    "content", [b"Subject: x\nFrom: y\n\ntext\r\n", b"Subject: x\r\n\ntext\r\n", b"A: b\r\r\n\r\n"]
)
def test_lone_line_ends_in_the_header_are_refused_or_made_crlf(content: bytes) -> None:
    assert answer("", content) == ("550 5.6.0 Lone CR or LF in headers (see RFC2822 section 2.2)")
    fixed = kept("rfc2822_lone_lf_in_headers = fix", content)
    plain = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    assert fixed == plain


def test_lone_line_ends_in_the_body_are_left_refused_or_made_crlf() -> None:
    content = HEADER + b"one\ntwo\rthree\r\n"
    assert kept("", content) == content
    assert answer("rfc2822_lone_lf_in_body = pedantic", content) == (
        "550 5.6.0 Lone CR or LF in body (see RFC2822 section 2.3)"
    )
    fixed = kept("rfc2822_lone_lf_in_body = fix", content)
    assert fixed == HEADER + b"one\r\ntwo\r\nthree\r\n"


def test_a_fixed_body_is_known_to_be_so() -> None:
    desk = Desk("rfc2822_lone_lf_in_body = fix")
    desk.greeted().deliver(HEADER + b"a\n.b\r\n")
    assert desk.content == HEADER + b"a\r\n.b\r\n"
    assert desk.message.traits == Trait.DOTS


@pytest.mark.parametrize("option", ["ignore", "pedantic", "fix"])
def test_smuggling_is_refused_whatever_the_options(option: str) -> None:
    options = f"rfc2822_lone_lf_in_body = {option}\nrfc2822_lone_lf_in_headers = fix"
    for end in (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r"):
        desk = Desk(options)
        reply = desk.greeted().deliver(HEADER + b"x" + end + b"y\r\n")
        assert reply.startswith("550 5.5.2 ")
        assert not desk.admit.taken


def test_the_rest_passes_octet_by_octet() -> None:
    content = HEADER + bytes(set(range(256)) - {10, 13}) + b"\r\n \t\r\n\0\r\n.\x85\r\n"
    desk = Desk()
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    assert desk.greeted().deliver(stuffed).startswith("250")
    assert desk.content == content


# Long lines.


def test_long_lines_are_left_refused_or_broken() -> None:
    body, header = HEADER + LONG + b"\r\n", b"Subject: " + LONG + b"\r\n\r\n"
    assert kept("", body) == body
    pedantic = "rfc2822_max_line_length = pedantic"
    assert answer(pedantic, body) == "550 5.6.0 Body line too long (see RFC2822 section 3.5)"
    assert answer(pedantic, header) == "550 5.6.0 Header line too long (see RFC2822 section 3.5)"
    assert answer(pedantic, HEADER + LONG[1:] + b"\r\n").startswith("250")
    fixed = kept("rfc2822_max_line_length = fix", body)
    assert fixed == HEADER + LONG[1:] + b"\r\nx\r\n"


def test_a_number_is_a_limit_of_its_own_with_a_policy() -> None:
    content = HEADER + b"x" * 30 + b"\r\n"
    limit = "rfc2822_max_line_length = 20\nrfc2822_max_line_length_policy = "
    assert kept(limit + "none", content) == content
    assert answer(limit + "reject", content).startswith("550 5.6.0 Body line too long")
    assert kept(limit + "fix", content) == HEADER + b"x" * 20 + b"\r\n" + b"x" * 10 + b"\r\n"


def test_binary_content_is_not_mended() -> None:
    desk = Desk("rfc2822_lone_lf_in_body = fix\nrfc2822_max_line_length = fix")
    talk = desk.greeted()
    content = HEADER + b"a\nb\rc" + LONG
    talk.send(b"MAIL FROM:<> BODY=BINARYMIME\r\nRCPT TO:<b@mx.example>\r\n")
    talk.send(b"BDAT %d LAST\r\n" % len(content) + content)
    assert talk.heard()[-1].startswith("250")
    assert desk.content == content


# Size.


def test_a_message_which_grows_too_large_is_refused_at_its_end() -> None:
    desk = Desk(listener="max_message_size = 100")
    talk = rcpt_to_data(desk)
    talk.send(HEADER + b"x" * 200 + b"\r\n")
    assert talk.heard() == []
    talk.send(b".\r\nNOOP\r\n")
    assert talk.heard() == ["552 5.3.4 message size limit exceeded", "250 2.0.0 OK"]


SMALL = "large_message_threshold = 4096"


@pytest.mark.effect("large_message_threshold")
def test_a_large_message_goes_to_disk_piece_by_piece() -> None:
    desk = Desk(SMALL)
    talk = rcpt_to_data(desk)
    body = (b"y" * 70 + b"\r\n") * 300
    talk.send(HEADER + body + b".\r\n", cut=1000)
    assert talk.heard()[-1].startswith("250")
    [writer] = desk.writers
    assert len(writer.pieces) > 10
    assert desk.content == HEADER + body
    assert b"Message-ID" in desk.message.header


def test_while_the_disk_is_behind_nothing_is_read() -> None:
    desk = Desk(SMALL)
    desk.slow_disk = True
    talk = rcpt_to_data(desk)
    talk.send(HEADER)
    for _ in range(40):
        talk.session.data_received(b"z" * 65534 + b"\r\n")
        if not talk.reading():
            break
    assert not talk.reading()
    assert desk.writers[0].backlog <= (1 << 20) + 65536
    desk.writers[0].drain()
    assert talk.reading()
    talk.send(b".\r\n")
    assert talk.heard()[-1].startswith("250")


def test_a_peer_lost_in_a_large_message_leaves_nothing_behind() -> None:
    desk = Desk(SMALL)
    talk = rcpt_to_data(desk)
    talk.send(HEADER + b"x" * 5000)
    talk.lose()
    assert desk.writers[0].aborted
    desk.writers[0].drain()


def test_a_large_message_which_is_refused_is_not_kept() -> None:
    desk = Desk(SMALL, listener="max_message_size = 8000")
    talk = rcpt_to_data(desk)
    talk.send(HEADER + b"x" * 5000)
    talk.send(b"x" * 50000)
    assert desk.writers[0].aborted
    talk.send(b"\r\n.\r\n")
    assert talk.heard() == ["552 5.3.4 message size limit exceeded"]


@pytest.mark.parametrize(("full", "code"), [(True, "452"), (False, "451")])
def test_a_large_message_without_a_writer_is_answered_4xx(full: bool, code: str) -> None:
    desk = Desk(SMALL)
    desk.writer_error = SpoolError("no", full=full)
    talk = rcpt_to_data(desk)
    talk.send(HEADER + b"x" * 5000 + b"\r\n.\r\n")
    assert talk.heard()[0].startswith(code)


def test_a_large_header_waits_in_memory_up_to_its_limit() -> None:
    desk = Desk(SMALL + "\nmax_header_size = 20000")
    field = b"X-Field: " + b"y" * 900 + b"\r\n"
    talk = rcpt_to_data(desk)
    talk.send(field * 15)
    assert not desk.writers
    talk.send(b"\r\nbody\r\n.\r\n")
    assert talk.heard()[0].startswith("250")
    talk = rcpt_to_data(desk)
    talk.send(field * 30)
    talk.send(b"\r\n.\r\n")
    assert talk.heard() == ["552 5.3.4 header size limit exceeded"]


@pytest.mark.parametrize(
    ("options", "content", "code"),
    [
        ("", b"no header\r\n\r\n" + b"x" * 5000, "550"),
        ("", b"Subject: x\n\n" + b"x" * 5000, "550"),
        ("rfc2822_lone_lf_in_body = pedantic", HEADER + b"x" * 5000 + b"\nx", "550"),
        ("rfc2822_max_line_length = pedantic", HEADER + b"x" * 5000, "550"),
        ("rfc2822_lone_lf_in_headers = fix", b"Subject: x\n\n" + b"x" * 5000, "250"),
        ("rfc2822_missing_headers = allow", b"\r\n" + b"x" * 5000, "250"),
        ("rfc2822_missing_headers = allow", b"text\r\n\r\n" + b"x" * 5000, "250"),
    ],
)
def test_large_messages_follow_the_same_rules(options: str, content: bytes, code: str) -> None:
    assert answer(f"{SMALL}\n{options}", content + b"\r\n")[:3] == code


RULES = st.builds(
    Rules,
    fix_lone_in_header=st.booleans(),
    lone_in_body=st.sampled_from(["ignore", "pedantic", "fix"]),
    require_header=st.booleans(),
    line_limit=st.sampled_from([0, 5, 20]),
    fix_lines=st.booleans(),
    received_limit=st.sampled_from([0, 1]),
    header_limit=st.just(0),
)
PARTS = st.lists(
    st.sampled_from([b"A: b", b"Received: x", b"\r\n", b"\r\n", b"\n", b"x", b".", b"z" * 30])
    | st.binary(max_size=3).map(lambda each: each.replace(b"\r", b"")),
    max_size=25,
)


@given(RULES, PARTS, st.integers(1, 20))
def test_where_a_message_becomes_large_changes_nothing(
    rules: Rules, parts: list[bytes], large: int
) -> None:
    """In memory or on disk: the same verdict and the same octets, and never an exception."""
    content = b"".join(parts) + b"\r\n"
    # Pieces as the framing gives them: no CRLF is cut.
    pieces = [piece for piece in content.replace(b"\r\n", b"\r\n\0").split(b"\0") if piece]
    lone = content.count(b"\n") != content.count(b"\r\n")
    outcomes = []
    for threshold in (large, 10_000):
        made = Content(rules, 0, threshold, lambda: FakeWriter(slow=False), lambda: None)
        for piece in pieces:
            made.add(piece)
        fault = made.finish(int(Trait.LONE) if lone else 0)
        octets = made.body.whole() if fault is None else b""
        outcomes.append((fault is None, octets))
    assert outcomes[0] == outcomes[1]
