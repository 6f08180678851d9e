"""Asks the handlers of a hook, in the order of the configuration, whatever language they are in.

    answer = chain.ask(event)
    a Verdict      it is decided
    a coroutine    somebody waits: await it for the verdict; only its session waits with it

A handler which answers at once costs no task. A `Policy` belongs to one generation of the
configuration; a hook without handlers has no chain, so nothing is built or called for it.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from time import monotonic, perf_counter
from typing import Any, Final

from angarium.policy.context import Session
from angarium.policy.guard import FAULTS, TIRED, Guard, Handler
from angarium.policy.hooks import Answer, Hook, OfMail, OfSession
from angarium.policy.verdict import AGAIN, CONT, DONE, Verdict

# Between two calls of a handler which said AGAIN; it grows to the second one.
AGAIN_SECONDS: Final = 0.02
LONGEST_SECONDS: Final = 1.0

Asked = Verdict | Coroutine[Any, Any, Verdict]


class Chain:
    """The handlers of one hook, at least one."""

    __slots__ = ("_guard", "_step", "handlers", "hook")

    def __init__(self, hook: type[Hook], handlers: Sequence[Handler], guard: Guard) -> None:
        self.hook = hook
        self.handlers = handlers
        self._guard = guard
        self._step = hook.step

    def ask(self, event: Hook) -> Asked:
        """Ask all handlers, until one says DONE."""
        session, mail = event.about
        if session is not None:
            session.step = self._step
        if mail is not None:
            mail.step = self._step
        return self._from(0, event, session)

    def _from(self, first: int, event: Hook, session: Session | None) -> Asked:
        guard = self._guard
        for at, handler in enumerate(self.handlers):
            if at < first:
                continue
            if session is None:
                if _bypassed(handler, event):
                    continue
            elif session.variables.get(handler.bypass) == "true":
                continue
            else:
                session.module = handler.module
            answer = guard.call(handler, event)
            if answer is CONT or answer is None:
                if _failed(event, session, guard):
                    return DONE
                continue
            return DONE if answer is DONE else self._not_yet(at, event, session, answer)
        return CONT

    def _not_yet(self, at: int, event: Hook, session: Session | None, answer: Answer) -> Asked:
        """A handler has said AGAIN, or makes us wait."""
        if not self.hook.waits:
            _forget(answer)
            handler, error = self.handlers[at], RuntimeError("it may not wait here")
            self._guard.fail(handler, event, error)
            return DONE
        return self._waits(at, event, session, answer)

    async def _waits(
        self, at: int, event: Hook, session: Session | None, answer: Answer
    ) -> Verdict:
        """Wait for a handler, then ask the others."""
        handler, guard = self.handlers[at], self._guard
        task = asyncio.current_task()
        began = monotonic()
        try:
            async with asyncio.timeout(guard.patience):
                verdict = await _answered(handler, event, answer, guard)
        except asyncio.CancelledError as error:
            if task is not None and task.cancelling():
                raise  # It is us who end it; else the handler awaited something which was ended.
            guard.fail(handler, event, error)
            return DONE
        except FAULTS as error:
            guard.fail(handler, event, error)
            return DONE
        finally:
            if session is not None:
                session.spent += monotonic() - began
        if session is not None and session.spent > guard.budget:
            session.refuse(TIRED, disconnect=True)
            return DONE
        if verdict is DONE or _failed(event, session, guard):
            return DONE
        rest = self._from(at + 1, event, session)
        return rest if isinstance(rest, Verdict) else await rest


class Lone(Chain):
    """One handler of a hook about a session or a message: the same, and less is done for it.

    What `Guard.call` does is written out here, as a busy server asks this more than all else.
    """

    __slots__ = ("_handler", "_of_mail")

    def __init__(self, hook: type[Hook], handlers: Sequence[Handler], guard: Guard) -> None:
        super().__init__(hook, handlers, guard)
        self._handler = handlers[0]
        self._of_mail = issubclass(hook, OfMail)

    @staticmethod
    def takes(hook: type[Hook], handlers: Sequence[Handler]) -> bool:
        return len(handlers) == 1 and issubclass(hook, OfMail | OfSession)

    def ask(self, event: Any) -> Asked:
        session: Session | None = event.session
        if session is None:
            return super().ask(event)
        step = session.step = self._step
        mail = event.mail if self._of_mail else session.mail
        if mail is not None:
            mail.step = step
        handler = self._handler
        if handler.bypass in session.variables and session.variables[handler.bypass] == "true":
            return CONT
        session.module = handler.module
        began = perf_counter()
        try:
            answer = handler.call(event)
        except (*FAULTS, asyncio.CancelledError) as error:
            self._guard.fail(handler, event, error)
            answer = None
        finally:
            spent, tally = perf_counter() - began, handler.tally
            tally.calls += 1
            tally.seconds += spent
            tally.slowest = max(tally.slowest, spent)
        if answer is CONT or answer is None:
            return DONE if session.reply is self._guard.failed else CONT
        return DONE if answer is DONE else self._not_yet(0, event, session, answer)


async def _answered(handler: Handler, event: Hook, answer: Answer, guard: Guard) -> Verdict:
    """Return what a handler says in the end, which has said AGAIN or made us wait."""
    pause = AGAIN_SECONDS
    while True:
        if answer is AGAIN:
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_SECONDS)
            answer = guard.call(handler, event)
        elif answer is None:
            return CONT
        elif isinstance(answer, Verdict):
            return answer
        else:
            answer = await answer


def _bypassed(handler: Handler, event: Hook) -> bool:
    """Say so of a message without a session."""
    _, mail = event.about
    return mail is not None and mail.message.session_variables.get(handler.bypass) == "true"


def _failed(event: Hook, session: Session | None, guard: Guard) -> bool:
    """Say whether a handler failed: then it is refused, and nobody else is asked."""
    if session is not None:
        return session.reply is guard.failed
    _, mail = event.about
    return mail is not None and mail.reply is guard.failed


def _forget(answer: Answer) -> None:
    if isinstance(answer, Coroutine):
        answer.close()


class Policy:
    """The handlers of one generation.

    Args:
        handlers: with the hook each is for, in the order in which they are asked.

    Attributes:
        chain: returns who is asked about a hook, None for nobody.
    """

    __slots__ = ("_chains", "chain", "guard")

    def __init__(self, handlers: Iterable[tuple[type[Hook], Handler]], guard: Guard) -> None:
        by_hook: dict[type[Hook], list[Handler]] = {}
        for hook, handler in handlers:
            by_hook.setdefault(hook, []).append(handler)
        self.guard = guard
        self._chains = {
            hook: (Lone if Lone.takes(hook, found) else Chain)(hook, found, guard)
            for hook, found in by_hook.items()
        }
        self.chain: Callable[[type[Hook]], Chain | None] = self._chains.get

    def handlers(self) -> Iterable[tuple[type[Hook], Handler]]:
        """Yield all, for statistics."""
        for hook, chain in self._chains.items():
            for handler in chain.handlers:
                yield hook, handler

    def __bool__(self) -> bool:
        return bool(self._chains)


NO_POLICY: Final = Policy((), Guard(lambda _module, _line: None))
