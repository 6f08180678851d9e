"""What the programs say about themselves: JSON for machines, lines for people."""

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from angarium.config.load import load_text
from angarium.events.panic import PanicLog
from angarium.run import log
from angarium.run.alarm import Faults, Panics
from angarium.run.options import Node
from helpers.clock import FakeClock


def test_a_line_is_an_object_with_level_time_process_and_fields(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log.setup("worker 3").error("the disk is full", free=17)
    said = json.loads(capsys.readouterr().err)
    assert said.pop("timestamp").endswith("Z")
    assert said == {
        "level": "error",
        "event": "the disk is full",
        "process": "worker 3",
        "free": 17,
    }


def test_a_traceback_is_a_text_of_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        int("a bug")
    except ValueError as error:
        log.setup("hose").error("cannot go on", exc_info=error)
    (line,) = capsys.readouterr().err.splitlines()
    assert "ValueError: invalid literal" in json.loads(line)["exception"]


def test_on_a_terminal_it_is_for_people(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    log.setup("supervisor").info("stopping", seconds=30)
    said = capsys.readouterr().err
    assert "stopping" in said
    assert not said.startswith("{")


def test_faults_go_to_the_paniclogs_which_are_given(tmp_path: Path) -> None:
    panics = Panics([PanicLog(str(tmp_path / "panic"), FakeClock())])
    log.setup("supervisor", panics).error("hose died", status=9)
    assert (tmp_path / "panic").read_text().endswith(":core: hose died status=9\n")


@pytest.mark.effect("timestampformat")
@pytest.mark.parametrize(
    ("config", "begins"),
    [
        ("", r"\[\w{3} \d\d \w{3} \d{4} \d\d:\d\d:\d\d\] "),
        ('timestampformat = "%Y at %S: "', r"\d{4} at \d\d: "),
        (
            'log_hires_timestamp = true timestampformat = "%%S %T"',
            r"%S \d\d:\d\d:\d\d[.]\d{6} ",
        ),
    ],
)
def test_for_people_times_are_as_the_configuration_says(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, config: str, begins: str
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    node = load_text(config).top(Node)
    log.setup("supervisor", node=node).info("up")
    said = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().err)
    assert re.match(begins, said), said


def test_for_machines_they_stay_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    log.setup("supervisor", node=Node.make(timestampformat="%Y")).info("up")
    assert json.loads(capsys.readouterr().err)["timestamp"].endswith("Z")


def test_what_a_peer_said_does_nothing_to_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")
    log.setup("supervisor").error("odd", reply="\x1b[2J550 no\r\n")
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert r"reply='\x1b[2J550 no\r\n'" in said


class Full(io.StringIO):
    """A file on a full disk."""

    def flush(self) -> None:
        raise OSError(28, "No space left on device")


def test_who_cannot_be_heard_goes_on(tmp_path: Path) -> None:
    panics = Panics([PanicLog(str(tmp_path / "panic"), FakeClock())])
    log.Log("supervisor", Full(), faults=Faults("supervisor", panics)).error("hose died")
    assert (tmp_path / "panic").read_text().endswith(":core: hose died\n")


@pytest.mark.parametrize("program", ["worker", "scribe", "monitor", "supervisor"])
def test_a_process_loads_nothing_it_does_not_need(program: str) -> None:
    foreign = "aiohttp attr click prompt_toolkit pygments pysnmp rich starlette structlog uvicorn"
    script = (
        f"import sys, angarium.run.{program}\n"
        f"print([name for name in {foreign.split()!r} if name in sys.modules])"
    )
    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    assert said.stdout == "[]\n"
