"""What scripts see of where a message is from."""

import pytest

from angarium.policy.authentication import Authentication, Signature


@pytest.mark.parametrize(
    ("domain", "signed"),
    [
        ("example.com", True), ("Example.COM", True), ("com", True), ("mail.example.com", False),
        ("ample.com", False), ("other.example", False),
    ],
)  # fmt: skip
def test_a_domain_has_signed_if_it_or_one_below_it_has(domain: str, signed: bool) -> None:
    found = Authentication(
        dkim=[
            Signature("pass", domain="example.com"),
            Signature("fail", "changed", domain="other.example"),
        ]
    )
    assert found.signed_by(domain) is signed


def test_where_nobody_has_looked_nobody_has_signed() -> None:
    assert not Authentication().signed_by("example.com")
    assert Signature("pass").passed
    assert not Signature("policy").passed
