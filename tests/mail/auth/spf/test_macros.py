"""Macro strings of SPF."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.auth.spf.macros import (
    Macro,
    SyntaxFault,
    domain_spec,
    expanded,
    explain_string,
    letters_of,
    macro_string,
    single,
    target,
)

LETTERS = {
    "s": "strong-bad@email.example.com", "l": "strong-bad", "o": "email.example.com",
    "d": "email.example.com", "i": "192.0.2.3", "p": "mx.example.org", "v": "in-addr",
    "h": "h", "c": "192.0.2.3", "r": "r", "t": "0",
}  # fmt: skip


@pytest.mark.parametrize(
    ("macro", "value"),
    [
        # RFC 7208 section 7.4.
        ("%{s}", "strong-bad@email.example.com"),
        ("%{o}", "email.example.com"),
        ("%{d4}", "email.example.com"),
        ("%{d2}", "example.com"),
        ("%{d1}", "com"),
        ("%{dr}", "com.example.email"),
        ("%{d2r}", "example.email"),
        ("%{l-}", "strong.bad"),
        ("%{lr-}", "bad.strong"),
        ("%{l1r-}", "strong"),
        ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
        ("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"),
        ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
        ("%{d0000002}", "example.com"),
        ("%{d99999999999}", "email.example.com"),
        ("%{S}", "strong-bad%40email.example.com"),
        ("%%%_%-", "% %20"),
    ],
)
def test_macros_stand_for_what_the_rfc_says(macro: str, value: str) -> None:
    assert expanded(macro_string(macro), LETTERS) == value


@pytest.mark.parametrize(
    "text", ["%", "%{", "%{d", "%{}", "%{z}", "%{d0}", "%{d2x}", "%d", "%(d)", "a b", "\x7f", "é"]
)
def test_what_is_no_macro_string_is_a_fault(text: str) -> None:
    with pytest.raises(SyntaxFault):
        macro_string(text)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("a.example", True),
        ("a.example.", True),
        (".example", True),
        ("%{d}", True),
        ("a%%", True),
        ("a.b-c", True),
        ("a.1-2", True),
        ("a.1b", True),
        ("", False),
        ("example", False),
        ("example.", False),
        ("a.12", False),
        ("a.12.", False),
        ("a.-b", False),
        ("a.b-", False),
        ("a.b..", False),
        ("a.%%_", False),
        ("%{d}com", False),
        ("%{t}.example", False),
    ],
)
def test_a_domain_ends_in_a_macro_or_a_top_label(text: str, good: bool) -> None:
    if good:
        assert domain_spec(text)
    else:
        with pytest.raises(SyntaxFault):
            domain_spec(text)


def test_a_name_too_long_for_dns_loses_labels_on_its_left() -> None:
    spec = domain_spec("%{d}." + "b" * 60 + ".example")
    assert target(spec, {"d": ".".join(["a" * 60] * 4)}) == ".".join(
        ["a" * 60] * 3 + ["b" * 60, "example"]
    )


def test_explanations_have_blanks_and_all_letters() -> None:
    pieces = explain_string("%{c} at %{t} by %{r}")
    assert letters_of(pieces) == {"c", "t", "r"}
    with pytest.raises(SyntaxFault):
        explain_string("a\nb")


def test_a_single_macro_is_what_stands_between_braces() -> None:
    assert single("L1r-") == Macro("l", 1, True, "-", True)
    assert single("d0") is None
    assert single("d}%{o") is None
    assert single("") is None


@given(st.text("%{}dlsD019rR-._ aZ", max_size=30))
def test_a_string_is_a_fault_or_can_be_expanded(text: str) -> None:
    try:
        pieces = explain_string(text)
    except SyntaxFault:
        return
    expanded(pieces, LETTERS)
    target(pieces, LETTERS)
