"""The server itself: its number, its version, its memory."""

import os
from pathlib import Path

import pytest

from helpers.consoles import FakeServer, Talk


@pytest.fixture
def server(tmp_path: Path) -> FakeServer:
    made = FakeServer(tmp_path, "")
    made.node.parts = {"worker 0": None, "worker 1": None, "hose": None}
    return made


@pytest.fixture
def talk(server: FakeServer) -> Talk:
    return Talk(server)


async def test_the_number_is_that_of_the_supervisor(talk: Talk) -> None:
    assert await talk.say("pid") == "4711"
    assert await talk.plain("pid") == {"pid": 4711}


async def test_the_version_is_told_with_the_product(talk: Talk) -> None:
    assert await talk.say("version") == "Angarium version: 0.1"
    assert await talk.plain("version") == {"product": "Angarium", "version": "0.1"}


async def test_the_memory_of_each_process_is_told_and_summed(talk: Talk) -> None:
    plain = await talk.plain("memory")
    assert set(plain["processes"]) == {"worker 0", "worker 1", "hose", "supervisor"}
    rows = plain["processes"].values()
    assert plain["total"]["resident"] == sum(each["resident"] for each in rows)
    assert plain["system"] == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    lines = (await talk.say("memory")).splitlines()
    assert [each.split("  ")[0] for each in lines[:6]] == [
        "Process", "hose", "supervisor", "worker 0", "worker 1", "Total",
    ]  # fmt: skip


async def test_a_word_chooses_processes(talk: Talk) -> None:
    assert set((await talk.plain("memory worker"))["processes"]) == {"worker 0", "worker 1"}
    assert "no process is called x; there are hose" in await talk.fails("memory x")


async def test_a_stuck_process_is_named_in_the_answer(talk: Talk, server: FakeServer) -> None:
    server.node.stuck = ("worker 2",)
    assert (await talk.say("memory")).endswith("\nworker 2 does not answer: it is left out")
