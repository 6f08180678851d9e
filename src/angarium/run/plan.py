"""What a start will do, worked out before anything is touched: files, sockets, user, workers.

Where things lie, for `--state DIR` (without it DIR is the spoolbase):

    DIR/lock            held while a server runs on this state
    DIR/spool/000 ...   the shards
    DIR/run/            scoreboard of the workers
    DIR/hose/           cursors of the text logs
    DIR/config/         the configurations which were in force
    DIR/...             what the configuration names by a relative path, such as log/mainlog.ec
"""

import fcntl
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from angarium.config.errors import ConfigError
from angarium.config.held import Held
from angarium.config.history import FOLDER
from angarium.config.load import load_snapshot, snapshot
from angarium.config.option import OPTIONS
from angarium.config.resolve import Configuration, Endpoint
from angarium.core.errors import Error
from angarium.modules.sign.options import key_files
from angarium.net.options.resolver import Resolver
from angarium.net.options.sockets import ListenSocket
from angarium.net.options.tls_check import files_of
from angarium.queue.spool.options import Spooling
from angarium.run.handover import Handover
from angarium.run.options import EventLoop, Node, Security, Sink
from angarium.run.privileges import Identity, allow_descriptors, become, confine, give, identity
from angarium.run.scoreboard import MAX_WORKERS
from angarium.run.sockets import Manner

LISTENERS = ("esmtp_listener", "http_listener", "control_listener")
LEAST_COLUMNS = 4
STAYING = frozenset({"sink", "spoolbase", "pidfile"})
RESTART = "a restart"
UPGRADE = "`angarium upgrade`"


class StartError(Error):
    """The server cannot start here and now."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A start. `identity` is None where the server stays who it is, `pidfile` with --state.

    `chroot` is where we confine ourselves to; all other paths are as they are inside of it.
    """

    config_path: Path
    snapshot: bytes
    configuration: Configuration
    state: Path
    pidfile: Path | None
    workers: int
    identity: Identity | None
    endpoints: tuple[tuple[Endpoint, Manner], ...]
    sink: Sink | None
    chroot: Path | None = None

    @classmethod
    def make(cls, config_path: Path, state: Path | None) -> Self:
        """Read and check everything. Raises ConfigError or PrivilegeError."""
        # From the state directory, where we are going, a relative path would be another file.
        text = snapshot(str(config_path.absolute()))
        configuration = load_snapshot(text, generation=1)
        who = _identity(configuration)
        if who is not None:  # the last moment at which all of them can be read
            configuration.held = Held.of(
                [*files_of(configuration.root), *key_files.files_of(configuration.root)]
            )
        folder = state or Path(configuration.top(Spooling).spoolbase)
        return cls(
            config_path.absolute(),
            text,
            configuration,
            folder.absolute(),
            Path(configuration.top(Node).pidfile).absolute() if state is None else None,
            workers_of(configuration),
            who,
            endpoints(configuration),
            configuration.top(Sink) if configuration.root.get("sink") else None,
            Path(chroot).absolute() if (chroot := configuration.top(Security).chroot) else None,
        )

    @classmethod
    def resumed(cls, given: Handover) -> Self:
        """Return what the program before us had in force; everything is entered already.

        Raises ConfigError where we do not read its configuration.
        """
        configuration = load_snapshot(
            given.snapshot, given.generation, files=False, held=given.held
        )
        return cls(
            Path(given.config_path),
            given.snapshot,
            configuration,
            Path(given.state),
            Path(given.pidfile) if given.pidfile is not None else None,
            workers_of(configuration),
            None,
            endpoints(configuration),
            configuration.top(Sink) if given.sink is not None else None,
        )

    def changed(self, snapshot: bytes, configuration: Configuration) -> Self:
        """Return the plan after an upgrade to another configuration.

        Whether there is a sink stays as it was: that needs a restart.
        """
        sink = self.sink
        if sink is not None and configuration.root.get("sink"):
            sink = configuration.top(Sink)
        return replace(
            self,
            snapshot=snapshot,
            configuration=configuration,
            workers=workers_of(configuration),
            endpoints=endpoints(configuration),
            sink=sink,
        )

    @property
    def columns(self) -> int:
        """Workers which may exist at once: an upgrade has old and new ones, and may have more."""
        most = max(self.workers, len(os.sched_getaffinity(0)), LEAST_COLUMNS)
        return min(self.workers + most, MAX_WORKERS)

    @property
    def spool_folder(self) -> Path:
        return self.state / "spool"

    @property
    def run_folder(self) -> Path:
        return self.state / "run"

    @property
    def history_folder(self) -> Path:
        return self.state / FOLDER

    @property
    def hose_folder(self) -> Path:
        return self.state / "hose"

    def enter(self) -> int:
        """Make the directories, take the lock, drop privileges; return the lock's descriptor.

        Raises:
            StartError: another server works on this state.
            PrivilegeError: we cannot be confined to the chroot.
        """
        allow_descriptors(self.configuration.top(Node).server_max_file_descriptors)
        os.umask(0o027)
        if self.chroot is not None:
            confine(self.chroot)
        for folder in (self.state, self.spool_folder, self.run_folder, self.hose_folder):
            folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.state / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(lock)
            raise StartError(
                "another server works on this state directory; stop it or name another by --state",
                state=str(self.state),
            ) from error
        # Whoever wants to send a signal reads here to whom.
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        if self.pidfile is not None:
            write_pid(self.pidfile)
        # What the configuration names by a relative path is meant from here, in every process.
        os.chdir(self.state)
        if self.identity is not None:
            give(self.state, self.identity)
            for where, _ in self.endpoints:
                if where.path and os.path.exists(where.path):  # A chroot may hide it.
                    os.chown(where.path, self.identity.uid, self.identity.gid)
            become(self.identity)
            self.configuration.held = self.configuration.held.needed()
        if not os.access(sys.executable, os.X_OK):
            raise StartError(
                "the user of the security stanza cannot run this Python; install it where all may",
                python=sys.executable,
            )
        return lock

    def unreadable(self) -> str:
        """Return why who we have become cannot read the configuration again, or ""."""
        if self.identity is None and self.chroot is None:
            return ""
        try:
            snapshot(str(self.config_path))
        except ConfigError as error:
            return str(error)
        return ""

    def needs_restart(self, changed: Configuration) -> list[str]:
        """Return the options which a reload cannot bring into force, and what will do."""
        return [
            each if will_do == RESTART else f"{each} ({will_do} will do)"
            for each, will_do in self.waiting(changed).items()
        ]

    def waiting(self, changed: Configuration) -> dict[str, str]:
        """Return the options which a reload cannot bring into force, each with what will do."""
        differing = self._differing(changed)
        if workers_of(self.configuration) != workers_of(changed):
            differing.append("eventloop.concurrency")
        stop = self.needs_stop(changed)
        return {each: RESTART if each in stop else UPGRADE for each in differing}

    def needs_stop(self, changed: Configuration) -> list[str]:
        """Return the options which not even an upgrade can bring into force."""
        # Whose the processes are, and where their state lies, is decided once.
        names = STAYING if self.pidfile is not None else STAYING - {"spoolbase", "pidfile"}
        return [
            each
            for each in self._differing(changed)
            if each in names or each.startswith("security.")
        ]

    def _differing(self, changed: Configuration) -> list[str]:
        now, then = self.configuration, changed
        differing = []
        if now.has("sink") is not then.has("sink"):
            differing.append("sink")
        for options in (Node, Security, Spooling, Resolver, Sink):
            old, new = now.top(options), then.top(options)
            differing += [
                each.key
                for each in options.declared
                if not OPTIONS[each.key].dynamic
                and getattr(old, each.attribute) != getattr(new, each.attribute)
            ]
        return list(dict.fromkeys(differing))  # spoolbase is declared at two places


def workers_of(configuration: Configuration) -> int:
    """Return how many workers there are to be: one for each core, if nothing is said."""
    pools = [options.concurrency for _, options in configuration.instances(EventLoop)]
    return next(filter(None, pools), None) or len(os.sched_getaffinity(0))


def endpoints(configuration: Configuration) -> tuple[tuple[Endpoint, Manner], ...]:
    """Return what to listen on, and how."""
    found = []
    for kind in LISTENERS:
        for where in configuration.listens(kind):
            options = configuration.at(ListenSocket, listener=kind, listen=where.name)
            found.append((where, Manner(options.listen_backlog, options.file_mode)))
    return tuple(found)


def _identity(configuration: Configuration) -> Identity | None:
    """Return whom to become: only root can, and only where a security stanza asks for it."""
    if os.geteuid() != 0 or configuration.root.get("security") is None:
        return None
    security = configuration.top(Security)
    return identity(
        security.user,
        security.group,
        tuple(security.supplemental_groups or ()),
        low_ports="cap_net_bind_service" in (security.capabilities or "").lower(),
    )


def write_pid(path: Path) -> None:
    """Write the pid file whole or not at all."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.write_text(f"{os.getpid()}\n", encoding="ascii")
    scratch.chmod(0o644)  # Whoever wants to send a signal reads it, whatever the umask.
    scratch.rename(path)
