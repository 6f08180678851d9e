"""Organisational domains."""

import pytest

from angarium.mail.auth.dmarc.organisation import aligned, organisation


@pytest.mark.parametrize(
    ("name", "top"),
    [
        ("a.b.example.com", "example.com"),
        ("Example.COM.", "example.com"),
        ("a.example.co.uk", "example.co.uk"),
        ("co.uk", "co.uk"),
        ("a.b.nosuchtopleveldomain", "b.nosuchtopleveldomain"),
        ("a.user.github.io", "user.github.io"),
        ("localhost", "localhost"),
        ("", ""),
    ],
)
def test_it_is_one_label_below_the_public_suffix(name: str, top: str) -> None:
    assert organisation(name) == top


@pytest.mark.parametrize(
    ("author", "other", "relaxed", "strict"),
    [
        ("example.com", "example.com", True, True),
        ("Example.com", "example.COM.", True, True),
        ("example.com", "mail.example.com", True, False),
        ("a.example.com", "b.example.com", True, False),
        ("example.co.uk", "other.co.uk", False, False),
        ("example.com", "example.org", False, False),
        ("example.com", "", False, False),
        ("", "", False, False),
    ],
)
def test_domains_of_one_organisation_are_aligned_unless_it_must_be_the_same(
    author: str, other: str, relaxed: bool, strict: bool
) -> None:
    assert aligned(author, other, strict=False) is relaxed
    assert aligned(author, other, strict=True) is strict
