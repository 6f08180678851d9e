"""Handlers are asked in their order, whoever waits makes only its own session wait."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from angarium.core.reply import Reply
from angarium.policy.chain import NO_POLICY, Chain, Lone, Policy
from angarium.policy.context import Session, Steps
from angarium.policy.guard import Guard, Handler
from angarium.policy.hooks import Connect, Data, Dealloc, Ehlo, SetBinding, TlsReport
from angarium.policy.mail import Mail, empty
from angarium.policy.verdict import AGAIN, CONT, DONE, Verdict


class Notes:
    """A guard and what it was told."""

    def __init__(self, patience: float = 60.0, budget: float = 300.0) -> None:
        self.panics: list[str] = []
        self.guard = Guard(
            lambda _module, line: self.panics.append(line), patience=patience, budget=budget
        )

    def chain(self, *calls: Callable[[Any], Any]) -> Chain:
        handlers = [Handler(call, f"m{n}", f"h{n}") for n, call in enumerate(calls)]
        return Chain(Connect, handlers, self.guard)


def says(answer: Any, seen: list[Any] | None = None) -> Callable[[Any], Any]:
    def call(event: Any) -> Any:
        if seen is not None:
            seen.append(answer)
        return answer

    return call


def test_all_are_asked_until_one_is_done() -> None:
    seen: list[Any] = []
    chain = Notes().chain(says(None, seen), says(CONT, seen), says(DONE, seen), says(CONT, seen))
    assert chain.ask(Connect(Session())) is DONE
    assert seen == [None, CONT, DONE]


def test_a_chain_says_how_far_the_session_is() -> None:
    session = Session()
    Chain(Ehlo, [], Notes().guard).ask(Ehlo(session, "x"))
    assert session.step is Steps.EHLO


async def test_who_waits_is_waited_for_and_then_the_others_are_asked() -> None:
    seen: list[Any] = []

    async def slow(_event: Any) -> Verdict:
        await asyncio.sleep(0)
        seen.append("slow")
        return CONT

    asked = Notes().chain(slow, says(DONE, seen)).ask(Connect(Session()))
    assert not isinstance(asked, Verdict)
    assert seen == []
    assert await asked is DONE
    assert seen == ["slow", DONE]


async def test_who_says_again_is_asked_again() -> None:
    answers = [AGAIN, AGAIN, DONE]
    asked = Notes().chain(lambda _event: answers.pop(0)).ask(Connect(Session()))
    assert not isinstance(asked, Verdict)
    assert await asked is DONE
    assert answers == []


async def test_who_waits_too_long_has_failed() -> None:
    async def forever(_event: Any) -> None:
        await asyncio.Event().wait()

    notes = Notes(patience=0.01)
    session = Session()
    asked = notes.chain(forever).ask(Connect(session))
    assert not isinstance(asked, Verdict)
    assert await asked is DONE
    assert session.reply is notes.guard.failed
    assert "policy_wait_limit" in notes.panics[0]


async def test_a_session_whose_policy_takes_too_long_has_to_go() -> None:
    async def slow(_event: Any) -> None:
        await asyncio.sleep(0)

    session = Session()
    session.spent = 11.0
    asked = Notes(budget=10.0).chain(slow).ask(Connect(session))
    assert not isinstance(asked, Verdict)
    assert await asked is DONE
    assert session.reply is not None
    assert session.reply.code == 421
    assert session.disconnect


async def test_a_failure_after_waiting_is_told_and_refuses() -> None:
    async def broken(_event: Any) -> None:
        await asyncio.sleep(0)
        raise ValueError("oh")

    notes, session = Notes(), Session()
    asked = notes.chain(broken, says(DONE)).ask(Connect(session))
    assert not isinstance(asked, Verdict)
    await asked
    assert session.reply is notes.guard.failed
    assert "ValueError: oh" in notes.panics[0]


def test_a_handler_which_fails_ends_the_chain() -> None:
    seen: list[Any] = []

    def broken(_event: Any) -> None:
        raise KeyError("x")

    notes = Notes()
    assert notes.chain(broken, says(CONT, seen)).ask(Connect(Session())) is DONE
    assert seen == []


def test_where_nobody_may_wait_who_does_has_failed() -> None:
    async def slow(_event: Any) -> None:
        """Waits by being a coroutine."""

    notes = Notes()
    handlers = [Handler(slow, "m", "h")]
    mail = Mail(empty("", now=0.0, protocol="esmtp"), [])
    assert Chain(SetBinding, handlers, notes.guard).ask(SetBinding(mail)) is DONE
    assert mail.reply is notes.guard.failed
    assert Chain(Dealloc, handlers, notes.guard).ask(Dealloc(Session())) is DONE
    assert all("may not wait" in line for line in notes.panics)


@pytest.mark.parametrize("by_session", [True, False])
def test_a_module_may_be_passed_over(by_session: bool) -> None:
    seen: list[Any] = []
    chain = Notes().chain(says(None, seen), says(CONT, seen))
    mail = Mail(empty("", now=0.0, protocol="esmtp"), [])
    session = Session()
    if by_session:
        session.variables["__bypass_m0"] = "true"
        chain.ask(Connect(session))
    else:
        mail.message.session_variables["__bypass_m0"] = "true"
        chain.ask(SetBinding(mail))
    assert seen == [CONT]


def test_a_hook_without_handlers_has_no_chain() -> None:
    policy = Policy([(Connect, Handler(says(None), "m", "h"))], Notes().guard)
    assert policy.chain(Connect) is not None
    assert policy.chain(Ehlo) is None
    assert policy
    assert not NO_POLICY
    assert [hook for hook, _ in policy.handlers()] == [Connect]


def test_what_it_costs_is_counted() -> None:
    def refuse(event: Connect) -> None:
        event.session.refuse(Reply(550, "no"))

    notes = Notes()
    chain = notes.chain(refuse)
    for _ in range(3):
        chain.ask(Connect(Session()))
    tally = chain.handlers[0].tally
    assert (tally.calls, tally.errors) == (3, 0)
    assert 0 < tally.slowest <= tally.seconds


class Bad(SystemExit):
    """What a script may raise, and is no Exception."""


def raises(error: BaseException) -> Callable[[Any], Any]:
    def call(_event: Any) -> Any:
        raise error

    return call


def refuses(event: Any) -> None:
    event.session.refuse(Reply(550, "no"))


async def slow_done(_event: Any) -> Verdict:
    await asyncio.sleep(0)
    return DONE


ANSWERS: dict[str, Callable[[Any], Any]] = {
    "none": says(None), "cont": says(CONT), "done": says(DONE), "refuses": refuses,
    "fails": raises(ValueError("oh")), "leaves": raises(Bad(1)), "waits": slow_done,
    "ends": raises(asyncio.CancelledError()),
}  # fmt: skip


@pytest.mark.parametrize("passed_over", [False, True])
@pytest.mark.parametrize("hook", [Connect, Data, Dealloc])
@pytest.mark.parametrize("answer", list(ANSWERS))
async def test_one_handler_alone_is_asked_as_one_of_several_is(
    answer: str, hook: Any, passed_over: bool
) -> None:
    outcomes = []
    for kind in (Chain, Lone):
        notes, session = Notes(), Session(peer=("192.0.2.1", 1))
        session.mail = mail = Mail(empty("", now=0.0, protocol="esmtp"), [], session)
        if passed_over:
            session.variables["__bypass_m"] = "true"
        handler = Handler(ANSWERS[answer], "m", "h")
        event = hook(mail, session) if hook is Data else hook(session)
        came = kind(hook, [handler], notes.guard).ask(event)
        waited = not isinstance(came, Verdict)
        verdict = came if isinstance(came, Verdict) else await came
        tally = handler.tally
        counted = (tally.calls, tally.errors, tally.slowest == tally.seconds)
        seen = (session.step, mail.step, session.module, session.reply, session.disconnect)
        outcomes.append((waited, verdict, counted, seen, notes.panics))
    assert outcomes[0] == outcomes[1]


def test_one_handler_alone_is_asked_about_a_message_without_a_session() -> None:
    seen: list[Any] = []
    mail = Mail(empty("", now=0.0, protocol="esmtp"), [])
    handlers = [Handler(says(DONE, seen), "m", "h")]
    policy = Policy([(SetBinding, handlers[0])], Notes().guard)
    chain = policy.chain(SetBinding)
    assert isinstance(chain, Lone)
    assert chain.ask(SetBinding(mail)) is DONE
    assert mail.step is Steps.BINDING
    mail.message.session_variables["__bypass_m"] = "true"
    assert chain.ask(SetBinding(mail)) is CONT
    assert seen == [DONE]


def test_of_several_handlers_or_about_neither_there_is_a_common_chain() -> None:
    one = Handler(says(None), "m", "h")
    assert not Lone.takes(Connect, [one, one])
    assert not Lone.takes(TlsReport, [one])
