"""Every command of Momentum's console is here, or says what is missing.

`commands.json` has the facts, made by tools/facts_commands.py.
"""

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from angarium.console.absent import said
from angarium.console.command import COMMANDS, declarations, find
from angarium.console.errors import CommandError

FACTS: Final[list[dict[str, Any]]] = json.loads(
    Path(__file__).with_name("commands.json").read_text(encoding="utf-8")
)
# What the client does by itself, and never asks for.
CLIENT: Final = frozenset({"\\pager", "quit"})
# A scope and an option in the place of what can be any of them.
SAMPLES: Final = {"scope": "binding b1", "option": "retry_interval", "threshold": "1", "id": "1"}


def sample(syntax: str) -> str:
    """Return a line as an operator would write it: what may be left out is."""
    line = syntax.partition(" ; ")[0]
    while (shorter := re.sub(r"\[[^\[\]]*\]", "", line)) != line:
        line = shorter
    line = re.sub(r"<([^<>]*)>", lambda found: SAMPLES.get(found[1].split()[0], "x"), line)
    line = re.sub(r"\{([^{} ,]+)[^{}]*\}", r"\1", line)
    return " ".join(line.partition(" | ")[0].split())


@pytest.mark.parametrize("fact", FACTS, ids=lambda each: each["syntax"])
def test_each_is_here_or_says_what_is_missing(fact: dict[str, Any]) -> None:
    declarations()
    line = sample(fact["syntax"])
    if fact["client"]:
        assert line in CLIENT
        return
    try:
        found, _ = find(line)
    except CommandError as error:
        assert str(error) == said(line) != ""
    else:
        without = re.sub(r"^(\w+):x", r"\1", line)
        assert f"{without} ".startswith(f"{found.name} ")


def test_what_is_here_does_not_count_as_missing() -> None:
    declarations()
    assert not {name for name in COMMANDS if said(name)}


def test_a_slip_is_not_taken_for_something_missing() -> None:
    assert said("sumary") == ""
    assert said("") == ""
