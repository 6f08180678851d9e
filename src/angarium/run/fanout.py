"""Questions of the console, in the supervisor: to many processes at once, with one merged answer.

The rule: nobody is waited for who does not work on it. A child which says nothing for
command_timeout is stuck, and named; one which ends is named too, and so is one which is not ready.
What its lines cost is bounded: who reads them slowly gets fewer (`run/control`).
"""

import asyncio
from collections.abc import Sequence
from itertools import count
from typing import TypeVar

from angarium.console.node import Tell
from angarium.console.question import GONE, STARTING, Answers, Asking, QuestionError
from angarium.run import link
from angarium.run.answering import MAX_ANSWER
from angarium.run.child import Child

R = TypeVar("R")


class Pending:
    """A question to one child."""

    __slots__ = ("_stuck_at", "answer", "child", "done", "patience", "refusal", "stuck", "tell")

    def __init__(self, child: Child, patience: float, tell: Tell) -> None:
        self.child = child
        self.patience = patience
        self.tell = tell
        self.answer = bytearray()
        self.refusal = ""
        self.stuck = False
        self.done = asyncio.Event()
        self._stuck_at: asyncio.TimerHandle | None = None
        self.wait()

    def wait(self) -> None:
        """Give it its time anew."""
        self.rest()
        self._stuck_at = asyncio.get_running_loop().call_later(self.patience, self._is_stuck)

    def rest(self) -> None:
        if self._stuck_at is not None:
            self._stuck_at.cancel()
            self._stuck_at = None

    def end(self, refusal: str = "") -> None:
        self.rest()
        self.refusal = refusal
        self.done.set()

    def _is_stuck(self) -> None:
        self.stuck = True
        self.done.set()


class Fanout:
    """All questions under way."""

    def __init__(self, first: int) -> None:
        self._numbers = count(first)  # not those of the program before us
        self._pending: dict[int, Pending] = {}

    async def ask(
        self, asking: Asking[R], children: Sequence[Child], patience: float, tell: Tell
    ) -> Answers[R]:
        """Put a question to children; return what they say. Cancelled, it is withdrawn."""
        failed = {each.name: STARTING for each in children if not each.ready}
        asked: dict[int, Pending] = {}
        for each in children:
            if each.ready:
                asked[next(self._numbers)] = Pending(each, patience, tell)
        self._pending |= asked
        try:
            for number, pending in asked.items():
                pending.child.send(link.Asked(number, asking.name, asking.arguments))
            for pending in asked.values():
                await pending.done.wait()
        finally:
            self._forget(asked)
        return _answers(asking, list(asked.values()), failed)

    def _forget(self, asked: dict[int, Pending]) -> None:
        for number, each in asked.items():
            each.rest()
            if self._pending.pop(number, None) is not None:
                each.child.send(link.Withdrawn(number))

    # What children say.

    def received(self, message: link.Meanwhile | link.Answered) -> None:
        if isinstance(message, link.Meanwhile):
            self._meanwhile(message)
        else:
            self._answered(message)

    def _meanwhile(self, message: link.Meanwhile) -> None:
        pending = self._pending.get(message.number)
        if pending is not None and not pending.stuck:
            pending.wait()
            for line in message.lines:
                pending.tell(line)

    def _answered(self, message: link.Answered) -> None:
        pending = self._pending.get(message.number)
        if pending is None:
            return  # It was withdrawn, or is that of a former supervisor.
        pending.answer += message.piece
        if len(pending.answer) > MAX_ANSWER:
            pending.end("its answer is too long")
        elif message.last:
            del self._pending[message.number]
            pending.end(message.refusal)
        elif not pending.stuck:
            pending.wait()

    def ended(self, child: Child) -> None:
        """A child has ended."""
        for number, pending in list(self._pending.items()):
            if pending.child is child:
                del self._pending[number]
                pending.end(GONE)


def _answers(asking: Asking[R], asked: Sequence[Pending], failed: dict[str, str]) -> Answers[R]:
    found: dict[str, R] = {}
    stuck = []
    for each in asked:
        name = each.child.name
        if each.stuck:
            stuck.append(name)
        elif each.refusal:
            failed[name] = each.refusal
        else:
            try:
                found[name] = asking.decoded(bytes(each.answer))
            except QuestionError as error:
                failed[name] = str(error)
    return Answers(found, tuple(stuck), failed)
