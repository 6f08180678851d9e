"""Authentication-Results, against the package authres, and what nobody should write."""

import time

import authres
import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.auth.fields import Fields
from angarium.mail.auth.results import (
    Result,
    Results,
    clauses,
    forged,
    parsed,
    said,
    without,
    written,
)

FOUND = [
    Result("spf", "pass", {"smtp.mailfrom": "joe@example.com"}, comment="sender (ok)"),
    Result("dkim", "fail", {"header.d": "example.com", "header.b": "a/b+c="}, 'it "was" changed'),
    Result("dmarc", "none", {"header.from": "example.com"}),
]


def test_a_field_is_read_as_it_was_written() -> None:
    field = written("mx.example.com", FOUND)
    found = parsed(Fields(field).value(0))
    assert found.authserv_id == "mx.example.com"
    assert [(each.method, each.result) for each in found.results] == [
        ("spf", "pass"), ("dkim", "fail"), ("dmarc", "none"),
    ]  # fmt: skip
    assert found.results[1].properties == FOUND[1].properties
    assert found.results[1].reason == 'it "was" changed'
    assert found.of("spf")[0].properties == {"smtp.mailfrom": "joe@example.com"}
    assert max(map(len, field.split(b"\r\n"))) <= 78


def test_without_results_nothing_was_checked() -> None:
    assert written("mx", []) == b"Authentication-Results: mx;\r\n\tnone\r\n"
    assert clauses([]) == b"none"
    assert parsed(b" mx; none") == Results("mx")


WORDS = st.text(
    st.characters(min_codepoint=32, max_codepoint=126) | st.sampled_from("é()\\\"';\r\n\0"),
    max_size=30,
)
NAMES = st.sampled_from(["spf", "dkim", "x-own", "arc"])
PROPERTIES = st.dictionaries(st.sampled_from(["header.d", "smtp.mailfrom", "policy.x"]), WORDS)


def one_line(text: str) -> str:
    """Return a text as it may stand in a field."""
    out = ""
    for each in text:
        if each.isprintable():
            out += each
        elif not out.endswith("\0"):
            out += "\0"
    return out.replace("\0", " ")


@given(st.lists(st.builds(Result, NAMES, NAMES, PROPERTIES, WORDS, WORDS), min_size=1, max_size=4))
def test_whatever_is_written_is_one_field_and_read_back(results: list[Result]) -> None:
    field = written("mx.example.com", results)
    fields = Fields(field + b"X: y\r\n")
    assert fields.names == (b"authentication-results", b"x")
    back = parsed(fields.value(0))
    assert back.authserv_id == "mx.example.com"
    assert len(back.results) == len(results)
    for got, wrote in zip(back.results, results, strict=True):
        assert (got.method, got.result) == (wrote.method, wrote.result)
        assert got.reason.split() == one_line(wrote.reason).split()
        assert {name: text.split() for name, text in got.properties.items()} == {
            name: one_line(text).split() for name, text in wrote.properties.items()
        }


@given(
    st.lists(
        st.builds(
            Result,
            st.sampled_from(["spf", "dkim", "dmarc", "auth"]),
            st.sampled_from(["pass", "fail", "none"]),
            st.dictionaries(
                st.sampled_from(["header.d", "header.i", "smtp.mailfrom"]),
                st.sampled_from(["example.com", "@example.com", "joe@example.com"]),
            ),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_authres_reads_the_same(results: list[Result]) -> None:
    text = written("mx.example.com", results).decode().replace("\r\n\t", " ").strip()
    other = authres.AuthenticationResultsHeader.parse(text)
    assert other.authserv_id == "mx.example.com"
    assert [(each.method, each.result) for each in other.results] == [
        (each.method, each.result) for each in results
    ]
    for got, wrote in zip(other.results, results, strict=True):
        assert {f"{each.type}.{each.name}": each.value for each in got.properties} == dict(
            wrote.properties
        )


@pytest.mark.parametrize(
    ("value", "name", "methods"),
    [
        # RFC 8601 appendix B.
        (b" example.org 1; none", "example.org", []),
        (b" example.com;\r\n spf=pass smtp.mailfrom=example.net", "example.com", ["spf=pass"]),
        (
            b" example.com;\r\n auth=pass (cram-md5) smtp.auth=sender@example.net;\r\n"
            b" spf=pass smtp.mailfrom=example.net",
            "example.com",
            ["auth=pass", "spf=pass"],
        ),
        (
            b' foo.example.net (foobar) 1 (baz); dkim (Because I like it) / 1 (One yay) = (wait f'
            b'or it) fail policy (A dot can go here) . (like that) expired (this surprised me) = '
            b'(as I wasn\'t expecting it) 1362471462',
            "foo.example.net",
            ["dkim=fail"],
        ),
        (b' a (with "; x=y) and (nested) ); dkim=pass', "", []),
        (b' a (with "; x=y (nested) ); dkim=pass', "a", ["dkim=pass"]),
        (b' "a.b"; dkim=pass reason="x; spf=pass" header.d="c d"', "a.b", ["dkim=pass"]),
        (b" a 2; dkim=pass", "a", []),
        (b"", "", []),
        (b";;;", "", []),
        (b" a; header.d=x; =pass; dkim; dkim=", "a", []),
        (b" a; DKIM = Pass", "a", ["dkim=pass"]),
        (b" a; dkim=pass (never closed", "a", ["dkim=pass"]),
    ],
)  # fmt: skip
def test_fields_of_others(value: bytes, name: str, methods: list[str]) -> None:
    found = parsed(value)
    assert found.authserv_id == name
    assert [f"{each.method}={each.result}" for each in found.results] == methods


def test_comments_stand_anywhere_in_a_property() -> None:
    found = parsed(b" a; dkim=fail policy (dot) . (like that) expired (x) = (y) 1362471462")
    assert found.results[0].properties == {"policy.expired": "1362471462"}


HEADER = (
    b"Authentication-Results: mx.example.com; spf=pass\r\n"
    b"Authentication-Results: other.example; spf=fail\r\n"
    b"Subject: x\r\n"
    b'AUTHENTICATION-RESULTS : (c) "MX.example.com" 1;\r\n\tdkim=pass\r\n'
    b"Authentication-Results: two words; dkim=pass\r\n"
    b"Authentication-Results: ; dkim=pass\r\n"
)


def test_fields_that_claim_to_be_ours_or_that_nobody_can_read_are_forged() -> None:
    fields = Fields(HEADER)
    rows = forged(fields, ["mx.example.com"])
    assert rows == [0, 3, 4, 5]
    assert without(fields, rows) == HEADER[50:111]
    assert without(fields, []) == HEADER


def test_what_is_said_under_a_name_is_put_together_as_it_stands() -> None:
    header = (
        b'Authentication-Results: mx (a;b) 1;\r\n\tspf=pass (c; "d") smtp.helo=x;\r\n'
        b"Authentication-Results: other; spf=fail\r\n"
        b"Authentication-Results: MX; none\r\n"
        b"Authentication-Results: MX; dkim=pass\r\n"
    )
    assert said(Fields(header), "mx") == b'spf=pass (c; "d") smtp.helo=x;\r\n\tdkim=pass'
    assert said(Fields(b""), "mx") == b""


BITS = [b"a", b"=", b";", b'"', b"(", b")", b"\\", b".", b"/1", b" ", b"\r\n "]


@given(st.binary(max_size=300) | st.lists(st.sampled_from(BITS)).map(b"".join))
def test_any_octets_are_read(value: bytes) -> None:
    found = parsed(value)
    written(found.authserv_id or "x", found.results)
    said(Fields(b"Authentication-Results:" + value.replace(b"\n", b"") + b"\r\n"), "a")


def test_the_longest_fields_take_little_time() -> None:
    begin = time.process_time()
    for bit in (b"a", b"a ", b'x="', b"(", b"a.", b"a/1", b'"\\', b"a=b ", b"; a=b", b") "):
        parsed(b"mx;" + bit * (100_000 // len(bit)))
    assert time.process_time() - begin < 5
