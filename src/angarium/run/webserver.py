"""The process of the web: answers HTTP on the sockets it is given, and sends traces.

    python -m angarium.run.webserver LINK FDS     started by the supervisor, by nobody else

Mail needs nothing of it. Each address has a listener of its own; a reload opens and closes them.
"""

import asyncio
import socket
from collections.abc import Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Final

from uvicorn.server import ServerState

import angarium.run.declared  # noqa: F401 - what others have counted has its declaration
from angarium.config.resolve import Configuration, Endpoint
from angarium.console.attempts import Attempts
from angarium.data.users import Users
from angarium.events.metrics import Metrics
from angarium.inbound.options import Reception
from angarium.modules.generate.options import HttpServer
from angarium.net import loop as loops
from angarium.net.acme.folder import Folder
from angarium.net.options.authentication import Authentication
from angarium.net.options.tls import InboundTls
from angarium.policy.options import Asking
from angarium.run import link, process, scoreboard, watchdog
from angarium.run.doors import buffers_of
from angarium.run.fronts import Fronts
from angarium.run.host import Host
from angarium.run.httplogs import HttpLogs
from angarium.run.httptls import HttpTls
from angarium.run.own import Own
from angarium.run.process import Process
from angarium.run.sockets import label
from angarium.run.watching import Watching
from angarium.web.app import app
from angarium.web.challenges import Challenges, is_challenge
from angarium.web.collector import Collector
from angarium.web.follow import Follow
from angarium.web.forward import Forward, Load
from angarium.web.guard import Manners, connections
from angarium.web.options import HTTP, HttpRequests, Observed, Tracing
from angarium.web.rights import Rights
from angarium.web.spans import Spans
from angarium.web.workers import Workers

LOOK_SECONDS: Final = 1.0
BREATH_SECONDS: Final = 0.02  # between two reads of events, where there are more
NAME: Final = "web"
PATIENCE_SECONDS: Final = 5.0  # beyond what an endpoint may wait: what it computes takes time too


class WebServer(Process):
    """Listens, looks at the readings once a second, and answers."""

    what = "web"

    def __init__(self) -> None:
        super().__init__()
        self.clock = loops.RealClock()
        self._metrics = Metrics()
        self._own = Own(self._metrics)
        self._watching: Watching
        self._workers: Workers
        self._load = Load()
        self._seconds = 0.0  # which an endpoint has; 0: none is asked
        self._state_folder: Path
        self._stopping = asyncio.Event()
        self._open: dict[Endpoint, asyncio.Server] = {}
        self._state = ServerState()
        self._fronts = Fronts(HTTP, self.alarm, self._metrics)
        self.tls = HttpTls(self.alarm, self._metrics, self.clock)
        self._attempts = Attempts(self.clock)
        self._users = Users()
        self._logs: HttpLogs
        self._sockets: dict[str, socket.socket] = {}
        self._changing = asyncio.Lock()  # one generation after another, and the end after all
        self._tracing: asyncio.Task[None] | None = None
        self._prepared: tuple[Configuration, dict[str, socket.socket]] | None = None

    async def start(
        self, start: link.Start, configuration: Configuration, descriptors: dict[str, int]
    ) -> None:
        self._state_folder = Path(start.state)
        watchdog.attend(self._state_folder / "run", scoreboard.WEB, NAME)
        self._watching = Watching(self._state_folder, self.clock.time)
        self._workers = Workers(self._state_folder / "run", self.alarm)
        self._logs = HttpLogs(configuration, self._state_folder, self.clock, self.alarm)
        await self._listen(configuration, _taken(descriptors))
        self._trace(configuration)
        self.ready()
        while not self._stopping.is_set():
            self._own.look(self.clock.monotonic())
            self._watching.look({NAME: self._metrics.snapshot()})
            self._logs.flush()
            if self._seconds:
                self._workers.look()
            try:
                await asyncio.wait_for(self._stopping.wait(), LOOK_SECONDS)
            except TimeoutError:
                continue
        async with self._changing:
            self._close()

    async def _listen(self, configuration: Configuration, coming: dict[str, socket.socket]) -> None:
        """Go over to a generation and the sockets which came with it, unless we are to end."""
        async with self._changing:
            if self._stopping.is_set():
                for each in coming.values():
                    each.close()
                return
            for name in coming.keys() & self._sockets.keys():
                self._sockets.pop(name).close()
            self._sockets |= coming
            await self._answer(configuration)

    async def _answer(self, configuration: Configuration) -> None:
        """Answer on what the configuration wants, and on nothing else."""
        wanted = configuration.listens(HTTP)
        self._fronts.use(configuration, wanted)
        self.tls.use(configuration)
        for where in list(self._open):
            # With other options a listener is another one, on the same socket.
            self._open.pop(where).close()
        host = Host(configuration)
        about = {"node": host.name, "version": version("angarium")}
        self._seconds = _seconds(configuration)
        own = app(self._watching, about)
        answering = Forward(own, self._workers, self._load, lambda: self._seconds)
        shown = Folder(self._state_folder).shown
        everything, alone = Challenges(answering, shown), Challenges(None, shown)
        loop = asyncio.get_running_loop()
        for where in wanted:
            kept = self._sockets.get(label(where))
            if kept is None:
                continue  # It needs a restart; the supervisor has said so.
            observed = configuration.at(Observed, listener=HTTP, listen=where.name)
            hosts = {each.lower() for each in (host.name, *observed.http_hosts)}
            manners = partial(self._manners, configuration, where)
            if observed.only_challenges:
                made = connections(alone, hosts, self._state, manners, anyhow=is_challenge)
            else:
                made = connections(
                    everything, hosts, self._state, manners, answering.takes, is_challenge
                )
            made = self._fronts.before(where, self.tls.before(where, made))
            opened = socket.socket(fileno=socket.dup(kept.fileno()))
            buffers_of(configuration, where).set(opened)  # who is accepted has the same
            if where.path:
                self._open[where] = await loop.create_unix_server(made, sock=opened)
            else:
                self._open[where] = await loop.create_server(made, sock=opened)
        for name in self._sockets.keys() - {label(where) for where in wanted}:
            self._sockets.pop(name).close()

    def _manners(self, configuration: Configuration, where: Endpoint, client: str) -> Manners:
        """Return how a client of a listener is met."""
        at = {"listener": HTTP, "listen": where.name, "peer": client}
        requests = configuration.at(HttpRequests, **at)
        aloud = requests.log_requests_to_paniclog
        return Manners(
            local=where.name,
            idle_seconds=configuration.at(Reception, **at).idle_time,
            most_octets=requests.max_request_size or 0,
            told=self._logs.note_in_paniclog if aloud else self._logs.note,
            rights=self._rights(configuration, at),
        )

    def _rights(self, configuration: Configuration, at: Mapping[str, str]) -> Rights | None:
        """Return who may ask; None: everybody."""
        asked = configuration.at(Authentication, **at)
        if not asked.always_deny and (asked.always_allow or not asked.enable_authentication):
            return None
        parameters = asked.authplainparameters or {}
        certificate = configuration.at(InboundTls, **at).tls_verified_peer_is_authorized
        return Rights(
            str(parameters.get("uri", "")), Host(configuration).name, certificate, self._attempts,
            self.alarm, self._users, asked.always_deny,
        )  # fmt: skip

    def _trace(self, configuration: Configuration) -> None:
        """Send traces as the configuration has it, and no others."""
        self._untrace()
        options = configuration.top(Tracing)
        if options.trace_endpoint:
            about = {
                "service.name": "angarium",
                "service.version": version("angarium"),
                "host.name": Host(configuration).name,
            }
            collector = Collector(options.trace_endpoint, about, self._metrics)
            spans = Spans(options.trace_sample)
            self._tracing = asyncio.ensure_future(self._traced(collector, spans))
            self._tracing.add_done_callback(self._trace_ended)

    async def _traced(self, collector: Collector, spans: Spans) -> None:
        """Read events and send what they make, until cancelled."""
        sending = asyncio.ensure_future(collector.run())
        follow = Follow(self._state_folder, self.clock.time())
        try:
            while not sending.done():
                collector.add(spans.of(follow.read(self.clock.monotonic())))
                await asyncio.sleep(BREATH_SECONDS if follow.behind else LOOK_SECONDS)
            sending.result()
        finally:
            sending.cancel()
            follow.close()

    def _untrace(self) -> None:
        if self._tracing is not None:
            self._tracing.cancel()
            self._tracing = None

    def _trace_ended(self, task: asyncio.Task[None]) -> None:
        """A bug in traces is told, and stops nothing else."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self.alarm(f"no more traces: {type(error).__name__}: {error}")

    def prepare(self, configuration: Configuration, descriptors: dict[str, int]) -> None:
        self._prepared = configuration, _taken(descriptors)

    def commit(self, *, reload: bool) -> None:
        if self._prepared is not None:
            configuration, coming = self._prepared
            self._prepared = None
            self._logs.use(configuration)
            self.spawn(self._listen(configuration, coming))
            self._trace(configuration)

    def abort(self) -> None:
        if self._prepared is not None:
            for each in self._prepared[1].values():
                each.close()
        self._prepared = None

    def reopen(self) -> None:
        self._logs.reopen()

    async def drain(self, seconds: float) -> None:
        self._stopping.set()
        self._untrace()
        working = [task for task in self._tasks if task is not asyncio.current_task()]
        await asyncio.gather(*working)

    def _close(self) -> None:
        for each in self._open.values():
            each.close()
        self._fronts.close()
        for connection in list(self._state.connections):
            connection.shutdown()
        for kept in self._sockets.values():
            kept.close()
        self._workers.close()
        self._logs.close()
        self._watching.close()


def _seconds(configuration: Configuration) -> float:
    """Return how long an endpoint of a script may take; 0 where none is to be asked."""
    if not configuration.has("httpsrv") or not configuration.top(HttpServer).enabled:
        return 0.0
    return configuration.top(Asking).policy_wait_limit + PATIENCE_SECONDS


def _taken(descriptors: dict[str, int]) -> dict[str, socket.socket]:
    """Return the sockets which are for us, and close the others."""
    ours = {
        name: socket.socket(fileno=each)
        for name, each in descriptors.items()
        if name.startswith(f"{HTTP} ")
    }
    process.close(each for name, each in descriptors.items() if name not in ours)
    return ours


if __name__ == "__main__":
    loops.install()
    process.main(WebServer())
