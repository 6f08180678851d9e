"""Suspending and resuming, by every worker at once."""

import re
from pathlib import Path

import pytest

from angarium.queue.suspended import Place, read
from helpers.consoles import FakeServer, Talk
from helpers.mail import worker
from helpers.queues import Queues


@pytest.fixture
def talk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Talk:
    monkeypatch.setattr("angarium.console.questions.suspended.ROUNDS", 1)
    server = FakeServer(tmp_path, 'binding "b1" { }\n')
    server.node.parts = {f"worker {n}": worker(Queues(), tmp_path, n) for n in range(2)}
    return Talk(server)


async def test_what_is_suspended_is_known_to_every_worker(talk: Talk, tmp_path: Path) -> None:
    assert await talk.say("suspend binding b1 domain a.test") == (
        "binding b1 domain a.test is suspended"
    )
    assert await talk.say("suspend domain a.test binding b1") == (
        "binding b1 domain a.test is suspended already"
    )
    [place] = read(tmp_path)
    assert (place.binding, place.domain, place.who) == ("b1", "a.test", "alice")
    for parts in talk.session.node.parts.values():  # type: ignore[attr-defined]
        assert parts.suspended.places == [place]
    assert re.match("binding b1 domain a.test  by alice at 20", await talk.say("suspend list"))
    assert (await talk.plain("suspend list"))[0]["domain"] == "a.test"


async def test_it_is_resumed_in_the_same_words_or_with_all(talk: Talk, tmp_path: Path) -> None:
    await talk.say("suspend all")
    await talk.say("suspend domain *.test")
    assert await talk.fails("resume domain a.test") == (
        "domain a.test is not suspended by a command; all, domain *.test is"
    )
    assert await talk.say("resume domain *.TEST") == "domain *.test is resumed"
    assert await talk.say("resume all") == "all is resumed"
    assert read(tmp_path) == []
    assert await talk.fails("resume all") == "all is not suspended by a command; nothing is"
    assert await talk.say("suspend list") == "nothing is suspended"


@pytest.mark.parametrize("words", ["", "a.test", "domain", "domain a domain b", "all domain a"])
async def test_what_is_no_place_is_refused(talk: Talk, words: str) -> None:
    assert "write all, or binding and its name" in await talk.fails(f"suspend {words}")


async def test_patterns_and_bindings_have_to_be_right(talk: Talk) -> None:
    assert "is no pattern" in await talk.fails("suspend domain /(/")
    assert await talk.fails("suspend binding b2") == "there is no binding b2"


async def test_without_a_worker_nothing_is_changed(tmp_path: Path) -> None:
    assert "no worker is ready" in await Talk(FakeServer(tmp_path, "")).fails("suspend all")


async def test_a_broken_file_is_told(talk: Talk, tmp_path: Path) -> None:
    (tmp_path / "suspended").write_bytes(b"{")
    assert "nothing has changed" in await talk.fails("suspend all")
    assert "cannot be read" in await talk.fails("suspend list")


async def test_a_worker_which_is_stuck_is_named(talk: Talk) -> None:
    notes: list[str] = []
    talk.session.note = notes.append
    talk.session.node.stuck = ("worker 7",)  # type: ignore[attr-defined]
    await talk.say("suspend all")
    assert notes == ["worker 7 does not answer: it is left out; it goes by it as soon as it runs"]
    assert Place() != Place("b")
