"""What a connection to a host has to be: by the options, and by the word of its domain."""

import pytest

from angarium.config.load import load_text
from angarium.net.options.tls import Certificates, OutboundTls
from angarium.net.tls.clients import Trust
from angarium.net.tlspolicy.dane import Tlsa
from angarium.net.tlspolicy.demand import NOTHING, STS, TLSA, Demand
from angarium.outbound.terms import IN_CLEAR, Terms, Wish, may_fall_back, terms, wish
from angarium.wire.smtp_opening import Tls

ENFORCED = Demand(STS, "d.test", required=True, checked=True)
TESTED = Demand(STS, "d.test", checked=True)
PINNED = Demand(TLSA, "mx.test", required=True, found=(Tlsa(3, 1, 1, bytes(32)),))
UNUSABLE = Demand(TLSA, "mx.test", required=True, found=(Tlsa(0, 1, 1, bytes(32)),))


def made(demand: Demand = NOTHING, **options: object) -> Wish | None:
    return wish(
        terms(OutboundTls.make(**options), Certificates.make()), demand, "mx.test", "d.test"
    )


def test_without_a_wish_all_stays_in_clear() -> None:
    assert made() is None
    assert terms(OutboundTls.make(), Certificates.make()).recipe == IN_CLEAR.recipe


@pytest.mark.parametrize(
    ("options", "demand", "tls", "trust", "signed", "named", "fallback"),
    [
        ({"tls": "ifavailable"}, NOTHING, Tls.STRICT, Trust.ANYBODY, False, False, True),
        (
            {"tls": "ifavailable", "tls_fallback_always_new_connection": False},
            NOTHING, Tls.OFFERED, Trust.ANYBODY, False, False, True,
        ),
        (
            {"tls": "ifavailable", "tls_ifavailable_fallback": False},
            NOTHING, Tls.STRICT, Trust.ANYBODY, False, False, False,
        ),
        ({"tls": "required"}, NOTHING, Tls.REQUIRED, Trust.ANYBODY, False, False, False),
        (
            {"tls": "required", "tls_verify": "ca"},
            NOTHING, Tls.REQUIRED, Trust.NEEDED, True, False, False,
        ),
        (
            {"tls": "ifavailable", "tls_verify": "host"},
            NOTHING, Tls.STRICT, Trust.NEEDED, True, True, True,
        ),
        (
            {"tls": "required", "tls_verify": "optional"},
            NOTHING, Tls.REQUIRED, Trust.JUDGED, False, False, False,
        ),
        # A demand holds where the options want nothing,
        ({}, ENFORCED, Tls.REQUIRED, Trust.NEEDED, True, True, False),
        ({}, TESTED, Tls.STRICT, Trust.JUDGED, False, False, True),
        ({}, UNUSABLE, Tls.REQUIRED, Trust.ANYBODY, False, False, False),
        # and takes nothing away from what they want;
        ({"tls": "required"}, TESTED, Tls.REQUIRED, Trust.JUDGED, False, False, False),
        (
            {"tls": "required", "tls_verify": "ca"},
            TESTED, Tls.REQUIRED, Trust.NEEDED, True, False, False,
        ),
        (
            {"tls": "required", "tls_verify": "host"},
            UNUSABLE, Tls.REQUIRED, Trust.NEEDED, True, True, False,
        ),
        # but what TLSA records name is right, whoever signed it.
        (
            {"tls": "required", "tls_verify": "host"},
            PINNED, Tls.REQUIRED, Trust.ANYBODY, False, False, False,
        ),
    ],
)  # fmt: skip
def test_the_stricter_of_options_and_demand_holds(
    options: dict[str, object],
    demand: Demand,
    tls: Tls,
    trust: Trust,
    signed: bool,
    named: bool,
    fallback: bool,
) -> None:
    found = made(demand, **options)
    assert found is not None
    assert (found.tls, found.recipe.trust) == (tls, trust)
    assert (found.signed, found.named, found.fallback) == (signed, named, fallback)


def test_a_policy_counts_only_the_name_of_the_host() -> None:
    for demand, names in ((ENFORCED, ("mx.test",)), (NOTHING, ("mx.test", "d.test"))):
        found = made(demand, tls="required", tls_verify="host")
        assert found is not None
        assert found.names == names


def test_equal_options_are_equal_terms() -> None:
    one, other = (
        terms(OutboundTls.make(tls="required"), Certificates.make(tls_ciphers="HIGH"))
        for _ in range(2)
    )
    assert one == other
    assert hash(one) == hash(other)


def test_names_matter_only_where_they_are_looked_at() -> None:
    assert not Terms("no", "host").by_name
    assert not Terms("required", "ca").by_name
    assert Terms("required", "host").by_name
    assert Terms("ifavailable", "optional").by_name


@pytest.mark.effect("tls_certificate", "tls_key")
def test_none_undoes_a_certificate() -> None:
    shown = Certificates.make(tls_certificate="none", tls_key="none")
    assert terms(OutboundTls.make(), shown).recipe.certificate is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", False),
        ("tls = no", False),
        ("tls = required", False),
        ("tls = ifavailable", True),
        ('domain "a.test" { tls = ifavailable }', True),
        ('binding_group "g" { binding "b" { domain "a.test" { tls = ifavailable } } }', True),
        ('domain "a.test" { use_mta_sts = true }', True),
        ("use_mta_sts = false", False),
    ],
)
def test_where_mail_may_go_in_clear_after_tls_is_found_wherever_it_is_set(
    text: str, found: bool
) -> None:
    assert may_fall_back(load_text(text).root) is found
