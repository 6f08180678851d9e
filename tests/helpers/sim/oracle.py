"""What must hold of a worker between any two callbacks, looked up in its parts from outside.

    every entry of the spool's table is in one place: its line, a pair of hands, the timer
    the counts of lines, board, routes and ledger are those of what they count
    a line which has mail and may send has somebody who will ask it again
    no entry stays delayed for long after it is due

The checker of the server (`queue/soundness`) is another one: this shares nothing with it but the
ways to ask who holds what.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

from angarium.queue.line import ABSENT, COLD, PAUSED, SHUT, SUSPENDED, THROTTLED, Line
from angarium.queue.spool.slot import route_of
from helpers.sim.audit import LATE_SECONDS
from helpers.sim.ledger import Many
from helpers.sim.worker import Worker

Fail = Callable[[str], None]


def quick(worker: Worker, fail: Fail) -> None:
    """The sums which cost nothing."""
    board = worker.board
    if board.in_flight < 0 or board.active < 0:
        fail(f"{worker.process.name}: {board.active} active, {board.in_flight} in flight")
    if len(worker.spool.live) and not board.lines and board.active:
        fail(f"{worker.process.name}: {board.active} active, and no line")


def whole(worker: Worker, fail: Fail, *, lateness: float) -> None:
    """Everything.

    Args:
        lateness: seconds which timers may be late, for the process was stalled.
    """
    if worker.draining:
        return  # Connections are dropped, and what they hold is in doubt until the next start.
    board = worker.board
    said: Fail = lambda text: fail(f"{worker.process.name}: {text}")  # noqa: E731
    places = Counter[int]()
    delayed = Counter[int]()
    live = worker.spool.live
    for slot in board.timer.members():
        for ident in slot:
            places[ident] += 1
            if (found := live.get(ident)) is not None:
                delayed[route_of(found)] += 1
    hands = [entry for entries in worker.pool.in_hands() for entry in entries]
    hands += worker.settle.reported.values()
    places.update(entry.id for entry in hands)
    flying = Counter(entry.line for entry in hands)
    resident = 0
    for line in board.lines.values():
        _line(worker, line, places, said)
        resident += line.resident
        if flying[line] != line.in_flight:
            said(f"{line}: {flying[line]} are in flight")
    in_flight = flying.total()
    busy = board.beat.busy
    _places(worker, places, said, busy=busy)
    if in_flight != board.in_flight:
        said(f"{board.in_flight} in flight, of which hands have {in_flight}")
    kept = len(board.rooms.kept)
    if resident + in_flight + kept != board.resident:
        parts = f"lines have {resident}, {in_flight} fly, {kept} are kept"
        said(f"{board.resident} are resident, of which {parts}")
    if not busy and worker.ready:
        for number, count in enumerate(board.later.counts):
            if count != delayed[number]:
                said(f"route {number}: {delayed[number]} are delayed, counted are {count}")
    _permits(worker, said)
    if not busy:
        _late(worker, said, lateness)


def _line(worker: Worker, line: Line, places: Counter[int], fail: Fail) -> None:
    busy = worker.board.beat.busy
    members = [ident for piece in line.members() for ident in piece]
    places.update(members)
    if not busy and len(members) != line.active:
        fail(f"{line}: {len(members)} are active")
    if line.resident < 0 or line.resident > line.active:
        fail(f"{line}: {line.resident} are resident")
    if line.active and not busy:
        why = stranded(worker, line)
        if why:
            fail(f"{line} is stranded: {why}")


def stranded(worker: Worker, line: Line) -> str:
    """Return why nobody will ever ask a line with mail again; "" if somebody will."""
    board = worker.board
    times = any(each[2] is line for each in board.schedule._times)
    if line.closed:
        return _shut(worker, line, times=times)
    if line in board._fresh or times or not worker.spool.delivery or not board._delivered:
        return ""
    if line.parked:
        ledger, key = worker.ledger, line.parked
        waiting = key in (ledger._waiting.values() if isinstance(ledger, Many) else ledger._waiting)
        return "" if waiting else f"it waits for {key}, and the ledger does not know"
    outlet: Any = line.pool
    if outlet is None:
        return "it has no outlet"
    trunk = outlet.line
    if trunk is not line and (trunk.parked or any(e[2] is trunk for e in board.schedule._times)):
        return ""
    if outlet.opening or outlet._failing or outlet.parting or outlet.sessions - {*outlet._idle}:
        return ""
    return f"{len(outlet._idle)} connections rest, none is opened"


def _shut(worker: Worker, line: Line, *, times: bool) -> str:
    """As `stranded`, for a line which may not send now."""
    reason = line.closed
    if reason & SUSPENDED and not worker.suspensions.covers(line.key):
        return "suspended by nobody"
    if reason & SHUT and not (line.shape.suspend_delivery or worker.board.is_shut(line.key)):
        return "shut by no option"
    if reason & ABSENT and line.key[:2] not in worker.pool.sources.absent:
        return "closed for an address which is there"
    if reason & COLD and not worker.tasks:
        return "closed for a read nobody does"
    if not reason & ~(PAUSED | THROTTLED) and not times:
        return "closed until a time, and not in the schedule"
    return ""


def _places(worker: Worker, places: Counter[int], fail: Fail, *, busy: bool) -> None:
    live = worker.spool.live
    for ident, count in places.items():
        if count > 1:
            fail(f"{ident:x} is in {count} places: {worker.audit.fates.get(ident)}")
        if ident not in live and not busy:
            fail(f"{ident:x} has a place, and is not in the table")
    if not busy and worker.ready and len(places) != len(live):
        lost = [ident for ident in live if ident not in places]
        fail(f"{len(lost)} are in no place: {[worker.audit.fates.get(each) for each in lost[:3]]}")


def _permits(worker: Worker, fail: Fail) -> None:
    """What is held of the limit of a line, or of a trunk, is not less than its connections."""
    held = worker.ledger.reckoning.held
    name = worker.process.name
    for outlet in worker.pool.outlets:
        key = "line:" + "/".join(outlet.line.key)
        least = sum(session._transport is not None for session in outlet.connections)
        if least > held[key][name]:
            fail(f"{outlet.line} has {least} connections and {held[key][name]} permits")


def _late(worker: Worker, fail: Fail, lateness: float) -> None:
    now = worker.process.machine.clock.now
    for slot in worker.board.timer.members():
        for ident in slot:
            fate = worker.audit.fates.get(ident)
            if fate is not None and now > fate.latest + LATE_SECONDS + lateness:
                fail(f"{fate} is delayed {now - fate.latest:.1f} s after it was due")


def empty(worker: Worker, fail: Fail) -> None:
    """At the end nothing is left of anything."""
    board = worker.board
    name = worker.process.name
    left = {
        "lines": board.lines,
        "timer": len(board.timer),
        "live": len(worker.spool.live),
        "in flight": board.in_flight,
        "resident": board.resident,
        "outlets": worker.pool.outlets,
        "connections": worker.pool.connections,
        "routes": len(worker.spool.routes),
        "delayed counts": sum(board.later.counts),
        "reported": worker.settle.reported,
        "waiting lines": board.schedule._keys,
        "tasks": worker.tasks | worker.pool._tasks,
        "sweep": len(worker.sweep),
    }
    for what, value in left.items():
        if value:
            fail(f"{name}: at the end there are {what}: {value}")
    held = {key: each[name] for key, each in worker.ledger.reckoning.held.items() if each[name]}
    if held:
        fail(f"{name}: at the end the ledger has {held}")
