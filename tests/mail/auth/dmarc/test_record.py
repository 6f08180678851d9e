"""Records of DMARC."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.auth.dmarc.record import Destination, Policy, Record, chosen, parsed


def test_all_tags_are_read() -> None:
    record = parsed(
        b"v=DMARC1; p=Reject ;sp=quarantine;np=none; adkim=s; aspf=S; pct=50; fo=1:d:x; ri=3600;"
        b" rua=mailto:a@b.example!10m, https://c.example/x; ruf=mailto:f@b.example; rf=afrf; x=y"
    )
    assert record is not None
    assert record == Record(
        Policy.REJECT,
        Policy.QUARANTINE,
        Policy.NONE,
        True,
        True,
        50,
        frozenset({"1", "d"}),
        3600,
        (Destination("mailto:a@b.example", 10 * 1024**2), Destination("https://c.example/x")),
        (Destination("mailto:f@b.example"),),
        record.text,
    )


def test_what_is_left_out_has_its_default() -> None:
    record = parsed(b"v=DMARC1;p=none")
    assert record == Record(Policy.NONE, Policy.NONE, text="v=DMARC1;p=none")


@pytest.mark.parametrize("wrong", [b"pct=101", b"pct=-1", b"pct=x", b"adkim=z", b"fo=7", b"sp=a"])
def test_what_is_wrong_has_its_default(wrong: bytes) -> None:
    record = parsed(b"v=DMARC1; p=reject; " + wrong)
    assert record is not None
    assert (record.percent, record.strict_dkim, record.failures) == (100, False, frozenset("0"))
    assert record.subdomain is Policy.REJECT


def test_of_two_tags_with_one_name_the_first_counts() -> None:
    record = parsed(b"v=DMARC1; p=none; p=reject")
    assert record is not None
    assert record.policy is Policy.NONE


def test_without_a_policy_it_counts_only_if_it_asks_for_reports() -> None:
    assert parsed(b"v=DMARC1; sp=reject") is None
    assert parsed(b"v=DMARC1; p=bogus; rua=nowhere") is None
    record = parsed(b"v=DMARC1; p=bogus; rua=mailto:a@b.example")
    assert record is not None
    assert record.policy is Policy.NONE


def test_a_test_is_as_if_nothing_were_sampled() -> None:
    record = parsed(b"v=DMARC1; p=reject; t=y")
    assert record is not None
    assert record.percent == 0


@pytest.mark.parametrize(
    ("texts", "good"),
    [
        ([b"v=DMARC1; p=none"], True),
        ([b"other", b"v=DMARC1; p=none"], True),
        ([b"v = DMARC1 ; p=none"], True),
        ([b"v=DMARC1"], False),
        ([b"v=DMARC10; p=none"], False),
        ([b"v=dmarc1; p=none"], False),
        ([b"p=none; v=DMARC1"], False),
        ([b"v=DMARC1; p=none", b"v=DMARC1; p=none"], False),
        ([], False),
    ],
)
def test_one_record_counts_and_begins_with_its_version(texts: list[bytes], good: bool) -> None:
    assert (chosen(texts) is not None) is good


@pytest.mark.parametrize(
    ("uri", "mailbox"),
    [
        ("mailto:a@b.example", "a@b.example"),
        ("MAILTO:a%2Bc@b.example?subject=x", "a+c@b.example"),
        ("mailto:a%0d%0ab@c.example", ""),
        ("mailto:a@b@c.example", ""),
        ("mailto:", ""),
        ("https://a@b.example/", ""),
    ],
)
def test_a_mailbox_is_one_or_none(uri: str, mailbox: str) -> None:
    assert Destination(uri).mailbox == mailbox


@given(st.binary(max_size=60) | st.text("vDMARC1=;p, rejct!mailto:@.", max_size=60).map(str.encode))
def test_any_octets_are_a_record_or_none(text: bytes) -> None:
    parsed(text)
    record = parsed(b"v=DMARC1;p=reject;" + text)
    assert record is not None
    assert record.policy is Policy.REJECT
    assert 0 <= record.percent <= 100
