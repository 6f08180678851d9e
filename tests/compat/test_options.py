"""What the manual says of our options: names, types, defaults and scopes; 5.3 where they differ.

`options.json` has the facts of all of Momentum's options, made by tools/planned.py. Where we differ
on purpose the reason stands here, and in docs/compatibility.md.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from angarium.config.describe import describe, text
from angarium.config.kinds import Raw
from angarium.config.load import declarations
from angarium.config.option import OPTIONS, OURS, Option
from angarium.config.planned import planned

declarations()

FACTS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("options.json").read_text())

DEFAULTS_OF_OURS: Mapping[str, str] = {
    "force_fsync": "a 250 means that the message is on the disk",
    "unlink_on_spool_in_failure": "nothing unreadable is deleted",
    "dns_fallback_to_tcp": "the changelog of 4.2.28 says true, the manual still false",
    "resolv_conf": "unset means this file",
}
# The manual's table has fewer or more scopes than the option's own page, or than its sense.
SCOPES_OF_OURS: Mapping[str, str] = {
    "event_loop": "the option's page has http_listener too",
    "tcp_buffer_size": "the cluster's own comes with the cluster",
    "scope_max_outbound_connections": "the option's page has host too",
    "external_hostname": "only a changelog names it",
    "max_resident_messages_per_binding": "only a changelog names it",
    "fips_mode": "known by the changelog of 4.4.0 only, without scopes",
    "tls_fallback_always_new_connection": "known by the changelog of 4.2.40 only, without scopes",
}
STATIC_OF_OURS: Mapping[str, str] = {
    "server_max_file_descriptors": "limits are raised before privileges are dropped",
}
# What the manual prints for "not set", and how we declare it.
NOTHING: tuple[object, ...] = (None, "", [], (), {})


def fact_of(declared: Option[Any]) -> dict[str, Any] | None:
    """Return the facts of an option, of the entry whose scopes are its own."""
    named = [each for each in FACTS if each["name"] == declared.name]
    if declared.stanza:
        named = [each for each in named if declared.stanza in each["scopes"]]
    else:
        ours = set(describe(declared).scopes)
        named = sorted(named, key=lambda each: -len(ours & set(each["scopes"])))
    return named[0] if named else None


OF_MOMENTUM = [each for each in OPTIONS.values() if each.since != OURS]


@pytest.mark.parametrize("declared", OF_MOMENTUM, ids=lambda each: each.key)
def test_an_option_not_ours_is_in_the_manual(declared: Option[Any]) -> None:
    common = declared.name in ("enabled", "debug_level")  # which every module has
    assert common or fact_of(declared) is not None


@pytest.mark.parametrize(
    "declared", [each for each in OPTIONS.values() if each.since == OURS], ids=lambda each: each.key
)
def test_an_option_of_ours_takes_no_name_of_the_manual(declared: Option[Any]) -> None:
    fact = fact_of(declared)
    assert fact is None or declared.stanza


@pytest.mark.parametrize("declared", OF_MOMENTUM, ids=lambda each: each.key)
def test_a_default_is_the_manuals(declared: Option[Any]) -> None:
    fact = fact_of(declared)
    if fact is None or declared.name in DEFAULTS_OF_OURS:
        return
    stated = fact["default"]
    if stated in NOTHING:
        assert declared.default in NOTHING, declared.name
        return
    assert text(declared, declared.default) == text(declared, declared.kind.parse(raw(stated)))


@pytest.mark.parametrize("declared", OF_MOMENTUM, ids=lambda each: each.key)
def test_scopes_are_the_manuals(declared: Option[Any]) -> None:
    fact = fact_of(declared)
    if fact is None or declared.stanza or declared.name in SCOPES_OF_OURS:
        return
    assert set(describe(declared).scopes) == set(fact["scopes"]), declared.name


@pytest.mark.parametrize("declared", OF_MOMENTUM, ids=lambda each: each.key)
def test_what_needs_a_restart_there_needs_none_here_or_says_so(declared: Option[Any]) -> None:
    fact = fact_of(declared)
    if fact is not None and fact["dynamic"] and declared.name not in STATIC_OF_OURS:
        assert declared.stanza or declared.dynamic, f"{declared.name} is dynamic there"


def test_every_option_and_stanza_of_the_manual_is_declared_or_planned() -> None:
    declared = {each.name for each in OPTIONS.values()}
    named = set(planned().options) | {
        each for options in planned().stanzas.values() for each in options
    }
    assert not {each["name"] for each in FACTS} - declared - named


def raw(stated: object) -> Raw:
    """Return a default of the manual as a file has it."""
    if isinstance(stated, bool):
        return "true" if stated else "false"
    if isinstance(stated, list):
        return tuple(str(each) for each in stated)
    return str(stated)
