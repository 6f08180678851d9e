"""Commands about DNS."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from angarium.net.answer import Answer, Status
from angarium.wire import dns as wire
from helpers.clock import FakeClock
from helpers.consoles import FakeServer, Talk


class Names:
    """A cache with one answer."""

    def __init__(self, clock: FakeClock) -> None:
        self.asked: list[tuple[str, int]] = []
        self.answer = Answer(Status.NOERROR, ("192.0.2.1",), clock.monotonic() + 30)

    def peek(self, name: str, rrtype: int) -> Answer[str] | None:
        return self.answer if (name, rrtype) == ("a.test", wire.A) else None

    def known(self) -> list[tuple[str, int]]:
        return [("a.test", wire.A), ("m.test", wire.MX)]

    def submit(self, name: str, rrtype: int) -> None:
        self.asked.append((name, rrtype))


@pytest.fixture
def names() -> Names:
    return Names(FakeClock())


@pytest.fixture
def talk(tmp_path: Path, names: Names) -> Talk:
    server = FakeServer(tmp_path, "")
    part = SimpleNamespace(clock=FakeClock(), naming=SimpleNamespace(resolver=names))
    server.node.parts["worker 0"] = part
    return Talk(server)


async def test_the_cache_is_looked_into_by_any_word_for_a_type(talk: Talk) -> None:
    said = await talk.say("dns_cache lookup a.test x")
    assert said.endswith("a.test\t\t30\tIN\tA\t192.0.2.1")
    assert "try a submit" in await talk.say("dns_cache lookup a.test AAAA")


async def test_names_are_asked_for(talk: Talk, names: Names) -> None:
    assert await talk.say("dig d.test") == "submitted"
    await talk.say("dns_cache submit t.test TXT")
    assert await talk.plain("refresh domain all") == {"refreshed": 1, "missing": []}
    await talk.say("refresh domain d.test")
    assert names.asked == [
        ("d.test", wire.MX), ("t.test", wire.TXT), ("m.test", wire.MX), ("d.test", wire.MX),
    ]  # fmt: skip


async def test_what_is_held_is_listed(talk: Talk) -> None:
    assert await talk.plain("dns_cache refcnts") == [
        {"name": "a.test", "type": "A", "workers": 1, "ttl": 30}
    ]
