"""The first process: opens sockets, drops privileges, starts and restarts the rest.

It handles no mail and holds no queue, so it can hardly fail; while it lives, a worker that dies
costs the sessions of that worker and nothing else. What it does on each signal:

    SIGHUP   reload in two phases; logs are reopened even if the reload fails
    SIGUSR1  reopen the logs only
    SIGUSR2  upgrade: new workers beside the old ones, which finish and hand their shards over
    SIGTERM  drain for shutdown_timeout, then end; SIGINT the same; a second one at once
"""

import asyncio
import signal
from collections.abc import Callable, Collection
from functools import partial
from importlib.metadata import version
from typing import Any, Final

from angarium.config.errors import ConfigError
from angarium.config.load import load_snapshot, snapshot
from angarium.core.clock import Clock
from angarium.events.checkpoint import passed
from angarium.journal.disk import FileDisk
from angarium.queue.ledger import LedgerTable
from angarium.run import link, shards
from angarium.run.alarm import Panics
from angarium.run.beside import Beside
from angarium.run.child import Backoff, Child
from angarium.run.fleet import GRACE_SECONDS, Fleet, Slot
from angarium.run.hose import panics_of
from angarium.run.options import Node, Sink
from angarium.run.plan import Plan, endpoints, workers_of
from angarium.run.readings import Readings
from angarium.run.reload import Reload
from angarium.run.retire import Retiring
from angarium.run.scoreboard import Scoreboard
from angarium.run.sockets import ListenError, Sockets, shown

HOSE: Final = "angarium.run.scribe"
HASTE_SECONDS: Final = 2.0  # at the second signal: to close shards; who has not by then is killed
HOSE_SECONDS: Final = 5.0  # to write what is left, after the workers have gone


class Supervisor:
    """Runs one node until it is told to stop.

    Args:
        spawn: starts a child; another one in the tests.
    """

    def __init__(
        self,
        plan: Plan,
        sockets: Sockets,
        clock: Clock,
        log: Any,
        panics: Panics | None = None,
        spawn: Callable[..., Child] = Child,
    ) -> None:
        self._plan = plan
        self._sockets = sockets
        self._clock = clock
        self._log = log
        self._panics = Panics() if panics is None else panics
        self._snapshot = plan.snapshot
        self._configuration = plan.configuration
        self._generation = plan.configuration.generation
        self._workers = plan.workers
        self._scoreboard = Scoreboard.fresh(plan.run_folder / "scoreboard")
        Readings.fresh(plan.run_folder / "readings").close()
        self._ledger = LedgerTable(plan.columns)
        limit = plan.configuration.top(Node).crash_limit
        self._fleet = Fleet(self, clock, self._scoreboard, self._ledger, limit, log, spawn)
        readers = partial(passed, plan.hose_folder)
        self._retiring = Retiring(plan.spool_folder, plan.run_folder, readers, FileDisk(), log)
        self._sink = _sink(plan.sink, clock, log, self._sink_ended) if plan.sink else None
        self._spawn = spawn
        self._hose: Child | None = None
        self._hose_backoff = Backoff()
        self._hose_started = 0.0
        self._reload: Reload | None = None
        self._announced = False
        self._finished = asyncio.Event()

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
            (signal.SIGUSR2, self._upgrade),
            (signal.SIGTERM, self.stop),
            (signal.SIGINT, self.stop),
        ):
            loop.add_signal_handler(number, reaction)
        self._start_hose()
        if self._sink is not None:
            self._sink.start()
        found = shards.existing(self._plan.spool_folder)
        self._fleet.start(shards.assign(found, self._workers))
        self._second()
        try:
            await self._finished.wait()
            self._milestone("stopped")
        finally:
            self._panics.close()
            self._sockets.close()
            self._ledger.close()
            self._scoreboard.close()

    def reload(self) -> None:
        """Bring a changed configuration into force, or say why not."""
        self._reopen()
        if self._reload is not None:
            self._log.warning("reload refused: another one is under way")
            return
        generation = self._generation + 1
        try:
            text = snapshot(str(self._plan.config_path))
            configuration = load_snapshot(text, generation=generation)
            change = self._sockets.change(endpoints(configuration), running=True)
        except (ConfigError, ListenError, OSError) as error:
            self._log.error("reload refused, the old configuration stays", reason=str(error))
            return
        for note in configuration.notes:
            self._log.warning(str(note))
        for option in self._plan.needs_restart(configuration):
            self._log.warning("needs restart", option=option)
        for where in change.left_out:
            self._log.warning("needs restart", listen=shown(where))
        children = [*self._fleet.staying, *([self._hose] if self._hose else [])]
        self._reload = Reload(
            generation,
            text,
            configuration,
            change,
            children,
            self._reloaded,
            slow=lambda names: self._log.warning("reload: no answer yet", waiting_for=names),
            slow_seconds=configuration.top(Node).command_timeout,
        )
        self._reload.begin()

    def _reloaded(self, refusal: str) -> None:
        done, self._reload = self._reload, None
        assert done is not None
        if refusal:
            self._log.error("reload refused, the old configuration stays", reason=refusal)
            return
        self._panics.use(panics_of(done.configuration, self._plan.state, self._clock))
        self._generation = done.generation
        self._snapshot, self._configuration = done.snapshot, done.configuration
        self._fleet.crash_limit = self._configuration.top(Node).crash_limit
        self._milestone(f"reloaded, generation {self._generation}")

    def stop(self) -> None:
        """Drain and end; the second time at once."""
        seconds, grace = self._configuration.top(Node).shutdown_timeout, GRACE_SECONDS
        if self._fleet.stopping:
            seconds, grace = 0.0, HASTE_SECONDS
        self._milestone(f"stopping, within {seconds:g} s")
        asyncio.get_running_loop().call_later(seconds + grace, self._fleet.kill)
        self._fleet.drain(seconds)

    def _upgrade(self) -> None:
        if self._fleet.stopping or self._fleet.upgrading:
            self._log.warning("upgrade refused: workers are leaving")
            return
        wanted = workers_of(self._configuration)
        self._workers = min(wanted, self._plan.columns - len(self._fleet.slots))
        if self._workers < wanted:
            self._log.warning("needs restart", option="eventloop.concurrency", until=self._workers)
        self._log.info("upgrade: starting new workers", workers=self._workers)
        if self._hose is not None:
            # It is the one that reads what new workers write.
            self._hose.send(link.Drain(HOSE_SECONDS))
        self._fleet.replace(self._workers, self._configuration.top(Node).upgrade_timeout)

    def _second(self) -> None:
        """Look after what nobody else does; once a second."""
        self._retiring.sweep()
        if not self._finished.is_set():
            asyncio.get_running_loop().call_later(1.0, self._second)

    def _milestone(self, text: str) -> None:
        """Tell of a start, a stop, a reload: in the paniclogs too, as 5.3 does."""
        self._log.info(text)
        self._panics.write("Milestone", text)

    def _reopen(self) -> None:
        self._panics.reopen()
        self._fleet.send(link.Reopen())
        if self._hose is not None:
            self._hose.send(link.Reopen())

    def _start_message(self, number: int, names: list[str], poison: list[int]) -> link.Start:
        return link.Start(
            number=number,
            workers=self._workers,
            state=str(self._plan.state),
            generation=self._generation,
            snapshot=self._snapshot,
            shards=names,
            poison=poison,
        )

    def launch(self, slot: Slot, poison: list[int]) -> tuple[link.Start, dict[str, int]]:
        start = self._start_message(slot.number, slot.shards, poison)
        return start, self._sockets.descriptors() | self._ledger.descriptors(slot.number)

    def joined(self, child: Child) -> None:
        if self._reload is not None:
            self._reload.join(child)

    def ownerless(self) -> Collection[str]:
        return self._retiring.names

    def _start_hose(self) -> None:
        self._hose_started = self._clock.monotonic()
        start = self._start_message(0, [], [])
        self._hose = self._spawn(HOSE, "hose", start, {}, self.received, self._hose_ended)
        self.joined(self._hose)

    def _hose_ended(self, child: Child, status: int) -> None:
        self._hose = None
        self.died(child)
        if self._fleet.stopping and not self._fleet.children:
            self._last()
            return
        wait = self._hose_backoff.after(self._clock.monotonic() - self._hose_started)
        if status:
            self._log.error("hose died; mail goes on", status=status, restart_in=wait)
        asyncio.get_running_loop().call_later(wait, self._restart_hose)

    def _restart_hose(self) -> None:
        if not self._fleet.stopping or self._fleet.children:
            self._start_hose()

    def died(self, child: Child) -> None:
        if self._reload is not None:
            self._reload.ended(child)

    def left(self) -> None:
        """A worker drained and went; when it was the last, let the hose write what is left."""
        if not self._fleet.stopping or self._fleet.children:
            return
        if self._hose is None:
            self._last()
            return
        self._hose.send(link.Drain(HOSE_SECONDS))
        asyncio.get_running_loop().call_later(HOSE_SECONDS, self._hose.kill)

    def _last(self) -> None:
        """Workers and hose are gone: the sink goes last, as mail went to it."""
        if self._sink is not None and self._sink.running:
            self._sink.stop()
        else:
            self._finished.set()

    def _sink_ended(self) -> None:
        self._finished.set()

    def received(self, child: Child, message: link.Message) -> None:
        match message:
            case link.Ready():
                self._fleet.is_ready()
                self._maybe_announce()
            case link.Prepared(generation, refusal):
                if self._reload is not None and self._reload.generation == generation:
                    self._reload.answered(child, refusal)
            case link.Released(shard):
                self._fleet.released(shard)
                self._retiring.add(shard)
            case link.Quarantined(ident):
                self._fleet.quarantined(ident)
            case link.Alarm(text):
                self._log.error(text, process=child.name)
            case _:
                self._log.error("unexpected message", process=child.name, message=repr(message))

    def _maybe_announce(self) -> None:
        if not self._announced and self._fleet.ready:
            self._announced = True
            release = version("angarium")
            self._milestone(f"Angarium {release} started, generation {self._generation}")
            self._announce()


def _sink(options: Sink, clock: Clock, log: Any, ended: Callable[[], None]) -> Beside:
    words = ["sink", "--listen", options.listen]
    if options.record:
        words += ["--record", options.record]
    if options.script:
        words += ["--script", options.script]
    return Beside(words, clock, log, ended)
