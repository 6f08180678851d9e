"""Every command of Momentum's console is here, or says what is missing.

`commands.json` has the facts, made by tools/facts_commands.py.
"""

import re
from typing import Any

import pytest

from angarium.console.absent import said
from angarium.console.command import COMMANDS, declarations, find
from angarium.console.errors import CommandError
from helpers.commands import CLIENT, FACTS, sample


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
