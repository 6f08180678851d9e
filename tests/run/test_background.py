"""Variables, scripts and waiting of a server in the background."""

import fcntl
import os
import signal
import socket
from pathlib import Path

import pytest

from angarium.run import background
from angarium.run.background import (
    BackgroundError,
    Ready,
    included,
    running,
    start,
    stop,
    variables,
)


def test_variables_as_a_shell_writes_them(tmp_path: Path) -> None:
    file = tmp_path / "environment"
    file.write_text(
        "# comment\nTRY=20\nexport CONFFILE='/etc/a b.conf'\nA=\"x y\" # comment\nB=\n"
        "export TRY A\nC=1;\n"
    )
    assert variables(file) == {
        "TRY": "20", "CONFFILE": "/etc/a b.conf", "A": "x y", "B": "", "C": "1",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["reboot", "A=1 reboot", "A='", "if true; then", "1A=2"])
def test_a_file_of_variables_runs_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "e").write_text(f"X=1\n{text}\n")
    with pytest.raises(BackgroundError, match="line=2"):
        variables(tmp_path / "e")


def test_scripts_may_set_variables(tmp_path: Path) -> None:
    (tmp_path / "start.b").write_text('SECOND="$FIRST and more"\n')
    (tmp_path / "start.a").write_text("echo said; FIRST=1\n")
    (tmp_path / "stop.a").write_text("exit 1\n")
    found = included(tmp_path, "start", {"PATH": os.environ["PATH"]})
    assert (found["FIRST"], found["SECOND"]) == ("1", "1 and more")
    assert included(tmp_path / "missing", "start", {"A": "1"}) == {"A": "1"}


def test_a_script_may_refuse_the_start(tmp_path: Path) -> None:
    (tmp_path / "start.a").write_text("exit 1\n")
    with pytest.raises(BackgroundError):
        included(tmp_path, "start", {})


def test_a_script_others_may_write_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "start.a").write_text(f"touch {tmp_path}/ran\n")
    (tmp_path / "start.a").chmod(0o666)
    with pytest.raises(BackgroundError):
        included(tmp_path, "start", dict(os.environ))
    assert not (tmp_path / "ran").exists()


def test_only_ready_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    ready = Ready()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as speaker:
        speaker.connect(f"\0{ready.name[1:]}")
        speaker.send(b"STATUS=READY=1 soon")
        assert not ready.heard()
        assert not ready.heard()
        speaker.send(b"READY=1\nSTATUS=4 workers")
        assert ready.heard()
    ready.close()


def test_a_server_that_ends_is_told_with_its_last_words(tmp_path: Path) -> None:
    output = tmp_path / "log"
    output.write_text("of yesterday\n")
    with pytest.raises(BackgroundError) as raised:
        start(["--config", str(tmp_path / "missing")], output, dict(os.environ), 30.0)
    assert "it ended with 1" in str(raised.value)
    assert "missing" in str(raised.value)
    assert "yesterday" not in str(raised.value)
    assert output.read_text().startswith("of yesterday\n")


def test_a_link_in_place_of_the_output_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "log").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        start([], tmp_path / "log", {}, 1.0)
    assert not (tmp_path / "elsewhere").exists()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state directory on which we work."""
    lock = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    os.write(lock, f"{os.getpid()}\n".encode())
    fcntl.flock(lock, fcntl.LOCK_EX)
    return tmp_path


def test_who_does_not_stop_in_time_is_told(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda *words: told.append(words))
    monkeypatch.setattr(background, "LOOK_SECONDS", 0.001)
    assert running(state) == os.getpid()
    with pytest.raises(BackgroundError):
        stop(state, 0.01)
    assert told == [(os.getpid(), signal.SIGTERM)]


def test_no_server(tmp_path: Path) -> None:
    assert running(tmp_path) == 0
    assert stop(tmp_path, 0.0) == 0
