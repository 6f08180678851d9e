"""DKIM signatures, checked."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.auth.asking import Ask, at_once
from angarium.mail.auth.covered import Covered
from angarium.mail.auth.digest import Want, hashed
from angarium.mail.auth.dkim import Verdict, reported, signatures, verify, wants
from angarium.mail.auth.fields import Fields, opened
from angarium.mail.auth.keys import PrivateKey
from angarium.mail.auth.results import written
from angarium.mail.auth.sign import Signer, Style
from angarium.mail.auth.signature import Policy
from helpers.signing import NOW, cut, key, message, zone
from helpers.zones import Records

LETTER = b"From: joe@example.com\r\nSubject: hi\r\n\r\nHello.\r\nMore.\r\n"

# RFC 8463 appendix A.
FOOTBALL = Records(
    {
        "brisbane._domainkey.football.example.com": [
            ("TXT", b"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
        ],
        "test._domainkey.football.example.com": [
            (
                "TXT",
                b"v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6Np"
                b"P3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR"
                b"+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQ"
                b"AB",
            )
        ],
        "brisbane._domainkey.example.com": [
            (
                "TXT",
                b"v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoG"
                b"eLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR"
                b"+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB",
            )
        ],
    }
)
GAME = b"""\
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

"""
RFC_8463 = (
    b"""\
DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=test; t=1528637909; h=from : to : subject :
 date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3
 DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz
 dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=
"""
    + GAME
    + b"We lost the game.  Are you hungry yet?\n\nJoe.\n"
)
# RFC 6376 appendix A.2: simple, so each blank counts.
RFC_6376 = (
    b"""\
DKIM-Signature: v=1; a=rsa-sha256; s=brisbane; d=example.com;
      c=simple/simple; q=dns/txt; i=joe@football.example.com;
      h=Received : From : To : Subject : Date : Message-ID;
      bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
      b=AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB
      4nujc7YopdG5dWLSdNg6xNAZpOPr+kHxt1IrE+NahM6L/LbvaHut
      KVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdrIx0orEtZV
      4bmp/YzhwvcubU4=;
Received: from client1.football.example.com  [192.0.2.1]
      by submitserver.example.com with SUBMISSION;
      Fri, 11 Jul 2003 21:01:54 -0700 (PDT)
"""
    + GAME
    + b"We lost the game. Are you hungry yet?\n\nJoe.\n"
)


def checked(
    letter: bytes, ask: Ask, now: float = NOW, policy: Policy | None = None
) -> list[Verdict]:
    header, body = opened([letter])
    return at_once(verify(Fields(header), body, ask, now, policy or Policy()))


def signed(
    letter: bytes = LETTER,
    *,
    selector: str = "s1",
    by: PrivateKey | None = None,
    style: Style | None = None,
    covered: Covered | None = None,
) -> bytes:
    header, body = opened([letter])
    signer = Signer("example.com", selector, by or key(), covered, style)
    return signer.prepare(Fields(header), hashed({signer.want}, body), NOW).sign() + letter


def outcome(letter: bytes, ask: Ask, policy: Policy | None = None, now: float = NOW) -> str:
    """Return what comes out for the one signature of a message, and why."""
    [verdict] = checked(letter, ask, now, policy)
    return f"{verdict.outcome}: {verdict.reason}"


@pytest.mark.parametrize(("letter", "count"), [(RFC_8463, 2), (RFC_6376, 1)])
def test_the_messages_of_the_rfcs_pass(letter: bytes, count: int) -> None:
    octets = letter.replace(b"\n", b"\r\n")
    if count == 2:  # its body has two blanks in a row, which relaxed makes one
        assert b"game.  Are" in octets
    assert [each.outcome for each in checked(octets, FOOTBALL, 1528637909)] == ["pass"] * count
    changed = checked(octets.replace(b"hungry", b"thirsty"), FOOTBALL, 1528637909)
    assert [each.outcome for each in changed] == ["fail"] * count


def test_a_message_without_signatures_has_no_verdicts() -> None:
    assert checked(LETTER, zone()) == []
    assert [each.result for each in reported([])] == ["none"]


def test_several_signatures_are_judged_by_themselves() -> None:
    ask = zone(s1=key().record(), e1=key("ed25519").record())
    letter = signed(signed(), selector="e1", by=key("ed25519"))
    letter = letter.replace(b"DKIM-Signature", b"DKIM-Signature: v=9\r\nDKIM-Signature", 1)
    assert [each.outcome for each in checked(letter, ask)] == ["neutral", "pass", "pass"]
    assert [each.row for each in checked(letter, ask)] == [0, 1, 2]


def test_the_body_is_hashed_once_for_signatures_which_want_the_same() -> None:
    letter = signed(signed(), selector="e1", by=key("ed25519"))
    header, _ = opened([letter])
    assert wants(signatures(Fields(header))) == {Want("relaxed", "sha256")}


def test_what_was_changed_is_said() -> None:
    ask = zone(s1=key().record())
    letter = signed()
    assert outcome(letter, ask) == "pass: "
    assert outcome(letter + b"x", ask) == "fail: the body was changed"
    other = letter.replace(b": hi", b": ho")
    assert outcome(other, ask) == "fail: the signature is not of this header"


def test_a_body_that_was_changed_costs_no_question() -> None:
    ask = zone(s1=key().record())
    outcome(signed() + b"x", ask)
    assert ask.asked == []


def test_a_field_that_was_added_breaks_an_oversigned_one_only() -> None:
    ask = zone(s1=key().record())
    added = b"Subject: other\r\n"
    assert outcome(added + signed(covered=Covered.of("from subject")), ask) == "pass: "
    over = signed(covered=Covered.of("from subject", "subject"))
    assert outcome(added + over, ask) == "fail: the signature is not of this header"


def test_what_stands_behind_the_signed_length_is_told() -> None:
    ask = zone(s1=key().record())
    letter = signed(style=Style(body_length=True))
    [verdict] = checked(letter + b"Added.\r\n", ask)
    assert verdict.passed
    assert verdict.unsigned_octets == 8
    strict = Policy(partial=False)
    assert outcome(letter, ask, strict) == "pass: "
    reason = "policy: a part of the body is not signed"
    assert outcome(letter + b"Added.\r\n", ask, strict) == reason
    short = letter.replace(b"More.\r\n", b"")
    assert outcome(short, ask) == "permerror: the body is shorter than was signed"


def test_a_signature_has_its_time() -> None:
    ask = zone(s1=key().record())
    letter = signed(style=Style(lifetime_seconds=3600))
    assert outcome(letter, ask, now=NOW + 3600) == "pass: "
    assert outcome(letter, ask, now=NOW + 4000) == "policy: it has expired"
    assert outcome(letter, ask, now=NOW - 4000) == "policy: it is of the future"


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (b"", "permerror: the key record has no key"),
        (b"v=DKIM1; p=", "permerror: the key is revoked"),
        (b"v=DKIM1; h=sha1; %b", "permerror: the key is not for this hash"),
        (b"v=DKIM1; s=tlsrpt; %b", "permerror: the key is not for mail"),
        (b"v=DKIM1; s=tlsrpt:email; h=sha256; %b", "pass: "),
        (b"v=DKIM1; t=s; %b", "permerror: the key is not for subdomains"),
        (b"v=DKIM1; k=ed25519; p=" + b"A" * 43 + b"=", "permerror: the key is of another kind"),
    ],
)
def test_the_record_of_the_key_says_what_it_is_for(record: bytes, expected: str) -> None:
    text = record.replace(b"%b", key().record().removeprefix(b"v=DKIM1; "))
    letter = signed(style=Style(identity="@mail.example.com"))
    assert outcome(letter, zone(s1=text)) == expected


def test_a_key_that_cannot_be_had_now_is_no_failure_for_ever() -> None:
    place = "s1._domainkey.example.com"
    reason = "temperror: the key cannot be had now"
    assert outcome(signed(), Records({place: [("TIMEOUT", "")]})) == reason
    for gone in (Records({}), Records({place: [("A", "192.0.2.1")]})):
        assert outcome(signed(), gone) == "permerror: there is no key"


def test_of_several_records_the_one_that_fits_counts() -> None:
    place = "s1._domainkey.example.com"
    other = key(number=1).record()
    ask = Records({place: [("TXT", b"v=spf1"), ("TXT", other), ("TXT", key().record())]})
    assert outcome(signed(), ask) == "pass: "
    ask = Records({place: [("TXT", b"junk")] * 3 + [("TXT", key().record())]})
    assert outcome(signed(), ask).startswith("permerror")


def test_short_keys_and_sha1_are_not_accepted_unless_asked_for() -> None:
    ask = zone(s1=key().record())
    assert outcome(signed(), ask, Policy(rsa_bits=2048)) == "policy: the key is too short"
    old = signed(style=Style(hash="sha1"))
    assert outcome(old, ask) == "policy: sha1 is not safe any more"
    assert outcome(old, ask, Policy(sha1=True)) == "pass: "


def test_a_domain_that_tests_says_so() -> None:
    text = b"v=DKIM1; t=y; " + key().record().removeprefix(b"v=DKIM1; ")
    [good] = checked(signed(), zone(s1=text))
    [bad] = checked(signed().replace(b": hi", b": ho"), zone(s1=text))
    assert (good.passed, good.testing) == (True, True)
    assert (bad.passed, bad.testing) == (False, True)


def test_only_so_many_signatures_are_checked() -> None:
    letter = signed()
    field = letter[: letter.index(b"From")]
    ask = zone(s1=key().record())
    verdicts = checked(field * 11 + letter, ask)
    assert [each.outcome for each in verdicts] == ["pass"] * 10 + ["policy"] * 2
    assert verdicts[-1].reason == "there are too many signatures"


def test_results_name_the_signature() -> None:
    ask = zone(s1=key().record())
    field = written("mx.example.com", reported(checked(signed(), ask)))
    text = b" ".join(field.split())
    assert text.startswith(b"Authentication-Results: mx.example.com; dkim=pass (1024-bit key)")
    assert b" header.d=example.com header.i=@example.com header.s=s1 header.a=rsa-sha256" in text
    assert b" header.b=" in text
    [failed] = reported(checked(signed() + b"x", ask))
    assert failed.reason == "the body was changed"


@given(st.integers(0, 1 << 32))
def test_a_body_in_pieces_is_the_same_body(seed: int) -> None:
    random = Random(seed)
    letter = signed(message(random))
    header, body = opened(cut(random, letter))
    [verdict] = at_once(verify(Fields(header), body, zone(s1=key().record()), NOW))
    assert verdict.passed
