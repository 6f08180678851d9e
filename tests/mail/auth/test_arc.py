"""Chains of ARC: the suite of the RFC's authors (tests/vectors/arc), and what it leaves out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.auth import arc
from angarium.mail.auth.arc import Chain, verify
from angarium.mail.auth.asking import Ask, at_once
from angarium.mail.auth.digest import hashed
from angarium.mail.auth.fields import Fields, opened
from angarium.mail.auth.seal import Sealer
from helpers.signing import NOW, key, zone
from helpers.zones import Records

SUITE = Path(__file__).parents[2] / "vectors" / "arc" / "arc-draft-validation-tests.yml"
# "" is a chain of which a seal itself says that it failed: nobody may build on it.
RESULTS = {None: "none", "None": "none", "Pass": "pass", "Fail": "fail", "": "fail"}
LETTER = b"From: joe@example.com\r\nSubject: hi\r\n\r\nHello.\r\n"


def _scenarios() -> Iterator[Any]:
    for part in yaml.safe_load_all(SUITE.read_text()):
        records = part["txt-records"] or {}
        names = {name: [("TXT", text.encode())] for name, text in records.items()}
        for name, test in part["tests"].items():
            yield pytest.param(names, test, id=name)


@pytest.mark.parametrize(("names", "test"), list(_scenarios()))
def test_the_suite_is_passed(names: dict[str, Any], test: dict[str, Any]) -> None:
    letter = test["message"].encode().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    assert checked(letter, Records(names)).outcome == RESULTS[test["cv"]]


def checked(letter: bytes, ask: Ask) -> Chain:
    header, body = opened([letter])
    return at_once(verify(Fields(header), body, ask))


def sealed(letter: bytes, ask: Ask, domain: str = "example.com") -> bytes:
    header, body = opened([letter])
    pieces, fields = list(body), Fields(header)
    sealer = Sealer(domain, "s1", key(), "mx.example.com")
    chain = at_once(verify(fields, pieces, ask))
    work = sealer.prepare(fields, hashed({sealer.want}, pieces), chain, b"arc=none", NOW)
    assert work is not None
    return work.sign() + letter


ASK = zone(s1=key().record())


def test_a_chain_names_who_sealed_it() -> None:
    chain = checked(sealed(sealed(LETTER, ASK), ASK), ASK)
    assert chain.outcome == "pass"
    assert chain.domains == ["example.com", "example.com"]
    assert chain.highest == 2
    assert arc.reported(chain).result == "pass"


def test_a_message_without_a_chain_has_none() -> None:
    assert checked(LETTER, ASK).outcome == "none"
    assert checked(b"", ASK).outcome == "none"


def test_trouble_with_dns_is_no_failure_for_ever() -> None:
    trouble = Records({"s1._domainkey.example.com": [("TIMEOUT", "")]})
    chain = checked(sealed(LETTER, ASK), trouble)
    assert (chain.outcome, chain.temporary) == ("fail", True)
    assert not checked(sealed(LETTER, ASK) + b"x", ASK).temporary


def test_the_oldest_set_whose_signature_holds_says_who_changed_the_message() -> None:
    first = sealed(sealed(LETTER, ASK), ASK)
    letter = sealed(first.replace(b": hi", b": list hi"), ASK)
    # The newest signature of `first` is broken, so the one who changed it says "fail".
    assert checked(letter, ASK).outcome == "fail"

    def changing(letter: bytes) -> bytes:
        """Check, then change, then seal: what a mailing list does."""
        header, body = opened([letter])
        chain = at_once(verify(Fields(header), list(body), ASK))
        changed = letter.replace(b": hi", b": list hi")
        header, body = opened([changed])
        sealer = Sealer("example.com", "s1", key(), "mx.example.com")
        fields = Fields(header)
        work = sealer.prepare(fields, hashed({sealer.want}, body), chain, b"arc=pass", NOW)
        assert work is not None
        return work.sign() + changed

    def oldest(letter: bytes) -> int:
        header, body = opened([letter])
        fields, pieces = Fields(header), list(body)
        chain = arc.chain(fields)
        arc.older(chain, fields)
        hashes = hashed(arc.wants(chain), pieces)
        at_once(arc.judged(chain, fields, hashes, ASK))
        assert chain.outcome == "pass"
        at_once(arc.oldest(chain, fields, hashes, ASK))
        assert arc.reported(chain).properties["header.oldest-pass"] == str(chain.oldest_pass)
        assert chain.oldest_pass is not None
        return chain.oldest_pass

    assert oldest(sealed(sealed(LETTER, ASK), ASK)) == 0
    assert oldest(sealed(changing(sealed(LETTER, ASK)), ASK)) == 2


def test_a_chain_of_more_than_fifty_sets_fails() -> None:
    fields = b"".join(
        b"ARC-Seal: i=%d; cv=none; a=rsa-sha256; d=a.b; s=c; b=eA==\r\n"
        b"ARC-Message-Signature: i=%d; a=rsa-sha256; d=a.b; s=c; h=from; bh=eA==; b=eA==\r\n"
        b"ARC-Authentication-Results: i=%d; x\r\n" % (number, number, number)
        for number in range(1, 52)
    )
    ask = zone()
    chain = checked(fields + LETTER, ask)
    assert (chain.outcome, chain.reason) == ("fail", "the chain is too long")
    assert ask.asked == []


PARTS = st.sampled_from(
    [b"ARC-Seal: ", b"ARC-Message-Signature: ", b"ARC-Authentication-Results: ", b"i=1; ", b"i=2;",
     b"cv=none; ", b"a=rsa-sha256; d=a.b; s=c; b=eA==; ", b"h=from; bh=eA==;", b"\r\n", b"x"]
)  # fmt: skip


@given(st.lists(PARTS, max_size=30).map(b"".join))
def test_any_fields_are_a_chain_or_a_reason(header: bytes) -> None:
    chain = checked(header + b"\r\nFrom: a\r\n\r\n", zone())
    assert (chain.outcome == "fail") == bool(chain.reason)
    assert chain.outcome in ("none", "fail")
