"""When the hose's process does what; the hose itself is fake and only notes."""

import asyncio
import os
from pathlib import Path
from typing import Any, ClassVar

import pytest

from angarium.config.load import load_text
from angarium.core.errors import Error
from angarium.events.metrics import Metrics, Value
from angarium.net import loop
from angarium.run import link, scribe, watchdog
from angarium.run.scoreboard import HOSE
from angarium.run.scribe import Scribe

START = link.Start(0, 1, "/state", 1, b"", [])


class FakeHose:
    """A hose with something to do at its first three looks."""

    def __init__(self, done: list[str]) -> None:
        self._done = done
        self.polls = 0
        self.metrics = Metrics()

    def snapshot(self) -> dict[str, Value]:
        return self.metrics.snapshot()

    def poll(self) -> float:
        self.polls += 1
        return 0.0 if self.polls < 3 else 3600.0

    def prepare(self, configuration: Any) -> None:
        if configuration.generation == 9:
            raise Error("two logs in one file")

    def __getattr__(self, name: str) -> Any:
        return lambda: self._done.append(name)


class FakeReadings:
    """The file of readings, which keeps what was written last."""

    written: ClassVar[dict[int, Any]] = {}

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, row: int, values: Any, now: float) -> bool:
        self.written[row] = values
        return True


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    done: list[str] = []
    monkeypatch.setattr(scribe, "Hoses", lambda *_: FakeHose(done))
    monkeypatch.setattr(scribe, "Readings", FakeReadings)
    monkeypatch.setattr(loop, "settle_memory", lambda: None)
    monkeypatch.setattr(watchdog, "attend", lambda *_: None)
    monkeypatch.setattr(Scribe, "ready", lambda self: done.append("ready"))
    return done


async def started(done: list[str]) -> Scribe:
    made = Scribe()
    made.spawn(made.start(START, load_text(""), {}))
    await asyncio.sleep(0)
    assert done == ["ready"]
    return made


async def test_it_looks_as_often_as_the_hose_wants_and_closes_it_at_the_end(
    done: list[str],
) -> None:
    made = await started(done)
    await asyncio.wait_for(made.drain(5.0), 90)
    assert done == ["ready", "close"]


async def test_a_reload_is_the_hoses_and_its_sockets_are_nobodys(done: list[str]) -> None:
    made = await started(done)
    reading, writing = os.pipe()
    made.prepare(load_text("", generation=2), {"listen": writing})
    assert os.read(reading, 1) == b""  # it was closed
    made.commit(reload=True)
    made.abort()
    made.reopen()
    await made.drain(5.0)
    assert done == ["ready", "commit", "abort", "reopen", "close"]
    os.close(reading)


async def test_what_is_refused_leaves_its_sockets_to_who_gave_them(done: list[str]) -> None:
    made = await started(done)
    reading, writing = os.pipe()
    with pytest.raises(Error, match="two logs"):
        made.prepare(load_text("", generation=9), {"listen": writing})
    os.write(writing, b"x")
    await made.drain(5.0)
    os.close(reading)
    os.close(writing)


async def test_it_writes_down_what_it_has_measured(done: list[str]) -> None:
    made = await started(done)
    await asyncio.wait_for(made.drain(5.0), 90)
    assert FakeReadings.written[HOSE]["process_resident"] > 1 << 20
