"""What works in each process."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from helpers.consoles import FakeServer, Talk


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    server = FakeServer(tmp_path, "")
    part = SimpleNamespace(
        admit=SimpleNamespace(submitted=3), board=SimpleNamespace(beat=SimpleNamespace(waiting=1))
    )
    server.node.parts = {"worker 0": part, "hose": None}
    return Talk(server)


async def test_each_process_has_its_loop(talk: Talk) -> None:
    found = (await talk.plain("threads stats"))["processes"]
    assert set(found) == {"worker 0", "hose", "supervisor"}
    assert found["hose"]["event loop"]["threads"] == 1
    assert set((await talk.plain("threads loop stats"))["processes"]["hose"]) == {"event loop"}
    assert "event loop" in await talk.say("threads busy")


async def test_what_waits_is_counted(talk: Talk) -> None:
    assert await talk.say("threads io queue") == "Jobs in the IO pool\n3 jobs"
    assert await talk.say("threads cpu queue") == "Jobs in the CPU pool\n1 jobs"


async def test_a_pool_which_is_none_is_refused(talk: Talk) -> None:
    assert "there is no pool SWAPIN; there are" in await talk.fails("threads SWAPIN stats")
    assert "write threads SWAPIN stats" in await talk.fails("threads SWAPIN all")
