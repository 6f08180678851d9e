"""Sets of ARC, made: the suite of the RFC's authors (tests/vectors/arc), and what it leaves out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from angarium.mail.auth.arc import verify
from angarium.mail.auth.asking import Ask, at_once
from angarium.mail.auth.covered import Covered
from angarium.mail.auth.digest import hashed
from angarium.mail.auth.fields import Fields, opened
from angarium.mail.auth.keys import BadKeyError, PrivateKey, private
from angarium.mail.auth.results import said
from angarium.mail.auth.seal import Sealer
from angarium.mail.auth.tags import parsed, solid
from helpers.signing import NOW, key, zone
from helpers.zones import Records

SUITE = Path(__file__).parents[2] / "vectors" / "arc" / "arc-draft-sign-tests.yml"
LETTER = b"From: joe@example.com\r\nSubject: hi\r\n\r\nHello.\r\n"
ASK = zone(s1=key().record())


def _scenarios() -> Iterator[Any]:
    for part in yaml.safe_load_all(SUITE.read_text()):
        for name, test in part["tests"].items():
            yield pytest.param(part, test, id=name)


def _octets(text: str) -> bytes:
    return text.encode().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _tags(value: bytes) -> dict[bytes, bytes]:
    """Return tags to be compared: not b=, which depends on how the field is folded and ordered."""
    return {name: solid(text) for name, text in parsed(value).items() if name != b"b"}


def seal(
    letter: bytes, ask: Ask, sealer: Sealer, results: bytes | None = None, now: float = NOW
) -> bytes | None:
    header, body = opened([letter])
    fields, pieces = Fields(header), list(body)
    chain = at_once(verify(fields, pieces, ask))
    text = said(fields, sealer.authserv_id) if results is None else results
    work = sealer.prepare(fields, hashed({sealer.want}, pieces), chain, text, now)
    return work.sign() if work is not None else None


@pytest.mark.parametrize(("part", "test"), list(_scenarios()))
def test_the_suite_is_passed(part: dict[str, Any], test: dict[str, Any]) -> None:
    records = part["txt-records"]
    ask = Records({name: [("TXT", text.encode())] for name, text in records.items()})
    by = private(part["privatekey"].encode())
    covered = Covered.exactly(test["sig-headers"])
    sealer = Sealer(part["domain"], part["sel"], by, test["srv-id"], covered)
    letter = _octets(test["message"])
    made = seal(letter, ask, sealer, now=int(test["t"]))
    if not test["AS"]:
        assert made is None
        return
    assert made is not None
    fields = Fields(made)
    kinds = [b"arc-seal", b"arc-message-signature", b"arc-authentication-results"]
    assert list(fields.names) == kinds
    assert _tags(fields.value(0)) == _tags(_octets(test["AS"]))
    expected = _tags(_octets(test["AMS"]))
    got = _tags(fields.value(1))
    assert got.pop(b"h").lower() == expected.pop(b"h").lower()
    assert got == expected
    assert b" ".join(fields.value(2).split()) == b" ".join(_octets(test["AAR"]).split())
    if b"cv=fail" not in made:
        header, body = opened([made + letter])
        assert at_once(verify(Fields(header), body, ask)).outcome == "pass"


@pytest.mark.parametrize("by", [key(), key("ed25519")])
def test_a_chain_goes_on_and_no_line_is_long(by: PrivateKey) -> None:
    ask = zone(s1=by.record())
    sealer = Sealer("example.com", "s1", by, "mx.example.com", body_canon="simple")
    letter = LETTER
    for number in range(1, 5):
        made = seal(letter, ask, sealer, b"spf=pass smtp.mailfrom=joe@example.com")
        assert made is not None
        assert max(map(len, made.split(b"\r\n"))) <= 78
        letter = made + letter
        header, body = opened([letter])
        chain = at_once(verify(Fields(header), body, ask))
        assert (chain.outcome, chain.highest) == ("pass", number)


def test_a_chain_that_fails_is_sealed_once_and_no_more() -> None:
    sealer = Sealer("example.com", "s1", key(), "mx.example.com")
    first = seal(LETTER, ASK, sealer, b"none")
    assert first is not None
    spoilt = first + LETTER.replace(b"Hello", b"Goodbye")
    second = seal(spoilt, ASK, sealer, b"arc=fail")
    assert second is not None
    assert b"cv=fail" in second
    assert b"i=2" in second
    assert seal(second + spoilt, ASK, sealer, b"arc=fail") is None


def test_a_message_signature_covers_no_seal() -> None:
    covered = Covered.of("from arc-seal arc-message-signature")
    sealer = Sealer("example.com", "s1", key(), "mx.example.com", covered)
    first = seal(LETTER, ASK, sealer, b"none")
    assert first is not None
    second = seal(first + LETTER, ASK, sealer, b"none")
    assert second is not None
    assert parsed(Fields(second).value(1))[b"h"] == b"from:arc-message-signature"


def test_key_and_hash_must_go_together() -> None:
    with pytest.raises(BadKeyError):
        Sealer("example.com", "s1", key("ed25519"), "mx", hash_name="sha1")
