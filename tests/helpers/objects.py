"""Snippets of Lua which are given objects of ours, and what they return as values of Python."""

from typing import Any

import pytest

from angarium.core.body import MemoryBody
from angarium.core.message import Message, Recipient
from angarium.modules.lua.declare import Table
from angarium.modules.lua.errors import ScriptError
from angarium.modules.lua.runtime import State
from angarium.modules.means import Means
from angarium.policy.context import Session, Steps
from angarium.policy.hooks import Data, EachRcpt, Hook
from angarium.policy.mail import Mail
from helpers.snippets import state

CONTENT = b"Subject: One\r\nFrom: A <a@example.com>\r\nTo: b@example.org\r\n\r\nText one\r\n"
_kept: list[State] = []


def shared_state() -> State:
    """A Lua for snippets which leave nothing behind."""
    if not _kept:
        _kept.append(state())
    return _kept[0]


def mail(
    *to: str, content: bytes = CONTENT, session: Session | None = None, step: Steps = Steps.DATA
) -> Mail:
    """Return a message from a@example.com, as a hook sees it; session.mail is set."""
    message = Message(
        "a@example.com", MemoryBody(content), source="192.0.2.1:4711", connection=5, batch=9
    )
    made = Mail(message, [Recipient(each, "") for each in to or ("b@example.org",)], session)
    made.step = step
    if session is not None:
        session.mail, session.step = made, step
    return made


def each(of: Mail, step: Steps = Steps.EACH) -> Mail:
    """Return the message as it is for its first recipient."""
    one = next(iter(of.each()))
    one.step = step
    return one


def said(text: str, *objects: object, event: Hook | None = None, lua: State | None = None) -> Any:
    """Run a chunk with `msg`, `vctx`, `ac` and `x` as what they are; return what it returns."""
    lua = lua or shared_state()
    names, values = [], []
    for one in objects:
        if isinstance(one, Session):
            names += ["ac", "vctx"]
            values += [
                lua.packages.makers[kind](one) for kind in ("accept_construct", "validate_context")
            ]
        else:
            names.append("msg" if isinstance(one, Mail) else "x")
            values.append(lua.to_lua(one))
    head = f"local {', '.join(names)} = ... " if names else ""
    before, lua.situation = lua.situation, event
    try:
        came = lua.run_now(lua.load((head + text).encode(), "test"), *values)
    finally:
        lua.situation = before
    plain = [_plain(lua.from_lua(one)) for one in came]
    return plain[0] if len(plain) == 1 else plain


def refused(
    text: str, *objects: object, event: Hook | None = None, lua: State | None = None
) -> str:
    """Run a chunk which fails; return what it says."""
    with pytest.raises(ScriptError) as raised:
        said(text, *objects, event=event, lua=lua)
    return raised.value.message


def asked(of: Mail, session: Session | None = None) -> Hook:
    """Return an event about a message."""
    kind = EachRcpt if of.recipient is not None else Data
    return kind(of, session or of.session)


def with_means(means: Any) -> State:
    """Return a Lua which has a worker around it."""
    made = state()
    made.services.parts[Means] = means
    return made


def _plain(value: object) -> object:
    return value.plain() if isinstance(value, Table) else value
