"""Sets of addresses which scripts have defined."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

from helpers.consoles import FakeServer, Talk


async def _listed(_words: Sequence[str]) -> str:
    return "bad [refresh in 50 seconds]"


async def _loaded(words: Sequence[str]) -> str:
    return f"{words[1]} has been loaded"


async def test_sets_are_listed_and_loaded_again(tmp_path: Path) -> None:
    server = FakeServer(tmp_path, "")
    commands = {"cidrdb list": _listed, "cidrdb reload": _loaded}
    policing = SimpleNamespace(commands=commands)
    server.node.parts["worker 0"] = SimpleNamespace(services=SimpleNamespace(policing=policing))
    talk = Talk(server)
    assert await talk.say("cidrdb list") == "bad [refresh in 50 seconds]"
    assert await talk.say('cidrdb reload "my set"') == "my set has been loaded"


async def test_without_scripts_there_are_none(tmp_path: Path) -> None:
    server = FakeServer(tmp_path, "")
    policing = SimpleNamespace(commands={})
    server.node.parts["worker 0"] = SimpleNamespace(services=SimpleNamespace(policing=policing))
    assert "no script has defined a set" in await Talk(server).fails("cidrdb list")
