"""The last words of a process: where each of its threads was when a signal ended it.

A process that dies of SIGSEGV, SIGBUS, SIGFPE, SIGILL or of the watchdog's SIGABRT writes them
into a file it opened at its start, without the help of the interpreter. The supervisor finds them
there, tells them, and keeps the file by the number of the process, as Momentum names it.
"""

import contextlib
import faulthandler
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

KEPT: Final = 20  # files; the oldest go
TOLD: Final = 4000  # octets of one in the service log: the first thread is the interesting one
FOLDER: Final = "traces"

_open: list[int] = []  # faulthandler writes to the descriptor: it must stay open


def record(run_folder: Path, name: str) -> None:
    """Let this process write its last words; `name` is its own while it lives."""
    path = _path(run_folder, name)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o640)
    _open.append(descriptor)
    faulthandler.enable(descriptor, all_threads=True)


def take(run_folder: Path, name: str, pid: int) -> str:
    """Return the last words of a dead process, "" if it had none; keep them as `<pid>.trc`."""
    path = _path(run_folder, name)
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
        if not text:
            return ""
        folder = run_folder / FOLDER
        folder.mkdir(exist_ok=True)
        path.rename(folder / f"{pid}.trc")
        _forget(sorted(folder.glob("*.trc"), key=_age))
    except OSError:
        return ""
    return text[:TOLD]


def _path(run_folder: Path, name: str) -> Path:
    return run_folder / f"trace-{name.replace(' ', '-')}"


def _age(path: Path) -> float:
    return path.stat().st_mtime


def _forget(files: Sequence[Path]) -> None:
    for path in files[:-KEPT]:
        with contextlib.suppress(OSError):
            path.unlink()
