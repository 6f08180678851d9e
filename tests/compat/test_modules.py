"""What the manual says of the stanzas of modules: names, options, types, defaults; 5.3 wins.

`modules.json` has the facts, made by tools/facts_modules.py. Where we differ on purpose the reason
stands here. What the stanzas mean here is in docs/compatibility.md.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from angarium.config.describe import text
from angarium.config.grammar import Setting, parse
from angarium.config.kinds import (
    Bool,
    Choice,
    Duration,
    Int,
    List,
    Mode,
    Raw,
    Size,
    Table,
)
from angarium.config.kinds import (
    Path as PathKind,
)
from angarium.config.load import declarations
from angarium.config.option import CLASSES, OPTIONS, OURS, Option, State
from angarium.config.scope import STANZAS, Naming

declarations()

FACTS: Final[dict[str, Any]] = json.loads(Path(__file__).with_name("modules.json").read_text())

NO_STANZA: Final = {
    "live_bounce_updates": "its options stand in a file of their own, liveupdate.conf",
}
COMMON: Final = frozenset({"enabled", "debug_level"})  # which every module has
ENGINES: Final = {"antivirus.clamav": "clamav", "antivirus.csapi": "csapi"}  # set up as outside
# Of stanzas, and of options in them, which the facts do not have: where they are from.
OF_EXAMPLES: Final[Mapping[str, str]] = {
    "sieve.hook.script": "three examples; the text calls it source",
    "senderid.add_authentication_results": "the example of its page",
    "senderid.fail_fallback_string": "the example of its page",
    "senderid.nxdomain_override_string": "the example of its page",
    "senderid.softfail_fallback_string": "the example of its page",
    "maildir.createusers": "another name of create_users",
    "maildir.domain": "another name of domains",
    "opendkim.dkim_domain.header_canon": "its text and its list of options differ",
    "spamc": "5.0 removed it",
}
NAMED_OF_OURS: Final[Mapping[str, str]] = {
    "cloudmark": "its example has a name, its text says that there is none",
    "inbound_audit": "its example has a name",
}
DEFAULTS_OF_OURS: Final[Mapping[str, str]] = {
    "av_fsecure.daemon": "the manual's has the number of a user in it",
    "securecreds.credentials": "where `angarium credentials` keeps them",
    "securecreds.key": "where `angarium credentials` keeps it",
    "msg_gen.node.gen_count": "unset is what the stanza outside says",
    "msg_gen.node.gen_transactional_threads": "unset is what the stanza outside says",
}
KINDS: Final[Mapping[str, tuple[type, ...]]] = {
    "bool": (Bool,),
    "dict": (Table,),
    "enum": (Choice,),
    "int": (Int, Size),
    "interval_milliseconds": (Int,),
    "interval_seconds": (Duration,),
    "list": (List,),
    "octal_mode": (Mode,),
    "path": (PathKind,),
    "port": (Int,),
    "size": (Size,),
}
TYPES_OF_OURS: Final[Mapping[str, str]] = {
    "adaptive.outbound_throttle_messages_monitor": "a list of two numbers: windows",
}
NOTHING: Final[tuple[object, ...]] = (
    None,
    "",
    [],
    (),
    {},
)  # what the manual has for "not set", and how we say it

PRESENT: Final = sorted(set(FACTS) - set(NO_STANZA))
# The stanzas of modules which are declared, and what stands in them.
OPTIONS_OF_MODULES: Final = [
    each
    for each in OPTIONS.values()
    if each.owner is not None and each.owner.__module__.startswith("angarium.modules.")
    if each.stanza and each.stanza.partition(".")[0] in {*FACTS, *OF_EXAMPLES}
]
STATED: Final = [
    each
    for each in OPTIONS_OF_MODULES
    if each.name in FACTS.get(each.stanza, {}).get("options", ())
]


def fact(declared: Option[Any]) -> dict[str, Any]:
    found = FACTS[declared.stanza]["options"][declared.name]
    assert isinstance(found, dict)
    return found


def raw(stated: object) -> Raw:
    """Return a default of the manual as a file has it."""
    if isinstance(stated, bool):
        return "true" if stated else "false"
    if isinstance(stated, list):
        return tuple(str(each) for each in stated)
    return str(stated)


@pytest.mark.parametrize("key", PRESENT)
def test_every_stanza_of_a_module_is_declared_with_its_options(key: str) -> None:
    assert key in STANZAS
    assert set(FACTS[key]["options"]) <= {each.name for each in CLASSES[key].declared}


@pytest.mark.parametrize("key", PRESENT)
def test_a_stanza_has_names_where_the_manual_says_so(key: str) -> None:
    stated, naming = FACTS[key]["named"], STANZAS[key].naming
    if stated is False and key not in NAMED_OF_OURS:
        assert naming is Naming.NEVER
    elif stated:
        assert naming is not Naming.NEVER


def test_a_stanza_stands_inside_the_one_before_its_dot() -> None:
    for key in PRESENT:
        assert STANZAS[key].parents == {key.rpartition(".")[0]}


@pytest.mark.parametrize("declared", OPTIONS_OF_MODULES, ids=lambda each: each.key)
def test_what_we_declare_is_in_the_manual(declared: Option[Any]) -> None:
    outside = ENGINES.get(declared.stanza, declared.stanza)
    assert (
        declared.name in COMMON
        or declared.since == OURS
        or declared.name in FACTS.get(outside, {}).get("options", ())
        or {declared.key, declared.stanza} & set(OF_EXAMPLES)
    )


@pytest.mark.parametrize("declared", STATED, ids=lambda each: each.key)
def test_a_default_is_the_manuals(declared: Option[Any]) -> None:
    stated = fact(declared).get("default")
    if declared.key in DEFAULTS_OF_OURS:
        return
    if stated in NOTHING:
        assert declared.default in NOTHING
    else:
        assert text(declared, declared.default) == text(declared, declared.kind.parse(raw(stated)))


@pytest.mark.parametrize("declared", STATED, ids=lambda each: each.key)
def test_a_type_is_the_manuals(declared: Option[Any]) -> None:
    stated = fact(declared)
    kinds = KINDS.get(stated.get("type", ""))
    if kinds is not None and declared.key not in TYPES_OF_OURS:
        assert isinstance(declared.kind, kinds)
    for each in stated.get("enum", ()):
        assert declared.kind.parse(each) == each


@pytest.mark.parametrize("declared", STATED, ids=lambda each: each.key)
def test_an_option_which_came_later_says_when(declared: Option[Any]) -> None:
    since = fact(declared).get("since")
    assert since is None or declared.since == since


@pytest.mark.parametrize("declared", OPTIONS_OF_MODULES, ids=lambda each: each.key)
def test_an_option_without_a_useful_default_has_an_example(declared: Option[Any]) -> None:
    assert declared.example or declared.default not in (None, (), {})
    if declared.example:
        setting = parse("x", f"x = {declared.example}".encode()).items[0]
        assert isinstance(setting, Setting)
        declared.kind.parse(setting.value)


@pytest.mark.parametrize("key", PRESENT)
def test_a_module_which_does_nothing_says_why(key: str) -> None:
    standing = STANZAS[key].standing
    if standing.state is not State.WORKS:
        assert standing.reason.endswith(".")
        assert not standing.loss.endswith(".")


def test_the_page_of_differences_names_every_module() -> None:
    page = (Path(__file__).parents[2] / "docs/compatibility.md").read_text()
    section = page.partition("\n## Modules\n")[2].partition("\n## ")[0]
    named = set(re.findall(r"`([a-z0-9_]+)`", section))
    working = {key for key in PRESENT if STANZAS[key].standing.state is State.WORKS}
    assert {each.partition(".")[0] for each in PRESENT} - working <= named


def test_what_is_ours_is_still_so() -> None:
    named = {*OF_EXAMPLES, *DEFAULTS_OF_OURS, *TYPES_OF_OURS, *NAMED_OF_OURS}
    assert named <= {each.key for each in OPTIONS_OF_MODULES} | set(STANZAS)
    assert set(NO_STANZA) <= set(FACTS)


def test_the_guide_says_which_modules_are_missing() -> None:
    lines = Path("docs/compatibility.md").read_text().split("\n")
    start = lines.index("| area | planned | none |")
    written: dict[State, set[str]] = {State.PLANNED: set(), State.ACCEPTED: set()}
    for line in lines[start + 2 : lines.index("", start)]:
        for state, cell in zip(written, re.split(r"(?<!\\)\|", line)[2:4], strict=True):
            heads = " ".join(part.split(": ")[0] for part in cell.split("; "))
            written[state] |= set(re.findall(r"`([a-z0-9_]+)`", heads))
    for state, names in written.items():
        declared = {kind.name for kind in STANZAS.values() if kind.standing.state is state}
        assert names - declared <= {"gateway"}, f"{state.value}: not so"
        assert declared & FACTS.keys() <= names, f"{state.value}: not in the guide"
