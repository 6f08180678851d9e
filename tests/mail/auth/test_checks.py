"""All checks of a message at once: each is what its engine says, over one reading of the body."""

from ipaddress import ip_address
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.auth import arc, dkim
from angarium.mail.auth.arc import verify as verify_chain
from angarium.mail.auth.asking import at_once
from angarium.mail.auth.checks import Checks, checked
from angarium.mail.auth.digest import hashed
from angarium.mail.auth.dmarc.evaluate import Result as Dmarc
from angarium.mail.auth.domainkeys import DomainKeysSigner, Status
from angarium.mail.auth.fields import Fields, opened
from angarium.mail.auth.seal import Sealer
from angarium.mail.auth.sign import Signer
from angarium.mail.auth.signature import Outcome
from angarium.mail.auth.spf.client import Client
from helpers import signing
from helpers.signing import NOW, key
from helpers.zones import Records

KEY = key()
ZONE = Records(
    {
        "s1._domainkey.example.com": [("TXT", KEY.record())],
        "example.com": [("TXT", b"v=spf1 ip4:192.0.2.1 -all")],
        "_dmarc.example.com": [("TXT", b"v=DMARC1; p=reject")],
        "s1._domainkey.example.net": [("TXT", KEY.record())],
    }
)
LETTER = b"From: joe@example.com\r\nSubject: hello\r\n\r\nHello.\r\n"


def client(address: str = "192.0.2.1", sender: str = "joe@example.com") -> Client:
    return Client(ip_address(address), "client.example", sender)


def found(message: bytes, who: Client | None = None) -> Checks:
    header, pieces = opened([message])
    return at_once(checked(Fields(header), pieces, ZONE, NOW, who))


def signed(message: bytes, domain: str = "example.com") -> bytes:
    header, pieces = opened([message])
    signer = Signer(domain, "s1", KEY)
    hashes = hashed({signer.want}, pieces)
    return signer.prepare(Fields(header), hashes, NOW).sign() + message


def sealed(message: bytes, domain: str = "example.com") -> bytes:
    header, pieces = opened([message])
    fields, body = Fields(header), tuple(pieces)
    chain = at_once(verify_chain(fields, body, ZONE))
    sealer = Sealer(domain, "s1", KEY, "mx.example.net")
    work = sealer.prepare(fields, hashed({sealer.want}, body), chain, b"arc=none", NOW)
    assert work is not None
    return work.sign() + message


def older(message: bytes, domain: str = "example.com") -> bytes:
    header, pieces = opened([message])
    return DomainKeysSigner(domain, "s1", KEY).prepare(Fields(header), pieces).sign() + message


def test_all_that_is_there_is_checked() -> None:
    checks = found(sealed(signed(older(LETTER))), client())
    assert checks.spf is not None
    assert checks.spf.result == "pass"
    assert [each.outcome for each in checks.signatures] == [Outcome.PASS]
    assert checks.domainkeys.status is Status.GOOD
    assert checks.chain.outcome is Outcome.PASS
    assert (checks.dmarc.result, checks.dmarc.spf, checks.dmarc.dkim) == (Dmarc.PASS, True, True)
    assert checks.good


def test_a_body_which_was_changed_fails_all_who_signed_it() -> None:
    message = sealed(signed(older(LETTER))).replace(b"Hello.", b"Hallo.")
    checks = found(message)
    assert checks.spf is None
    assert [each.outcome for each in checks.signatures] == [Outcome.FAIL]
    assert checks.domainkeys.status is Status.BAD
    assert checks.chain.outcome is Outcome.FAIL
    assert checks.dmarc.result is Dmarc.FAIL
    assert not checks.good


@pytest.mark.parametrize(
    ("message", "who", "good"),
    [
        (LETTER, None, False),
        (LETTER, client(), True),
        (LETTER, client("192.0.2.2"), False),
        # A policy which fails counts, whoever else signs.
        (signed(LETTER, "example.net"), None, False),
        # Without a policy whoever signs will do.
        (signed(LETTER.replace(b"example.com", b"example.net"), "example.net"), None, True),
        (LETTER.replace(b"example.com", b"example.net"), client(), True),
        (older(LETTER.replace(b"example.com", b"example.net"), "example.net"), None, True),
        (sealed(LETTER.replace(b"example.com", b"example.net")), None, True),
        (b"", None, False),
    ],
)
def test_somebody_has_to_stand_behind_it(message: bytes, who: Client | None, good: bool) -> None:
    assert found(message, who).good is good


@given(st.randoms(use_true_random=False))
def test_each_check_is_what_its_engine_says_alone(random: Random) -> None:
    message = signed(signing.message(random))
    if random.random() < 0.5:
        message = sealed(message)
    if random.random() < 0.3:
        at = random.randrange(len(message))
        message = message[:at] + b"x" + message[at + 1 :]
    header, pieces = opened([message])
    fields, body = Fields(header), tuple(pieces)
    checks = found(message)
    alone = at_once(dkim.verify(fields, body, ZONE, NOW))
    assert [(each.outcome, each.reason) for each in checks.signatures] == [
        (each.outcome, each.reason) for each in alone
    ]
    chain = at_once(arc.verify(fields, body, ZONE))
    assert (checks.chain.outcome, checks.chain.reason) == (chain.outcome, chain.reason)


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_it_is_total(begin: bytes, end: bytes) -> None:
    for message in (begin, begin + LETTER + end, b"DKIM-Signature:" + begin + b"\r\n\r\n" + end):
        found(message, client(sender=end.decode("latin-1")))
