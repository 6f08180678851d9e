"""Which stanza may stand in which."""

import pytest

from angarium.config.scope import BINDING, STANZAS, TOP, Scope, stanza_in, stanzas_in

MAY_STAND = [
    ("", "binding_group"),
    ("", "binding"),
    ("binding_group", "binding"),
    ("", "domain"),
    ("binding", "domain"),
    ("binding_group", "domain"),
    ("", "host"),
    ("binding", "host"),
    ("binding_group", "host"),
    ("", "pathway"),
    ("pathway_group", "pathway"),
    ("esmtp_listener", "listen"),
    ("esmtp_listener", "peer"),
    ("listen", "peer"),
    ("eccluster_listener", "listen"),
]
MAY_NOT = [
    ("domain", "binding"),
    ("binding", "binding"),
    ("binding", "binding_group"),
    ("", "listen"),
    ("", "peer"),
    ("eccluster_listener", "peer"),
    ("domain", "host"),
]


@pytest.mark.parametrize(("outer", "inner"), MAY_STAND)
def test_a_stanza_may_stand_where_the_reference_says(outer: str, inner: str) -> None:
    parent = STANZAS[outer] if outer else TOP
    assert stanza_in(parent, inner) is STANZAS[inner]
    assert inner in stanzas_in(parent)


@pytest.mark.parametrize(("outer", "inner"), MAY_NOT)
def test_a_stanza_may_not_stand_elsewhere(outer: str, inner: str) -> None:
    parent = STANZAS[outer] if outer else TOP
    assert stanza_in(parent, inner) is None
    assert inner not in stanzas_in(parent)


def test_each_scope_which_options_fall_back_through_has_one_stanza() -> None:
    scopes = [each.scope for each in STANZAS.values() if each.scope is not Scope.OWN]
    assert len(scopes) == len(set(scopes))
    assert set(scopes) | {Scope.GLOBAL, Scope.OWN} == set(Scope)


def test_a_stanza_says_what_it_is() -> None:
    assert all(each.doc for each in STANZAS.values() if each.scope is not Scope.OWN)
    assert BINDING.name == "binding"
