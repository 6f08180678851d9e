"""The JSON of a configuration is valid by the schema."""

from pathlib import Path

import pytest
from hypothesis import given

from angarium.config import sample
from angarium.config.describe import options_of, stanza_kinds
from angarium.config.load import load
from angarium.config.option import OPTIONS, Option
from angarium.config.resolve import Configuration
from angarium.config.schema import DRAFT, document
from angarium.config.scope import STANZAS, stanzas_in
from angarium.config.show import Show
from angarium.config.spelling import plain_value
from helpers.configurations import SHIPPED, checked, stanzas
from helpers.schema import faults

SCHEMA = document()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda each: each.parent.name)
@pytest.mark.parametrize("defaults", [False, True])
def test_what_we_ship_is_valid(path: Path, defaults: bool) -> None:
    conf = load(path, environ={}, files=False)
    assert faults(Show(conf, defaults=defaults).plain(conf.root), SCHEMA, SCHEMA) == []


@given(stanzas())
def test_any_configuration_is_valid(text: str) -> None:
    root = checked(text).root
    for secrets in (False, True):
        show = Show(Configuration(root), defaults=True, secrets=secrets)
        assert faults(show.plain(root), SCHEMA, SCHEMA) == []


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ({"retry_intervall": 5}, ": there is no retry_intervall"),
        ({"retry_interval": "soon"}, ".retry_interval: 'soon' is no number"),
        (
            {"domain": {"a.example": {"spoolbase": "/x"}}},
            ".domain.a.example: there is no spoolbase",
        ),
        ({"esmtp_listener": {"listen": []}}, ".esmtp_listener.listen: [] is no object"),
    ],
)
def test_a_fault_is_found(value: object, fault: str) -> None:
    assert faults(value, SCHEMA, SCHEMA) == [fault]


@pytest.mark.parametrize("declared", OPTIONS.values(), ids=lambda each: each.key)
def test_a_default_is_valid(declared: Option[object]) -> None:
    if declared.default is not None:
        value = plain_value(declared, declared.default)
        assert faults(value, declared.kind.schema(), SCHEMA) == []


@pytest.mark.parametrize(
    "declared",
    [each for each in OPTIONS.values() if sample.value(each)],
    ids=lambda each: each.key,
)
def test_the_example_of_an_option_is_valid(declared: Option[object]) -> None:
    root = checked(sample.example(declared)).root
    assert any(declared.name in each.values for each in root.walk())
    assert faults(Show(Configuration(root), secrets=True).plain(root), SCHEMA, SCHEMA) == []


def test_it_has_all_stanzas_and_says_what_it_is() -> None:
    assert SCHEMA["$schema"] == DRAFT
    assert isinstance(SCHEMA["$defs"], dict)
    assert SCHEMA["$defs"].keys() == {*STANZAS, "raw value"}


@pytest.mark.parametrize("kind", stanza_kinds(), ids=lambda each: each.key or "global")
def test_no_option_has_the_name_of_a_stanza_beside_it(kind: object) -> None:
    # Both would be the same member of the object.
    assert not {each.name for each in options_of(kind)} & set(stanzas_in(kind))  # type: ignore[arg-type]
