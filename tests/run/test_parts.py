"""A worker in operation: in which order its parts are started, changed and stopped."""

import asyncio
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from angarium.config.load import load_text
from angarium.events.metrics import Metrics
from angarium.events.signing import Signatures
from angarium.net.loop import RealClock
from angarium.run import parts as module
from angarium.run.parts import Parts

CONFIG = 'hostname = "a.test"\n'


AWAITED = {
    *(
        (part, call)
        for part in ("holdings", "doors", "spool")
        for call in ("open", "stop", "close")
    ),
    ("spread", "known"),
    ("spread", "leave"),
}


class Called:
    """A part: notes each call with its name."""

    def __init__(self, name: str, done: list[str], **known: Any) -> None:
        self._name = name
        self._done = done
        self.__dict__.update(known)

    def __getattr__(self, name: str) -> Any:
        def call(*values: Any) -> Any:
            self._done.append(f"{self._name}.{name}")
            return asyncio.sleep(0)

        if (self._name, name) in AWAITED:
            return call
        return lambda *values: self._done.append(f"{self._name}.{name}")

    def fileno(self) -> int:
        return 0


class Session:
    """An open session, which ends when the test says so."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def drain(self) -> None:
        self.told.append("drain")

    def end(self) -> None:
        self.told.append("end")

    def abort(self) -> None:
        self.told.append("abort")


class Worker:
    """Parts which only note what is done to them."""

    def __init__(self, folder: Path) -> None:
        self.done: list[str] = []
        self.session = Session()
        self.none = asyncio.Event()
        self.idle = asyncio.Event()
        self.idle.set()
        part = self._part
        loop = asyncio.get_running_loop()
        names = (
            *("process", "alarm", "row", "host", "sweep", "board", "holdings", "bounces", "naming"),
            *("memory", "soundness", "lag", "readings", "settle", "gauges", "busiest", "census"),
            *("suspended", "tracing", "shared", "spread"),
            *("datasources", "demanding", "logins", "proxying"),
        )
        self.pool = part("pool")
        self.pool.close = self._close_pool
        self.admit = SimpleNamespace(submitted=0)
        self.services = SimpleNamespace(sessions={self.session}, admit=self.admit)
        every: dict[str, Any] = {name: part(name) for name in names}
        self.parts = Parts(
            configuration=load_text(CONFIG),
            state=folder,
            loop=loop,
            clock=RealClock(),
            ledger=part("ledger"),
            spool=part("spool", intake=True, delivery=True),
            pool=self.pool,
            admit=part("admit"),
            services=self.services,  # type: ignore[arg-type]
            doors=part("doors", sessions=SimpleNamespace(none=self.none)),
            channel=part("channel", idle=self.idle),
            number=0,
            metrics=Metrics(),
            signatures=Signatures(),
            ruling=part("ruling", prepare=lambda _configuration: part("policing")),
            **every,
        )

    def _part(self, name: str, **known: Any) -> Any:
        return Called(name, self.done, **known)

    async def _close_pool(self, grace: float) -> None:
        self.done.append(f"pool.close {grace:g}")


@pytest.fixture
async def worker(tmp_path: Path) -> Worker:
    return Worker(tmp_path)


async def test_a_worker_that_leaves_takes_nothing_new_and_lets_the_rest_end(
    worker: Worker,
) -> None:
    leaving = asyncio.ensure_future(worker.parts.drain(30.0))
    for _ in range(5):
        await asyncio.sleep(0)
    # Deliveries go on while sessions end.
    assert worker.done == [
        *("soundness.stop", "holdings.stop", "doors.close", "channel.leave"),
    ]
    assert worker.session.told == ["drain"]
    worker.none.set()
    worker.services.sessions.clear()
    await leaving
    assert worker.done[4].startswith("pool.close")
    assert worker.done[-1] == "pool.close 0"
    assert worker.session.told == ["drain"]


async def test_a_request_which_is_being_answered_is_waited_for(worker: Worker) -> None:
    worker.none.set()
    worker.services.sessions.clear()
    worker.idle.clear()
    leaving = asyncio.ensure_future(worker.parts.drain(3600.0))
    for _ in range(20):
        await asyncio.sleep(0)
    assert "channel.leave" in worker.done
    assert "pool.close 0" not in worker.done
    assert not leaving.done()
    worker.idle.set()
    await asyncio.wait_for(leaving, 90)


async def test_what_does_not_end_in_time_is_told_so_and_broken_off(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LINGER_SECONDS", 0.01)
    await worker.parts.drain(0.01)
    assert worker.session.told == ["drain", "end", "abort"]
    # Deliveries under way had their part of the time.
    closings = [each for each in worker.done if each.startswith("pool.close")]
    assert len(closings) == 2


async def test_who_is_hurried_waits_no_longer(worker: Worker) -> None:
    worker.parts.hurry()
    await asyncio.wait_for(worker.parts.drain(3600.0), 90)
    assert worker.session.told == ["drain", "end", "abort"]


async def test_shards_are_closed_when_the_disk_has_what_it_was_given(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report on its way to the disk is followed by the end of the entry it is about."""
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.0)
    worker.none.set()
    worker.admit.submitted = 1
    leaving = asyncio.ensure_future(worker.parts.drain(1.0))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not leaving.done()
    worker.admit.submitted = 0
    await leaving


async def test_a_generation_that_is_given_up_leaves_no_socket_open(worker: Worker) -> None:
    reading, writing = os.pipe()
    worker.parts.prepare(load_text(CONFIG, generation=2), {"x": writing})
    worker.parts.abort()
    assert os.read(reading, 1) == b""
    os.close(reading)
    worker.parts.commit(reload=True)
    assert worker.parts.configuration.generation == 1
