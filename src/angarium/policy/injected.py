"""How deep mail stands which policy has made: mail of a handler that was asked about such mail.

A script which sends a message about each message would send one about that too, and so on. How deep
a message stands goes with it, also over the disk, so a loop ends wherever it leads through: at once
where it is handed in, or after days by the hooks of delivery.
"""

from contextvars import ContextVar
from typing import Final

from angarium.core.errors import Error
from angarium.core.message import Message
from angarium.policy.hooks import Hook

# Who answers an answer means two; beyond this nobody means it. Where each makes two it is 1024.
DEEPEST: Final = 10
# A variable of the connection; those whose names begin with # are never forgotten.
VARIABLE: Final = "#policy_depth"
# What the handler in Python is asked which runs; its tasks have it too.
HANDLED: ContextVar[Hook | None] = ContextVar("policy_handled", default=None)


class TooDeepError(Error):
    """Policy has made this mail about mail it has made, and that too often."""


def note_depth(made: Message, event: Hook | None) -> None:
    """Let a message know how deep it stands: one deeper than what its handler was asked about.

    Raises:
        TooDeepError: it is not to be sent.
    """
    mail = None if event is None else event.about[1]
    depth = 1 + max(_depth(made), 0 if mail is None else _depth(mail.message))
    if depth > DEEPEST:
        raise TooDeepError(
            f"policy sends mail about mail that it has sent, {DEEPEST} times over: it is a loop"
        )
    made.session_variables = {**made.session_variables, VARIABLE: str(depth)}


def _depth(message: Message) -> int:
    known = message.session_variables.get(VARIABLE, "0")
    return int(known) if known.isascii() and known.isdigit() else 0
