"""How deep mail stands which policy makes, and where that ends."""

import pytest

from angarium.core.message import Message
from angarium.policy.context import Session
from angarium.policy.hooks import Connect, SetBinding
from angarium.policy.injected import DEEPEST, VARIABLE, TooDeepError, note_depth
from angarium.policy.mail import Mail, empty


def made() -> Message:
    return empty("a@x.test", now=0.0, protocol="internal")


def test_mail_about_nothing_stands_at_the_top() -> None:
    for event in None, Connect(Session()), SetBinding(Mail(made(), [])):
        message = made()
        note_depth(message, event)
        assert message.session_variables[VARIABLE] == "1"


def test_mail_about_mail_of_policy_ends_where_nobody_means_it() -> None:
    message = made()
    for depth in range(1, DEEPEST + 1):
        before, message = message, made()
        note_depth(message, SetBinding(Mail(before, [])))
        assert message.session_variables[VARIABLE] == str(depth)
    with pytest.raises(TooDeepError, match="it is a loop"):
        note_depth(made(), SetBinding(Mail(message, [])))


def test_a_copy_that_is_sent_again_is_deeper_and_shares_nothing() -> None:
    message = made()
    note_depth(message, None)
    copy = made()
    copy.session_variables = message.session_variables
    note_depth(copy, None)
    assert message.session_variables[VARIABLE] == "1"
    assert copy.session_variables[VARIABLE] == "2"


@pytest.mark.parametrize("known", ["", "x", "-3", "\u0663"])
def test_what_a_script_has_written_there_is_no_fault(known: str) -> None:
    message = made()
    message.session_variables = {VARIABLE: known}
    note_depth(message, None)
    assert message.session_variables[VARIABLE] == "1"
