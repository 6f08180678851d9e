"""Load and sink made of Postfix's own tools, and the servers they are put around.

Only loopback is used, and nothing of the system's Postfix is touched: the reference instance has
configuration, queue and data of its own in a scratch directory.
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

STALLED_SECONDS: Final = 20.0
ROOT: Final = Path(__file__).parents[1]


def tool(name: str) -> str:
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if path is None:
        sys.exit(f"{name} not found: run tools/peers as root, or install the package postfix")
    return path


class Sink:
    """smtp-sink on a port, and how many messages it has taken."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        if listens(port):  # Two of them would share the port, and each would count a half.
            sys.exit(f"something listens on 127.0.0.1:{port} already")
        user = ["-u", "postfix"] if os.geteuid() == 0 else []
        command = [tool("smtp-sink"), "-c", "-m", "4096", *user, f"{host}:{port}", "1000"]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0
        )
        self.count = 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        tail = b""
        assert self._process.stdout is not None
        while chunk := self._process.stdout.read(65536):
            tail = (tail + chunk)[-4096:]
            if found := re.findall(rb"mesg=(\d+)", tail):
                self.count = int(found[-1])

    def wait(self, count: int) -> float:
        """Return when it has so many messages, or has stalled: the time of the last one."""
        seen, at = self.count, time.monotonic()
        while seen < count and time.monotonic() - at < STALLED_SECONDS:
            time.sleep(0.01)
            if self.count != seen:
                seen, at = self.count, time.monotonic()
        return at

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


def inject(port: int, messages: int, octets: int, sessions: int) -> None:
    """Send with smtp-source over connections which are kept."""
    command = [tool("smtp-source"), "-d", "-s", str(sessions), "-m", str(messages)]
    command += ["-l", str(octets), "-f", "load@sender.test", "-t", "user@sink.test"]
    subprocess.run([*command, f"127.0.0.1:{port}"], check=True, timeout=600)


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2):
        return True
    return False


def wait_for_banner(port: int, seconds: float = 40.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=2) as peer:
                if peer.recv(100).startswith(b"220"):
                    return
        except OSError:
            pass
        time.sleep(0.05)
    raise TimeoutError(f"no SMTP banner on 127.0.0.1:{port} in {seconds:g} s")


class Server(Protocol):
    """A server under test: relays all it gets on `port` to 127.0.0.1:`relay_port`."""

    name: str
    port: int
    relay_port: int

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def pids(self) -> set[int]: ...


ANGARIUM_CONF: Final = """
hostname = "bench.test"
relay_hosts = ( "127.0.0.0/8" )
{route}
remote_smtp_port = {relay_port}
max_outbound_connections = 50
esmtp_listener {{ listen "127.0.0.1:{port}" {{ }} }}
ec_logger "ec_logger" {{
  mainlog = "log/mainlog.ec" rejectlog = "log/rejectlog.ec" paniclog = "log/paniclog.ec"
}}
bounce_logger "bounce_logger" {{ bouncelog = "log/bouncelog.ec" }}
eventloop "pool" {{ concurrency = {workers} }}
"""


@dataclass
class Angarium:
    """This checkout, with its durable defaults and its logs on."""

    folder: Path
    workers: int = 2
    port: int = 2525
    relay_port: int = 2526
    extra: str = ""
    route: str = 'gateway = "127.0.0.1"'
    name: str = "angarium"
    _process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.resume()

    def write(self) -> Path:
        """Write the configuration."""
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "ecelerity.conf"
        config.write_text(ANGARIUM_CONF.format(**vars(self)) + self.extra, encoding="utf-8")
        return config

    def reload(self, extra: str) -> None:
        """Go over to a configuration which differs in its last part."""
        assert self._process is not None
        self.extra = extra
        self.write()
        self._process.send_signal(signal.SIGHUP)

    def resume(self) -> None:
        """Start over what is queued."""
        config = self.write()
        command = [sys.executable, "-m", "angarium.run.programs.cli", "serve"]
        with (self.folder / "output").open("ab") as output:
            self._process = subprocess.Popen(
                [*command, "--config", str(config), "--state", str(self.folder / "state")],
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        wait_for_banner(self.port)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=60)
            self._process = None

    def pids(self) -> set[int]:
        return {self._process.pid} if self._process is not None else set()


@dataclass
class Postfix:
    """A private Postfix instance, as durable as it always is."""

    folder: Path
    port: int = 2725
    relay_port: int = 2726
    name: str = "postfix"

    def _run(self, word: str) -> str:
        environment = os.environ | {
            "PF_DIR": str(self.folder),
            "PF_PORT": str(self.port),
            "PF_RELAY": f"[127.0.0.1]:{self.relay_port}",
        }
        script = Path(__file__).with_name("postfix_ref.sh")
        done = subprocess.run(
            ["bash", str(script), word],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=120,
        )
        return done.stdout.decode(errors="replace")

    def start(self) -> None:
        self._run("start")
        wait_for_banner(self.port)

    def stop(self) -> None:
        self._run("stop")

    def pids(self) -> set[int]:
        return {int(pid) for pid in re.findall(r"\d+", self._run("pids"))}
