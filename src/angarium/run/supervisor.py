"""The first process: opens sockets, drops privileges, starts and restarts the rest.

It handles no mail and holds no queue, so it can hardly fail; while it lives, a worker that dies
costs the sessions of that worker and nothing else. What it does on each signal:

    SIGHUP   reload in two phases; logs are reopened even if the reload fails
    SIGUSR1  reopen the logs only
    SIGUSR2  upgrade: everything becomes the program on the disk, this process too (`run/renewal`)
    SIGTERM  drain for shutdown_timeout, then end; SIGINT the same; a second one at once

A reload and an upgrade never go on at once: the one that comes second waits.
"""

import asyncio
import signal
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from importlib.metadata import version
from typing import Any, Final

from angarium.core.clock import Clock
from angarium.events.checkpoint import passed
from angarium.journal.disk import FileDisk
from angarium.queue.ledger import LedgerTable
from angarium.queue.spool.options import Spooling
from angarium.run import handover, link, shards, traces
from angarium.run.accounts import Accounts
from angarium.run.aides import MONITOR, WEB, Aides, Overheard, Postmaster, sockets_of
from angarium.run.alarm import Panics
from angarium.run.beside import Beside, words
from angarium.run.changes import Changes
from angarium.run.child import Child
from angarium.run.consoles import Consoles
from angarium.run.fleet import GRACE_SECONDS, Fleet, Slot
from angarium.run.handover import Handover, KeptSolo
from angarium.run.hose import panics_of
from angarium.run.node import Node as Processes
from angarium.run.nodewide import NodeWide
from angarium.run.options import Node
from angarium.run.outside import Outside
from angarium.run.plan import Plan, workers_of
from angarium.run.privileges import allow_descriptors
from angarium.run.progress import Progress
from angarium.run.renewal import Generation, Renewal
from angarium.run.replace import hear
from angarium.run.retire import Keep, Retiring
from angarium.run.scoreboard import HOSE, Scoreboard
from angarium.run.sockets import Sockets
from angarium.run.solo import Solo
from angarium.run.watchdog import Watchdog

HASTE_SECONDS: Final = 2.0  # at the second signal: to close shards; who has not by then is killed


class Supervisor:
    """Runs one node until it is told to stop.

    Args:
        lock: descriptor of the lock of the state directory; kept as long as we run.
        given: what the program before us left, if we have taken its place.
    """

    def __init__(
        self,
        plan: Plan,
        sockets: Sockets,
        clock: Clock,
        log: Any,
        panics: Panics | None = None,
        *,
        lock: int = -1,
        given: Handover | None = None,
        outside: Outside | None = None,
    ) -> None:
        outside = outside or Outside()
        self._plan = plan
        self._sockets = sockets
        self._clock = clock
        self._aides = Aides(self, clock, log, outside.spawn)
        self._log = log = Overheard(log, partial(self._aides.tell, MONITOR))
        self._panics = Panics() if panics is None else panics
        self._lock = lock
        self._given = given
        configuration = plan.configuration
        self.generation = Generation(configuration.generation, plan.snapshot, configuration)
        self._workers = plan.workers if given is None else len(given.slots)
        self._coming = 0  # workers, of an upgrade
        board = plan.run_folder / "scoreboard"
        if given is None:
            self._scoreboard = Scoreboard.fresh(board)
            self._ledger = LedgerTable(plan.columns)
        else:
            self._scoreboard = Scoreboard(board)
            self._ledger = LedgerTable.resumed(given.ledger)
        limit = configuration.top(Node).crash_limit
        self._fleet = Fleet(self, clock, self._scoreboard, self._ledger, limit, log, outside.spawn)
        readers = partial(passed, plan.hose_folder)
        self._retiring = Retiring(plan.state, readers, FileDisk(), clock, log)
        self._watchdog = Watchdog(self._scoreboard, clock, log)
        self._finished = asyncio.Event()
        self._sink = Beside(words(plan.sink), clock, log, self._finished.set) if plan.sink else None
        self._hose = Solo(self, clock, log, outside.spawn)
        self._post = Postmaster(self._aides)
        self._wide = NodeWide(plan.state, clock, anew=given is None)
        self._accounts = Accounts(clock, log)
        self._accounts.use(plan.configuration, plan.state)
        files, kept = (given.files, given.node) if given else (b"", None)
        self._changes = Changes(self, sockets, log, self._accounts.write, files)
        self._node = Processes(self, clock, kept, state=plan.state, warn=log.error)
        self._consoles = Consoles(self._changes, self._node, sockets, clock, log)
        progress = Progress(plan.run_folder, clock.time, given.upgrade if given else 0)
        self._renewal = Renewal(self, plan, sockets, progress, clock, log, outside.program)
        self._waiting: list[Callable[[], None]] = []  # for a reload or an upgrade to be over
        self._notify, self._announced = outside.notify, given is not None and given.announced

    async def run(self, announce: Callable[[], None]) -> None:
        """Start everything; return when everything has ended.

        Args:
            announce: called once, when every listener accepts.
        """
        self._announce = announce
        loop = asyncio.get_running_loop()
        for number, reaction in (
            (signal.SIGHUP, self.reload),
            (signal.SIGUSR1, self._reopen),
            (signal.SIGUSR2, self.upgrade),
            (signal.SIGTERM, self.stop),
            (signal.SIGINT, self.stop),
        ):
            loop.add_signal_handler(number, reaction)
        hear()
        self._wide.open()
        if self._given is None:
            self._start()
        else:
            self._resume(self._given)
        self._second()
        try:
            kept = self._given.control if self._given is not None else None
            await self._consoles.open(self._plan.run_folder, kept)
            await self._finished.wait()
            self._milestone("stopped")
        finally:
            for close in (
                self._consoles.close, self._changes.close, self._accounts.close, self._panics.close,
                self._sockets.close, self._ledger.close, self._scoreboard.close, self._notify.close,
            ):  # fmt: skip
                close()

    def _start(self) -> None:
        self._changes.begun()
        self._hose.start()
        self._aides.use(self._plan.configuration)
        if self._sink is not None:
            self._sink.start()
        found = shards.existing(self._plan.spool_folder)
        self._fleet.start(shards.assign(found, self._workers))

    def _resume(self, given: Handover) -> None:
        """Go on where the program before us was: in the middle of an upgrade."""
        self._hose.resume(given.hose)
        self._aides.resume(given.aides)
        self._aides.use(self._plan.configuration)
        self._fleet.resume(given.slots, given.suspects)
        if self._sink is not None:
            self._sink.resume(given.sink or 0)
        for name in given.ownerless:
            self._retiring.add(name)
        self._node.resumed()
        if given.reload:
            self._wait(self.reload)
        self.take_over()

    # -- changes of the configuration -----------------------------------------------------

    def reload(self) -> None:
        """Bring a changed configuration into force, or say why not."""
        self._reopen()
        if self._changes.busy:
            self._log.info("reload waits: another one is under way")
            self._wait(self.reload)
        elif self._renewal.undecided:
            self._log.info("reload waits: an upgrade is under way")
            self._wait(self.reload)
        else:
            self._changes.reload()

    @property
    def plan(self) -> Plan:
        return self._plan

    @property
    def refusal(self) -> str:
        if self._fleet.stopping:
            return "the server stops"
        return "an upgrade is under way; ask again when it is over" * self._renewal.undecided

    def concerned(self) -> list[Child]:
        return self._with_hose(self._fleet.staying)

    def changing(self) -> None:
        self._notify.reloading("reloading")

    def changed(self) -> None:
        self._over()

    def took(self, coming: Generation, what: str) -> None:
        self._use(coming)
        self._milestone(f"{what}, generation {coming.number}")

    def _use(self, coming: Generation) -> None:
        self._panics.use(panics_of(coming.configuration, self._plan.state, self._clock))
        self._accounts.use(coming.configuration, self._plan.state)
        self.generation = coming
        self._aides.use(coming.configuration)
        self._consoles.use(coming.configuration)
        self._fleet.crash_limit = coming.configuration.top(Node).crash_limit

    def _wait(self, for_: Callable[[], None]) -> None:
        """Do something when no reload and no upgrade is in its way; the same only once."""
        if for_ not in self._waiting:
            self._waiting.append(for_)

    def _over(self) -> None:
        """A reload is over, or an upgrade is decided."""
        self._notify.ready(f"{self._workers} workers, generation {self.generation.number}")
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each()

    # -- upgrade --------------------------------------------------------------------------

    def upgrade(self) -> None:
        """Replace everything by the program on the disk, or say why not."""
        if self._changes.busy:
            self._log.info("upgrade waits: a change of the configuration is under way")
            self._wait(self.upgrade)
            return
        self._renewal.begin()
        if self._renewal.undecided:
            self._notify.reloading("upgrading")

    def take_over(self) -> None:
        """Go on with an upgrade, in the place of the program before us."""
        self._renewal.take_over()

    @property
    def busy(self) -> str:
        if self._fleet.stopping:
            return "the server stops"
        return "workers are leaving" if self._fleet.upgrading or self._fleet.settling else ""

    @property
    def at_rest(self) -> bool:
        return all(child.at_rest for child in self.children())

    def _with_hose(self, workers: Sequence[Child]) -> list[Child]:
        return [*workers, *([self._hose.child] if self._hose.child else [])]

    def hand_over(self, *, draft: bool) -> Handover:
        # Of children a draft says nothing: to keep them is to hear them no more.
        slots, hose, aides = [], KeptSolo(0.0, 0, None), {}
        if not draft:
            slots, hose, aides = self._fleet.keep(), self._hose.keep(), self._aides.keep()
        return Handover(
            version=handover.VERSION,
            common=handover.COMMON,
            release=version("angarium"),
            generation=self.generation.number,
            snapshot=self.generation.snapshot,
            files=self._changes.kept(),
            config_path=str(self._plan.config_path),
            state=str(self._plan.state),
            pidfile=str(self._plan.pidfile) if self._plan.pidfile is not None else None,
            upgrade=self._renewal.progress.number,
            announced=self._announced,
            reload=self.reload in self._waiting,
            lock=self._lock,
            listening=self._sockets.descriptors(),
            ledger=self._ledger.keep(),
            slots=slots,
            suspects=dict(self._fleet.suspects),
            ownerless=sorted(self._retiring.names),
            hose=hose,
            aides=aides,
            sink=self._sink.pid if self._sink is not None else None,
            control=self._consoles.descriptor,
            node=self._node.keep(),
            held=self.generation.configuration.held,
        )

    def go_on(self) -> None:
        self._fleet.go_on()
        self._hose.go_on()
        self._aides.go_on()

    def renew_hose(self, done: Callable[[], None]) -> None:
        self._hose.renew(done)

    def renew_workers(self, coming: Generation) -> None:
        allow_descriptors(coming.configuration.top(Node).server_max_file_descriptors)
        wanted = workers_of(coming.configuration)
        workers = min(wanted, self._ledger.workers - len(self._fleet.slots))
        if workers < wanted:
            self._log.warning("needs restart", option="eventloop.concurrency", until=workers)
        self._coming = workers
        self._renewal.started(workers)
        self._fleet.replace(workers, coming.configuration.top(Node).upgrade_timeout)

    def coming(self) -> bytes:
        return self._changes.coming()

    def upgraded(self, leaving: Sequence[int]) -> None:
        self._renewal.upgraded(leaving)

    def use(self, coming: Generation) -> None:
        self._workers = self._coming
        self._plan = self._plan.changed(coming.snapshot, coming.configuration)
        self._use(coming)
        self._aides.renew()
        self._hose.send(link.Prepare(coming.number, coming.snapshot))
        if self._sink is not None and self._plan.sink is not None:
            self._sink.change(words(self._plan.sink))
        self._milestone(f"upgraded, generation {coming.number}")
        self._changes.upgraded()
        self._over()

    def upgrade_failed(self, reason: str) -> None:
        self._renewal.fail(reason)

    def handed_on(self, shards: Sequence[str], heir: int) -> None:
        if self._renewal.under_way:
            self._renewal.progress.note("adopting", f"worker {heir} adopts {', '.join(shards)}")

    def settled(self, refused: Mapping[str, str]) -> None:
        self._renewal.settled(refused)

    def renewed(self) -> None:
        self._over()

    # -- stop -----------------------------------------------------------------------------

    def stop(self) -> None:
        """Drain and end; the second time at once."""
        seconds = self.generation.configuration.top(Node).shutdown_timeout
        grace = GRACE_SECONDS
        if self._fleet.stopping:
            seconds, grace = 0.0, HASTE_SECONDS
        self._milestone(f"stopping, within {seconds:g} s")
        self._notify.stopping(f"stopping, within {seconds:g} s")
        self._waiting.clear()
        self._renewal.stop()
        asyncio.get_running_loop().call_later(seconds + grace, self._fleet.kill)
        self._fleet.drain(seconds)

    def left(self) -> None:
        """A worker drained and went; when it was the last, let the hose write what is left."""
        if not self._fleet.stopping or self._fleet.children:
            return
        if self._hose.child is None:
            self._aides.drain()  # Workers and hose are gone: so may be who watched them.
        else:
            self._hose.drain(self._hose.child)

    def aides_left(self) -> None:
        """The sink goes last, as mail went to it."""
        if self._sink is not None and self._sink.running:
            self._sink.stop()
        else:
            self._finished.set()

    # -- each second ----------------------------------------------------------------------

    def _second(self) -> None:
        """Look after what nobody else does; once a second."""
        top = self.generation.configuration.top
        spooling = top(Spooling)
        self._retiring.sweep(Keep(spooling.event_retention, spooling.event_retention_size))
        processes = [(slot.number, slot.child) for slot in self._fleet.slots.values() if slot.child]
        if self._hose.child is not None:
            processes.append((HOSE, self._hose.child))
        processes += self._aides.watched
        self._watchdog.look(processes, top(Node).watchdog_interval)
        self._notify.alive(self._clock.monotonic())
        self._wide.look(self._fleet, self._ledger, self._workers, self.generation.number)
        if not self._finished.is_set():
            asyncio.get_running_loop().call_later(1.0, self._second)

    def _milestone(self, text: str) -> None:
        """Tell of a start, a stop, a reload: in the paniclogs too, as 5.3 does."""
        self._log.info(text)
        self._panics.write("Milestone", text)

    def _reopen(self) -> None:
        self._panics.reopen()
        self._accounts.close()
        self._fleet.send(link.Reopen())
        self._aides.tell(WEB, link.Reopen())
        self._hose.send(link.Reopen())

    # -- children -------------------------------------------------------------------------

    def _start_message(
        self, number: int, names: list[str], poison: list[int], of: Generation, workers: int
    ) -> link.Start:
        state, held = str(self._plan.state), of.configuration.held
        return link.Start(number, workers, state, of.number, of.snapshot, names, poison, held=held)

    def launch(self, slot: Slot, poison: list[int]) -> tuple[link.Start, dict[str, int]]:
        coming, sockets = self._renewal.coming, self._sockets.handed()
        of, workers = self.generation, self._workers
        if slot.joining and coming is not None:
            of, workers, sockets = coming, self._coming, self._renewal.descriptors()
        start = self._start_message(slot.number, slot.shards, poison, of, workers)
        return start, sockets | self._ledger.descriptors(slot.number)

    def joined(self, child: Child) -> None:
        self._changes.join(child)
        self._node.joined(child)

    def died(self, child: Child) -> None:
        if trace := traces.take(self._plan.run_folder, child.name, child.pid):
            self._log.error("last words", who=child.name, pid=child.pid, trace=trace)
        self._changes.ended(child)
        self._node.died(child)
        self._wide.bury(child)

    def ended_at(self, place: int, child: Child) -> None:
        self._scoreboard.still(place)
        self.died(child)

    def children(self) -> Sequence[Child]:
        return [*self._with_hose(self._fleet.children), *self._aides.children]

    def ownerless(self) -> Collection[str]:
        return self._retiring.names

    def hose_start(self) -> link.Start:
        return self._start_message(0, [], [], self.generation, self._workers)

    def aide_start(self, name: str) -> tuple[link.Start, dict[str, int]]:
        return self.hose_start(), sockets_of(name, self._sockets.handed())

    def hose_ended(self, child: Child) -> None:
        self.ended_at(HOSE, child)
        if self._fleet.stopping and not self._fleet.children:
            self._aides.drain()

    def hose_wanted(self) -> bool:
        return not self._fleet.stopping or bool(self._fleet.children)

    def received(self, child: Child, message: link.Message) -> None:
        match message:
            case link.Ready() if child is self._hose.child:
                self._hose.is_ready()
            case link.Ready() if child in self._aides.children:
                pass
            case link.Ready():
                self._fleet.is_ready()
                self._maybe_announce()
            case link.Prepared(generation, refusal):
                self._prepared(child, generation, refusal)
            case link.Adopted(shard, refusal):
                self._fleet.adopted(shard, refusal)
            case link.Released(shard):
                self._fleet.released(shard)
                self._retiring.add(shard)
            case link.Quarantined(ident):
                self._fleet.quarantined(ident)
            case link.Post():
                self._post.post(message, self._fleet.staying)
            case link.Posted():
                self._post.posted(message)
            case link.Counted():
                self._node.counted(message)
            case link.Meanwhile() | link.Answered():
                self._node.received(message)
            case link.Renewed():
                self._consoles.renewed()
            case link.Alarm(text):
                self._log.error(text, process=child.name)
            case _:
                self._log.error("unexpected message", process=child.name, message=repr(message))

    def _prepared(self, child: Child, generation: int, refusal: str) -> None:
        known = self._changes.prepared(child, generation, refusal)
        if not known and child is self._hose.child and generation == self.generation.number:
            # After an upgrade, in which workers begin with the generation.
            if refusal:
                self._log.error("the hose keeps the old configuration", reason=refusal)
            child.send(link.Abort(generation) if refusal else link.Commit(generation))

    def _maybe_announce(self) -> None:
        if not self._announced and self._fleet.ready:
            self._announced = True
            release = version("angarium")
            self._milestone(f"Angarium {release} started, generation {self.generation.number}")
            self._announce()
            self._notify.ready(f"{self._workers} workers, generation {self.generation.number}")
