"""A worker with queues in memory, as questions of the console about mail see one."""

from collections.abc import Generator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from angarium.core.message import Message, Recipient
from angarium.core.reply import Reply
from angarium.queue.admit import Admit
from angarium.queue.entry import Entry
from angarium.queue.suspended import Suspended
from helpers.queues import Queues


class Ends:
    """What `outbound/settle` does: the ends that came, as recipient, reply, kind, report."""

    def __init__(self, queues: Queues) -> None:
        self.queues = queues
        self.reported: dict[int, Entry] = {}
        self.ends: list[tuple[str, str, str, bool]] = []

    def end(self, entry: Entry, reply: Reply, kind: str, *, report: bool) -> None:
        self.ends.append((entry.recipient.address, str(reply), kind, report))
        entry.line.failed += 1
        self.queues.end(entry)


class Live:
    """The table of the spool: one part, whatever it is by now."""

    def __init__(self, queues: Queues) -> None:
        self.get = queues.spool.live.get
        self.parts = lambda: [queues.spool.live]

    def __contains__(self, ident: int) -> bool:
        return self.get(ident) is not None


def worker(queues: Queues, state: Path, number: int = 0) -> Any:
    """Return what a question is given."""
    pool = SimpleNamespace(in_hands=list, outlets=set())
    spool: Any = SimpleNamespace(
        live=Live(queues),
        isolated=lambda: queues.spool.isolated,
        load_cold=_loaded(queues),
        restore=queues.spool.isolated.remove,
    )
    return SimpleNamespace(
        number=number,
        board=queues.board,
        spool=spool,
        clock=queues.clock,
        pool=pool,
        settle=Ends(queues),
        admit=Admit(queues.spool, queues.board),
        services=SimpleNamespace(sessions=set()),
        configuration=queues.configuration,
        state=state,
        suspended=Suspended(state, queues.board, lambda text: None),
    )


def _loaded(queues: Queues) -> Any:
    async def load(ident: int) -> tuple[Message, Recipient]:
        return queues.spool.load(ident)

    return load


def ended(steps: Generator[Any, None, Any]) -> Any:
    """Take all steps of a question; return its answer."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value
