"""`outbound_audit`: the commands."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from angarium.policy.shared.monitors import GLOBAL, OUTCOMES, listed, outbound_name
from angarium.policy.shared.node import Shared
from helpers.clock import FakeClock
from helpers.consoles import FakeServer, Talk


@pytest.fixture
def shared() -> Shared:
    found = Shared(FakeClock())
    for number, kind in enumerate(OUTCOMES, 1):
        series = found.define_series(outbound_name(kind, "one", "300,1"), "string", 300, 2)
        series.add(GLOBAL, 10 * number)
        series.add(b"aol.com", number)
    return found


@pytest.fixture
def talk(tmp_path: Path, shared: Shared) -> Talk:
    server = FakeServer(tmp_path, "")
    server.node.parts["worker 0"] = SimpleNamespace(shared=shared)
    return Talk(server)


async def test_outcomes_are_shown_by_window(talk: Talk) -> None:
    expected = [
        "aol.com 300/0: r: 1 d: 2 dt: 1.50 t: 4 f: 5",
        "aol.com 300/1: r: 0 d: 0 dt: 0.00 t: 0 f: 0",
    ]
    said = await talk.say("outbound_audit:one show domain AOL.com")
    assert said.splitlines() == expected
    assert (await talk.say("outbound_audit show all")).splitlines() == expected
    said = await talk.say("outbound_audit show global")
    assert said.startswith("global 300/0: r: 10 d: 20 dt: 1.50 t: 40 f: 50")
    assert await talk.say("outbound_audit show domains") == "aol.com"
    assert (await talk.plain("outbound_audit show global"))[0]["received"] == 10


async def test_outcomes_are_cleared(talk: Talk) -> None:
    await talk.say("outbound_audit clear domain aol.com")
    assert await talk.say("outbound_audit show domains") == ""
    assert "r: 10 " in await talk.say("outbound_audit show global")
    await talk.say("outbound_audit clear all")
    assert "r: 0 " in await talk.say("outbound_audit show global")


async def test_domains_are_added_to_the_list_and_taken_away(talk: Talk, shared: Shared) -> None:
    await talk.say("outbound_audit domain_list add A.test")
    await talk.say("outbound_audit domain_list delete b.test")
    known = listed(shared, "one")
    assert (known.get(b"a.test"), known.get(b"b.test"), known.get(b"c.test")) == (True, False, None)
    assert "{add|delete}" in await talk.fails("outbound_audit domain_list change b.test")


async def test_without_monitors_it_says_so(tmp_path: Path) -> None:
    server = FakeServer(tmp_path, "")
    server.node.parts["worker 0"] = SimpleNamespace(shared=Shared(FakeClock()))
    talk = Talk(server)
    for each in ("show all", "show domains", "clear all", "domain_list add a.test"):
        assert "has no monitors" in await talk.fails(f"outbound_audit {each}")
