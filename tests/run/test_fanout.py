"""A question goes to many; who says nothing is named, and nobody waits for him."""

import asyncio
from typing import Any

import msgspec
import pytest

from angarium.console.node import nobody
from angarium.console.question import Answers, Asking, Of
from angarium.run import fanout, link
from angarium.run.fanout import Fanout

ASKING: Asking[int] = Asking("sizes", Of.WORKER, b"\x80", int)


class Child:
    """A child as the supervisor sees it."""

    def __init__(self, name: str, *, ready: bool = True) -> None:
        self.name = name
        self.ready = ready
        self.told: list[Any] = []

    def send(self, message: link.Message) -> None:
        self.told.append(message)

    @property
    def number(self) -> int:
        return int(self.told[0].number)


class Place:
    def __init__(self, *children: Child, patience: float = 60.0) -> None:
        self.fanout = Fanout(100)
        known: Any = children
        self.lines: list[str] = []
        self.task: asyncio.Task[Answers[int]] = asyncio.ensure_future(
            self.fanout.ask(ASKING, known, patience, self.lines.append)
        )

    async def asked(self) -> "Place":
        await asyncio.sleep(0)
        return self

    def answer(self, child: Child, value: int) -> None:
        self.fanout.received(link.Answered(child.number, msgspec.msgpack.encode(value)))


async def test_all_are_asked_and_each_answer_is_theirs() -> None:
    one, two = Child("worker 0"), Child("worker 1")
    here = await Place(one, two).asked()
    assert one.told == [link.Asked(one.number, "sizes", b"\x80")]
    here.answer(two, 2)
    here.answer(one, 1)
    answers = await here.task
    assert answers == Answers({"worker 0": 1, "worker 1": 2})
    assert answers.total == 3
    assert len(one.told) == 1  # Nothing is withdrawn which was answered.


async def test_who_says_nothing_is_stuck_and_who_works_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now)
    stuck, slow = Child("worker 0"), Child("worker 1")
    here = await Place(stuck, slow, patience=1.0).asked()
    for _ in range(5):
        now += 0.6
        for _ in range(2):  # in the first turn nobody has looked at the time yet
            await asyncio.sleep(0)
        here.fanout.received(link.Meanwhile(slow.number, ["half"]))
    here.answer(slow, 4)
    answers = await here.task
    assert answers == Answers({"worker 1": 4}, ("worker 0",))
    assert stuck.told[-1] == link.Withdrawn(stuck.number)
    assert here.lines == ["half"] * 5
    here.answer(stuck, 1)  # comes too late, and is nobody's


async def test_an_answer_in_pieces_is_put_together() -> None:
    child = Child("worker 0")
    here = await Place(child).asked()
    octets = msgspec.msgpack.encode(70_000)
    here.fanout.received(link.Answered(child.number, octets[:2], last=False))
    here.fanout.received(link.Answered(child.number, octets[2:]))
    assert (await here.task).each == {"worker 0": 70_000}


async def test_who_refuses_ends_starts_or_says_nonsense_is_named() -> None:
    children = [Child(f"worker {number}") for number in range(4)]
    here = await Place(*children, Child("worker 4", ready=False)).asked()
    refusing, ending, nonsense, fine = children
    here.fanout.received(link.Answered(refusing.number, refusal="not now"))
    gone: Any = ending
    here.fanout.ended(gone)
    here.fanout.received(link.Answered(nonsense.number, b"\xa1x"))
    here.answer(fine, 1)
    failed = dict((await here.task).failed)
    assert failed.pop("worker 2").startswith("sizes is not answered like this")
    assert failed == {
        "worker 0": "not now",
        "worker 1": "it has ended",
        "worker 4": "it is being started",
    }


async def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanout, "MAX_ANSWER", 10)
    child = Child("worker 0")
    here = await Place(child).asked()
    here.fanout.received(link.Answered(child.number, b"x" * 11, last=False))
    assert (await here.task).failed == {"worker 0": "its answer is too long"}
    assert child.told[-1] == link.Withdrawn(child.number)


async def test_who_hangs_up_withdraws_his_question() -> None:
    child = Child("worker 0")
    here = await Place(child).asked()
    here.task.cancel()
    await asyncio.gather(here.task, return_exceptions=True)
    assert child.told[-1] == link.Withdrawn(child.number)
    here.fanout.received(link.Meanwhile(child.number, ["late"]))
    assert here.lines == []


async def test_nobody_to_ask_is_no_answer() -> None:
    assert await Fanout(1).ask(ASKING, [], 1.0, nobody) == Answers()
