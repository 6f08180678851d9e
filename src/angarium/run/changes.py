"""Changes of the configuration while the server runs: from the files, and from consoles.

    SIGHUP, config reload       the files count again
    config set, config commit   what a console has made of what is in force

Each is checked whole, then brought into force by all processes or by none (`run/reload`), then
noted in the history. One comes after the other, and none while an upgrade is undecided. What a
console has changed is on no disk before `config writeback`; a reload undoes it, and says so.

A session of reception which began before a reload ends at its next MAIL; after a change it goes on
if all that concerns it is as it was (`inbound/profile`).
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final, Protocol, TypeVar

from angarium.config import writeback
from angarium.config.difference import Change, differences
from angarium.config.errors import told
from angarium.config.history import History
from angarium.config.load import load_snapshot, snapshot
from angarium.config.options import Changes as Kept
from angarium.config.resolve import Configuration
from angarium.config.section import Section
from angarium.console.access import Peer
from angarium.console.errors import CommandError, ConflictError
from angarium.console.server import Applied, Live
from angarium.core.errors import Error
from angarium.run.child import Child
from angarium.run.options import Node as NodeOptions
from angarium.run.plan import RESTART, Plan, endpoints
from angarium.run.reload import Reload
from angarium.run.renewal import Generation
from angarium.run.replace import deaf
from angarium.run.sockets import Change as Opened
from angarium.run.sockets import ListenError, Sockets, shown

T = TypeVar("T")

TOLD: Final = 20  # changes named in the log one by one
SIGNAL: Final = "signal"
START: Final = "start"
CONSOLE: Final = "config "  # how what a console brings is noted
CHANGED: Final = "configuration changed"


class Node(Protocol):
    """The supervisor, as far as a change concerns it."""

    @property
    def generation(self) -> Generation: ...

    @property
    def plan(self) -> Plan: ...

    @property
    def refusal(self) -> str:
        """Return why nothing can be changed now, "" if it can."""
        ...

    def concerned(self) -> Sequence[Child]:
        """Return the children which have to agree."""
        ...

    def changing(self) -> None:
        """A generation is asked for."""
        ...

    def took(self, coming: Generation, what: str) -> None:
        """All children have this generation now; `what` says how it came."""
        ...

    def changed(self) -> None:
        """The change is over, however it went: what waits for that may begin."""
        ...


class Changes:
    """The changes of one supervisor; what commands of the console need of it (`console/server`).

    Args:
        account: notes who gave which command, and what came of it.
        files: the snapshot the files were last read as; what is in force, if nothing else is said.

    Attributes:
        busy: a change is under way, from its first look at the files to its place in the history.
    """

    def __init__(
        self,
        node: Node,
        sockets: Sockets,
        log: Any,
        account: Callable[[Peer, str, int], None],
        files: bytes = b"",
    ) -> None:
        self._node = node
        self._sockets = sockets
        self._log = log
        self._account = account
        self._reload: Reload | None = None
        self._free = asyncio.Event()
        self._free.set()
        self._left_out: list[str] = []
        # One thread for what takes long. It never hears a signal: those are for the loop.
        self._work = ThreadPoolExecutor(1, "aside", deaf)
        self._under_way: set[asyncio.Task[Any]] = set()
        self._read = b""  # the files, for an upgrade
        self.busy = False
        self.files = files or node.generation.snapshot

    # What the supervisor asks and tells.

    def join(self, child: Child) -> None:
        """A child has been started with the generation in force."""
        if self._reload is not None:
            self._reload.join(child)

    def ended(self, child: Child) -> None:
        if self._reload is not None:
            self._reload.ended(child)

    def prepared(self, child: Child, generation: int, refusal: str) -> bool:
        """Take an answer of a child; say whether it was one to us."""
        if self._reload is None or self._reload.generation != generation:
            return False
        self._reload.answered(child, refusal)
        return True

    def kept(self) -> bytes:
        """Return what the files were, for the program in our place; b"" if that is in force."""
        return b"" if self.files == self._node.generation.snapshot else self.files

    def coming(self) -> bytes:
        """Return what new workers of an upgrade begin with. Raises ConfigError.

        What was changed while running is not undone by an upgrade; only where all that is in force
        came from the files are they read again.
        """
        if self.kept():
            self._log.warning(
                "changes made while running are kept, and the files are not read; see config diff"
            )
            return self._node.generation.snapshot
        self._read = snapshot(str(self._node.plan.config_path))
        return self._read

    def upgraded(self) -> None:
        """An upgrade has brought another generation: note it."""
        if self._node.generation.snapshot == self._read:
            self.files = self._read
        self.record(SIGNAL, "upgrade")

    def close(self) -> None:
        """Nothing is changed any more; what is being noted is waited for."""
        for each in self._under_way:
            each.cancel()
        self._work.shutdown(cancel_futures=True)

    # By a signal.

    def reload(self) -> None:
        """Read the files and bring them into force, or log why not; only while not `busy`."""
        self._take_turn()
        self._spawn(self._by_signal())

    async def _by_signal(self) -> None:
        try:
            applied = await self._reload_from("", SIGNAL)
        except (Error, OSError) as error:
            self._log.error("reload refused, the old configuration stays", reason=str(error))
            return
        finally:
            self._end_turn()
        for each in applied.lost[:TOLD]:
            self._log.warning("not written before the reload, and gone", change=str(each))
        if len(applied.lost) > TOLD:
            self._log.warning("not written before the reload, and gone", more=len(applied.lost))

    def _log_notes(self, coming: Generation, opened: Opened) -> None:
        for note in told(coming.configuration.notes, str(self._node.plan.config_path)):
            self._log.warning(note)
        for option in self._node.plan.needs_restart(coming.configuration):
            self._log.warning("needs restart", option=option)
        for where in opened.left_out:
            self._log.warning("needs restart", listen=shown(where))

    # By a console.

    @property
    def live(self) -> Live:
        now = self._node.generation
        return Live(now.number, now.snapshot, now.configuration)

    @property
    def waiting(self) -> Mapping[str, str]:
        options = self._node.plan.waiting(self._node.generation.configuration)
        return options | {f"listen {each}": RESTART for each in self._left_out}

    async def apply(self, snapshot: bytes, base: bytes, who: str, how: str) -> Applied:
        return await self._alone(partial(self._apply, snapshot, base, who, how))

    async def _apply(self, snapshot: bytes, base: bytes, who: str, how: str) -> Applied:
        before = self._node.generation
        if before.snapshot != base:
            raise ConflictError("something else is in force than what the change was begun on")
        configuration = await self.aside(_loaded, snapshot, before)
        coming = Generation(before.number + 1, snapshot, configuration)
        await self._bring(coming, reload=False)
        return await self._noted(before, coming, b"", who, how)

    async def reload_from(self, path: str, who: str) -> Applied:
        return await self._alone(partial(self._reload_from, path, who))

    async def _reload_from(self, path: str, who: str) -> Applied:
        before, text = self._node.generation, await self.read(path)
        configuration = await self.aside(_loaded, text, before)
        coming = Generation(before.number + 1, text, configuration)
        await self._bring(coming, reload=True)
        files, self.files = self.files, text
        how = "reload" if who == SIGNAL else f"config reload {path}".strip()
        return await self._noted(before, coming, files, who, how)

    async def read(self, path: str = "") -> bytes:
        return await self.aside(snapshot, path or str(self._node.plan.config_path))

    async def write_back(self, path: str) -> Sequence[str]:
        return await self._alone(partial(self._write_back, path))

    async def _write_back(self, path: str) -> Sequence[str]:
        now = self._node.generation.snapshot
        if path:
            await self.aside(writeback.write_to, path, now)
            return [path]
        written = await self.aside(writeback.write, self.files, now)
        self.files = now
        return written

    @property
    def history(self) -> History:
        limits = self._node.generation.configuration.top(Kept)
        return History(str(self._node.plan.history_folder), limits)

    @property
    def started(self) -> Configuration:
        return self._node.plan.configuration

    def account(self, peer: Peer, line: str, verdict: int) -> None:
        self._account(peer, line, verdict)

    async def aside(self, work: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._work, work, *arguments)

    # For both.

    async def _alone(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do this when nothing else is under way; to the end, whoever still waits for it."""
        return await asyncio.shield(self._spawn(self._in_turn(work)))

    async def _in_turn(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        while self.busy:
            await self._free.wait()
        if reason := self._node.refusal:
            raise CommandError(reason)
        self._take_turn()
        try:
            return await work()
        finally:
            self._end_turn()

    def _take_turn(self) -> None:
        self.busy = True
        self._free.clear()

    def _end_turn(self) -> None:
        self.busy = False
        self._free.set()
        self._node.changed()

    def _spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.ensure_future(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def _bring(self, coming: Generation, *, reload: bool) -> None:
        """Let all children go over to a generation, or none. Raises CommandError."""
        try:
            opened = self._sockets.change(endpoints(coming.configuration), running=True)
        except ListenError as error:
            raise CommandError(str(error)) from error
        if reload:
            self._log_notes(coming, opened)
        decided: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._begin(coming, opened, decided.set_result, reload=reload)
        if refusal := await decided:
            raise CommandError(f"refused, and nothing has changed: {refusal}")

    def _begin(
        self,
        coming: Generation,
        opened: Opened,
        done: Callable[[str], None],
        *,
        reload: bool,
    ) -> None:
        self._node.changing()
        self._reload = Reload(
            coming.number,
            coming.snapshot,
            coming.configuration,
            opened,
            self._node.concerned(),
            partial(self._decided, coming, opened, done, "reloaded" if reload else CHANGED),
            reload=reload,
            slow=lambda names: self._log.warning("reload: no answer yet", waiting_for=names),
            slow_seconds=coming.configuration.top(NodeOptions).command_timeout,
        )
        self._reload.begin()

    def _decided(
        self,
        coming: Generation,
        opened: Opened,
        done: Callable[[str], None],
        what: str,
        refusal: str,
    ) -> None:
        self._reload = None
        if not refusal:
            self._left_out = [shown(where) for where in opened.left_out]
            self._node.took(coming, what)
        done(refusal)

    async def _noted(
        self, before: Generation, coming: Generation, files: bytes, who: str, how: str
    ) -> Applied:
        """Note a generation in the history; return what came into force.

        Args:
            files: what the files were, if they were read again.
        """
        changes, lost = await self.aside(_compared, before, coming, files)
        await self._record(coming.snapshot, who, how, changes)
        known = {(each.file, each.message) for each in before.configuration.notes}
        return Applied(
            coming.number,
            changes,
            self.waiting,
            self._node.plan.waiting(before.configuration),
            lost,
            [each for each in coming.configuration.notes if (each.file, each.message) not in known],
        )

    def begun(self) -> None:
        """The server starts with what is in the files: note it, and what it may have undone."""
        self._spawn(self._note_start())

    async def _note_start(self) -> None:
        now = self._node.generation
        try:
            last = (await self.aside(self.history.revisions))[-1:]
        except Error:
            last = []  # Whoever cannot read it cannot write to it either, and says so below.
        if last and last[0].how.startswith(CONSOLE) and last[0].hash != now.configuration.text_hash:
            self._log.warning(
                "what was in force before was changed by the console, and the files are not that; "
                "see config history and config diff",
                revision=last[0].revision,
                who=last[0].who,
            )
        await self._record(now.snapshot, START, START, [])

    def record(self, who: str, how: str) -> None:
        """Note what is in force, if it is not what the history ends with."""
        self._spawn(self._record(self._node.generation.snapshot, who, how, []))

    async def _record(self, snapshot: bytes, who: str, how: str, changes: Sequence[Change]) -> None:
        try:
            await self.aside(self.history.record, snapshot, who, how, changes)
        except (Error, OSError) as error:
            self._log.error("not noted in the history of configurations", reason=str(error))


def _loaded(snapshot: bytes, before: Generation) -> Configuration:
    """Return the configuration which comes after a generation. Raises ConfigError."""
    return load_snapshot(snapshot, before.number + 1, held=before.configuration.held)


def _root(snapshot: bytes) -> Section:
    """Return what a snapshot means; files which it names may have gone."""
    return load_snapshot(snapshot, files=False).root


def _compared(
    before: Generation, coming: Generation, files: bytes
) -> tuple[list[Change], list[Change]]:
    old, new = before.configuration.root, coming.configuration.root
    changes = differences(old, new)
    if not files or files == before.snapshot or not changes:
        return changes, []
    made = {(each.path, each.option) for each in differences(_root(files), old)}
    return changes, [each for each in changes if (each.path, each.option) in made]
