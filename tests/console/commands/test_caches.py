"""`cache`: the commands."""

from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

from helpers.consoles import FakeServer, Talk


class Kept(SimpleNamespace):
    def __len__(self) -> int:
        return 5


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    server = FakeServer(tmp_path, "")
    resolver = Kept(keeping=SimpleNamespace(entries=10), counters=Counter(lookups=8, hits=2))
    server.node.parts["worker 0"] = SimpleNamespace(
        naming=SimpleNamespace(resolver=resolver),
        pool=SimpleNamespace(dialer=SimpleNamespace(hosts=Kept(most=5), securing=None)),
        datasources=SimpleNamespace(sources={}),
    )
    return Talk(server)


async def test_figures_are_those_which_are_asked_for(talk: Talk) -> None:
    rows = {each["cache"]: each for each in await talk.plain("cache list utilization hit-rate")}
    assert rows["dns"] == {"cache": "dns", "utilization": 50.0, "hit-rate": 25.0}
    assert "     50.00%      25.00% dns" in await talk.say("cache list utilization hit-rate")


async def test_one_cache_is_told_at_length(talk: Talk) -> None:
    said = await talk.say("cache stat dns")
    assert "Utilization   :  50.00%" in said
    assert "  Misses      : 6" in said
    assert list(await talk.plain("cache stats domain names")) == ["domain names"]
