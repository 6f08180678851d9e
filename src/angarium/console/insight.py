"""What a worker can say of its queues, messages and connections: why mail waits.

Every reason is read off what holds the mail back: the bits of the line, the key it waits for, the
pause of a host, the answer of DNS. Nothing is guessed, so a queue without a reason has none.
"""

import asyncio
import ipaddress
import math
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Final

import msgspec

from angarium.console.questions.reasons import (
    NEVER,
    Connection,
    Domain,
    First,
    Intake,
    Letter,
    Limit,
    Queue,
    Reason,
    Seen,
    limit_name,
)
from angarium.console.questions.tracing import Filter
from angarium.core.errors import Error
from angarium.net.tlspolicy.demand import NOTHING
from angarium.net.tracing import Tracer
from angarium.outbound.dial import wanting
from angarium.outbound.errors import DeliveryError
from angarium.outbound.options import Transport
from angarium.outbound.outlet import Outlet
from angarium.outbound.permits import limits_at, limits_of
from angarium.outbound.route import Hop, source_for
from angarium.outbound.terms import IF_AVAILABLE
from angarium.queue import suspended
from angarium.queue.line import ABSENT, COLD, PAUSED, SHUT, SUSPENDED, THROTTLED, Key, Line
from angarium.queue.options import HostLimits
from angarium.queue.spool.slot import due_of, route_of
from angarium.queue.spool.table import NoEntryError
from angarium.queue.suspended import Covers

if TYPE_CHECKING:
    from angarium.console.parts import Parts

PATIENCE: Final = 3.0  # seconds for DNS
_PIECE: Final = 1000
SHOWN: Final = 20  # recipients of a content
MOST_RECIPIENTS: Final = 10_000
MOST_GONE: Final = 100  # recipients in a row which are not here any more


class Insight:
    """What can be asked of a worker; `console/questions/reasons` has the answers."""

    def __init__(self, worker: "Parts") -> None:
        self._worker = worker

    async def queues(self, binding: str, domain: str) -> dict[str, Queue]:
        """Return the queues of a binding and a domain, by group/binding."""
        return {
            f"{key[0]}/{key[1]}": await seen(self._worker, key)
            for key in keys_of(self._worker, binding, domain)
        }

    def due(self, binding: str, domain: str) -> Generator[None, None, dict[str, First]]:
        """Return when the first delayed mail of each queue is due."""
        worker, found = self._worker, dict[str, First]()
        for key in keys_of(worker, binding, domain):
            number = worker.spool.routes.find(key)
            if number is not None and worker.board.delayed_of(key):
                at = yield from _first(worker, number)
                if at:
                    found[f"{key[0]}/{key[1]}"] = First(at)
        return found

    async def letters(self, ident: int) -> list[Letter]:
        """Return the entry with this id, or those of the content with it, which are here."""
        one = await self._letter(ident)
        if one is not None:
            return [one]
        found, misses = [], 0
        # A content has its id from the time of MAIL, its recipients have some of those after it.
        for number in range(1, MOST_RECIPIENTS):
            each = await self._letter(ident + number, of=ident)
            misses = 0 if each is not None else misses + 1
            if each is not None:
                found.append(each)
            if misses > MOST_GONE or len(found) >= SHOWN:
                break
        return found

    async def _letter(self, ident: int, of: int = 0) -> Letter | None:
        """Return an entry, if it is here, and of this content, if one is given."""
        worker = self._worker
        try:
            slot = worker.spool.slot(ident)
        except NoEntryError:
            return None
        key = worker.spool.routes.key(slot.route)
        state, remote, stage = _state(worker, ident, key, slot.due)
        found = Letter(
            ident, state, *key, attempts=slot.attempts, due=float(slot.due), size=slot.size
        )
        found, content = await _envelope(worker, found)
        if of and content != of:
            return None
        ahead = await _ahead(worker, key, ident) if state == "waiting" else -1
        return msgspec.structs.replace(
            found, remote=remote, stage=stage, ahead=ahead, queue=await seen(worker, key)
        )

    async def domain(self, key: Key) -> Domain:
        """Return where mail of a queue goes."""
        worker = self._worker
        options, shape = _transport(worker, key), worker.board.shape_of(key)
        how = "by its MX records"
        if options.gateway is not None:
            how = f"by the gateway {options.gateway}"
        elif options.routes:
            how = f"by the routes {', '.join(options.routes)}"
        found = await seen(worker, key)
        queued = worker.board.detours.of(key)
        return Domain(
            found.hosts, found.lookup, how,
            shape.reroute_domain or "", shape.delayed_reroute_domain or "",
            queued if queued not in (key[2], shape.reroute_domain) else "",
        )  # fmt: skip

    def connections(self) -> Iterator[Connection]:
        """Yield all connections, of clients and to hosts."""
        worker, now = self._worker, self._worker.clock.time()
        for session in worker.services.sessions:
            origin = session.origin
            yield Connection(
                origin.connection, "in", origin.source, session.phase,
                now - (origin.connection >> 32),
            )  # fmt: skip
        for outlet in worker.pool.outlets:
            group, binding, domain = outlet.line.key
            for each in outlet.connections:
                taken = each.entries
                yield Connection(
                    each.ident, "out", each.hop.endpoint,
                    "rests" if each.resting else each.stage.name.lower(),
                    now - (each.ident >> 32), group, binding, domain,
                    each.mails, each.recipients, [one.id for one in taken],
                    [limit_name(key) for key in each.holds],
                    detail=f"from {each.source or 'any address'} to {each.hop.host}",
                )  # fmt: skip

    def trace(
        self,
        number: int,
        chosen: Filter,
        tell: Callable[[str], None],
        seconds: float,
        octets: int,
        name: str,
        end: Callable[[], None],
    ) -> None:
        """Let somebody listen to new connections."""
        network = ipaddress.ip_network(chosen.network, strict=False) if chosen.network else None
        self._worker.tracing.tracers[number] = Tracer(
            tell,
            self._worker.clock.monotonic() + seconds,
            octets,
            way=chosen.way,
            binding=chosen.binding,
            domain=chosen.domain,
            network=network,
            name=name,
            end=end,
        )

    def intake(self) -> Intake:
        """Return whether mail is taken in, and why not."""
        worker, refusals = self._worker, list[str]()
        reading, stage = worker.memory.reading, worker.memory.stage
        used = f"{reading.used >> 20} of {reading.limit >> 20} MB are used"
        if worker.spool.refusal is not None:
            refusals.append(f"the spool takes no mail: {worker.spool.refusal}")
        if not worker.memory.may_greet():
            refusals.append(f"memory is short, {stage.name.lower()}: {used}")
        if worker.metrics.snapshot().get("leaving"):
            refusals.append("the worker is about to end and takes nothing new")
        return Intake(refusals, len(worker.services.sessions), used)


def _state(worker: "Parts", ident: int, key: Key, due: int) -> tuple[str, str, str]:
    """Return where an entry is; of one in flight also the host and the stage."""
    if ident in worker.spool.isolated():
        return "put aside", "", ""
    for outlet in worker.pool.outlets:
        for session in outlet.connections:
            if any(each.id == ident for each in session.entries):
                return "in flight", session.hop.endpoint, session.stage.name.lower()
    return ("delayed" if due > worker.clock.time() else "waiting"), "", ""


async def _envelope(worker: "Parts", found: Letter) -> tuple[Letter, int]:
    """Return an entry with what its record says, if that can be read, and the content's id."""
    try:
        message, recipient = await worker.spool.load_cold(found.id)
    except Error:
        return found, 0
    shape = worker.board.shape_of((found.group, found.binding, found.domain))
    told = msgspec.structs.replace(
        found,
        sender=message.sender,
        rcpt=recipient.address,
        size=message.size,
        source=message.source,
        received_at=message.received_at,
        expires=message.received_at + shape.message_expiration,
    )
    return told, message.batch


async def _ahead(worker: "Parts", key: Key, ident: int) -> int:
    """Return how many of a queue come before an entry, as it stands now."""
    line, count = worker.board.lines.get(key), 0
    if line is None:
        return -1
    for piece in line.members():
        if ident in piece:
            return count + list(piece).index(ident)
        count += len(piece)
        await asyncio.sleep(0)
    return -1


def keys_of(worker: "Parts", binding: str, domain: str) -> list[Key]:
    """Return the queues a binding and a domain name: one in each group with such a binding."""
    return [
        (group, name, domain)
        for group, name in worker.configuration.bindings()
        if binding in {name, f"{group}/{name}"}
    ]


async def seen(worker: "Parts", key: Key) -> Queue:
    """Return what there is to say of one queue."""
    line = worker.board.lines.get(key)
    hops, lookup = await _hops(worker, key)
    wall, now = worker.clock.time(), worker.clock.monotonic()
    options = _transport(worker, key)
    outlet = _outlet(line)
    sessions = outlet.connections if outlet is not None else []
    hosts = []
    dialer, terms = worker.pool.dialer, worker.pool.terms(key)
    for hop in hops:
        source = source_for(hop.address, options)
        rest = dialer.hosts.paused_until(hop.address, source, wanting(hop, terms))
        bare = None
        falls = terms.use == IF_AVAILABLE and terms.memory > 0.0 and not hop.demand.required
        if falls and dialer.securing is not None:
            bare = dialer.securing.broken.fault((hop.address, hop.port))
        hosts.append(
            Seen(
                hop.host, hop.address, hop.port, hop.order[1],
                wall + rest - now if rest else NEVER,
                sum(each.hop.address == hop.address for each in sessions),
                [hop.demand.kind, *hop.demand.text] if hop.demand is not NOTHING else [],
                hop.secure,
                bare.until if bare is not None else NEVER,
                bare.reason if bare is not None else "",
            )
        )  # fmt: skip
    shape = worker.board.shape_of(key)
    throttle = shape.outbound_throttle_messages
    limits = limits_of(key, shape, worker.pool.server, first=False)
    for name in {hop.host.lower(): None for hop in hops}:
        limits += limits_at(name, _host_limits(worker, key, name))
    found = Queue(
        active=line.active if line is not None else 0,
        delayed=worker.board.delayed_of(key),
        in_flight=line.in_flight if line is not None else 0,
        connections=len(sessions),
        resting=sum(each.resting for each in sessions),
        opening=outlet.opening if outlet is not None else 0,
        failures=line.failures if line is not None else 0,
        hosts=hosts,
        limits=[Limit(name, worker.ledger.count(name), most) for name, most in limits],
        rate=str(throttle.rate) if throttle is not None else "",
        lookup=lookup,
    )
    reasons = list(_why(worker, line, found)) if line is not None or found.delayed else []
    return msgspec.structs.replace(found, reasons=reasons)


def _outlet(line: Line | None) -> Outlet | None:
    """Return the connections of a line, or of the trunk it is in."""
    if line is None or not isinstance(line.pool, Outlet):
        return None
    return line.pool


def _transport(worker: "Parts", key: Key) -> Transport:
    group, binding, domain = key
    return worker.configuration.at(Transport, group=group, binding=binding, domain=domain)


def _host_limits(worker: "Parts", key: Key, name: str) -> HostLimits:
    group, binding, domain = key
    return worker.configuration.at(
        HostLimits, host=name, group=group, binding=binding, domain=domain
    )


async def _hops(worker: "Parts", key: Key) -> tuple[list[Hop], str]:
    """Return where a connection of the queue would go; or why it would go nowhere."""
    try:
        async with asyncio.timeout(PATIENCE):
            pool, options = worker.pool, _transport(worker, key)
            return await pool.dialer.hops(key[2], options, pool.wanted(key)), ""
    except TimeoutError:
        return [], f"name servers have not answered within {PATIENCE:g} s"
    except DeliveryError as error:
        known = worker.naming.resolver.cached_mx(key[2])
        detail = f" ({known.status.value})" if known is not None and known.temporary else ""
        return [], f"{error.reply}{detail}"


def _why(worker: "Parts", line: Line | None, found: Queue) -> Iterator[Reason]:
    """Yield why the queue does not send, what holds back most first."""
    yield from _whole(worker)
    if line is None:
        yield Reason("delayed", "all its mail waits until its next attempt is due")
        return
    yield from _closed(worker, line)
    yield from _connecting(worker, line, found)
    if found.lookup and (line.active or line.in_flight):
        yield Reason("dns", f"where its mail goes cannot be told: {found.lookup}")
    if found.hosts and all(each.until for each in found.hosts):
        until = min(each.until for each in found.hosts)
        yield Reason("hosts", "each of its hosts failed a moment ago and is left alone", until)
    if not line.active and not line.in_flight and found.delayed:
        yield Reason("delayed", "all its mail waits until its next attempt is due")
    if line.in_flight:
        yield Reason("sending", f"{line.in_flight} recipients are being delivered to")


def _whole(worker: "Parts") -> Iterator[Reason]:
    """Yield what holds back all mail of the worker."""
    if not worker.spool.delivery:
        why = worker.spool.refusal
        yield Reason("disk", f"nothing is delivered, for the spool cannot record it: {why}")
    if worker.pool.closing or worker.metrics.snapshot().get("leaving"):
        yield Reason("leaving", "the worker is about to end; its mail goes to another one")
    if worker.spool.recovering:
        yield Reason("recovering", "the spool is being read, its mail is not all known yet")


def _closed(worker: "Parts", line: Line) -> Iterator[Reason]:
    """Yield the reasons for which the line is closed."""
    closed, wall, now = line.closed, worker.clock.time(), worker.clock.monotonic()
    if line.trunk is not None and line.trunk.pool is not None:
        closed |= line.trunk.closed
    if closed & SUSPENDED:
        yield Reason("suspended", _suspension(worker, line.key))
    if closed & SHUT:
        yield Reason("suspend_delivery", "suspend_delivery, or default_binding, keeps its mail")
    if closed & ABSENT:
        missing = worker.pool.sources.absent.get((line.group, line.binding), "its bind_address")
        yield Reason("absent", f"{missing} is not an address of this machine")
    if closed & PAUSED:
        why = line.pause_reason or "no host could be reached"
        yield Reason(
            "paused", f"it rests, for no host took a connection: {why}",
            wall + line.paused_until - now,
        )  # fmt: skip
    if closed & THROTTLED:
        rate = line.shape.outbound_throttle_messages
        until = wall + line.wake_at - now if math.isfinite(line.wake_at) else NEVER
        text = f"outbound_throttle_messages is used up: {rate}"
        yield Reason("throttled", text, until)
    if closed & COLD:
        yield Reason("reading", "its next messages are being read from the disk")


def _suspension(worker: "Parts", key: Key) -> str:
    """Return which suspension of an operator covers a queue, and whose it is."""
    try:
        places = [each for each in suspended.read(worker.state) if Covers(each).matches(key)]
    except (Error, OSError):
        places = []
    by = "".join(f": `suspend {each}` by {each.who}" for each in places[:1])
    return f"it is suspended by an operator{by}"


def _connecting(worker: "Parts", line: Line, found: Queue) -> Iterator[Reason]:
    """Yield why no connection is opened, or no further one."""
    outlet, wall, now = _outlet(line), worker.clock.time(), worker.clock.monotonic()
    full = [each for each in found.limits if each.used >= each.most >= 0]
    if line.parked or (line.active and full):
        beside = f" beside the {found.connections} it has" if found.connections else ""
        named = {each.key: f": {each.used} of {each.most} are in use" for each in found.limits}
        for key in dict.fromkeys([line.parked] if line.parked else [each.key for each in full]):
            text = f"{limit_name(key)}{named.get(key, '')}"
            yield Reason("limit", f"it may have no connection{beside}, {text}")
    rate = line.shape.outbound_throttle_connections
    waits = now < line.wake_at < math.inf and not (line.closed or line.parked)
    if rate is not None and line.active and waits and not found.connections:
        text = f"outbound_throttle_connections is used up: {rate}"
        yield Reason("rate", text, wall + line.wake_at - now)
        return
    if outlet is None:
        return
    not_before, enough, more_at = outlet.holding
    if not_before > now and not found.connections:
        until = wall + not_before - now
        yield Reason("resting", "no connection is opened for a moment, the last one failed", until)
    if enough:
        text = f"its hosts refused more than {enough} connections at once"
        yield Reason("enough", text, wall + max(more_at - now, 0.0))
    if found.opening:
        yield Reason("opening", f"{found.opening} connections are being opened")


def _first(worker: "Parts", route: int) -> Generator[None, None, float]:
    live = worker.spool.live
    for slot in worker.board.timer.upcoming():
        first = 0
        for at in range(0, len(slot), _PIECE):
            for ident in slot[at : at + _PIECE]:
                held = live.get(ident)
                if held is not None and route_of(held) == route:
                    first = min(first, due_of(held)) if first else due_of(held)
            yield
        if first:
            return float(first)
    return NEVER
