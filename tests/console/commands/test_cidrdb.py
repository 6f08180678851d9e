"""Sets of addresses which scripts have defined."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

from angarium.console.xml import xml
from angarium.policy.module import Command
from helpers.consoles import FakeServer, Talk


def server(folder: Path, *rows: object) -> FakeServer:
    """Return one whose workers know these sets."""
    made = FakeServer(folder, "")
    for number, each in enumerate(rows):
        commands = {"cidrdb rows": _said(json.dumps(each)), "cidrdb reload": _loaded}
        policing = SimpleNamespace(commands=commands)
        made.node.parts[f"worker {number}"] = SimpleNamespace(
            services=SimpleNamespace(policing=policing)
        )
    return made


def _said(text: str) -> Command:
    async def rows(_words: Sequence[str]) -> str:
        return text

    return rows


async def _loaded(words: Sequence[str]) -> str:
    return f"{words[1]} has been loaded"


async def test_sets_are_listed_once_and_loaded_again(tmp_path: Path) -> None:
    first = [["bad", 60, 50], ["db", 60, None], ["never", 0, 0]]
    second = [["bad", 60, 40], ["db", 60, None], ["never", 0, 0]]
    talk = Talk(server(tmp_path, first, second))
    assert (await talk.say("cidrdb list")).splitlines() == [
        "bad [refresh in 40 seconds]",
        "db [not asked]",
        "never [no refresh]",
    ]
    assert await talk.say('cidrdb reload "my set"') == "my set has been loaded"


async def test_in_xml_a_set_has_its_name_and_two_numbers_of_seconds(tmp_path: Path) -> None:
    said = xml("cidrdb list", await Talk(server(tmp_path, [["bad", 60, 50]])).plain("cidrdb list"))
    for name, value in (("cidr_name", "bad"), ("refresh", "60"), ("next", "50")):
        assert re.search(rf"<{name}>{value}(\.0)?</{name}>", said), said


async def test_without_scripts_there_are_none(tmp_path: Path) -> None:
    server = FakeServer(tmp_path, "")
    policing = SimpleNamespace(commands={})
    server.node.parts["worker 0"] = SimpleNamespace(services=SimpleNamespace(policing=policing))
    assert "no script has defined a set" in await Talk(server).fails("cidrdb list")
