"""`ec_rotate` with the options of Momentum, and its ec_rotate.conf."""

import bz2
import fcntl
import os
import signal
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from angarium.events.checkpoint import File, Keeper
from angarium.run import keyed, rotation
from angarium.run.programs import rotate
from angarium.run.programs.rotate import command


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    def run(*words: str | Path) -> tuple[int, str]:
        result = CliRunner().invoke(command, [str(each) for each in words])
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code, result.output

    return run


Run = Callable[..., tuple[int, str]]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log" / "mainlog.ec"
    path.parent.mkdir()
    path.write_text("lines\n")
    return path


def names(log: Path) -> list[str]:
    return sorted(each.name for each in log.parent.iterdir())


def test_a_log_is_renamed_and_compressed(run: Run, log: Path, tmp_path: Path) -> None:
    code, told = run("-l", log, "-v", "--state", tmp_path)
    assert code == 0
    assert f"{log} is mainlog.ec.1 now\n" in told
    assert names(log) == ["mainlog.ec.1.bz2"]
    assert bz2.decompress((log.parent / "mainlog.ec.1.bz2").read_bytes()) == b"lines\n"


def test_other_compressors_and_none(run: Run, log: Path, tmp_path: Path) -> None:
    assert run("-logfile", log, "-c", "/usr/bin/gzip", "--state", tmp_path) == (0, "")
    assert names(log) == ["mainlog.ec.1.gz"]
    log.write_text("more\n")
    assert run("-l", log, "-n", "--state", tmp_path) == (0, "")
    assert names(log) == ["mainlog.ec.1", "mainlog.ec.2.gz"]
    assert run("-l", log, "-c", "rm -rf /")[0] == 2


def test_what_was_left_is_compressed_later(run: Run, log: Path, tmp_path: Path) -> None:
    run("-l", log, "-n", "--state", tmp_path)
    run("-l", log, "-compress", "xz", "--state", tmp_path)
    assert names(log) == ["mainlog.ec.1.xz"]


def test_what_is_still_written_waits_for_the_next_rotation(
    run: Run, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotate, "PATIENCE_SECONDS", 0.0)
    with log.open("a") as writer:
        code, told = run("-l", log, "-v", "--state", tmp_path)
        assert code == 0
        assert "still written" in told
        writer.write("last\n")
    assert (log.parent / "mainlog.ec.1").read_text() == "lines\nlast\n"
    run("-l", log, "--state", tmp_path)
    assert names(log) == ["mainlog.ec.1.bz2"]


def test_a_file_the_hose_would_go_back_to_waits(
    run: Run, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotate, "PATIENCE_SECONDS", 0.0)
    keeper = Keeper(tmp_path / "hose" / "logs", "boot")
    keeper.lock()
    keeper.save({}, {"x": File(log.stat().st_ino, 6)}, sync=True)
    run("-l", log, "--state", tmp_path)
    assert names(log) == ["mainlog.ec.1"]
    keeper.save({}, {"x": File(1, 6)}, sync=True)
    keeper.unlock()
    run("-l", log, "-s", tmp_path / "run" / "control")
    assert names(log) == ["mainlog.ec.1.bz2"]


def test_the_server_is_told_to_reopen(
    run: Run, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda *words: told.append(words))
    lock = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    os.write(lock, b"4711\n")
    fcntl.flock(lock, fcntl.LOCK_EX)
    run("-l", log, "-n", "--state", tmp_path)
    os.close(lock)
    assert told == [(4711, signal.SIGUSR1)]


def test_a_configuration_of_momentum(run: Run, log: Path, tmp_path: Path) -> None:
    other = tmp_path / "adaptive"
    other.mkdir()
    (other / "a.log").write_text("a")
    (other / "b.txt").write_text("b")
    conf = tmp_path / "ec_rotate.conf"
    conf.write_text(
        f"enabled=yes\nlogfiles = {log} \\\n  {tmp_path}/missing.ec\nlogdirs = {other}\n"
        f"retention = 1\ncompressor = /usr/bin/gzip\nstate = {tmp_path}\n"
    )
    assert run("-conf", conf) == (0, "")
    assert names(log) == ["mainlog.ec.1.gz"]
    assert sorted(each.name for each in other.iterdir()) == ["a.log.1.gz", "b.txt"]
    log.write_text("more")
    assert run("-conf", conf) == (0, "")
    assert names(log) == ["mainlog.ec.1.gz"]
    conf.write_text("enabled = no\n")
    log.write_text("again")
    assert run("-conf", conf) == (0, "")
    assert "mainlog.ec" in names(log)


def test_without_words_it_is_the_file_or_the_usual_logs(
    run: Run, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotate, "SETTINGS", tmp_path / "missing")
    monkeypatch.setattr(rotate, "FOLDERS", (log.parent,))
    assert run("-d", "-r", "3", "--state", tmp_path) == (0, "")
    assert names(log) == ["mainlog.ec.1.bz2"]


@pytest.mark.parametrize("text", ["retention = 0", "retention = x", "compressor = zip", "what = 1"])
def test_a_faulty_file_is_refused(run: Run, tmp_path: Path, text: str) -> None:
    (tmp_path / "c").write_text(text)
    code, told = run("-conf", tmp_path / "c")
    assert code == 2
    assert told.startswith("rotate: ")


def test_a_failure_is_told_and_holds_up_no_other_log(
    run: Run, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = log.with_name("rejectlog.ec")
    other.write_text("x")
    real = rotation.rotate

    def failing(path: Path, retention: int) -> bool:
        if path == log:
            raise OSError(30, "Read-only file system")
        return real(path, retention)

    monkeypatch.setattr(rotation, "rotate", failing)
    code, told = run("-l", log, "-l", other, "--state", tmp_path)
    assert (code, told) == (1, "rotate: [Errno 30] Read-only file system\n")
    assert names(log) == ["mainlog.ec", "rejectlog.ec.1.bz2"]


def test_the_file_we_ship_is_one() -> None:
    shipped = Path(__file__).parents[3] / "etc/production"
    said = keyed.read(shipped / "ec_rotate.conf", rotate.KEYS)
    assert said["compressor"] in rotation.COMPRESSORS
    assert said["retention"].isdigit()
    # All that logrotate would have rotated, and in the same place.
    logs = {Path(each).parent for each in said["logfiles"].split()}
    assert f"{logs.pop()}/*.ec {{" in (shipped / "angarium.logrotate").read_text()
    assert not logs


@pytest.mark.parametrize("unit", ["angarium", "angarium-rotate", "angarium-maildrop"])
def test_units_start_programs_that_there_are(unit: str) -> None:
    root = Path(__file__).parents[3]
    text = (root / f"etc/production/{unit}.service").read_text()
    [start] = [each for each in text.splitlines() if each.startswith("ExecStart=")]
    program = start.removeprefix("ExecStart=").split()[0]
    assert Path(program).parent == Path("/opt/angarium/.venv/bin")
    scripts = tomllib.loads((root / "pyproject.toml").read_text())["project"]["scripts"]
    assert Path(program).name in scripts
