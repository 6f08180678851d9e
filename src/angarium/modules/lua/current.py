"""Which session and which message the script which runs was called for.

Functions such as msys.expandMacro mean them without being told.
"""

from typing import Any, Protocol

from angarium.modules.lua.bind import LuaError
from angarium.policy.context import Session
from angarium.policy.mail import Mail


class Called(Protocol):
    """What is known of a call: the event of a hook it is for, see `Runtime.situation`."""

    @property
    def situation(self) -> Any:
        """Return the event, or None."""


def about(lua: Called) -> tuple[Session | None, Mail | None]:
    """Return both; None for what there is none of."""
    event = lua.situation
    if event is None:
        return None, None
    session, mail = event.about
    if session is None and mail is not None:
        session = mail.session
    if mail is None and session is not None:
        mail = session.mail
    return session, mail


def session(lua: Called) -> Session | None:
    return about(lua)[0]


def mail(lua: Called) -> Mail | None:
    return about(lua)[1]


def peer(lua: Called) -> str:
    """Return the address of the peer. Raises LuaError if nobody is connected."""
    found = session(lua)
    if found is None or not found.address:
        raise LuaError("nobody is connected whose address could be meant")
    return found.address
