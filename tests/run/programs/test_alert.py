"""`angarium alert test`, and a monitor which answers it or does not."""

import json
import threading
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from angarium.modules.monitor.alerts import RESULT, TEST
from angarium.modules.monitor.incidents import Incidents, Limits
from angarium.run.programs import alert


class Monitor(threading.Thread):
    """Answers the first question."""

    def __init__(self, run_folder: Path, results: dict[str, str]) -> None:
        super().__init__(daemon=True)
        self._folder = run_folder
        self._results = results
        self._waiting = threading.Event()

    def run(self) -> None:
        asked = self._folder / TEST
        until = time.monotonic() + 90
        while not asked.exists() and time.monotonic() < until:
            self._waiting.wait(0.01)
        asked.unlink()
        coming = self._folder / "coming"
        coming.write_text(json.dumps(self._results))
        coming.rename(self._folder / RESULT)


def run(state: Path, results: dict[str, str] | None) -> tuple[int, str]:
    if results is not None:
        Monitor(state / "run", results).start()
    done = CliRunner().invoke(alert.command, ["test", "--state", str(state)])
    return done.exit_code, done.output


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    return tmp_path


def test_what_came_of_each_receiver_is_printed(state: Path) -> None:
    (state / "run" / RESULT).write_text('{"of": "before"}')
    status, output = run(state, {"mail a": "", "webhook b": "answered 503"})
    assert output.splitlines() == ["mail a: told", "webhook b: answered 503"]
    assert status == 1
    assert not (state / "run" / RESULT).exists()


def test_all_were_told(state: Path) -> None:
    assert run(state, {"mail a": ""}) == (0, "mail a: told\n")


def test_nobody_to_be_told_is_a_failure(state: Path) -> None:
    status, output = run(state, {})
    assert status == 1
    assert output.startswith("nobody is told")


def test_no_server_is_told_as_that(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert, "HEARD", 0.2)
    for folder in (state, tmp_path / "nowhere"):
        status, output = run(folder, None)
        assert status == 3
        assert "no server" in output
    assert not (state / "run" / TEST).exists()


def test_what_is_wrong_is_listed_with_who_knows(tmp_path: Path) -> None:
    def listed() -> tuple[int, list[str]]:
        done = CliRunner().invoke(alert.command, ["list", "--state", str(tmp_path)])
        return done.exit_code, done.output.splitlines()

    status, [said] = listed()
    assert status == 3
    assert said.startswith("alert: nothing is known")
    incidents = Incidents(Limits())
    incidents.begin("worker", "1", "worker died", 1_700_000_000.0)
    incidents.told("mail people", {("worker", "1"): 2})
    incidents.begin("disk", "/spool", "5 % is free", 1_700_000_100.0, lasting=True)
    (tmp_path / "monitor").mkdir()
    kept = tmp_path / "monitor" / "alerts.json"
    kept.write_bytes(incidents.dump())
    assert listed() == (1, [
        "worker 1: worker died (since 2023-11-14 22:13:20 UTC)",
        "    told: mail people",
        "disk /spool: 5 % is free (since 2023-11-14 22:15:00 UTC)",
        "    told: nobody yet",
    ])  # fmt: skip
    incidents.end("disk", "/spool", 1_700_000_110.0)
    incidents.end("worker", "1", 1_700_000_110.0)
    kept.write_bytes(incidents.dump())
    status, lines = listed()
    assert status == 0
    assert lines[2] == "disk /spool: over, lasted 10 s; it was: 5 % is free"


def test_a_faulty_configuration_is_told(tmp_path: Path) -> None:
    path = tmp_path / "ecelerity.conf"
    path.write_text("hostnam = x\n")
    done = CliRunner().invoke(alert.command, ["test", "--config", str(path)])
    assert done.exit_code == 1
    assert "hostnam" in done.output
