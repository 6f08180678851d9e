"""Series, gauge caches and shared values by commands."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from angarium.config.load import load_text
from angarium.policy.shared.blocks import packed
from angarium.policy.shared.monitors import KINDS, monitored, name_of
from angarium.policy.shared.node import Shared
from angarium.policy.shared.series_file import Saved, write
from helpers.clock import FakeClock
from helpers.consoles import FakeServer, Talk

CONFIG = "inbound_audit { serialize_dir = kept }"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def shared(clock: FakeClock) -> Shared:
    found = Shared(clock)
    for kind in KINDS:
        found.define_series(name_of(kind, "1800,2"), "address", 1800, 3)
    return found


@pytest.fixture
def talk(tmp_path: Path, shared: Shared) -> Talk:
    server = FakeServer(tmp_path, "")
    server.node.parts["worker 0"] = SimpleNamespace(
        shared=shared, configuration=load_text(CONFIG), state=tmp_path
    )
    return Talk(server)


async def test_inbound_audit_shows_each_window_of_each_monitor(
    talk: Talk, shared: Shared, clock: FakeClock
) -> None:
    monitored(shared, "connections", "1800,2").add(packed("10.0.0.1"), 5)
    clock.advance(1800)
    monitored(shared, "receptions", "1800,2").add(packed("10.0.0.2"), 7)
    assert (await talk.say("inbound_audit:inbound_audit1 show ip 10.0.0.0/8")).splitlines() == [
        "Connections 1800/0: 0",
        "Connections 1800/1: 5",
        "Connections 1800/2: 0",
        "Receptions 1800/0: 7",
        "Receptions 1800/1: 0",
        "Receptions 1800/2: 0",
        "Rejections 1800/0: 0",
        "Rejections 1800/1: 0",
        "Rejections 1800/2: 0",
    ]
    assert "Connections 1800/1: 5" in await talk.say("inbound_audit show ip 10.0.0.1")
    assert (await talk.say("inbound_audit show all")).splitlines() == [
        "address,window,connections,receptions,rejections",
        "10.0.0.1,1800/1,5,0,0",
        "10.0.0.2,1800/0,0,7,0",
    ]
    assert "is no address" in await talk.fails("inbound_audit show ip localhost")


async def test_series_are_changed_and_counted_by_name_and_windows(
    talk: Talk, shared: Shared
) -> None:
    shared.define_series("mine", "cidr", 60, 3)
    await talk.say("inbound_audit add mine 60,3 192.0.2.1 5")
    await talk.say("inbound_audit subtract mine 60,3 192.0.2.1 2")
    await talk.say("inbound_audit add connections 1800,2 192.0.2.9 4")
    assert await talk.say("inbound_audit count_cidr 192.0.2.0/24 mine 60,3 0 2") == "3"
    assert await talk.say("inbound_audit count_cidr 192.0.2.9 connections 1800,2 0 0") == "4"
    await talk.say("inbound_audit delete_ip 192.0.2.1 mine 60,3")
    assert await talk.say("inbound_audit count_cidr 192.0.2.0/24 mine 60,3 0 2") == "0"
    assert "has the windows 60,3" in await talk.fails("inbound_audit add mine 1,1 192.0.2.1 5")
    assert "does not count ::1" in await talk.fails("inbound_audit add mine 60,3 ::1 5")
    assert "no audit series" in await talk.fails("inbound_audit add yours 60,3 192.0.2.1 5")
    assert "0 is the window of now" in await talk.say("inbound_audit help")


async def test_a_file_is_added_to_a_series(
    talk: Talk, shared: Shared, clock: FakeClock, tmp_path: Path
) -> None:
    series = shared.define_series("mine", "string", 60, 3)
    series.add(b"a", 1)
    now = int(clock.time()) // 60 * 60
    kept = {now: {b"a": 2, b"b": 3}, 60: {b"c": 1}}
    write(tmp_path / "kept" / "mine", Saved("mine", "string", 60, 3, 1, (), kept))
    write(tmp_path / "kept" / "other", Saved("mine", "string", 61, 3, 1, (), kept))
    assert await talk.say("inbound_audit load mine") == "2 counts were added"
    assert series.count(b"a") == 3
    assert await talk.plain("inbound_audit load mine mine") == {"series": "mine", "counts": 2}
    assert "windows of 61 s" in await talk.fails("inbound_audit load mine other")
    assert "No such file" in await talk.fails("inbound_audit load mine none")


async def test_series_are_listed_with_those_which_count_most(talk: Talk, shared: Shared) -> None:
    series = shared.define_series("mine", "string", 60, 2)
    series.add(b"few", 1)
    series.add(b"many", 9)
    said = await talk.say("audit_series list")
    assert any(
        line.split() == ["mine", "string", "60,2", "2", "10", "0"] for line in said.split("\n")
    )
    assert await talk.say("audit_series show mine") == "many: 9 0\nfew: 1 0"
    assert await talk.say("audit_series show mine few") == "few: 1 0"
    await talk.say("audit_series forget mine few")
    assert await talk.say("audit_series show mine") == "many: 9 0"
    assert "no audit series" in await talk.fails("audit_series forget none x")
    assert "no audit series" in await talk.fails("audit_series show none")
    assert "write audit_series show" in await talk.fails("audit_series show")


async def test_gauge_caches_and_values_are_shown_and_changed(talk: Talk, shared: Shared) -> None:
    assert await talk.say("shared list") == "nothing is shared"
    shared.define_gauge("g", 10, 60)
    await talk.say("sievelib gauge_cache add g k 5")
    await talk.say("sievelib gauge_cache sub g k 2")
    assert await talk.say("sievelib gauge_cache show g k") == "3"
    assert await talk.say("shared show g") == "k: 3"
    await talk.say("sievelib gauge_cache delete g k")
    assert await talk.say("shared show g k") == "there is nothing"
    shared.variables.set(b"v", b"text")
    shared.variables.set(b"n", 2)
    assert await talk.say("shared show share v") == "v: text"
    assert (await talk.plain("shared show share"))["entries"] == {"v": "text", "n": 2}
    assert [each["name"] for each in await talk.plain("shared list")] == ["g", "share"]
    assert "no gauge cache" in await talk.fails("sievelib gauge_cache show x k")
