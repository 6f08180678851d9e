"""How much waits in which queue, and who is connected: as each worker counts it."""

from collections.abc import Generator, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Final

import msgspec

from angarium.console.question import question
from angarium.console.statistics import BETWEEN
from angarium.console.sums import Page, Table
from angarium.mail.report.codes import STAGES
from angarium.outbound.outlet import Outlet
from angarium.outbound.smtp import Session
from angarium.queue.choice import Choice
from angarium.queue.line import Line
from angarium.queue.spool.routes import Key

if TYPE_CHECKING:
    from angarium.console.parts import Parts

_PIECE: Final = 500  # lines or routes in a step


class Size(msgspec.Struct, frozen=True):
    """How much there is of a queue.

    Attributes:
        active: entries whose time has come, those in attempts too; `delayed`: those which wait.
        resident: entries in memory.
        sent, failed: recipients for whom mail was taken, and who could not get it, since there is
            such a queue: one without mail is forgotten after a minute at most.
    """

    active: int = 0
    delayed: int = 0
    connections: int = 0
    sent: int = 0
    resident: int = 0
    failed: int = 0

    def __add__(self, other: "Size") -> "Size":
        return Size(
            self.active + other.active,
            self.delayed + other.delayed,
            self.connections + other.connections,
            self.sent + other.sent,
            self.resident + other.resident,
            self.failed + other.failed,
        )


class Inbound(msgspec.Struct, frozen=True, order=True):
    """A connection of a client."""

    descriptor: int
    endpoint: str
    state: str
    seconds: float


class Outbound(msgspec.Struct, frozen=True, order=True):
    """A connection to a host."""

    descriptor: int
    host: str
    address: str
    binding: str
    domain: str
    state: str
    seconds: float
    messages: int


@question("queue sizes")
def sizes(worker: "Parts", choice: Choice) -> Generator[None, None, Table[Size]]:
    """Return the size of each queue which has something, or had, by group, binding and domain."""
    queues = choice.queues()
    rows: dict[str, Size] = {}
    for number, (key, line) in enumerate(_all(worker), 1):
        if not number % _PIECE:
            yield None
        if key is None or not queues(key):
            continue
        size = _size(worker, key, line)
        if size.active or size.delayed or size.connections or size.sent or size.failed:
            rows[BETWEEN.join(key)] = size
    return Table(rows)


def _all(worker: "Parts") -> Iterator[tuple[Key | None, Line | None]]:
    """Yield the lines, and then the routes of delayed mail which have none."""
    board = worker.board
    yield from list(board.lines.items())
    counts, routes = board.later.counts, board.spool.routes
    for number in range(len(counts)):
        if counts[number] and (route := routes.key(number)) not in board.lines:
            yield route, None
        else:
            yield None, None


def _size(worker: "Parts", key: Key, line: Line | None) -> Size:
    if line is None:
        return Size(delayed=worker.board.delayed_of(key))
    outlet = line.pool
    connections = 0
    if isinstance(outlet, Outlet) and outlet.line is line:
        connections = len(outlet.sessions)
    return Size(
        line.active + line.in_flight, line.delayed, connections, line.sent,
        line.resident + line.in_flight, line.failed,
    )  # fmt: skip


class Sum(msgspec.Struct, frozen=True):
    """What there is of a binding, and what became of its mail since the start.

    Attributes:
        received: messages; `sent`, `failed`: recipients.
    """

    active: int = 0
    delayed: int = 0
    connections: int = 0
    resident: int = 0
    sent: int = 0
    failed: int = 0
    received: int = 0

    def __add__(self, other: "Sum") -> "Sum":
        mine, others = msgspec.structs.astuple(self), msgspec.structs.astuple(other)
        return Sum(*(one + another for one, another in zip(mine, others, strict=True)))


@question("binding sums")
def bindings(worker: "Parts") -> Generator[None, None, Table[Sum]]:
    """Return what there is of each binding, by group and binding."""
    rows = {each: Sum() for each in worker.configuration.bindings()}
    for number, (key, line) in enumerate(_all(worker), 1):
        if key is not None:
            size = _size(worker, key, line)
            received = 0 if line is None else line.received
            found = Sum(
                size.active, size.delayed, 0, size.resident, size.sent, size.failed, received
            )
            rows[key[:2]] = rows.get(key[:2], Sum()) + found
        if not number % _PIECE:
            yield None
    for outlet in list(worker.pool.outlets):
        own = outlet.line.key[:2]
        rows[own] = rows.get(own, Sum()) + Sum(connections=len(outlet.sessions))
    yield None
    for own, gone in list(worker.board.tallies.items()):
        past = Sum(sent=gone.sent, failed=gone.failed, received=gone.received)
        rows[own] = rows.get(own, Sum()) + past
    return Table({BETWEEN.join(own): row for own, row in rows.items()})


@question("connections in")
def inbound(worker: "Parts", most: int) -> Generator[None, None, Page[Inbound]]:
    """Return connections of clients."""
    rows = []
    for number, session in enumerate(list(worker.services.sessions), 1):
        if session.transport is not None:
            used = session.transport.get_extra_info("socket")
            descriptor = -1 if used is None else used.fileno()
            source = session.origin.source
            rows.append(Inbound(descriptor, source, session.phase, session.quiet_seconds))
        if not number % _PIECE:
            yield None
    return Page(list(islice(sorted(rows), most)), most, len(rows))


@question("connections out")
def outbound(worker: "Parts", choice: Choice, most: int) -> Generator[None, None, Page[Outbound]]:
    """Return connections to hosts, of some queues."""
    queues = choice.queues()
    rows: list[Outbound] = []
    for number, outlet in enumerate(list(worker.pool.outlets), 1):
        if queues(outlet.line.key):
            rows += (_outbound(outlet.line, session) for session in outlet.connections)
        if not number % _PIECE:
            yield None
    return Page(list(islice(sorted(rows), most)), most, len(rows))


def _outbound(line: Line, session: Session) -> Outbound:
    state = "idle" if session.resting else STAGES.get(session.stage, session.stage.name.lower())
    return Outbound(
        session.descriptor, session.hop.host, session.hop.address, line.binding, line.domain,
        state, session.quiet_seconds, session.mails,
    )  # fmt: skip
