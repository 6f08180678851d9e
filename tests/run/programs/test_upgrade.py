"""The command by itself: a server is played, which only writes down its steps.

With a real server: tests/scenario/test_processes_upgrade.py.
"""

import fcntl
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from angarium.run.programs import upgrade
from angarium.run.progress import DONE, FAILED, Progress


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A state directory on which somebody works: we."""
    (tmp_path / "run").mkdir()
    lock = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    os.write(lock, f"{os.getpid()}\n".encode())
    fcntl.flock(lock, fcntl.LOCK_EX)
    yield tmp_path
    os.close(lock)


@pytest.fixture
def progress(state: Path, monkeypatch: pytest.MonkeyPatch) -> Progress:
    monkeypatch.setattr("setproctitle.setproctitle", lambda _: None)
    return Progress(state / "run", lambda: 7.0)


def asked(
    monkeypatch: pytest.MonkeyPatch, state: Path, react: Callable[[], None], *words: str
) -> Result:
    """Run the command; the signal makes the server react."""
    told: list[tuple[int, int]] = []

    def kill(pid: int, number: int) -> None:
        told.append((pid, number))
        react()

    monkeypatch.setattr(os, "kill", kill)
    result = CliRunner().invoke(upgrade.command, ["--state", str(state), *words])
    assert told in ([], [(os.getpid(), signal.SIGUSR2)])
    return result


def test_steps_are_printed_until_it_is_done(
    monkeypatch: pytest.MonkeyPatch, state: Path, progress: Progress
) -> None:
    progress.begin("an earlier one")
    progress.note(FAILED, "which failed")

    def react() -> None:
        progress.begin("asking")
        progress.note("ready", "new workers take the mail")
        progress.note(DONE, "everything is there")

    result = asked(monkeypatch, state, react)
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "asking", "new workers take the mail", "everything is there",
    ]  # fmt: skip


def test_what_fails_and_what_is_refused_is_said_by_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, state: Path, progress: Progress
) -> None:
    def fails() -> None:
        progress.begin("asking")
        progress.note(FAILED, "the old workers stay")

    assert asked(monkeypatch, state, fails).exit_code == 1
    progress.begin("asking")

    def refuses() -> None:
        progress.refuse("an upgrade is under way")
        progress.note(DONE, "the other one is done")

    result = asked(monkeypatch, state, refuses)
    assert (result.exit_code, result.output) == (1, "an upgrade is under way\n")


def test_who_does_not_want_to_wait_longer_is_told_that_it_goes_on(
    monkeypatch: pytest.MonkeyPatch, state: Path, progress: Progress
) -> None:
    result = asked(monkeypatch, state, lambda: progress.begin("asking"), "--timeout", "0.2")
    assert result.exit_code == 1
    assert "asking" in result.output
    assert "goes on" in result.output


def test_a_server_is_found_by_its_configuration_too(
    monkeypatch: pytest.MonkeyPatch, state: Path, progress: Progress
) -> None:
    config = state / "ecelerity.conf"
    config.write_text(f'spoolbase = "{state}"\n')
    monkeypatch.setattr(os, "kill", lambda *_: progress.refuse("no"))
    result = CliRunner().invoke(upgrade.command, ["--config", str(config)])
    assert (result.exit_code, result.output) == (1, "no\n")
    config.write_text("hostnam = x\n")
    assert CliRunner().invoke(upgrade.command, ["--config", str(config)]).exit_code == 1


def test_where_nobody_works_nobody_is_signalled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("setproctitle.setproctitle", lambda _: None)
    signalled: list[object] = []
    monkeypatch.setattr(os, "kill", lambda *values: signalled.append(values))
    for expected in ("this is no state directory", "no server works"):
        result = CliRunner().invoke(upgrade.command, ["--state", str(tmp_path)])
        assert result.exit_code == 3
        assert expected in result.output
        (tmp_path / "lock").write_text("1\n")  # left by one that has ended
    assert signalled == []


def test_the_server_must_be_named() -> None:
    assert CliRunner().invoke(upgrade.command, []).exit_code == 2
