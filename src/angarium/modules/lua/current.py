"""Which session and which message the handler which runs is asked about.

Functions such as msys.expandMacro mean them without being told. It goes with the task which waits
for the handler, so sessions do not see each other's.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from angarium.modules.lua.errors import LuaError
from angarium.policy.context import Session
from angarium.policy.mail import Mail

About = tuple[Session | None, Mail | None]

NOBODY: Final[About] = (None, None)
CURRENT: Final[ContextVar[About]] = ContextVar("current", default=NOBODY)


@contextmanager
def about(session: Session | None, mail: Mail | None) -> Iterator[None]:
    """Let what runs inside be about these."""
    token = CURRENT.set((session, mail))
    try:
        yield
    finally:
        CURRENT.reset(token)


def session() -> Session | None:
    """Return the session it is about; None if it is about none."""
    found, mail = CURRENT.get()
    return found or (mail.session if mail is not None else None)


def mail() -> Mail | None:
    """Return the message it is about; None before there is one."""
    found, message = CURRENT.get()
    return message or (found.mail if found is not None else None)


def peer() -> str:
    """Return the address of the peer. Raises LuaError if nobody is connected."""
    found = session()
    if found is None or not found.address:
        raise LuaError("nobody is connected whose address could be meant")
    return found.address
