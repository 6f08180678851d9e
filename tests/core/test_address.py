import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.core.address import is_literal, routing_domain, split


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("bob@example.com", ("bob", "example.com")),
        ('"a@b"@example.com', ('"a@b"', "example.com")),
        ("postmaster", ("postmaster", "")),
        ("", ("", "")),
    ],
)
def test_the_last_at_divides(address: str, parts: tuple[str, str]) -> None:
    assert split(address) == parts


@pytest.mark.parametrize(
    ("domain", "normal"),
    [
        ("Example.COM", "example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("_spf.example.com", "_spf.example.com"),
        ("[192.0.2.1]", "[192.0.2.1]"),
        ("[IPv6:2001:DB8::1]", "[ipv6:2001:db8::1]"),
    ],
)
def test_a_domain_has_one_normal_form(domain: str, normal: str) -> None:
    assert routing_domain(domain) == normal


@pytest.mark.parametrize(
    "wrong", ["", ".", "a..b", "-a.example", "a b", "example.com.", "a" * 64, "x." * 140 + "y", "ü‮"]
)
def test_what_is_no_domain_has_none(wrong: str) -> None:
    assert routing_domain(wrong) is None


@given(st.text(max_size=80))
def test_the_normal_form_is_ascii_and_its_own_normal_form(domain: str) -> None:
    normal = routing_domain(domain)
    if normal is not None:
        assert normal.isascii()
        assert routing_domain(normal) == normal


def test_a_literal_is_known_by_its_bracket() -> None:
    assert is_literal("[192.0.2.1]")
    assert not is_literal("example.com")
