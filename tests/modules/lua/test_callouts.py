"""Hooks as callouts. That scripts are called so is in test_scriptlet."""

import pytest

from angarium.modules.lua.callouts import Callout, NoAnswerError
from angarium.policy.hooks import HOOKS, DataSpool, Hook, LogDelivery, SetBinding
from angarium.policy.verdict import AGAIN, CONT, DONE
from helpers.objects import asked, each, mail
from helpers.snippets import state


@pytest.mark.parametrize("hook", HOOKS.values(), ids=HOOKS)
def test_each_hook_has_a_wrapper_which_is_lua(hook: type[Hook]) -> None:
    state().load(Callout(hook).wrapper().encode(), hook.name)


def test_arguments_are_those_of_the_hook() -> None:
    wrapper = Callout(LogDelivery).wrapper()
    assert "callout(module, mail and message(mail, about), maker1(x1), x2, x3, x4)" in wrapper
    assert "own_self(record, module)" in Callout(DataSpool).wrapper()


@pytest.mark.parametrize(("answer", "verdict"), [(0, CONT), (1, AGAIN), (2, DONE), (2.0, DONE)])
def test_answers_are_verdicts(answer: object, verdict: object) -> None:
    event = asked(each(mail()))
    assert Callout(DataSpool).verdict(event, answer, ()) is verdict


@pytest.mark.parametrize("answer", [None, True, 3, b"x", -1])
def test_what_is_no_answer_is_told(answer: object) -> None:
    with pytest.raises(NoAnswerError):
        Callout(SetBinding).verdict(asked(mail()), answer, ())
    assert Callout(LogDelivery).verdict(asked(mail()), answer, ()) is CONT
