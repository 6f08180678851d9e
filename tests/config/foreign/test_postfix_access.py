"""Who may relay through a Postfix."""

import pytest

from angarium.config.foreign.postfix_access import domains, networks, networks_may_relay


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ({}, True),
        ({"smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination"}, True),
        ({"smtpd_relay_restrictions": "permit_sasl_authenticated"}, False),
        ({"smtpd_relay_restrictions": ""}, False),
        (
            {"smtpd_relay_restrictions": "", "smtpd_recipient_restrictions": "permit_mynetworks"},
            True,
        ),
        ({"smtpd_recipient_restrictions": "reject_unknown_recipient_domain"}, True),
        ({"smtpd_recipient_restrictions": "reject_unauth_destination permit_mynetworks"}, False),
        ({"smtpd_client_restrictions": "permit_mynetworks,reject"}, True),
        ({"smtpd_client_restrictions": "permit_sasl_authenticated,reject"}, False),
    ],
)
def test_restrictions_say_who_may_relay(texts: dict[str, str], expected: bool) -> None:
    assert networks_may_relay(texts) is expected


def test_networks_are_told_from_tables() -> None:
    words = ["10.0.0.0/8", "[2001:db8::]/32", "hash:/etc/t", "127.", "!10.0.0.1"]
    assert networks(words) == (
        ["10.0.0.0/8", "2001:db8::/32"],
        ["hash:/etc/t", "127.", "!10.0.0.1"],
    )


def test_domains_have_those_below_them_or_not() -> None:
    words = ["a.example", ".b.example", "hash:/x", "!c.example"]
    others = ["hash:/x", "!c.example"]
    assert domains(words, None) == (["a.example", "*.a.example", "*.b.example"], others)
    assert domains(words, "mynetworks, fast_flush_domains")[0] == ["a.example", "*.b.example"]
