"""What commands need of the server they are given to; `run/changes` and `run/control` have it.

A configuration may be large. What works on all of it goes through `aside`, so that the process
which restarts workers is never kept from that.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from angarium.config.difference import Change
from angarium.config.errors import Fault
from angarium.config.history import History
from angarium.config.resolve import Configuration
from angarium.console.access import Peer

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Live:
    """A configuration in force, and the octets it comes from."""

    number: int
    snapshot: bytes
    configuration: Configuration


@dataclass(frozen=True, slots=True)
class Applied:
    """What came into force.

    Attributes:
        number: of the generation.
        changes: what differs from the one before.
        waiting: what keeps its old value, and what will do: option to remedy.
        waited: what of that did so before.
        lost: changes made while running and never written, which this has undone.
        notes: what is told of the configuration, and was not told of the one before.
    """

    number: int
    changes: Sequence[Change]
    waiting: Mapping[str, str] = field(default_factory=dict)
    waited: Collection[str] = ()
    lost: Sequence[Change] = ()
    notes: Sequence[Fault] = ()


class Server(Protocol):
    """The node, as commands see it."""

    @property
    def live(self) -> Live:
        """Return what is in force."""
        ...

    @property
    def started(self) -> Configuration:
        """Return what the server was started with, for options which nothing else brings."""
        ...

    @property
    def files(self) -> bytes:
        """Return the snapshot which was last read from the files, or written to them."""
        ...

    @property
    def waiting(self) -> Mapping[str, str]:
        """Return options whose value in force is still the one before, and what will do."""
        ...

    @property
    def history(self) -> History: ...

    async def apply(self, snapshot: bytes, base: bytes, who: str, how: str) -> Applied:
        """Bring a configuration into force, whole or not at all; nothing is written to files.

        Args:
            base: what was in force when the change was begun.

        Raises:
            ConfigError: it is faulty.
            ConflictError: something else is in force than `base`.
            CommandError: it cannot be now, or a process refused it.
        """
        ...

    async def reload_from(self, path: str, who: str) -> Applied:
        """Read the files, or another one, and bring that into force. Raises as `apply`."""
        ...

    async def read(self, path: str = "") -> bytes:
        """Return a snapshot of the files as they are on the disk now. Raises ConfigError."""
        ...

    async def write_back(self, path: str) -> Sequence[str]:
        """Write what is in force to the files; return the paths of those which changed.

        Raises:
            WritebackError: they cannot be written, or are not as they were read.
        """
        ...

    async def aside(self, work: Callable[..., T], *arguments: object) -> T:
        """Run what takes long beside everything else, and return what it does."""
        ...

    def account(self, peer: Peer, line: str, verdict: int) -> None:
        """Note who gave which command: 1 it was done, 0 he may not, -1 it failed."""
        ...
