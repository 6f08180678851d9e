"""An attempt to authenticate, as acctlog has it (log_authentication)."""

import enum
from collections.abc import Callable
from dataclasses import dataclass


class Outcome(enum.Enum):
    """How it went."""

    RIGHT = "the client is who it says"
    WRONG = "it is not, or cannot be known"
    LATE = "it took too long"


@dataclass(frozen=True, slots=True)
class Login:
    """One attempt. `user` is "" where no name was said."""

    endpoint: str
    address: str
    user: str
    mechanism: str
    outcome: Outcome


Account = Callable[[Login], None]


def unaccounted(_login: Login) -> None:
    """Nobody writes it down."""
