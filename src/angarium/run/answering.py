"""Questions of the console, in the process which is asked (`console/question`).

    Asked       begin to work on it
    Meanwhile   it is being worked on: each half second, and lines for the operator
    Answered    in pieces; or why not
    Withdrawn   end, nobody waits

The rule: mail goes first. Work is done in slices of SLICE seconds, and while the loop has other
things to do the next slice waits RESTS times as long as this one took, so that questions take
their small part of a busy worker and no more, however long a step is. An idle one answers at full
speed. A bug in an answer is told to who asked, and costs nothing else.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from functools import partial
from typing import Any, Final

import msgspec

from angarium.console.question import QUESTIONS, QuestionError, importing, known
from angarium.core.errors import Error
from angarium.run import link

SLICE: Final = 0.002
RESTS: Final = 24  # so many times a slice, while the loop is busy: 4 % of it is for questions
WAITS: Final = 4  # ... and so many times what it waits for something: a thread works then
MOST_REST: Final = 0.25  # seconds: who was kept from working for long need not make up for all
BUSY: Final = 0.0003  # a turn of the loop without us takes so long when there is mail
BUSY_SECONDS: Final = 0.2  # so long after such a turn there may be more
BEAT_SECONDS: Final = 0.5
PIECE: Final = 64 << 10
MAX_ANSWER: Final = 16 << 20  # octets
MAX_QUESTIONS: Final = 64  # at once
MAX_LINES: Final = 1000  # between two beats: what is more is counted only

_encode: Final = msgspec.msgpack.Encoder().encode


class Answering:
    """The questions a process works on.

    Args:
        parts: what the functions are given.
        send: says something to the supervisor.
    """

    def __init__(self, parts: object, send: Callable[[link.Message], None], log: Any) -> None:
        self._parts = parts
        self._send = send
        self._log = log
        self._under_way: dict[int, asyncio.Task[None]] = {}

    def asked(self, question: link.Asked) -> None:
        if len(self._under_way) >= MAX_QUESTIONS:
            refusal = f"{MAX_QUESTIONS} questions are being worked on"
            self._send(link.Answered(question.number, refusal=refusal))
            return
        task = asyncio.ensure_future(
            Work(question.number, self._send).answer(self._parts, question)
        )
        self._under_way[question.number] = task
        task.add_done_callback(partial(self._done, question))

    def withdrawn(self, number: int) -> None:
        for each, task in self._under_way.items():
            if number in (0, each):
                task.cancel()

    def _done(self, question: link.Asked, task: asyncio.Task[None]) -> None:
        del self._under_way[question.number]
        if task.cancelled():
            self._send(link.Answered(question.number, refusal="withdrawn"))
        elif (error := task.exception()) is not None:
            if not isinstance(error, Error):
                self._log.error("question failed", question=question.name, exc_info=error)
            said = str(error) if isinstance(error, Error) else f"{type(error).__name__}: {error}"
            self._send(link.Answered(question.number, refusal=said))


class Work:
    """The work on one question."""

    def __init__(self, number: int, send: Callable[[link.Message], None]) -> None:
        self._number = number
        self._send = send
        self._lines: list[str] = []
        self._left_out = 0

    async def answer(self, parts: object, question: link.Asked) -> None:
        beat = asyncio.ensure_future(self._beat())
        try:
            if question.name not in QUESTIONS:  # It is the first one this process is asked.
                for _ in importing():
                    await asyncio.sleep(0)
            made = known(question.name).begin(parts, question.arguments)
            if isinstance(made, Generator):
                result = await self._sliced(made)
            elif isinstance(made, AsyncIterator):
                async for line in made:
                    self._tell(line)
                result = None
            else:
                result = await made if isinstance(made, Awaitable) else made
        finally:
            beat.cancel()
        self._flush()
        await self._sent(_encode(result))

    async def _sliced(self, work: Generator[str | float | None, None, Any]) -> Any:
        try:
            return await self._stepped(work)
        finally:
            work.close()  # Withdrawn, it gives back what it holds now, and not when it is found.

    async def _stepped(self, work: Generator[str | float | None, None, Any]) -> Any:
        busy_until = 0.0
        while True:
            begun, now, idle = time.perf_counter(), 0.0, 0.0
            until = begun + SLICE
            while now < until and not idle:
                try:
                    said = next(work)
                except StopIteration as end:
                    return end.value
                if isinstance(said, float):
                    idle = said
                elif said is not None:
                    self._tell(said)
                now = time.perf_counter()
            await asyncio.sleep(idle)
            after = time.perf_counter()
            if not idle and after - now > BUSY:
                busy_until = after + BUSY_SECONDS
            if after < busy_until:
                await asyncio.sleep(min(MOST_REST, RESTS * (now - begun) + WAITS * idle))

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            self._flush(always=True)

    def _tell(self, line: str) -> None:
        if len(self._lines) < MAX_LINES:
            self._lines.append(line)
        else:
            self._left_out += 1
        if len(self._lines) == 1:
            # Lines of a moment go together.
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self, *, always: bool = False) -> None:
        lines, self._lines = self._lines, []
        if self._left_out:
            lines.append(f"({self._left_out} lines are left out)")
            self._left_out = 0
        if lines or always:
            self._send(link.Meanwhile(self._number, lines))

    async def _sent(self, answer: bytes) -> None:
        if len(answer) > MAX_ANSWER:
            raise QuestionError("the answer is too long; ask for less")
        for at in range(0, len(answer), PIECE):
            last = at + PIECE >= len(answer)
            self._send(link.Answered(self._number, answer[at : at + PIECE], last=last))
            await asyncio.sleep(0)
