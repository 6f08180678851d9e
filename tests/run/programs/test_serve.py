"""`angarium serve` up to where the supervisor takes over; what follows is in tests/scenario."""

import fcntl
import os
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from angarium.config.load import load_text
from angarium.config.resolve import Endpoint
from angarium.run.programs import serve
from angarium.run.programs.serve import command
from helpers.addresses import free_port


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """A start sets the mask of its process, and its directory."""
    folder, mask = os.getcwd(), os.umask(0o022)
    yield
    os.chdir(folder)
    os.umask(mask)


def run(folder: Path, text: str) -> Result:
    (folder / "ecelerity.conf").write_text(text)
    words = ["--config", str(folder / "ecelerity.conf"), "--state", str(folder / "state")]
    return CliRunner().invoke(command, words)


def test_a_faulty_configuration_is_told_with_its_place_and_nothing_is_touched(
    tmp_path: Path,
) -> None:
    result = run(tmp_path, "\n  retry_intervall = 5\n")
    assert result.exit_code == 1
    assert f"{tmp_path}/ecelerity.conf:2:3: " in result.output
    assert "retry_interval" in result.output
    assert not (tmp_path / "state").exists()


def test_a_file_which_is_not_there_is_a_faulty_configuration(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["--config", str(tmp_path / "nowhere.conf")])
    assert result.exit_code == 1
    assert "nowhere.conf" in result.output


def test_without_a_configuration_it_is_wrong_usage() -> None:
    assert CliRunner().invoke(command, []).exit_code == 2


def test_an_address_in_use_is_told_and_nothing_is_touched(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run(tmp_path, f'esmtp_listener {{ listen "127.0.0.1:{port}" {{ }} }}')
    assert result.exit_code == 3
    assert f"127.0.0.1:{port}" in result.output
    assert "another server has it" in result.output
    assert not (tmp_path / "state").exists()


def test_a_state_directory_in_use_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    port = free_port()
    with (tmp_path / "state/lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = run(tmp_path, f'esmtp_listener {{ listen "127.0.0.1:{port}" {{ }} }}')
    assert result.exit_code == 3
    assert "another server works on this state directory" in result.output


def plan(**changes: Any) -> Any:
    values = {
        "sink": None, "state": Path("/state"), "workers": 2, "configuration": load_text("")
    }  # fmt: skip
    return SimpleNamespace(unreadable=lambda: "", **values | changes)


def announced(
    capsys: pytest.CaptureFixture[str], plan: Any, *names: object, http: Sequence[object] = ()
) -> str:
    opened = {
        Endpoint(listener, str(name)): SimpleNamespace(getsockname=lambda name=name: name)
        for listener in ("esmtp_listener", "http_listener")
        for name in (names if listener == "esmtp_listener" else http)
    }
    serve.announce(plan, SimpleNamespace(open=opened))  # type: ignore[arg-type]
    return capsys.readouterr().out


def test_one_line_says_ready_when_all_listen(capsys: pytest.CaptureFixture[str]) -> None:
    said = announced(capsys, plan(), ("192.0.2.1", 25), ("2001:db8::1", 25, 0, 0), "/run/smtp")
    assert [line for line in said.splitlines() if "ready" in line] == [
        "ready: 2 workers, generation 1"
    ]
    assert "SMTP on 192.0.2.1:25\nSMTP on [2001:db8::1]:25\nSMTP on /run/smtp\n" in said


def test_where_to_look_at_it_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    http = [("127.0.0.1", 2081), ("::1", 2081, 0, 0), "/run/web"]
    said = announced(capsys, plan(sink=object()), ("192.0.2.1", 25), http=http)
    assert "SMTP on 192.0.2.1:25\nstatus on http://127.0.0.1:2081/status\n" in said
    assert "status on http://[::1]:2081/status\nstatus on /run/web\n" in said
    assert "send --server 192.0.2.1:25" in said
    secure = load_text("http_listener { use_ssl = true tls_certificate = /pem listen :443 { } }")
    said = announced(capsys, plan(configuration=secure), http=http)
    assert "status on https://127.0.0.1:2081/status\n" in said


def test_who_stays_root_is_told_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert "running as root" in announced(capsys, plan())
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "root" not in announced(capsys, plan())


def test_with_a_sink_there_are_three_lines_to_try(capsys: pytest.CaptureFixture[str]) -> None:
    said = announced(capsys, plan(sink=object()), ("127.0.0.1", 2525))
    tries = [line for line in said.splitlines() if line.startswith("  ")]
    assert len(tries) == 3
    assert all("127.0.0.1:2525" in each for each in tries[:2])
    assert tries[2].endswith("/state/log/mainlog.ec")
