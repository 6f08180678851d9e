import asyncio

import pytest

from angarium.config.load import load_text
from angarium.config.resolve import Configuration
from angarium.run import link, reload
from angarium.run.child import Child
from angarium.run.reload import Reload
from angarium.run.sockets import Change, Sockets


class FakeChild:
    def __init__(self, name: str, pid: int) -> None:
        self.name = name
        self.pid = pid
        self.told: list[link.Message] = []

    def hand_over(self, descriptors: dict[str, int]) -> None:
        assert descriptors == {}

    def send(self, message: link.Message) -> None:
        self.told.append(message)


class Trial:
    """A reload of generation 2 in two children."""

    def __init__(self, configuration: Configuration) -> None:
        self.ended: list[str] = []
        self.over = asyncio.Event()
        self.first, self.second = FakeChild("worker 0", 1), FakeChild("worker 1", 2)
        children: list[Child] = [self.first, self.second]  # type: ignore[list-item]
        change = Change(Sockets(), {}, {})
        self.reload = Reload(2, b"text", configuration, change, children, self.end)
        self.reload.begin()

    def end(self, refusal: str) -> None:
        self.ended.append(refusal)
        self.over.set()

    def answer(self, child: FakeChild, refusal: str = "") -> None:
        self.reload.answered(child, refusal)  # type: ignore[arg-type]


@pytest.fixture
async def trial() -> Trial:
    return Trial(load_text(""))


async def test_all_commit_when_all_are_prepared(trial: Trial) -> None:
    trial.answer(trial.first)
    assert trial.ended == []
    trial.answer(trial.second)
    assert trial.ended == [""]
    assert trial.first.told == [link.Prepare(2, b"text"), link.Commit(2)]


async def test_one_refusal_aborts_all(trial: Trial) -> None:
    trial.answer(trial.second, "no such certificate")
    trial.answer(trial.first)
    assert trial.ended == ["worker 1: no such certificate"]
    assert trial.first.told[-1] == trial.second.told[-1] == link.Abort(2)


async def test_a_child_that_dies_does_not_hold_the_others_up(trial: Trial) -> None:
    trial.answer(trial.first)
    trial.reload.ended(trial.second)  # type: ignore[arg-type]
    assert trial.ended == [""]


async def test_silence_is_a_refusal(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reload, "SECONDS", 0.01)
    patient = Trial(load_text(""))
    await patient.over.wait()
    assert patient.ended == ["no answer from worker 0, worker 1 within 0.01 s"]
