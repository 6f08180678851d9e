"""Lines to the system log."""

import contextlib
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from angarium.modules.loggers.place import parse
from angarium.modules.loggers.syslog import LINE, Syslog, SyslogLog


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.setblocking(False)
        made.bind(str(tmp_path / "log"))
        yield made


def syslog(tmp_path: Path, parameters: str = "") -> Syslog:
    return Syslog(parse(f"syslog://{tmp_path}/log{parameters}"), "ours", "mail", lambda: 0.0)


def test_a_line_has_priority_time_and_who_it_is_from(
    tmp_path: Path, daemon: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    for parameters, line in (("", b"up\n"), ("?facility=local0&priority=info", b"down\n")):
        with contextlib.closing(syslog(tmp_path, parameters)) as made:
            made.append(line)
    assert daemon.recv(100) == f"<19>Jan  1 00:00:00 ours[{os.getpid()}]: up".encode()
    assert daemon.recv(100).startswith(b"<134>")


def test_a_long_line_is_cut(tmp_path: Path, daemon: socket.socket) -> None:
    with contextlib.closing(syslog(tmp_path)) as made:
        made.append(b"x" * 100_000)
    assert daemon.recv(200_000).count(b"x") == LINE


def test_a_daemon_which_takes_no_more_is_waited_for(tmp_path: Path, daemon: socket.socket) -> None:
    log = SyslogLog("syslog://", syslog(tmp_path))
    log.add([b"%d" % number for number in range(2000)])
    taken: list[bytes] = []
    waits = 0
    while True:
        try:
            log.flush()
            break
        except BlockingIOError:
            waits += 1
            taken.append(daemon.recv(100))
    with contextlib.suppress(BlockingIOError):
        while True:
            taken.append(daemon.recv(100))
    log.close()
    assert waits
    assert [int(line.rpartition(b" ")[2]) for line in taken] == list(range(2000))


def test_a_daemon_which_is_not_there_fails_until_it_is(tmp_path: Path) -> None:
    log = SyslogLog("syslog://", syslog(tmp_path))
    log.open()
    log.add([b"a"])
    with pytest.raises(FileNotFoundError):
        log.flush()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as late:
        late.bind(str(tmp_path / "log"))
        assert log.flush()
        assert late.recv(100).endswith(b": a")
    assert not log.flush()
    log.close()
