"""`counter`: the commands."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from angarium.policy.shared.node import Shared
from helpers.clock import FakeClock
from helpers.consoles import FakeServer, Talk


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    server = FakeServer(tmp_path, "")
    server.node.parts["worker 0"] = SimpleNamespace(shared=Shared(FakeClock()))
    return Talk(server)


async def test_counters_are_added_to_listed_reset_and_forgotten(talk: Talk) -> None:
    assert (await talk.say("counter list")).endswith("0 counters listed.")
    assert await talk.say("counter add /a 7") == ""
    assert await talk.plain("counter add /a -3") == {"counter": "/a", "value": 4}
    await talk.say("counter increment /b")
    assert [each["value"] for each in await talk.plain("counter list")] == [4, 1]
    said = await talk.say("counter list")
    assert "strict     /b" in said
    assert said.endswith("2 counters listed.")
    await talk.say("counter reset /a")
    await talk.say("counter unlink /b")
    assert [each["value"] for each in await talk.plain("counter list")] == [0]
    assert "no whole number" in await talk.fails("counter add /a x")
    assert "no counter /b" in await talk.fails("counter reset /b")
    assert "200 octets" in await talk.fails(f"counter add {'x' * 201} 1")
    assert "counter unlink NAME" in await talk.say("counter help")
