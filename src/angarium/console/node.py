"""The processes of the server, as commands see them; `run/node` has it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from angarium.console.question import Answers, Asking, Of
from angarium.console.statistics import Statistics

if TYPE_CHECKING:
    from angarium.console.imports import Imports
    from angarium.console.schedule import Schedule

R = TypeVar("R")

Tell = Callable[[str], None]


def nobody(line: str) -> None:
    """Nobody is told."""


@dataclass(frozen=True, slots=True)
class Member:
    """A process of the server.

    Attributes:
        started: Unix time.
        ready: it does its work.
        leaving: it is told to end, and may end before it has answered.
    """

    name: str
    pid: int
    of: Of
    started: float
    ready: bool
    leaving: bool = False


class Node(Protocol):
    """The processes of the server."""

    @property
    def pid(self) -> int:
        """Return the supervisor's process, by which a shell speaks to the server."""
        ...

    @property
    def release(self) -> str: ...

    @property
    def started(self) -> float:
        """Return when the server was started, as Unix time."""
        ...

    @property
    def members(self) -> Sequence[Member]:
        """Return its children, whoever runs now."""
        ...

    @property
    def statistics(self) -> Statistics:
        """Return what the console keeps for this node."""
        ...

    @property
    def imports(self) -> "Imports":
        """Return the imports which operators have begun."""
        ...

    @property
    def schedule(self) -> "Schedule":
        """Return the commands which are to be given later."""
        ...

    def stop(self) -> None:
        """Let the server drain and end, as SIGTERM does."""
        ...

    def reopen(self) -> None:
        """Let all processes close and open their logs, as SIGUSR1 does."""
        ...

    def forget_signed(self) -> None:
        """Let what is known of signatures beyond the lives of workers begin anew."""
        ...

    async def ask(
        self, asking: Asking[R], *, tell: Tell = nobody, only: Sequence[str] = ()
    ) -> Answers[R]:
        """Put a question to all processes which know an answer, and wait for them.

        Whoever says nothing for command_timeout is stuck, and not waited for. Who works on it says
        so again and again, as long as it takes. To cancel this is to withdraw the question.

        Args:
            tell: called with the lines which processes say meanwhile.
            only: names of processes; empty: all which know.
        """
        ...
