"""The outbound connections of a worker: demand of the lines in, connections out.

    pool = Pool(board, settle, dialer, configuration, sweep, clock)
    board.demand = pool.demand

A line's connections are its `Outlet`, which hangs on the line itself; lines whose mail goes to one
gateway have the outlet of their `Trunk`. Here is what all share.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator, Sequence
from itertools import islice
from typing import Final, Protocol, TypeVar

from angarium.config.held import Held
from angarium.config.option import Options
from angarium.config.section import Section
from angarium.core.clock import Clock
from angarium.net.options.acme import awaited
from angarium.net.options.sockets import Sending
from angarium.net.options.tls import Certificates, OutboundTls, TlsLibrary
from angarium.net.options.tlspolicy import Dane, MtaSts
from angarium.net.sweep import Sweep
from angarium.outbound.attempt import patience
from angarium.outbound.demands import Wanted, wanted
from angarium.outbound.dial import Dialer
from angarium.outbound.logins import HostLogins
from angarium.outbound.means import Means
from angarium.outbound.options import Transport
from angarium.outbound.outlet import Outlet, held
from angarium.outbound.permits import Permit
from angarium.outbound.route import Hop
from angarium.outbound.settle import Settle
from angarium.outbound.shared import Board
from angarium.outbound.smtp import Session
from angarium.outbound.sources import Sources
from angarium.outbound.terms import Terms, may_fall_back, terms
from angarium.outbound.trunk import Kin, Trunk, has_trunk, kin_of, may_share
from angarium.queue.entry import Entry
from angarium.queue.line import Key, Line
from angarium.queue.options import HostLimits, Rollup, ServerLimits
from angarium.queue.throttle import BUSY_SECONDS

O = TypeVar("O", bound=Options)  # noqa: E741
_RESTING: Final = 256  # connections looked at for one that holds a key


class Configuration(Protocol):
    """What is asked of a configuration."""

    @property
    def generation(self) -> int: ...

    held: Held

    @property
    def root(self) -> Section: ...

    def instances(self, stanza: type[O], /) -> Sequence[tuple[str, O]]: ...

    def at(
        self,
        cls: type[O],
        *,
        group: str = "",
        binding: str = "",
        domain: str = "",
        host: str = "",
    ) -> O: ...

    def top(self, cls: type[O]) -> O: ...

    def bindings(self) -> Sequence[tuple[str, str]]: ...


def _place(hop: Hop) -> tuple[str, int]:
    return hop.address, hop.port


def _silent(text: str) -> None:
    """Nobody listens to alarms."""


class Pool:
    """All outlets.

    Attributes:
        sources: the bindings which are suspended for want of their address.
        outlets: of the lines which have connections, or had some a moment ago.
        permits: what connections hold, those which are being opened too.
        logins: as whom messages log in at hosts.
        alarm: told what is wrong on this machine.
    """

    def __init__(
        self,
        board: Board,
        settle: Settle,
        dialer: Dialer,
        configuration: Configuration,
        sweep: Sweep,
        clock: Clock,
        alarm: Callable[[str], None] = _silent,
    ) -> None:
        self.board = board
        self.settle = settle
        self.dialer = dialer
        self.sweep = sweep
        self.clock = clock
        self.closing = False
        self.alarm = alarm
        self.sources = Sources(board, sweep, alarm)
        self.outlets: set[Outlet] = set()
        self.permits: set[Permit] = set()
        self.logins = HostLogins()
        self._trunks: dict[Kin, Trunk] = {}
        self.sources.trunks = self._trunks.values
        self._resting: dict[Session, Outlet] = {}  # the one that rests for longest first
        self._resting_at: dict[tuple[str, int], dict[Session, None]] = {}  # by address and port
        self._tasks: set[asyncio.Task[None]] = set()
        board.ledger.on_wanted = self.give_way
        board.schedule.held = held
        self._empty = asyncio.Event()
        self.configure(configuration)

    def configure(self, configuration: Configuration) -> None:
        """Go over to a generation: new connections are made by it, old ones end as they were."""
        self.configuration = configuration
        self.generation = configuration.generation
        for trunk in self._trunks.values():
            trunk.dissolve()
            assert isinstance(trunk.pool, Outlet)
            trunk.pool.retire()
        self._trunks.clear()
        self._terms: dict[Terms, Terms] = {}
        if self.dialer.securing is not None:
            self.dialer.securing.configure(
                configuration.top(TlsLibrary), awaited(configuration), configuration.held
            )
            if may_fall_back(configuration.root):
                self.dialer.securing.broken.share()
        self.server = configuration.top(ServerLimits)
        self.unsent = configuration.top(Sending).tcp_buffer_size
        self.sources.configure(
            ((group, binding), configuration.at(Transport, group=group, binding=binding))
            for group, binding in configuration.bindings()
        )

    def demand(self, line: Line) -> None:
        """The line has mail and may send; called by the board, for every accepted message too."""
        outlet = line.pool
        if outlet is None:
            trunk = line.trunk
            if not isinstance(trunk, Trunk) or self._trunks.get(trunk.kin) is not trunk:
                trunk = line.trunk = self._trunk(line)
            if trunk is None:
                outlet = self._new(line)
            else:
                trunk.join(line)
                outlet = trunk.pool
        elif line.keyed and isinstance(line.trunk, Trunk) and line.trunk.pool is outlet:
            line.trunk.more(line)
        assert isinstance(outlet, Outlet)
        outlet.wake()

    def _new(self, line: Line) -> Outlet:
        outlet = line.pool = Outlet(line, self)
        self.outlets.add(outlet)
        self.sweep.add(outlet, self.sweep.now())  # It may never come to a connection.
        return outlet

    def _trunk(self, line: Line) -> Trunk | None:
        """Return the trunk of a line, made if it is the first one; None if it has none."""
        options = self.transport(line)
        if isinstance(line, Trunk) or not has_trunk(options):
            return None
        demands, wants = self.wanted(line.key), self.terms(line.key)
        kin = kin_of(line, options, demands, wants)
        trunk = self._trunks.get(kin)
        if trunk is None:
            trunk = self._trunks[kin] = Trunk(line, options, self.generation, demands, wants)
            self._new(trunk)
        return trunk

    def rested(self, session: Session, outlet: Outlet) -> None:
        """A connection has nothing to do."""
        self._resting[session] = outlet
        self._resting_at.setdefault(_place(session.hop), {})[session] = None

    def busy(self, session: Session) -> None:
        """It has again, or it ends."""
        if self._resting.pop(session, None) is not None:
            place = _place(session.hop)
            there = self._resting_at[place]
            del there[session]
            if not there:
                del self._resting_at[place]

    def sibling(self, hop: Hop, means: Means) -> Session | None:
        """Return a connection to a host which its line does not need, for one of the same binding.

        It must have been made by the same options, so that it is what a new one would be.
        """
        if not may_share(means.options):
            return None
        binding = means.line.key[:2]
        for session in islice(self._resting_at.get(_place(hop), ()), _RESTING):
            outlet = self._resting[session]
            line = outlet.line
            if line.key[:2] == binding and line is not means.line and session.fits(means, hop):
                outlet.part(session)
                session.move(means)
                return session
        return None

    def park(self, line: Line, key: str) -> None:
        """Let a line wait for a permit; one that somebody holds and does not need is given up."""
        if not self.board.ledger.waits(key):
            # It was given back since we were denied it, when nobody had parked for it yet.
            self.board.wait(line, BUSY_SECONDS)
            return
        self.board.schedule.park(line, key)
        self.give_way(key)

    def give_way(self, key: str) -> None:
        """Give up one connection which holds `key` and rests, the one that rests for longest."""
        for session in islice(self._resting, _RESTING):
            if session.let_go(key):
                return

    def closed(self) -> None:
        """A connection of an outlet has ended."""
        if self.closing and not self.connections:
            self._empty.set()

    def released(self, outlet: Outlet) -> bool:
        """The outlet has no connection any more; let it go, unless it is needed all the same."""
        line = outlet.line
        if isinstance(line, Trunk) and self._trunks.get(line.kin) is line:
            if line.prune():
                return False
            del self._trunks[line.kin]
        self.outlets.discard(outlet)
        line.pool = None
        self.board.rest(line)
        return True

    def transport(self, line: Line) -> Transport:
        if isinstance(line, Trunk) and line.generation == self.generation:
            return line.options
        group, binding, domain = line.key
        return self.configuration.at(Transport, group=group, binding=binding, domain=domain)

    def means(self, line: Line) -> Means:
        """Return what connections of a line are made with, in the present generation."""
        options, settle = self.transport(line), self.settle
        return Means(
            line, options, settle, self.sweep, patience(options), self.unsent, settle.note,
            settle.stages,
            line.wanted if isinstance(line, Trunk) else self.wanted(line.key),
            line.terms if isinstance(line, Trunk) else self.terms(line.key),
            self.logins,
        )  # fmt: skip

    def wanted(self, key: Key) -> Wanted:
        """Return which demands of its domain a queue hears."""
        group, binding, domain = key
        at = self.configuration.at
        return wanted(
            at(Dane, group=group, binding=binding, domain=domain),
            at(MtaSts, group=group, binding=binding, domain=domain),
        )

    def terms(self, key: Key) -> Terms:
        """Return what the options of a queue want of TLS; equal ones are one object."""
        group, binding, domain = key
        at = self.configuration.at
        made = terms(
            at(OutboundTls, group=group, binding=binding, domain=domain),
            at(Certificates, group=group, binding=binding, domain=domain),
        )
        return self._terms.setdefault(made, made)

    def host_limits(self, name: str, means: Means) -> HostLimits:
        """Return the options of a host stanza, as the dialer asks for them."""
        group, binding, domain = means.line.key
        return self.configuration.at(
            HostLimits, host=name, group=group, binding=binding, domain=domain
        )

    def rolls(self, hops: Sequence[Hop], means: Means) -> str:
        """Return the domain to which the best hosts of a line roll its mail up; "" for none."""
        line, options = means.line, means.options
        known = options.gateway is None and not options.routes  # By DNS, not by us.
        if not known or not self.board.detours.may_roll(line.key):
            return ""
        group, binding, domain = line.key
        for name in {hop.host.lower(): None for hop in hops if hop.order == hops[0].order}:
            found = self.configuration.at(
                Rollup, host=name, group=group, binding=binding, domain=domain
            )
            if found.rollup_mx and found.rollup_mx_name and found.rollup_mx_name != domain:
                return found.rollup_mx_name
        return ""

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Run a task which belongs to the pool: it is kept, and cancelled at the end."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # A bug. It is told at once, not when the task is collected.
            task.get_loop().call_exception_handler(
                {"message": "opening a connection failed", "exception": error, "task": task}
            )

    @property
    def connections(self) -> int:
        return sum(len(outlet.sessions) + len(outlet.parting) for outlet in self.outlets)

    # What `queue/soundness` asks.

    def in_hands(self) -> Iterator[list[Entry]]:
        """Yield the entries which each connection has taken and not yet settled."""
        for outlet in list(self.outlets):
            for session in outlet.connections:
                if entries := session.entries:
                    yield entries
            yield from (aside.waiting for aside in outlet.asides if aside.waiting)

    def served_by(self, line: Line) -> Line | None:
        """Return the line itself, or the trunk it is in; None: it has no connections."""
        outlet = line.pool
        return outlet.line if isinstance(outlet, Outlet) else None

    def works(self, line: Line) -> bool:
        """Say whether something is under way in its outlet, after which the line is asked."""
        return isinstance(line.pool, Outlet) and line.pool.works

    def held(self) -> Iterator[list[str]]:
        """Yield the keys of the ledger which each connection holds."""
        return (permit.keys for permit in self.permits)

    async def close(self, grace: float) -> None:
        """Begin nothing more, let what is under way end within `grace` seconds, drop the rest.

        What is dropped is not settled: it is in the spool, and tried again at the next start.
        """
        self.closing = True
        for task in list(self._tasks):
            task.cancel()
        for outlet in list(self.outlets):
            outlet.retire()
        self._empty.clear()
        if self.connections:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), grace)
        for outlet in list(self.outlets):
            for session in [*outlet.sessions, *outlet.parting]:
                session.abort()
