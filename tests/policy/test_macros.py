from collections.abc import Mapping
from dataclasses import replace

import pytest

from angarium.policy.macros import Situation, asks_name, dotted, expand, first_lines

MESSAGE = b"Subject: hi\r\nFrom: a@example.org\r\n\r\none\r\ntwo\r\nthree\r\n"


class Fake:
    """A message of two parts of text."""

    octets = MESSAGE
    parts: Mapping[int, bytes] = {1: b"Content-Type: text/plain\r\n\r\nuno", 2: b"X: y\r\n\r\ndue"}

    def part(self, number: int) -> bytes:
        return self.parts.get(number, b"")

    def text_part(self, number: int) -> bytes:
        return self.parts.get(number, b"")

    def text(self, number: int) -> bytes:
        return {1: b"uno\r\nzwei\r\n", 2: b"due"}.get(number, b"")

    def header(self, name: bytes) -> bytes:
        return {b"subject": b"hi"}.get(name, b"")


# Sender and addresses as in the examples of RFC 7208 section 7.4.
RFC = Situation(
    sender="strong-bad@email.example.com",
    peer="192.0.2.3",
    helo="mail.example.com",
    connection={"ehlo_domain": "mx.example.net", "my_networks": "10.0.0.0/8"},
    message={"binding": "b1"},
    content=Fake(),
    recipient="you@example.net",
    host="mta.example.org",
    now=1_000_000_000.25,
    letters={"i": lambda: "A1/B2"},
)


@pytest.mark.parametrize(
    ("macro", "value"),
    [
        ("s", "strong-bad@email.example.com"),
        ("o", "email.example.com"),
        ("d", "email.example.com"),
        ("d4", "email.example.com"),
        ("d3", "email.example.com"),
        ("d2", "example.com"),
        ("d1", "com"),
        ("dr", "com.example.email"),
        ("d2r", "example.email"),
        ("l", "strong-bad"),
        ("l-", "strong.bad"),
        ("lr", "strong-bad"),
        ("lr-", "bad.strong"),
        ("l1r-", "strong"),
        ("ir", "3.2.0.192"),
        ("v", "in-addr"),
        ("h", "mail.example.com"),
        ("c", "192.0.2.3"),
        ("r", "mta.example.org"),
        ("t", "1000000000"),
        ("p", "unknown"),
        ("S", "strong-bad%40email.example.com"),
    ],
)
def test_letters_of_spf_are_those_of_its_rfc(macro: str, value: str) -> None:
    assert expand(b"<%%{spfv1:%s}>" % macro.encode(), RFC) == f"<{value}>".encode()
    assert expand(b"%%{%s}" % macro.encode(), RFC) == value.encode()


def test_an_address_of_ipv6_is_taken_apart_for_names_of_dns() -> None:
    situation = replace(RFC, peer="2001:db8::cb01")
    expected = b"1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2".upper()
    assert expand(b"%{ir}.%{v}.arpa", situation) == expected + b".ip6.arpa"
    assert expand(b"%{spfv1:c}", situation) == b"2001:db8::cb01"
    assert dotted("what:ever") == "what:ever"


def test_the_null_sender_is_the_postmaster_of_who_said_hello() -> None:
    assert expand(b"%{s} %{d}", replace(RFC, sender="")) == (
        b"postmaster@mail.example.com mail.example.com"
    )
    assert expand(b"<%{s}>", Situation()) == b"<>"


def test_no_labels_at_all_is_no_macro() -> None:
    assert expand(b"<%{spfv1:d0}>", RFC) == b"<>"


def test_contexts_stand_in_their_places() -> None:
    text = b"%{vctx_conn:ehlo_domain}/%{vctx_mess:binding}/%{vctx_mess:none}/%vctx_mess{binding}"
    assert expand(text, RFC) == b"mx.example.net/b1//b1"


def test_a_value_is_not_expanded_again() -> None:
    situation = replace(RFC, message={"x": "%{vctx_mess:x}%%"})
    assert expand(b"%{vctx_mess:x}", situation) == b"%{vctx_mess:x}%%"


def test_octets_which_are_no_utf8_pass() -> None:
    assert expand(b"\xff%{vctx_mess:binding}\xfe", RFC) == b"\xffb1\xfe"


@pytest.mark.parametrize(
    ("macro", "value"),
    [
        (b"message", MESSAGE),
        (b"message,1", b"Subject: hi\r\n"),
        (b"message,9b", b"Subject: \r\n"),
        (b"headers", b"Subject: hi\r\nFrom: a@example.org\r\n"),
        (b"body", b"one\r\ntwo\r\nthree\r\n"),
        (b"body,2", b"one\r\ntwo\r\n"),
        (b"body,0", b"\r\n"),
        (b"body,4b", b"one\r\r\n"),
        (b"text", b"uno\r\nzwei\r\n"),
        (b"part,2", b"X: y\r\n\r\ndue\r\n"),
        (b"part,9", b""),
        (b"text,2", b"X: y\r\n\r\ndue\r\n"),
        (b"text,1,1", b"uno\r\n"),
        (b"text,7,1", b""),
        (b"whatever", b""),
    ],
)
def test_pieces_of_the_message_end_with_a_line_end(macro: bytes, value: bytes) -> None:
    assert expand(b"%%{rfc2822:%s}" % macro, RFC) == value


def test_before_there_is_a_message_its_macros_stand_for_nothing() -> None:
    assert expand(b"%{rfc2822:message}%h{Subject}", Situation()) == b""


def test_a_date_is_one_of_a_header() -> None:
    assert expand(b"%{rfc822:date}", RFC) == b"Sun, 09 Sep 2001 01:46:40 +0000"


def test_letters_of_the_loggers_are_known_too() -> None:
    text = b"%i %m %M %r %R %H %h{Subject} %us{2} %t{%Y}"
    assert expand(text, RFC) == (
        b"A1/B2 strong-bad email.example.com you example.net 192.0.2.3 hi 1000000000.25 2001"
    )


def test_what_begins_no_macro_stays() -> None:
    assert expand(b"100% of 5%x and 20%% %{", RFC) == b"100% of 5%x and 20% %{"
    assert expand(b"<%{nothing:here}%{nope}>", RFC) == b"<>"


def test_only_the_name_of_the_peer_needs_dns() -> None:
    assert asks_name(b"from %{spfv1:p}")
    assert asks_name(b"from %{p2r}")
    assert not asks_name(b"from %{spfv1:i} %{vctx_conn:p} %p")


def test_first_lines_are_cut_at_line_ends_only() -> None:
    assert first_lines(b"a\nb\r\nc", 2) == b"a\nb\r\n"
    assert first_lines(b"a", 5) == b"a"
    assert first_lines(b"a", 0) == b""
