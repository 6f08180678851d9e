"""What a script waits for is done in the script's own situation.

Between two steps of it other calls run, for other sessions; so the situation is put back before
each step, and taken away behind it.
"""

from collections.abc import Awaitable, Callable, Generator
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
        return _Steps(self._state, self._mine, self._awaited.__await__())


class _Steps(Generator[Any, None, object]):
    """The steps of it: what is sent and what is thrown goes through, whatever it is."""

    __slots__ = ("_mine", "_state", "_steps")

    def __init__(
        self, state: Situated, mine: tuple[object, object], steps: Generator[Any, None, object]
    ) -> None:
        self._state = state
        self._mine = mine
        self._steps = steps

    def send(self, value: None, /) -> Any:
        return self._step(lambda: self._steps.send(value))

    def throw(self, kind: Any, value: Any = None, at: Any = None, /) -> Any:
        error = kind if value is None else value
        return self._step(lambda: self._steps.throw(error))

    def _step(self, step: Callable[[], Any]) -> Any:
        state = self._state
        before = state.situation, state.caller
        state.situation, state.caller = self._mine
        try:
            return step()
        finally:
            state.situation, state.caller = before
