from typing import cast

import pytest

from angarium.config.load import load_text
from angarium.modules.lua.errors import ScriptError
from angarium.modules.lua.runtime import State
from angarium.modules.means import Means
from helpers.lua import services
from helpers.snippets import run, state

CONFIGURATION = """
max_outbound_connections = 40
domain "example.com" { max_outbound_connections = 20 }
Binding "b1" { retry_interval = "5m" }
snmp_traps { destination "127.0.0.1" { community = "hidden" } }
"""


class _Means:
    def __init__(self) -> None:
        self.configuration = load_text(CONFIGURATION)


def _lua() -> State:
    made = services()
    made.parts[Means] = cast(Means, _Means())
    return state(made)


@pytest.mark.parametrize(
    ("words", "value", "text"),
    [
        ('"get", "max_outbound_connections"', 40, b"max_outbound_connections = 40"),
        ('"get", "domain", "example.com", "max_outbound_connections"', 20,
         b"  max_outbound_connections = 20"),
        ('"get", "domain", "other.example", "max_outbound_connections"', None,
         b"Option 'max_outbound_connections' is not set in scope 'domain other.example'."),
        ('"eval", "domain", "other.example", "max_outbound_connections"', 40,
         b"max_outbound_connections = 40"),
        ('"eval", "binding", "b1", "domain", "a.example", "retry_interval"', 300,
         b"retry_interval = 300"),
    ],
)  # fmt: skip
def test_an_option_has_a_value_and_a_text(words: str, value: object, text: bytes) -> None:
    found, shown = run(f"return msys.config({words})", _lua())
    assert found == value
    assert shown.strip() == text.strip()


def test_of_a_secret_it_is_told_that_there_is_one() -> None:
    source = 'return msys.config("get", "snmp_traps", "destination", "127.0.0.1", "community")'
    found, shown = run(source, _lua())
    assert b"hidden" not in found + shown
    assert found


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ('"set", "max_outbound_connections", "5"', "scripts get and eval only"),
        ('"get"', "scope and option are expected"),
        ('"get", "max_outbound_connections", "5"', "scope and option are expected"),
        ('"get", "no_such_option"', "no_such_option"),
        ('"eval", "binding", "none", "retry_interval"', "none"),
        ('"get", {}', "words of a scope are strings"),
    ],
)
def test_what_cannot_be_asked_is_an_error(words: str, said: str) -> None:
    with pytest.raises(ScriptError, match=said):
        run(f"return msys.config({words})", _lua())
