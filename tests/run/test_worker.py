"""When a worker does what: its parts are fake, and only note the order."""

from collections.abc import Generator
from typing import Self

import pytest

from angarium.config.load import load_text
from angarium.net import loop
from angarium.policy.runaway import Watch
from angarium.run import link, watchdog, worker
from angarium.run.worker import Worker

START = link.Start(
    number=1,
    workers=2,
    state="/state",
    generation=1,
    snapshot=b"",
    shards=["001", "000", "007"],
    poison=[5],
)


class Notes:
    """Stands for the parts and for what is in them; notes whatever is called."""

    def __init__(self, done: list[str], name: str = "") -> None:
        self._done = done
        self._name = name

    def __getattr__(self, name: str) -> Self:
        return type(self)(self._done, f"{self._name}.{name}".lstrip("."))

    def __call__(self, *values: object) -> Self:
        self._done.append(f"{self._name}{values}")
        return self

    def __await__(self) -> Generator[None, None, None]:
        return
        yield


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    done: list[str] = []
    monkeypatch.setattr(worker, "assemble", lambda *_: Notes(done))
    # It would go on with its timer after the test: nobody stops it where the process ends.
    monkeypatch.setattr(Watch, "start", lambda _watch: None)
    monkeypatch.setattr(watchdog, "attend", lambda folder, place, name: done.append(name))
    monkeypatch.setattr(loop, "settle_memory", lambda: done.append("settle"))
    monkeypatch.setattr(Worker, "ready", lambda self: done.append("ready"))
    monkeypatch.setattr(Worker, "send", lambda self, message: done.append("said"))
    return done


async def started() -> Worker:
    made = Worker()
    await made.start(START, load_text(""), {})
    return made


async def test_it_is_ready_before_the_mail_of_old_shards_is_found(done: list[str]) -> None:
    await started()
    assert done == [
        "worker 1",
        "settle",
        "open('001', [5])",
        "ready",
        "holdings.adopt(['000', '007'], [5])",
        "settle",
    ]


async def test_shards_which_come_later_are_adopted_and_memory_settled_again(
    done: list[str],
) -> None:
    made = await started()
    done.clear()
    await made.adopt(["009"], [6])
    assert done == ["holdings.adopt(['009'], [6])", "settle"]


async def test_what_is_under_way_ends_before_the_shards_are_closed(done: list[str]) -> None:
    made = await started()
    done.clear()
    await made.drain(3.0)
    assert done == ["drain(3.0,)", "close()", "last_words()", "said"]


async def test_the_log_which_each_process_writes_is_reopened(done: list[str]) -> None:
    made = await started()
    done.clear()
    made.reopen()
    assert done == ["alarm.panics.reopen()", "logins.close()"]
