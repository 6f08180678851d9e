"""Records of SPF."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.auth.spf.client import client_address
from angarium.mail.auth.spf.macros import SyntaxFault
from angarium.mail.auth.spf.record import Result, chosen, parsed


def test_a_record_has_mechanisms_and_modifiers() -> None:
    record = parsed(b" +A:b.example/24//64 ~mx -IP4:192.0.2.0/24 x=y redirect=c.example exp=%{d}")
    assert [(each.name, each.result, each.four, each.six) for each in record.mechanisms] == [
        ("a", Result.PASS, 24, 64),
        ("mx", Result.SOFTFAIL, 32, 128),
        ("ip4", Result.FAIL, 24, 128),
    ]
    assert record.redirect == ("c.example",)
    assert record.explanation is not None
    assert record.mechanisms[2].text == "-IP4:192.0.2.0/24"


@pytest.mark.parametrize(
    ("term", "address", "has"),
    [
        ("ip4:192.0.2.77/24", "192.0.2.1", True),
        ("ip4:192.0.2.77/24", "192.0.3.1", False),
        ("ip4:192.0.2.77", "192.0.2.77", True),
        ("ip4:0.0.0.0/0", "203.0.113.1", True),
        ("ip4:0.0.0.0/0", "2001:db8::1", False),
        ("ip6:2001:db8::/32", "2001:db8:1::1", True),
        ("ip6:::/0", "2001:db8::1", True),
        ("ip6:::/0", "::ffff:192.0.2.1", False),
        ("ip6:::ffff:192.0.2.1", "::ffff:192.0.2.1", False),
        ("ip4:192.0.2.1", "::ffff:192.0.2.1", True),
    ],
)
def test_a_network_has_addresses_of_its_kind(term: str, address: str, has: bool) -> None:
    (mechanism,) = parsed(f" {term}".encode()).mechanisms
    assert mechanism.covers(client_address(address)) is has


@pytest.mark.parametrize(
    "term",
    [
        "moo", "a:", "a/33", "a//129", "a/24/64", "a/024", "ip4", "ip4:1.2.3", "ip4:1.2.3.4/33",
        "ip4:01.2.3.4", "ip4:1.2.3.4/", "ip6:fe80::1%eth0", "ip6:::1/129", "ip6:gg::", "include",
        "include/8", "exists", "all:x.example", "all/8", "ptr/8", "ptr:", "redirect=", "exp=",
        "a:b", "=x", "1=x", "redirect", "-", "--all", "x=%", "redirect=a.b redirect=a.b",
        "exp=a.b EXP=a.b", "a:b.c\tall", "\xe9", "a.example",
    ],
)  # fmt: skip
def test_a_fault_anywhere_makes_the_record_void(term: str) -> None:
    with pytest.raises(SyntaxFault):
        parsed(f" ip4:192.0.2.1 {term} -all".encode("latin-1"))


def test_one_record_is_chosen_among_texts() -> None:
    assert chosen([b"v=spf1", b"other", b"v=spf10 -all"]) == b""
    assert chosen([b"V=SPF1 -all"]) == b" -all"
    assert chosen([b"v=spf2 -all", b"xv=spf1"]) is None
    with pytest.raises(SyntaxFault):
        chosen([b"v=spf1 -all", b"v=spf1 -all"])


def test_sender_id_prefers_records_of_its_scope_and_falls_back_on_spf() -> None:
    texts = [b"v=spf1 +all", b"spf2.0/pra -all", b"spf2.0/mfrom,x ?all"]
    assert chosen(texts, "pra") == b"-all"
    assert chosen(texts, "mfrom") == b"?all"
    assert chosen(texts) == b" +all"
    assert chosen(texts[:1], "pra") == b" +all"
    assert chosen([b"spf2.0/mfrom -all"], "pra") is None
    assert chosen([b"SPF2.0/MFROM,PRA -all"], "pra") == b"-all"


@given(st.binary(max_size=60) | st.text("aimxlp46:/.=%{}d-~? 1", max_size=60).map(str.encode))
def test_any_octets_are_a_record_or_a_fault(terms: bytes) -> None:
    try:
        record = parsed(terms)
    except SyntaxFault:
        return
    for mechanism in record.mechanisms:
        assert 0 <= mechanism.four <= 32
        assert 0 <= mechanism.six <= 128
