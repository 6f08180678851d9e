"""What the manual says of options, and what we say: names, types, defaults, places; both ways.

`options.json` has the facts of all of Momentum's options but those of modules, which are in
test_modules; tools/facts.py makes it. Where we differ on purpose the reason stands here, and in
docs/compatibility.md what it means.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from angarium.config.compound import Choices, Joined, Record, Span
from angarium.config.describe import describe, text
from angarium.config.kinds import (
    Bool,
    CapKind,
    Choice,
    Duration,
    Float,
    Int,
    IntOr,
    List,
    Mode,
    Pattern,
    Percent,
    Raw,
    Size,
    Table,
    Text,
    ThrottleKind,
)
from angarium.config.kinds import (
    Path as PathKind,
)
from angarium.config.load import declarations
from angarium.config.option import OPTIONS, OURS, Option
from angarium.config.places import HostPort, SourceAddress

declarations()

FACTS: Final[list[dict[str, Any]]] = json.loads(
    Path(__file__).with_name("options.json").read_text()
)

# By the name of the option; those of stanzas by the key.
DEFAULTS_OF_OURS: Final[Mapping[str, str]] = {
    "force_fsync": "a 250 means that the message is on the disk",
    "unlink_on_spool_in_failure": "nothing unreadable is deleted",
    "dns_fallback_to_tcp": "the changelog of 4.2.28 says true, the manual still false",
    "resolv_conf": "unset means this file",
    "hot_domains": "it depends on the version there, and does nothing here",
}
# The manual's table has fewer or more scopes than the option's own page, or than its sense.
SCOPES_OF_OURS: Final[Mapping[str, str]] = {
    "event_loop": "the option's page has http_listener too",
    "scope_max_outbound_connections": "the option's page has host too",
    "mta_sts_dns_cname_max_depth": "the option's page has domain too",
    "authloginparameters": "the example of auth_radius has peer too",
    "authplainparameters": "as authloginparameters",
    "authcrammd5parameters": "as authloginparameters",
    "external_hostname": "only a changelog names it",
    "max_resident_messages_per_binding": "only a changelog names it",
    "fips_mode": "only a changelog names it",
    "tls_fallback_always_new_connection": "only a changelog names it",
    "snmp_traps.trap_destination.community": "the stanza is called destination",
    "snmp_traps.destination.community": "the table calls the stanza trap_destination",
}
STATIC_OF_OURS: Final[Mapping[str, str]] = {
    "timestampformat": "the service log is set up once; it is for who looks on",
    "eventloop.concurrency": "the page of the stanza asks for a restart",
    "server_max_file_descriptors": "limits are raised before privileges are dropped",
}
DIRECTIONS_OF_OURS: Final[Mapping[str, str]] = {
    "event_loop": "the table says sending of an option of listeners",
}
# Options which the facts do not have: where they are from.
OF_PAGES: Final[Mapping[str, str]] = {
    "logs.manager.node.subscriber": "the page on logs of several managers",
}
TEXTUAL: Final = (Text, HostPort, SourceAddress, Joined, Choices, Choice)
KINDS: Final[Mapping[str, tuple[type, ...]]] = {
    "bool": (Bool,),
    "dict": (Table, Record),
    "duration_string": (Duration,),
    "enum": (Choice,),
    "float": (Float,),
    "int": (Int, CapKind),
    "int_or_enum": (IntOr,),
    "interval_milliseconds": (Int,),
    "interval_seconds": (Duration, Int),
    "list": (List,),
    "octal_mode": (Mode,),
    "path": (PathKind,),
    "percent": (Percent,),
    "port": (Int,),
    "range_pair": (Span,),
    "regex": (Pattern,),
    "size": (Size,),
    "string": TEXTUAL,
    "string_list": (List,),
    "throttle": (ThrottleKind,),
}
NOTHING: Final[tuple[object, ...]] = (
    None,
    "",
    [],
    (),
    {},
)  # what the manual has for "not set", and how we say it


def places(declared: Option[Any]) -> set[str]:
    """Return the names of the stanzas an option stands in, without those around them."""
    return {each.rpartition(".")[2] for each in describe(declared).scopes}


def ours(fact: Mapping[str, Any]) -> list[Option[Any]]:
    """Return what we declare of an option of the manual."""
    stated = set(fact["scopes"])
    if "trap_destination" in stated:
        stated.add("destination")
    named = [each for each in OPTIONS.values() if each.name == fact["name"]]
    return [each for each in named if not stated or places(each) & stated]


STATED: Final = [(fact, each) for fact in FACTS for each in ours(fact)]
EACH_STATED: Final = pytest.mark.parametrize(
    ("fact", "declared"), STATED, ids=[f"{fact['id']}-{each.key}" for fact, each in STATED]
)


def of_module(declared: Option[Any]) -> bool:
    """Say whether it stands in the stanza of a module; those are compared elsewhere."""
    owner = declared.owner
    assert owner is not None
    return bool(declared.stanza) and owner.__module__.startswith("angarium.modules.")


def known(declared: Option[Any], listed: Mapping[str, str]) -> bool:
    """Say whether a difference is on purpose."""
    return declared.key in listed


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact["id"])
def test_every_option_of_the_manual_is_declared(fact: dict[str, Any]) -> None:
    found = ours(fact)
    assert found
    if not any(known(each, SCOPES_OF_OURS) for each in found):
        assert set().union(*map(places, found)) == set(fact["scopes"])


@pytest.mark.parametrize("declared", OPTIONS.values(), ids=lambda each: each.key)
def test_what_we_declare_is_in_the_manual_or_ours(declared: Option[Any]) -> None:
    stated = any(each is declared for _, each in STATED)
    if declared.since == OURS:
        assert not stated, "the manual has this name for something of its own"
    else:
        assert stated or of_module(declared) or declared.key in OF_PAGES


@EACH_STATED
def test_a_type_is_the_manuals(fact: dict[str, Any], declared: Option[Any]) -> None:
    assert isinstance(declared.kind, KINDS[fact["type"]])


@EACH_STATED
def test_words_of_the_manual_may_be_written_or_come_later(
    fact: dict[str, Any], declared: Option[Any]
) -> None:
    later = declared.kind.later if isinstance(declared.kind, Choice) else ()
    for each in fact["words"]:
        if each not in later:
            declared.kind.parse((each,) if fact["type"] == "list" else each)


@EACH_STATED
def test_a_default_is_the_manuals(fact: dict[str, Any], declared: Option[Any]) -> None:
    stated = fact["default"]
    if known(declared, DEFAULTS_OF_OURS):
        return
    if stated in NOTHING:
        assert declared.default in NOTHING
    else:
        assert text(declared, declared.default) == text(declared, declared.kind.parse(raw(stated)))


@EACH_STATED
def test_what_needs_a_restart_there_needs_none_here_or_says_so(
    fact: dict[str, Any], declared: Option[Any]
) -> None:
    assert declared.dynamic or not fact["dynamic"] or known(declared, STATIC_OF_OURS)


@EACH_STATED
def test_an_option_says_when_it_came(fact: dict[str, Any], declared: Option[Any]) -> None:
    assert fact["since"] in (None, declared.since)


@EACH_STATED
def test_a_direction_is_the_manuals(fact: dict[str, Any], declared: Option[Any]) -> None:
    assert declared.direction == fact["direction"] or known(declared, DIRECTIONS_OF_OURS)


def test_what_differs_on_purpose_still_differs() -> None:
    """A reason without a difference is a reason too many."""
    stated = {each.key: fact for fact, each in STATED}
    for key in DEFAULTS_OF_OURS:
        declared, fact = OPTIONS[key], stated[key]
        same = not of_nothing(fact["default"], declared.default) and text(
            declared, declared.default
        ) == text(declared, declared.kind.parse(raw(fact["default"])))
        assert not same, key
    for key in OF_PAGES:
        assert key in OPTIONS
        assert key not in stated
    for key in SCOPES_OF_OURS:
        assert places(OPTIONS[key]) != set(stated[key]["scopes"]) or "trap" in key, key
    for key in STATIC_OF_OURS:
        assert not OPTIONS[key].dynamic


def of_nothing(stated: object, value: object) -> bool:
    return stated in NOTHING or value in NOTHING


def raw(stated: object) -> Raw:
    """Return a default of the manual as a file has it."""
    if isinstance(stated, bool):
        return "true" if stated else "false"
    if isinstance(stated, list):
        return tuple(str(each) for each in stated)
    if isinstance(stated, dict):
        return {key: str(each) for key, each in stated.items()}
    return str(stated)
