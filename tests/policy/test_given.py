"""Whatever a script in Python gives to what it may set and call: well, or an error it is told."""

import inspect
from collections.abc import Callable
from typing import Any, Final

import pytest

from angarium.core.errors import Error
from angarium.core.message import Recipient
from angarium.policy import given
from angarium.policy.context import Session as Context
from angarium.policy.given import Headers, Strings, Variables
from angarium.policy.mail import Mail, empty
from angarium.policy.script import Discard, Message, Refuse, Session

ODD: Final[list[Any]] = [
    None, True, -1, 0, 10**30, 0.5, float("nan"), float("inf"), "", "x", "a@b.test", "\0",
    "a\r\nb: c", "\ud800", "\udc80", "ä" * 300, "x" * 5_000_000, b"", b"x", b"\r\n.\r\n", [], {},
    [None], object(), str, lambda: None,
]  # fmt: skip
# What an API may say of what it is given; AttributeError would be a fault of ours.
SAID: Final = (Error, TypeError, ValueError, KeyError, RuntimeError)


def mail() -> Mail:
    message = empty("a@x.test", now=0.0, protocol="esmtp")
    return Mail(message, [Recipient("b@y.test", "y.test")], Context())


def settable(kind: type[Any]) -> list[str]:
    return [n for n, each in vars(kind).items() if isinstance(each, property) and each.fset]


def sound(of: Mail, session: Context) -> None:
    """What was set is of its type: what writes the message can rely on it."""
    message = of.message
    texts = [message.sender, message.fairness_key, *message.variables.items()]
    texts += [*session.variables.items(), *session.added, *session.removed]
    texts += [each.address for each in of.recipients] + [each.domain for each in of.recipients]
    for each in texts:
        for one in each if isinstance(each, tuple) else (each,):
            assert isinstance(one, str)
            one.encode("utf-8", "surrogateescape")
            assert len(one) <= given.LONGEST_TEXT
    for each in (message.sender, *(one.address for one in of.recipients)):
        assert not set(each) & set("\r\n\0")
    assert isinstance(message.priority, int)
    assert 0 <= session.tarpit < float("inf")
    assert of.draft.whole().endswith(of.draft.body_octets)


def tried(call: Callable[..., Any], *arguments: Any) -> None:
    try:
        found = call(*arguments)
    except SAID:
        return
    if inspect.iscoroutine(found):
        found.close()


@pytest.mark.parametrize("value", ODD, ids=lambda each: f"{each!r:.20}")
def test_what_may_be_set_is_what_it_is_to_be_or_an_error(value: Any) -> None:
    for kind in Message, Session:
        names = settable(kind)
        assert names
        for name in names:
            of, session = mail(), Context()
            here = Message(of) if kind is Message else Session(session)
            tried(setattr, here, name, value)
            sound(of, session)


@pytest.mark.parametrize("value", ODD, ids=lambda each: f"{each!r:.20}")
def test_what_may_be_called_takes_what_it_is_to_take_or_says_so(value: Any) -> None:
    for name in ("add_recipient", "remove_recipient"):
        of = mail()
        tried(getattr(Message(of), name), value)
        sound(of, Context())
    for name in ("tarpit", "offer", "withhold"):
        session = Context()
        tried(getattr(Session(session), name), value)
        sound(mail(), session)
    for kind in (Refuse, Discard):
        tried(kind, value)


@pytest.mark.parametrize("value", ODD, ids=lambda each: f"{each!r:.20}")
def test_dictionaries_take_strings_or_say_so(value: Any) -> None:
    for key, held in ((value, "x"), ("x", value), (value, value)):
        of, session = mail(), Context()
        here = Message(of)
        for each in (here.variables, here.connection, here.headers, Session(session).variables):
            assert isinstance(each, Headers | Strings | Variables)
            tried(each.__setitem__, key, held)
            tried(each.get, key)
            tried(each.pop, key, None)
            tried(each.__setitem__, key, held)
        for method in (here.headers.add, here.headers.prepend):
            tried(method, key, held)
        sound(of, session)


def test_what_is_wrong_is_told_by_its_name() -> None:
    here = Message(mail())
    with pytest.raises(TypeError, match="the sender is to be a string, not 5"):
        here.sender = 5  # type: ignore[assignment]
    with pytest.raises(ValueError, match="the recipient is to be one line"):
        here.recipient = "a\r\nb"
    with pytest.raises(ValueError, match="the routing domain may have no space in it"):
        here.routing_domain = "a b"
    with pytest.raises(ValueError, match="the sender has 5000 characters, and may have 1000"):
        here.sender = "x" * 5000
    with pytest.raises(ValueError, match="x has half a character in it"):
        here.variables["x"] = "\ud800"
