"""The manual's example of each option is what an operator may copy."""

from typing import Any

import pytest

from angarium.config import sample
from angarium.config.errors import ConfigError
from angarium.config.load import check, declarations, load_text
from angarium.config.option import OPTIONS, Option, State
from angarium.config.scope import STANZAS
from angarium.config.tree import Snapshot

declarations()


@pytest.mark.parametrize("declared", OPTIONS.values(), ids=lambda each: each.key)
def test_every_option_has_an_example_which_loads(declared: Option[Any]) -> None:
    assert sample.value(declared), f"{declared.key} needs an example in its declaration"
    text = sample.example(declared)
    checked = check("x", Snapshot("x", (), {"x": text.encode()}, {}))
    errors = [str(each) for each in checked.faults if each.severity.name == "ERROR"]
    refused = bool(declared.stanza) and STANZAS[declared.stanza].standing.refused
    unsafe = declared.safe is not None and declared.state is State.PLANNED
    assert not errors or (unsafe and "not safe" in errors[0]) or refused, (text, errors)
    assert checked.sections_with(declared.name), text


def test_an_example_differs_from_the_default_where_there_are_two_values() -> None:
    assert sample.value(OPTIONS["open_relay"]) == "true"
    assert sample.value(OPTIONS["force_fsync"]) == "false"


def test_an_option_is_shown_in_the_narrowest_common_stanza() -> None:
    assert sample.example(OPTIONS["retry_interval"]) == (
        'domain "example.com" {\n  retry_interval = 1200\n}'
    )
    assert sample.example(OPTIONS["spoolbase"]).startswith("spoolbase = ")


def test_what_an_option_needs_stands_beside_it() -> None:
    assert sample.example(OPTIONS["socks_pass"]).split("\n")[1:3] == [
        "  socks_pass = secret",
        "  socks_user = mail",
    ]
    shown = sample.example(OPTIONS["acme.names"]).split("\n")
    assert [each.split()[0] for each in shown[1:-1]] == [
        "names", "directory", "terms_agreed", "certificate"
    ]  # fmt: skip


def test_a_stanza_inside_another_one_is_shown_inside_it() -> None:
    inner = sample.inside(STANZAS["listen"], "")
    assert inner.startswith('esmtp_listener {\n  listen ":25" {')
    with pytest.raises(ConfigError):
        load_text('listen ":25" { }')
