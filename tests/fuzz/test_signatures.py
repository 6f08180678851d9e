"""Messages with signatures which were spoilt: each is judged, none raises, none asks much of DNS.

Short in CI; `make fuzz` runs it long. `one` is what another fuzzer would call.
"""

from functools import lru_cache

from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.auth import arc, dkim
from angarium.mail.auth.asking import at_once
from angarium.mail.auth.digest import hashed
from angarium.mail.auth.domainkeys import Check, DomainKeysSigner
from angarium.mail.auth.fields import Fields, opened
from angarium.mail.auth.results import NAME, forged, parsed, said, without, written
from angarium.mail.auth.seal import Sealer
from angarium.mail.auth.sign import Signer, Style
from angarium.mail.auth.signature import Policy
from helpers.signing import NOW, key, zone
from helpers.zones import Records

LETTER = (
    b"Authentication-Results: mx.example.com; spf=pass (x) smtp.mailfrom=a@b.example\r\n"
    b"From: joe@example.com\r\nSubject: a\r\n\tb\r\n\r\nHello  \r\n\r\n--\t\r\nx\r\n\r\n"
)
BITS = [
    b"\r", b"\n", b"\r\n", b"\r\n\r\n", b" ", b"\t", b"\0", b"\xff", b";", b"=", b":", b"b=",
    b"l=0;", b"i=1;",
    b"DKIM-Signature: ", b"ARC-Seal: ", b"h=", b"x" * 300, b"x=1;", b'"', b"(", b"/", b"9",
]  # fmt: skip
EDITS = st.lists(
    st.tuples(
        st.integers(0, 4000), st.integers(0, 6), st.sampled_from(BITS) | st.binary(max_size=3)
    ),
    max_size=8,
)
RECORD_EDITS = st.lists(
    st.tuples(st.integers(0, 300), st.integers(0, 4), st.binary(max_size=3)), max_size=2
)
POLICY = Policy(sha1=True)


@lru_cache
def seed() -> bytes:
    """Return a message which has a signature of each kind."""
    letter = LETTER
    header, body = opened([letter])
    letter = (
        DomainKeysSigner("example.com", "rsa", key()).prepare(Fields(header), body).sign() + letter
    )
    for kind in ("rsa", "ed25519"):
        style = Style(body_length=True, copy_fields=True, identity="a=b@x.example.com")
        signer = Signer("example.com", kind, key(kind), style=style)
        header, body = opened([letter])
        work = signer.prepare(Fields(header), hashed({signer.want}, body), NOW)
        letter = work.sign() + letter
    for _ in range(2):
        header, body = opened([letter])
        fields, pieces = Fields(header), list(body)
        sealer = Sealer("example.com", "rsa", key(), "mx.example.com")
        chain = at_once(arc.verify(fields, pieces, zone(rsa=key().record())))
        sealing = sealer.prepare(fields, hashed({sealer.want}, pieces), chain, b"spf=pass", NOW)
        assert sealing is not None
        letter = sealing.sign() + letter
    return letter


def one(letter: bytes, ask: Records) -> None:
    """Judge a message in all ways. Raises AssertionError where a promise is broken."""
    header, body = opened([letter])
    pieces, fields = list(body), Fields(header)
    verdicts = at_once(dkim.verify(fields, pieces, ask, NOW, POLICY))
    assert all(each.passed == (not each.reason) for each in verdicts)
    assert len(verdicts) == fields.count(dkim.FIELD)
    chain = at_once(arc.verify(fields, pieces, ask, POLICY))
    assert (chain.outcome == "fail") == bool(chain.reason)
    check = Check.of(fields)
    for piece in pieces:
        check.feed(piece)
    at_once(check.judged(ask))
    assert len(ask.asked) <= POLICY.signatures + 2 * arc.MAX_SETS
    field = written("mx.example.com", [*dkim.reported(verdicts), arc.reported(chain)])
    assert Fields(field).names == (NAME,)
    assert len(parsed(Fields(field).value(0)).results) == max(1, len(verdicts)) + 1
    clean = Fields(without(fields, forged(fields, ["mx.example.com"])))
    assert not forged(clean, ["mx.example.com"])
    said(fields, "mx.example.com")


def edited(octets: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    for at, removed, added in edits:
        place = at % (len(octets) + 1)
        octets = octets[:place] + added + octets[place + removed :]
    return octets


@given(EDITS, RECORD_EDITS)
def test_a_message_with_spoilt_signatures_is_judged(
    edits: list[tuple[int, int, bytes]], record_edits: list[tuple[int, int, bytes]]
) -> None:
    record = edited(key().record(), record_edits)
    one(edited(seed(), edits), zone(rsa=record, ed25519=key("ed25519").record()))


def test_the_message_which_is_spoilt_is_a_good_one() -> None:
    header, body = opened([seed()])
    pieces, fields = list(body), Fields(header)
    ask = zone(rsa=key().record(), ed25519=key("ed25519").record())
    verdicts = at_once(dkim.verify(fields, pieces, ask, NOW))
    assert [each.outcome for each in verdicts] == ["pass", "pass"]
    assert at_once(arc.verify(fields, pieces, ask)).outcome == "pass"


@given(st.lists(st.sampled_from(BITS) | st.binary(max_size=4), max_size=40).map(b"".join))
def test_any_octets_at_all(octets: bytes) -> None:
    for begin in (b"", b"DKIM-Signature: ", b"DomainKey-Signature: ", b"ARC-Seal: i=1;"):
        one(begin + octets, zone())
