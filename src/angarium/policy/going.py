"""Runs what policy is asked in one go, and costs no task while nobody waits.

    going = begun(work, after)    work is a coroutine which awaits only `Wait(chain.ask(event))`,
                                  or `Later`; None: it is done

Most handlers answer at once; then `work` runs to its end inside this call, as a function would.
Only a handler that waits gets a task, and the rest of `work` goes on when that is done.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, Final, Generic, TypeVar

from angarium.policy.chain import Asked
from angarium.policy.verdict import Verdict

# Recipients of a message which are worked off in one turn of the loop; then others have theirs.
TURN: Final = 16
T = TypeVar("T")


class Wait:
    """Awaits what a chain has answered."""

    __slots__ = ("_answer",)

    def __init__(self, answer: Asked) -> None:
        self._answer = answer

    def __await__(self) -> Generator[Any, Any, Verdict]:
        answer = self._answer
        if isinstance(answer, Verdict):
            return answer
        task = asyncio.get_running_loop().create_task(answer)
        yield task
        return task.result()


class Later(Generic[T]):
    """Awaits anything else which is not there yet, in a task of its own."""

    __slots__ = ("_coming",)

    def __init__(self, coming: Awaitable[T]) -> None:
        self._coming = coming

    def __await__(self) -> Generator[Any, Any, T]:
        task = asyncio.ensure_future(self._coming)
        yield task
        return task.result()


async def others() -> Verdict:
    """Let all others have a turn; to be waited for."""
    await asyncio.sleep(0)
    return Verdict.CONT


def begun(work: Coroutine[Any, Any, None], after: Callable[[], None]) -> "Going | None":
    """Run it; return what is under way if it waits, and call `after` when that is done."""
    try:
        task = work.send(None)
    except StopIteration:
        return None
    going = Going(work, after)
    going.wait_for(task)
    return going


class Going:
    """A piece of work under way; `stop` ends it where it waits."""

    __slots__ = ("_after", "_task", "_work")

    def __init__(self, work: Coroutine[Any, Any, None], after: Callable[[], None]) -> None:
        """Args: `after` is called when the work is done, unless it was done at once."""
        self._work: Coroutine[Any, Any, None] | None = work
        self._after = after
        self._task: asyncio.Task[Any] | None = None

    def begin(self) -> bool:
        """Run; say whether it is done already."""
        return self._step()

    def stop(self) -> None:
        """End it, if it waits; what runs just now ends by itself."""
        task, work = self._task, self._work
        if task is not None and work is not None:
            self._task = self._work = None
            # Not at once: a task which has not begun would leave the handler's coroutine unawaited.
            task.get_loop().call_soon(task.cancel)
            work.close()

    def _step(self) -> bool:
        assert self._work is not None
        self._task = None
        try:
            task = self._work.send(None)
        except StopIteration:
            self._work = self._task = None
            return True
        self.wait_for(task)
        return False

    def wait_for(self, task: asyncio.Task[Any]) -> None:
        """Go on when the task is done, which the work has yielded."""
        self._task = task
        task.add_done_callback(self._woken)

    def _woken(self, _task: asyncio.Task[Any]) -> None:
        if self._work is not None and self._step():
            self._after()
