"""A process answers in slices, in pieces, and never at the cost of its work."""

import asyncio
from collections.abc import AsyncIterator, Generator
from itertools import count
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from angarium.console.question import Asking, question
from angarium.core.errors import Error
from angarium.run import answering, link
from angarium.run.answering import Answering


@question("answering count")
def counted(_parts: Any, steps: int) -> Generator[str | None, None, int]:
    """Count in steps."""
    for each in range(steps):
        yield f"step {each}" if each < 2 else None
    return steps


@question("answering lines")
async def endless(_parts: Any) -> AsyncIterator[str]:
    """Yield lines for ever."""
    while True:
        yield "a line"
        await asyncio.sleep(0.001)


@question("answering waits")
async def waits(parts: Any) -> str:
    """Wait for the test."""
    await parts.wait()
    return "waited"


@question("answering long")
def long(_parts: Any, octets: int) -> bytes:
    """Return much."""
    return bytes(octets)


@question("answering refuses")
def refuses(_parts: Any) -> int:
    """Refuse."""
    raise Error("not here")


@question("answering fails")
def fails(_parts: Any) -> int:
    """Have a bug."""
    return dict[str, int]()["no such thing"]


class Log(list[str]):
    def error(self, event: str, **fields: Any) -> None:
        self.append(f"{event} {fields['question']}")


class Child:
    """What is said to a process, and what it says."""

    def __init__(self) -> None:
        self.said: list[Any] = []
        self.log = Log()
        self.gate = asyncio.Event()
        self.heard = asyncio.Event()
        self.answering = Answering(self.gate, self._hear, self.log)

    def _hear(self, message: link.Message) -> None:
        self.said.append(message)
        self.heard.set()

    def ask(self, asking: Asking[Any], number: int = 1) -> None:
        self.answering.asked(link.Asked(number, asking.name, asking.arguments))

    async def ends(self) -> list[Any]:
        """Return what was said when all is over."""
        tasks = self.answering._under_way.values()
        async with asyncio.timeout(90):
            await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)
        return self.said

    async def says(self, message: link.Message, times: int = 1) -> None:
        """Wait until it has said something so often."""
        async with asyncio.timeout(90):
            while self.said.count(message) < times:
                self.heard.clear()
                await self.heard.wait()

    @property
    def answer(self) -> bytes:
        return b"".join(each.piece for each in self.said if isinstance(each, link.Answered))


async def test_work_in_steps_is_answered_at_its_end_and_tells_lines_before() -> None:
    child = Child()
    child.ask(counted(5000))
    said = await child.ends()
    assert [each for each in said if isinstance(each, link.Meanwhile)] == [
        link.Meanwhile(1, ["step 0", "step 1"])
    ]
    assert said[-1] == link.Answered(1, msgspec.msgpack.encode(5000))


async def test_others_run_between_two_slices() -> None:
    child = Child()
    turns = 0
    child.ask(counted(100_000))
    while child.answering._under_way:
        await asyncio.sleep(0)
        turns += 1
    assert turns > 5  # 100,000 steps take more than five slices of 2 ms


@question("answering reads")
def reads(_parts: Any, seconds: float) -> Generator[float, None, None]:
    """Wait for a thread."""
    yield seconds


@pytest.mark.parametrize(
    ("asking", "step", "rests"),
    [
        (counted(2), 0.001, {24 * 0.001}),
        (counted(2), 1.0, {answering.MOST_REST}),
        (reads(0.005), 0.001, {0.005, 24 * 0.001 + 4 * 0.005}),
    ],
)
async def test_a_busy_loop_gets_a_rest_by_what_the_slice_took(
    monkeypatch: pytest.MonkeyPatch, asking: Asking[Any], step: float, rests: set[float]
) -> None:
    monkeypatch.setattr(answering, "BUSY", -1.0)  # every turn is a busy one
    monkeypatch.setattr(answering, "SLICE", 0.0)
    clock = count()
    monkeypatch.setattr(answering, "time", SimpleNamespace(perf_counter=lambda: next(clock) * step))
    slept = set()
    sleep = asyncio.sleep

    async def noted(seconds: float) -> None:
        slept.add(round(seconds, 6))
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", noted)
    child = Child()
    child.ask(asking)
    while child.answering._under_way:
        await sleep(0)
    assert slept - {0, answering.BEAT_SECONDS} == {round(each, 6) for each in rests}


async def test_a_long_answer_comes_in_pieces_and_too_long_a_one_not_at_all() -> None:
    child = Child()
    child.ask(long(200_000))
    said = await child.ends()
    assert [each.last for each in said] == [False, False, False, True]
    assert msgspec.msgpack.decode(child.answer) == bytes(200_000)
    child.said.clear()
    child.ask(long(answering.MAX_ANSWER))
    assert (await child.ends())[-1].refusal == "the answer is too long; ask for less"


async def test_who_works_says_so_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "BEAT_SECONDS", 0.001)
    child = Child()
    child.ask(waits())
    await child.says(link.Meanwhile(1), times=3)
    child.gate.set()
    assert (await child.ends())[-1] == link.Answered(1, msgspec.msgpack.encode("waited"))


@pytest.mark.parametrize("number", [7, 0])
async def test_lines_end_when_nobody_waits_for_them(number: int) -> None:
    child = Child()
    child.ask(endless(), 7)
    await child.says(link.Meanwhile(7, ["a line"]))
    child.answering.withdrawn(8)
    assert child.answering._under_way
    child.answering.withdrawn(number)
    assert (await child.ends())[-1] == link.Answered(7, refusal="withdrawn")


async def test_a_refusal_and_a_bug_are_told_and_cost_nothing_else() -> None:
    child = Child()
    child.ask(refuses(), 1)
    child.ask(fails(), 2)
    child.answering.asked(link.Asked(3, "no such thing", b""))
    # To look for the third it reads all questions: a busy machine says meanwhile that it does.
    ends = [each for each in await child.ends() if not isinstance(each, link.Meanwhile)]
    said = {each.number: each.refusal for each in ends}
    assert said[1] == "not here"
    assert said[2].startswith("KeyError")
    assert said[3] == "there is no question no such thing"
    assert child.log == ["question failed answering fails"]


async def test_only_so_many_questions_are_worked_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "MAX_QUESTIONS", 1)
    child = Child()
    child.ask(waits(), 1)
    child.ask(waits(), 2)
    assert child.said == [link.Answered(2, refusal="1 questions are being worked on")]
    child.gate.set()
    await child.ends()


async def test_the_first_question_reads_the_declarations_with_pauses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    imported: list[str] = []

    def importing() -> Generator[None, None, None]:
        for each in ("one", "two"):
            imported.append(each)
            yield

    monkeypatch.setattr(answering, "importing", importing)
    child = Child()
    child.answering.asked(link.Asked(1, "not yet known", b""))
    await asyncio.sleep(0)
    assert imported == ["one"]
    assert (await child.ends())[-1].refusal == "there is no question not yet known"
    assert imported == ["one", "two"]
