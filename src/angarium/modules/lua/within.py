"""What a script waits for is done in the script's own situation.

Between two steps of it other calls run, for other sessions; so the situation is put back before
each step, and taken away behind it.
"""

from asyncio import CancelledError
from collections.abc import Awaitable, Generator
from typing import Any, Protocol


class Situated(Protocol):
    """Who knows what is called, and for whom: `runtime.State`."""

    situation: Any
    caller: object


class Within:
    """Something to wait for, in a situation."""

    __slots__ = ("_awaited", "_mine", "_state")

    def __init__(
        self, state: Situated, situation: object, caller: object, awaited: Awaitable[object]
    ) -> None:
        self._state = state
        self._mine = situation, caller
        self._awaited = awaited

    def __await__(self) -> Generator[Any, None, object]:
        state, steps = self._state, self._awaited.__await__()
        thrown: BaseException | None = None
        while True:
            before = state.situation, state.caller
            state.situation, state.caller = self._mine
            try:
                step = steps.send(None) if thrown is None else steps.throw(thrown)
            except StopIteration as end:
                return end.value
            finally:
                state.situation, state.caller = before
            thrown = None
            try:
                yield step
            except (CancelledError, GeneratorExit) as error:  # it is for what is waited for
                thrown = error
