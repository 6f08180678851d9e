"""Somebody at a console: who he is, and the transaction he has begun.

A session ends with its connection, and an open transaction with it. Commands of one session come
one after the other.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import Any, Final, TypeAlias

from angarium.config.workspace import Workspace
from angarium.console.access import Peer, Rank
from angarium.console.command import Command, find
from angarium.console.errors import RefusedError, UnknownError
from angarium.console.node import Node, Tell, nobody
from angarium.console.result import Result, Said
from angarium.console.scripted import has_scripts, scripted
from angarium.console.server import Server
from angarium.core.errors import Error
from angarium.wire.control import Form

Edit: TypeAlias = Callable[[Workspace], object]

DONE: Final = 1
REFUSED: Final = 0
FAILED: Final = -1
MAX_LOGGED: Final = 4096  # characters of a command in a log


@dataclass(slots=True)
class Transaction:
    """Changes which are not in force yet, and how they can be made again."""

    workspace: Workspace
    scratch: bool = False
    edits: list[Edit] = field(default_factory=list)

    @property
    def base(self) -> bytes:
        """Return the snapshot it was begun on."""
        return self.workspace.base


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a command."""

    result: Result
    failed: bool


class Session:
    """One connection of a console.

    Attributes:
        note: tells the operator how far a command is; not part of the answer.
        form: how he wants the answer.
        say: gives him a line of an answer which goes on and on, before the rest of it.
    """

    __slots__ = ("form", "node", "note", "peer", "say", "server", "transaction")

    def __init__(
        self, server: Server, peer: Peer, node: Node, note: Tell = nobody, say: Tell = nobody
    ) -> None:
        self.server = server
        self.node = node
        self.peer = peer
        self.form: Form = "text"
        self.note = note
        self.say = say
        self.transaction: Transaction | None = None

    async def ask(self, line: str) -> Outcome:
        """Do one command; a blank line is none."""
        if not line.strip():
            return Outcome(Said(), failed=False)
        found: Command | None = None
        rest, verdict = "", FAILED
        try:
            try:
                found, rest = find(line)
            except UnknownError as unknown:
                result: Any = await self._scripted(line, unknown)
            else:
                if not self._may(found.name, found.who, rest):
                    raise RefusedError("Not Authorized for this command")
                result = found.handler(self, **found.arguments(rest))
                if isawaitable(result):
                    result = await result
            verdict = DONE
            return Outcome(result, failed=False)
        except Error as error:
            if isinstance(error, RefusedError):
                verdict = REFUSED
            return Outcome(Said(str(error), {"error": str(error)}), failed=True)
        finally:
            self.server.account(self.peer, logged(line, found, rest), verdict)

    async def _scripted(self, line: str, unknown: UnknownError) -> Result:
        """Do a command which policy has added. What it does, nobody but its author knows."""
        if not has_scripts(self.server.live.configuration):
            raise unknown
        if not self._may("", Rank.OPERATOR, line):
            raise RefusedError("Not Authorized for this command")
        return await scripted(self.node, line, unknown)

    def check(self, line: str) -> None:
        """Raise CommandError if there is no such command, or he may not give it now."""
        try:
            found, rest = find(line)
        except UnknownError:
            if not has_scripts(self.server.live.configuration):
                raise
            allowed = self._may("", Rank.OPERATOR, line)
        else:
            allowed = self._may(found.name, found.who, rest)
            found.arguments(rest)
        if not allowed:
            raise RefusedError("Not Authorized for this command")

    def _may(self, name: str, who: Rank, rest: str) -> bool:
        if not self.peer.may(who):
            return False
        authority = self.peer.authority
        asked = " ".join([name, *rest.split()]).strip()
        return authority is None or authority.allows(self.server.live.configuration, asked)


def logged(line: str, command: Command | None, rest: str) -> str:
    """Return a command as it may stand in a log: in one piece, without secrets."""
    if command is None:
        # It may be a slip in a command which has a secret: its first words are enough.
        text = " ".join(line.split()[:2])
    elif command.mask is None or not rest.strip():
        text = " ".join(line.split())
    else:
        text = f"{command.name} {command.mask(rest.strip())}"
    return text[:MAX_LOGGED]
