"""`ec_ctl` with a real server; and systemd, played."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from angarium.run.programs import ctl
from angarium.run.programs.ctl import command
from helpers.world import reserved_port


class Server:
    """A server of this folder, as an operator handles it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.config = folder / "ecelerity.conf"
        self.port = port
        self.environment = folder / "environment"
        self.environment.write_text(f"CONFFILE={self.config}\nTRY=8\n")
        self.state = folder / "state"
        self.configure()

    def configure(self, more: str = "") -> None:
        self.config.write_text(
            f'esmtp_listener {{ listen "127.0.0.1:{self.port}" {{ }} }}\n'
            f'eventloop "pool" {{ concurrency = 1 }}\nspoolbase = "{self.state}"\n'
            f'pidfile = "{self.state}/pid"\n{more}'
        )

    def ctl(self, action: str, *words: str) -> tuple[int, str]:
        program = [sys.executable, "-m", "angarium.run.programs.ctl", action, "--no-systemd"]
        done = subprocess.run(
            [*program, "--environment", str(self.environment), *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=60,
        )
        return done.returncode, done.stdout.decode()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with reserved_port() as keeper:
        made = Server(tmp_path, keeper.getsockname()[1])
        yield made
        made.configure()
        assert made.ctl("stop")[0] == 0


def test_a_day_of_a_server(server: Server) -> None:
    assert server.ctl("status")[0] == 3
    assert server.ctl("stop") == (0, "it does not run\n")
    code, told = server.ctl("start")
    assert code == 0, told
    assert told.startswith("started, process ")
    pid = told.split()[2].rstrip(";")
    assert server.ctl("start") == (0, f"it runs already, process {pid}\n")
    code, told = server.ctl("status")
    assert code == 0
    assert f"process {pid}," in told
    assert "ready: 1 workers" in (server.state / "service.log").read_text()
    code, told = server.ctl("reload")
    assert code == 0, told
    server.configure("no_such_option = 1\n")
    code, told = server.ctl("restart")
    assert code == 1
    assert "no_such_option" in told
    server.configure()
    assert f"process {pid}," in server.ctl("status")[1]
    code, told = server.ctl("restart")
    assert code == 0, told
    assert told.startswith(f"stopped, process {pid}\nstarted, process ")


def test_a_faulty_configuration_starts_nothing(server: Server) -> None:
    server.configure("no_such_option = 1\n")
    code, told = server.ctl("start")
    assert code == 1
    assert "no_such_option" in told
    assert not server.state.exists()


def test_where_there_is_no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("setproctitle.setproctitle", lambda _: None)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EC_CONF_SEARCH_PATH", str(tmp_path))
    monkeypatch.delenv("CONFFILE", raising=False)
    monkeypatch.setattr(ctl, "ENVIRONMENT", tmp_path / "missing")
    result = CliRunner().invoke(command, ["status"])
    assert result.exit_code == 1
    assert "no configuration" in result.output


def test_systemd_starts_where_it_has_the_unit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "ecelerity.conf"
    config.write_text(f'spoolbase = "{tmp_path}/state"\n')
    programs = tmp_path / "bin"
    programs.mkdir()
    asked = tmp_path / "asked"
    (programs / "systemctl").write_text(
        f'#!/bin/sh\necho "$@" >> {asked}\n'
        f'if [ "$1" = cat ]; then echo "ExecStart=angarium serve --config {config}"; fi\n'
    )
    (programs / "systemctl").chmod(0o755)
    monkeypatch.setattr("setproctitle.setproctitle", lambda _: None)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setattr(ctl, "SYSTEMD", tmp_path)
    monkeypatch.setattr(ctl, "ENVIRONMENT", tmp_path / "missing")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    for action in ("start", "restart"):
        result = CliRunner().invoke(command, [action, "--config", str(config)])
        assert result.exit_code == 0, result.output
    assert asked.read_text().splitlines() == [
        "cat angarium.service", "start angarium.service",
        "cat angarium.service", "restart angarium.service",
    ]  # fmt: skip
    assert not (tmp_path / "state").exists()
