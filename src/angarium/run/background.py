"""A server in the background: started, waited for, stopped; for machines without systemd.

The child says that it is ready as it says it to systemd (`run/notify`), to a socket of ours, so
nothing is guessed from its output. What it is started with comes from a file of variables and from
scripts, as Momentum's ec_ctl has them.
"""

import os
import re
import secrets
import shlex
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import Final

from angarium.core.errors import Error
from angarium.run.programs.upgrade import NoServerError, server

LOOK_SECONDS: Final = 0.1
_ASSIGNED: Final = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
_EXPORT: Final = re.compile(r"export(?:\s+[A-Za-z_][A-Za-z0-9_]*)+")
# A script may refuse, or set variables, which all are handed on. By /proc: descriptors of
# two digits are none for dash.
_INCLUDE: Final = 'set -a; for each do . "$each" || exit 1; done; exec env -0 >/proc/self/fd/'
_TOLD: Final = 4096  # octets of the output of a server that did not start


class BackgroundError(Error):
    """The server did not start, or not stop."""


def variables(path: Path) -> dict[str, str]:
    """Return what a file of variables sets: NAME=VALUE, quoted as a shell has it, export or not.

    Raises:
        BackgroundError: the file cannot be read, or has something else.
    """
    try:
        rows = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BackgroundError("cannot be read", file=str(path), reason=str(error)) from error
    found: dict[str, str] = {}
    for number, row in enumerate(rows, 1):
        text = row.strip().rstrip(";").strip()
        if not text or text.startswith("#") or _EXPORT.fullmatch(text):
            continue
        assigned = _ASSIGNED.fullmatch(text)
        try:
            words = shlex.split(assigned[2], comments=True) if assigned else None
        except ValueError:
            words = None
        if assigned is None or words is None or len(words) > 1:
            raise BackgroundError("this is no NAME=VALUE", file=str(path), line=number)
        found[assigned[1]] = words[0] if words else ""
    return found


def included(folder: Path, prefix: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Run the scripts of a folder whose names begin so; return the variables after them.

    Raises:
        BackgroundError: one failed, or others may write to it.
    """
    scripts = sorted(folder.glob(f"{prefix}.*")) if folder.is_dir() else []
    if not scripts:
        return dict(environment)
    for each in (folder, *scripts):
        found = each.stat()
        if found.st_uid not in (0, os.geteuid()) or stat.S_IMODE(found.st_mode) & 0o022:
            raise BackgroundError("it is not run, others may write to it", file=str(each))
    readable, writable = os.pipe()
    try:
        done = subprocess.Popen(
            ["/bin/sh", "-c", f"{_INCLUDE}{writable}", "sh", *map(str, scripts)],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            pass_fds=[writable],
        )
    finally:
        os.close(writable)
    with open(readable, "rb") as said:
        octets = said.read()
    if done.wait():
        raise BackgroundError("a script wants no start", folder=str(folder), scripts=prefix)
    pairs = [each.decode("utf-8", "surrogateescape").partition("=") for each in octets.split(b"\0")]
    return {name: value for name, _, value in pairs if name}


class Ready:
    """The socket to which a server says that it is ready."""

    def __init__(self) -> None:
        # An abstract name: after the server has given up its rights it still may speak to it.
        self.name = f"@angarium-ctl-{secrets.token_hex(8)}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{self.name[1:]}")
        self._socket.settimeout(LOOK_SECONDS)

    def heard(self) -> bool:
        """Wait a moment; say whether it is ready."""
        try:
            return b"READY=1" in self._socket.recv(4096).split(b"\n")
        except TimeoutError:
            return False

    def close(self) -> None:
        self._socket.close()


def start(words: Sequence[str], output: Path, environment: Mapping[str, str], limit: float) -> int:
    """Start `angarium serve` with these words; return its process id when it is ready.

    Args:
        output: gets what it prints, added to what is there.
        limit: seconds until it is given up; it is not ended then.

    Raises:
        BackgroundError: it ended, or is not ready in time.
        OSError: the output cannot be written.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    log = os.open(output, flags, 0o640)
    ready = Ready()
    try:
        begun = os.fstat(log).st_size
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "angarium.run.programs.cli", "serve", *words],
            env=dict(environment) | {"NOTIFY_SOCKET": ready.name},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        until = time.monotonic() + limit
        while not ready.heard():
            if child.poll() is not None:
                raise BackgroundError(f"it ended with {child.returncode}:\n{_end(output, begun)}")
            if time.monotonic() > until:
                raise BackgroundError(f"it is not ready after {limit:g} s, and goes on starting")
    finally:
        ready.close()
        os.close(log)
    child.returncode = 0  # it lives on without us, and is not ours to wait for
    return child.pid


def _end(output: Path, begun: int) -> str:
    with output.open("rb") as file:
        file.seek(max(begun, output.stat().st_size - _TOLD))
        return file.read().decode("utf-8", "replace").strip()


def stop(state: Path, limit: float) -> int:
    """Let a server drain and end; return its process id, 0 if none runs.

    Raises:
        BackgroundError: it has not ended in time; it goes on stopping.
        OSError: we may not.
    """
    try:
        pid = server(state)
        os.kill(pid, signal.SIGTERM)
    except (NoServerError, ProcessLookupError):
        return 0
    pause = Event()
    until = time.monotonic() + limit
    while running(state) == pid:
        if time.monotonic() > until:
            raise BackgroundError(f"it has not ended after {limit:g} s, and goes on stopping")
        pause.wait(LOOK_SECONDS)
    return pid


def running(state: Path) -> int:
    """Return the process id of the server of a state directory, 0 if none runs. Raises OSError."""
    try:
        return server(state)
    except NoServerError:
        return 0
