"""The process of the monitor: what it hears, looks at and sends; the rest is modules/monitor."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from angarium.config.load import load_text
from angarium.run import link, monitor, scoreboard, watchdog
from angarium.run.monitor import Monitor, Outbox
from angarium.run.readings import Readings


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[link.Message]:
    sent: list[link.Message] = []
    monkeypatch.setattr(Monitor, "send", lambda self, message: sent.append(message))
    monkeypatch.setattr(Monitor, "ready", lambda self: sent.append(link.Ready()))
    monkeypatch.setattr(watchdog, "attend", lambda *_: None)
    return sent


async def until(condition: Callable[[], object]) -> None:
    for _ in range(9000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


START = 'alerting { gather = 0 memory_free = 0 disk_free = 0 mail "a" { to = "op@b.test" } }\n'


async def test_mail_waits_for_what_a_worker_says() -> None:
    sent: list[Any] = []
    outbox = Outbox(sent.append)
    first = asyncio.ensure_future(outbox.post(["a@b.test"], b"x"))
    second = asyncio.ensure_future(outbox.post(["a@b.test"], b"y"))
    await asyncio.sleep(0)
    outbox.answered(link.Posted(sent[1].number, "full"))
    outbox.answered(link.Posted(sent[0].number))
    outbox.answered(link.Posted(sent[0].number))
    outbox.answered(link.Posted(99))
    assert (await first, await second) == ("", "full")


async def test_a_worker_which_does_not_answer_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(monitor, "POST_SECONDS", 0.01)
    outbox = Outbox(lambda _: None)
    assert await outbox.post(["a@b.test"], b"x") == "no worker answers"


async def test_a_line_of_the_log_becomes_mail_by_a_worker(
    tmp_path: Path, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    watched: list[object] = []
    monkeypatch.setattr(watchdog, "attend", lambda *values: watched.append(values))
    (tmp_path / "run").mkdir()
    made = Monitor()
    start = link.Start(0, 1, str(tmp_path), 1, b"", [])
    working = asyncio.ensure_future(made.start(start, load_text(START), {}))
    await until(lambda: sent)
    assert watched == [(tmp_path / "run", scoreboard.MONITOR, "monitor")]
    made.told(link.Told("error", "worker died", {"worker": "1"}))
    await until(lambda: isinstance(sent[-1], link.Post))
    post = sent[-1]
    assert post.recipients == ["op@b.test"]
    made.posted(link.Posted(post.number))
    made.prepare(load_text(""), {})
    made.commit(reload=True)  # Now nobody is told.
    made.told(link.Told("error", "hose died; mail goes on", {}))
    await made.drain(1.0)
    await asyncio.wait_for(working, 90)
    assert len(sent) == 2


def test_numbers_of_all_processes_are_added_up(tmp_path: Path) -> None:
    made = Monitor()
    made._readings = Readings(tmp_path / "readings")
    now = time.time()
    for row, queued in ((0, 3), (1, 4)):
        made._readings.write(row, {"queued": queued, "loop_pauses": [1, 2]}, now)
    values = made._values()
    assert values["queued"] == 7
    assert "loop_pauses" not in values


def test_the_start_of_a_process_is_known() -> None:
    started = monitor._started(os.getpid())
    assert 0 < started <= time.monotonic()
