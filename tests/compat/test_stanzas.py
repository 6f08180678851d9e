"""What the manual says of stanzas, and what we say: where they stand, whether they have names.

`stanzas.json` has the facts, made by tools/facts.py; those of modules are in test_modules, too.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from angarium.config.load import declarations
from angarium.config.option import CLASSES, OURS
from angarium.config.scope import STANZAS, Naming, StanzaKind

declarations()

FACTS: Final[list[dict[str, Any]]] = json.loads(
    Path(__file__).with_name("stanzas.json").read_text()
)
# Stanzas which the facts do not have: where they are from.
OF_PAGES: Final[Mapping[str, str]] = {
    "logs.manager.node": "the page on logs of several managers",
    "snmp_traps.trap_destination": "the manual's table; its page says destination",
}


def ours(fact: Mapping[str, Any]) -> list[StanzaKind]:
    """Return the stanzas of a name which stand where the manual says; some stand in several."""
    named = [each for each in STANZAS.values() if each.name == fact["name"]]
    return [each for each in named if parents(each) & set(fact["parents"])]


def parents(kind: StanzaKind) -> set[str]:
    return {each.rpartition(".")[2] or "global" for each in kind.parents}


def of_module(kind: StanzaKind) -> bool:
    """Say whether it is the stanza of a module, or stands in one; those are compared elsewhere."""
    owner = CLASSES.get(kind.key)
    return owner is not None and owner.__module__.startswith("angarium.modules.")


EACH: Final = pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact["name"])


@EACH
def test_every_stanza_of_the_manual_is_declared_where_it_stands(fact: dict[str, Any]) -> None:
    found = ours(fact)
    assert found
    assert set().union(*map(parents, found)) == set(fact["parents"])


@EACH
def test_a_stanza_has_a_name_where_the_manual_says_so(fact: dict[str, Any]) -> None:
    for kind in ours(fact):
        assert (kind.naming is not Naming.NEVER) == fact["named"]


@EACH
def test_names_are_patterns_where_the_manual_says_so(fact: dict[str, Any]) -> None:
    assert {each.patterns for each in ours(fact)} == {fact["patterns"]}


@pytest.mark.parametrize("kind", STANZAS.values(), ids=lambda each: each.key)
def test_what_we_declare_is_in_the_manual_or_ours(kind: StanzaKind) -> None:
    stated = any(kind in ours(fact) for fact in FACTS)
    owner = CLASSES.get(kind.key)
    of_us = owner is not None and all(each.since == OURS for each in owner.declared)
    assert stated or of_module(kind) or of_us or kind.key in OF_PAGES
