"""Last words: of a process that is really ended by a signal."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from angarium.run import traces

# Says when it can be ended, and is stuck then.
STUCK = """
import sys
from pathlib import Path
from angarium.run import traces
def stuck_here():
    sys.stdout.write("ready\\n")
    sys.stdout.flush()
    while True:
        pass
traces.record(Path(sys.argv[1]), "worker 3")
stuck_here()
"""


@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGSEGV])
def test_who_is_ended_by_a_signal_says_where_it_was(tmp_path: Path, number: signal.Signals) -> None:
    source = Path(__file__).parents[2] / "src"
    with subprocess.Popen(
        [sys.executable, "-c", STUCK, str(tmp_path)],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(source)},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        assert process.wait() == -number
    said = traces.take(tmp_path, "worker 3", process.pid)
    assert "stuck_here" in said
    assert (tmp_path / "traces" / f"{process.pid}.trc").read_text() == said
    assert traces.take(tmp_path, "worker 3", process.pid) == ""


def test_who_said_nothing_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "trace-hose").touch()
    assert traces.take(tmp_path, "hose", 7) == ""
    assert traces.take(tmp_path, "worker 9", 7) == ""
    assert not (tmp_path / "traces").exists()


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    for pid in range(1, traces.KEPT + 6):
        (tmp_path / "trace-hose").write_text("Fatal Python error\n" * 1000)
        assert len(traces.take(tmp_path, "hose", pid)) == traces.TOLD
        os.utime(tmp_path / "traces" / f"{pid}.trc", (pid, pid))
    kept = {int(path.stem) for path in (tmp_path / "traces").iterdir()}
    assert kept == set(range(6, traces.KEPT + 6))
