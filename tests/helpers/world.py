"""A whole server for one story: configuration text, a zone, a scripted sink, and a peer's voice.

    async with World(tmp_path, zone="example.com MX 10 mx.example.com ...", sink="...") as world:
        await world.send("a@sender.test", ["b@example.com"], b"Subject: hello\\r\\n\\r\\nhi\\r\\n")
        [mail] = await world.delivered(1)
        async with world.call() as caller:       one connection, command by command (`Caller`)
            await caller.say("NOOP")

The server is the real one, started as an operator would; only names and ports are ours. Nothing
here sleeps for a fixed time: everything waits for a condition, at most `PATIENCE` seconds.
"""

import asyncio
import json
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from angarium.lab.received import Received
from angarium.lab.sink import Sink
from helpers.caller import Caller, calling, stuffed
from helpers.dns import DnsServer

PATIENCE = 90.0
POLL = 0.02

BASE = """
hostname = "mx.node.test"
dns_servers = ( "127.0.0.1:{dns}" )
remote_smtp_port = {sink}
relay_hosts = ( "127.0.0.0/8" )
retry_interval = 1
eventloop "pool" {{ concurrency = {workers} }}
esmtp_listener {{
  listen "127.0.0.1:{port}" {{ }}
{listener}
}}
ec_logger "ec_logger" {{
  mainlog = "{logs}/mainlog.ec"
  rejectlog = "{logs}/rejectlog.ec"
  paniclog = "{logs}/paniclog.ec"
  acctlog = "{logs}/acctlog.ec"
}}
bounce_logger "bounce_logger" {{ bouncelog = "{logs}/bouncelog.ec" }}
"""


def reserved_port() -> socket.socket:
    """Return a socket which keeps a free port for a server that binds it with SO_REUSEADDR.

    As long as it is open, and listens to nothing, the kernel gives the port to nobody else: so
    many worlds may live at once, and a server which starts again finds its port.
    """
    keeper = socket.socket()
    keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    keeper.bind(("127.0.0.1", 0))
    return keeper


def _title(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")
    except OSError:
        return ""  # It has ended.


class World:
    """One node and what surrounds it.

    Args:
        folder: where configuration and state lie.
        config: added to BASE; "{sink}" in it is the port of the sink.
        listener: added to the esmtp_listener of BASE: options, peer stanzas.
        zone: what the name server knows, one record a line.
        sink: the script of the receiving server.
        fault: an armed fault point, for crashes (`core/fault`).
        descriptors: which the system allows a process; 0: as many as us.
        logs: where the text logs go; a relative path is below the state directory.
    """

    receiver: type[Sink] = Sink

    def __init__(
        self,
        folder: Path,
        config: str = "",
        zone: str = "",
        sink: str = "",
        *,
        workers: int = 1,
        fault: str = "",
        listener: str = "",
        descriptors: int = 0,
        logs: Path = Path("log"),
    ) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.config = folder / "ecelerity.conf"
        self.extra = config
        self.listener = listener
        self.descriptors = descriptors
        self.logs = self.state / logs
        self.zone = zone
        self.script = sink
        self.workers = workers
        self.fault = fault
        self.environment: dict[str, str] = {}  # more, for who injects more
        self.port = 0
        self.output: list[str] = []
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self.sink: Sink
        self.dns: DnsServer

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self.sink = await stack.enter_async_context(self.receiver(self.script))
            self.dns = stack.enter_context(DnsServer(self.zone))
            keeper = stack.enter_context(reserved_port())
            self.port = keeper.getsockname()[1]
            stack.push_async_callback(self._ended)
            self.configure(self.extra)
            await self.start()
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def _ended(self) -> None:
        self.kill()
        if self._process is not None:
            await self.ended()

    def configure(self, extra: str) -> None:
        """Write the configuration; a running server reads it at SIGHUP."""
        base = BASE.format(
            dns=self.dns.port,
            sink=self.sink.port,
            workers=self.workers,
            port=self.port,
            listener=self.listener,
            logs=self.logs,
        )
        own = extra.replace("{sink}", str(self.sink.port))
        self.config.write_text(base + own, encoding="utf-8")

    async def reload(self, extra: str) -> None:
        """Change the configuration and wait until it is in force."""
        before = len(self.output)
        self.configure(extra)
        self.signal(signal.SIGHUP)
        ends = re.compile("reloaded|reload refused")
        await self.until(lambda: any(map(ends.search, self.output[before:])), "a reload")
        assert any("reloaded" in line for line in self.output[before:]), self.output

    async def start(self) -> None:
        """Start the server and wait until it is ready."""
        self.output.clear()
        command = [sys.executable, "-m", "angarium.run.programs.cli", "serve"]
        if self.descriptors:
            command = ["sh", "-c", f'ulimit -n {self.descriptors}; exec "$0" "$@"', *command]
        self._process = await asyncio.create_subprocess_exec(
            *command,
            *("--config", str(self.config), "--state", str(self.state)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=os.environ | {"ANGARIUM_FAULT": self.fault} | self.environment,
            start_new_session=True,
        )
        self._reading = asyncio.ensure_future(self._read())
        await self.until(lambda: not self.running or self.ready(), "ready")
        if not self.running:
            await self._reading
            status = self._process.returncode
            raise RuntimeError(f"the server did not start, exit {status}:\n{self._told()}")

    def ready(self) -> bool:
        """Say whether it has said so."""
        return any("ready" in line for line in self.output)

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.output.append(line.decode(errors="replace").rstrip())

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    def signal_all(self, number: signal.Signals) -> None:
        """As a terminal does it."""
        assert self._process is not None
        os.killpg(self._process.pid, number)

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL the supervisor and everything it has started."""
        if self._process is not None and self._process.returncode is None:
            os.killpg(self._process.pid, signal.SIGKILL)

    async def ended(self) -> int:
        """Wait for the server to end and return its exit code."""
        assert self._process is not None
        assert self._reading is not None
        status = await asyncio.wait_for(self._process.wait(), PATIENCE)
        await self._reading
        return status

    async def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return await self.ended()

    async def until(
        self, condition: Callable[[], object], what: str, patience: float = PATIENCE
    ) -> None:
        """Wait until the condition holds; what the server printed explains a failure."""
        end = time.monotonic() + patience
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"waited {patience:g} s for {what}:\n{self._told()}")
            await asyncio.sleep(POLL)

    async def eventually(self, condition: Callable[[], Awaitable[object]], what: str) -> None:
        """As `until`, for a condition which must be asked for, such as over a connection."""
        end = time.monotonic() + PATIENCE
        while not await condition():
            if time.monotonic() > end:
                raise TimeoutError(f"waited {PATIENCE:g} s for {what}:\n{self._told()}")
            await asyncio.sleep(POLL)

    def _told(self) -> str:
        """Return what explains a failure: the output, and how the logs end."""
        logs = {name: self.log(name)[-8:] for name in ("mainlog", "rejectlog", "paniclog")}
        parts = [f"{name}:\n" + "\n".join(lines) for name, lines in logs.items() if lines]
        return "\n".join([*self.output, *parts])

    async def dialogue(self, script: str) -> list[str]:
        """Play "C: ..." and "S: ..." lines with the server; S is a regular expression.

        Returns what the server said.
        """
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        said: list[str] = []
        try:
            for line in script.strip().splitlines():
                side, _, text = line.strip().partition(":")
                text = text.removeprefix(" ")
                if side == "C":
                    writer.write(text.encode() + b"\r\n")
                    continue
                row = (await asyncio.wait_for(reader.readline(), PATIENCE)).decode().rstrip()
                said.append(row)
                assert re.match(text, row), f"expected {text!r}, the server said {row!r}"
        finally:
            writer.close()
        return said

    async def send(
        self, sender: str, recipients: Sequence[str], content: bytes, parameters: str = ""
    ) -> str:
        """Send one message over a connection of its own; return the reply to it."""
        async with self.call() as caller:
            said = await caller.say(f"MAIL FROM:<{sender}>{parameters}")
            if not said.startswith("2"):
                return said
            for each in recipients:
                address, _, options = each.partition(" ")
                said = await caller.say(f"RCPT TO:<{address}>{' ' if options else ''}{options}")
            if not (refused := await caller.say("DATA")).startswith("3"):
                return f"{said} / {refused}"
            return await caller.finish(stuffed(content))

    def call(
        self, source: str = "127.0.0.1", hello: str = "EHLO peer.test"
    ) -> AbstractAsyncContextManager[Caller]:
        """Connect as a client and say hello; "" is not even reading the banner."""
        return calling(self.port, source, hello)

    async def arrived(self, recipient: str) -> Received:
        """Wait until the sink has taken a message for this recipient, and return it."""

        def found() -> list[Received]:
            return [each for each in self.sink.accepted if recipient in each.recipients]

        await self.until(found, f"mail for {recipient}")
        return found()[0]

    @property
    def pid(self) -> int:
        """The process id of the supervisor."""
        assert self._process is not None
        return self._process.pid

    def worker_pids(self) -> list[int]:
        """Return the process ids of the workers which run."""
        assert self._process is not None
        number = self._process.pid
        children = Path(f"/proc/{number}/task/{number}/children").read_text(encoding="ascii")
        return [pid for pid in map(int, children.split()) if "worker" in _title(pid)]

    def hose_pid(self) -> int:
        """Return the process id of the hose; 0 if there is none."""
        return self.child_pid("hose")

    def monitor_pid(self) -> int:
        """Return the process id of the monitor; 0 if there is none."""
        return self.child_pid("monitor")

    def child_pid(self, name: str) -> int:
        """Return the process id of a child of the supervisor; 0 if there is none."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text(encoding="ascii")
        return next((pid for pid in map(int, children.split()) if name in _title(pid)), 0)

    def memory(self, pid: int, which: str = "VmRSS") -> int:
        """Return the octets which a process has resident; "VmHWM": the most it ever had."""
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        found = re.search(rf"^{which}:\s+(\d+) kB", text, re.MULTILINE)
        assert found
        return int(found[1]) * 1024

    async def delivered(self, count: int) -> list[Any]:
        """Wait until the sink has taken so many messages, and return them all."""
        await self.until(lambda: len(self.sink.messages) >= count, f"{count} messages")
        return list(self.sink.messages)

    def log(self, name: str) -> list[str]:
        """Return the lines of a text log, "mainlog", "bouncelog" ...; [] if there is none yet."""
        path = self.logs / f"{name}.ec"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    async def logged(self, name: str, pattern: str, count: int = 1) -> list[str]:
        """Wait until so many lines of a log match, and return those."""
        wanted = re.compile(pattern)

        def matching() -> list[str]:
            return [line for line in self.log(name) if wanted.search(line)]

        await self.until(lambda: len(matching()) >= count, f"{pattern!r} in {name}")
        return matching()

    async def settled(self, *, sound: bool = True) -> dict[str, int]:
        """Wait until nothing is queued; return how many recipients came to which end.

        All of them are accounted for then: `angarium audit` found each one, and no damage.
        """
        account: dict[str, Any] = {}

        async def empty() -> bool:
            account.update(await self.audit())
            assert account["sound"] or not sound, account
            return not account["sum"]["queued"]

        await self.eventually(empty, "an empty queue")
        ends: dict[str, int] = account["sum"]
        return ends

    async def audit(self) -> dict[str, Any]:
        """Run `angarium audit` over the state and return its JSON.

        On a busy machine a server with checkpoints each second may be faster than it, ten times.
        """
        end = time.monotonic() + PATIENCE
        while True:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "angarium.run.programs.cli", "audit"),
                *("--state", str(self.state), "--json"),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            output, said = await process.communicate()
            if b"faster than it can be read" not in said or time.monotonic() > end:
                break
        assert output, said
        result: dict[str, Any] = json.loads(output)
        return result
