"""`angarium top`: on a terminal, in a script, and where no server is."""

import json
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from angarium.run.busiest import Busiest
from angarium.run.programs.top import command
from angarium.run.readings import SUPERVISOR, Readings
from angarium.web.overview import Queue

FAST = ("--interval", "0.2")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    measured(tmp_path)
    return tmp_path


def measured(state: Path) -> None:
    """Write what a server writes each second."""
    now = time.time() + 5.0  # fresh for some time
    readings = Readings(state / "run" / "readings")
    readings.write(0, {"queued": 7, "delayed": 2, "in_flight": 0, "deliveries": 3}, now)
    readings.write(SUPERVISOR, {"workers": 1, "generation": 4}, now)
    Busiest(state / "run" / "busiest").write(0, [Queue("g", "b", "x.test", 5, 2, 0, 0)], now)


def test_a_script_gets_json_and_an_exit_code(state: Path) -> None:
    done = CliRunner().invoke(command, ["--state", str(state), "--json", *FAST])
    found = json.loads(done.output)
    assert (done.exit_code, found["ready"], found["queue"]["queued"]) == (0, True, 7)
    assert found["destinations"][0]["domain"] == "x.test"


def test_a_server_which_is_not_ready_is_told_by_the_exit_code(state: Path) -> None:
    readings = Readings(state / "run" / "readings")
    readings.write(0, {"intake_stopped": 1}, time.time() + 5.0)
    done = CliRunner().invoke(command, ["--state", str(state), "--once", *FAST])
    assert done.exit_code == 1
    assert "1 workers take no mail" in done.output


def test_where_no_server_has_run_nothing_is_made(tmp_path: Path) -> None:
    done = CliRunner().invoke(command, ["--state", str(tmp_path), "--once", *FAST])
    assert done.exit_code == 3
    assert "no server has run here" in done.output
    assert not list(tmp_path.iterdir())


def test_it_only_looks(state: Path) -> None:
    before = {path: path.read_bytes() for path in (state / "run").iterdir()}
    for path in before:
        path.chmod(0o400)
    assert CliRunner().invoke(command, ["--state", str(state), "--once", *FAST]).exit_code == 0
    assert {path: path.read_bytes() for path in (state / "run").iterdir()} == before


def test_on_a_terminal_it_is_drawn_until_q_and_the_terminal_is_as_before(state: Path) -> None:
    ours, its = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "80", "LINES": "24"}
    words = [sys.executable, "-m", "angarium.run.programs.cli", "top", "--state", str(state), *FAST]
    process = subprocess.Popen(words, stdin=its, stdout=its, stderr=its, env=environment)
    os.close(its)
    try:
        drawn = read_until(state, ours, b"x.test")
        assert b"queues by waiting" in drawn
        assert drawn.startswith(b"\x1b[?1049h"), "the alternate screen"
        os.write(ours, b"d")
        read_until(state, ours, b"queues by delayed")
        os.write(ours, b"p")
        read_until(state, ours, b"paused")
        os.write(ours, b"q")
        read_until(state, ours, b"\x1b[?1049l")
        assert process.wait(timeout=90) == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def read_until(state: Path, descriptor: int, wanted: bytes) -> bytes:
    """Read from a terminal until something is drawn on it; the server goes on meanwhile."""
    seen, end = b"", time.monotonic() + 90
    while wanted not in seen:
        measured(state)
        ready, _, _ = select.select([descriptor], [], [], 1.0)
        assert ready or time.monotonic() < end, f"no {wanted!r} in {seen!r}"
        seen += os.read(descriptor, 65536) if ready else b""
    return seen
