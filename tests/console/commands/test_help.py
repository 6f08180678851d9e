"""`help` knows all commands."""

from pathlib import Path

import pytest

from angarium.console.command import COMMANDS
from helpers.consoles import FakeServer, Talk


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    return Talk(FakeServer(tmp_path, ""))


async def test_every_command_has_a_line(talk: Talk) -> None:
    lines = (await talk.say("help")).splitlines()
    assert len(lines) == len(COMMANDS)
    assert any(each.startswith("config reload [path]  ") for each in lines)
    assert {each["command"] for each in await talk.plain("help")} == set(COMMANDS)


async def test_one_command_is_explained(talk: Talk) -> None:
    said = await talk.say("help config writeback")
    assert said.startswith("config writeback [path]\n\nWrite what is in force to the files")
    assert (await talk.plain("help config writeback"))["who"] == "OPERATOR"


async def test_a_word_shows_what_begins_with_it(talk: Talk) -> None:
    lines = (await talk.say("help config begin")).splitlines()
    assert [each.split("  ")[0] for each in lines] == ["config begin", "config begin from scratch"]
    assert "there is no command confg" in await talk.fails("help confg")
