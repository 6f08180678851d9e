"""Aides as their supervisor sees them: there when asked for, gone when not, never missed."""

import asyncio
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from angarium.config.load import load
from angarium.modules.monitor import door
from angarium.run import link, scoreboard
from angarium.run.aides import (
    PROGRAMS,
    Aides,
    Overheard,
    Postmaster,
    agent_sockets,
    sockets_of,
)
from helpers.addresses import free_port
from helpers.clock import FakeClock
from helpers.quiet import Quiet

START = link.Start(0, 1, "/state", 1, b"", [])


class Child:
    def __init__(self, name: str, ended: Any) -> None:
        self.name = name
        self.told: list[link.Message] = []
        self.ready = True
        self.clogged = False
        self.killed = False
        self._ended = ended

    def hand_over(self, descriptors: dict[str, int]) -> None:
        self.handed = descriptors

    def send(self, message: link.Message) -> None:
        self.told.append(message)

    def kill(self) -> None:
        self.killed = True

    def end(self, status: int = 0) -> None:
        self._ended(self, status)


class Yard:
    """Whom they work for."""

    def __init__(self) -> None:
        self.children: list[Any] = []
        self.joins = self.left = 0
        self.ended: list[tuple[int, str]] = []
        self.clock = FakeClock()
        self.aides = Aides(self, self.clock, Quiet(), self.spawn)

    def spawn(self, program: str, name: str, *values: Any) -> Any:
        assert program == PROGRAMS[name][0]
        self.children.append(child := Child(name, values[-1]))
        self.given = values[1]
        return child

    def aide_start(self, name: str) -> tuple[link.Start, dict[str, int]]:
        return START, sockets_of(name, {"http_listener a": 7, "esmtp_listener a": 8})

    def joined(self, child: Any) -> None:
        self.joins += 1

    def received(self, child: Any, message: link.Message) -> None:
        """It says nothing here."""

    def ended_at(self, place: int, child: Any) -> None:
        self.ended.append((place, child.name))

    def aides_left(self) -> None:
        self.left += 1


@pytest.fixture
async def timers(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    set_: list[Any] = []
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "call_later", lambda *values: set_.append(values))
    return set_


def configured(folder: Path, text: str) -> Any:
    path = folder / "ecelerity.conf"
    path.write_text(text)
    return load(str(path))


ALERTING = "alerting { }\n"


async def test_one_is_there_only_when_it_is_asked_for(tmp_path: Path, timers: list[Any]) -> None:
    yard = Yard()
    yard.aides.use(configured(tmp_path, ""))
    yard.aides.use(configured(tmp_path, "alerting { enabled = false }\n"))
    yard.aides.use(configured(tmp_path, "snmp { state = disabled }\nsnmp_traps { }\n"))
    assert yard.children == []
    yard.aides.use(configured(tmp_path, ALERTING))
    yard.aides.use(configured(tmp_path, ALERTING))
    [monitor] = yard.children
    assert yard.aides.children == [monitor]
    assert yard.aides.watched == [(scoreboard.MONITOR, monitor)]
    assert monitor.told == [link.Prepare(1, b""), link.Commit(1)]  # It is not asked.
    yard.aides.use(configured(tmp_path, ""))
    assert monitor.told[2:] == [link.Drain(5.0)]
    monitor.end()
    assert timers == [(10.0, monitor.kill)]
    assert yard.ended == [(scoreboard.MONITOR, "monitor")]


async def test_the_monitor_gets_the_socket_of_a_low_port(
    tmp_path: Path, timers: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        port = free_port()
        probe.bind(("127.0.0.1", port))
        config = configured(tmp_path, f'snmp {{ address = "127.0.0.1:{port}" }}\n')
        assert agent_sockets("monitor", config) == {}  # It is high: the monitor does it itself.
        monkeypatch.setattr(door, "LOW", 65536)
        assert agent_sockets("monitor", config) == {}  # It is taken: the monitor tells.
    [(label, made)] = agent_sockets("monitor", config).items()
    with made:
        assert (label, made.getsockname()) == ("snmp", ("127.0.0.1", port))
    assert agent_sockets("web", config) == {}
    yard = Yard()
    yard.aides.use(config)
    assert list(yard.given) == ["snmp"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", port))  # Ours was closed.


async def test_one_that_dies_is_started_again_later_and_later(
    tmp_path: Path, timers: list[Any]
) -> None:
    yard = Yard()
    yard.aides.use(configured(tmp_path, ALERTING))
    for number in range(4):
        yard.children[-1].end(-9)
        wait, start, *values = timers[-1]
        assert wait == 0.1 * 2**number
        start(*values)
    assert len(yard.children) == yard.joins == 5


async def test_at_a_stop_all_are_drained_and_none_is_started_again(
    tmp_path: Path, timers: list[Any]
) -> None:
    yard = Yard()
    yard.aides.drain()
    assert yard.left == 1
    yard = Yard()
    yard.aides.use(configured(tmp_path, ALERTING))
    yard.aides.drain()
    assert yard.left == 0
    yard.children[0].end()
    assert yard.left == 1
    assert len(yard.children) == 1


async def test_after_an_upgrade_the_new_program_is_in_its_place(
    tmp_path: Path, timers: list[Any]
) -> None:
    yard = Yard()
    yard.aides.use(configured(tmp_path, ALERTING))
    yard.aides.renew()
    assert yard.children[0].told == [link.Drain(5.0)]
    yard.children[0].end()
    _, start, *values = timers[-1]
    start(*values)
    assert len(yard.aides.children) == 1
    assert yard.aides.children == yard.children[1:]


async def test_who_does_not_listen_is_told_nothing_more(tmp_path: Path, timers: list[Any]) -> None:
    yard = Yard()
    line = link.Told("error", "worker died")
    yard.aides.tell("monitor", line)
    yard.aides.use(configured(tmp_path, ALERTING))
    [monitor] = yard.children
    yard.aides.tell("monitor", line)
    monitor.clogged = True
    yard.aides.tell("monitor", line)
    assert monitor.told == [line]


def test_nobody_but_the_monitor_loads_what_speaks_snmp_and_http() -> None:
    heavy = "('pysnmp', 'aiohttp', 'smtplib')"
    programs = "supervisor, worker, scribe"
    script = (
        f"from angarium.run import {programs}; import sys; print(set({heavy}) & {{*sys.modules}})"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, text=True
    )
    assert done.stdout == "set()\n"


def test_each_line_of_the_service_log_is_heard_but_for_those_of_the_monitor() -> None:
    heard: list[link.Told] = []
    log = Overheard(Quiet(), heard.append)
    log.info("ready")
    log.warning("needs restart", option="x")
    log.error("worker died", worker=1, exc_info=None)
    log.error("no destination answers", process="monitor")
    assert heard == [
        link.Told("info", "ready"),
        link.Told("warning", "needs restart", {"option": "x"}),
        link.Told("error", "worker died", {"worker": "1"}),
    ]


async def test_mail_goes_to_workers_which_are_ready_in_turn(
    tmp_path: Path, timers: list[Any]
) -> None:
    yard = Yard()
    yard.aides.use(configured(tmp_path, ALERTING))
    post = Postmaster(yard.aides)
    mail = link.Post(7, ["a@b.test"], b"x")
    post.post(mail, [])
    assert yard.children[0].told == [link.Posted(7, "no worker is ready")]
    workers: list[Any] = [Child(f"worker {n}", None) for n in range(3)]
    workers[1].ready = False
    for _ in range(4):
        post.post(mail, workers)
    assert [len(each.told) for each in workers] == [2, 0, 2]


async def test_the_web_gets_its_listening_sockets_and_no_others(
    tmp_path: Path, timers: list[Any]
) -> None:
    yard = Yard()
    yard.aides.use(configured(tmp_path, 'http_listener { listen "127.0.0.1:2081" { } }'))
    assert [each.name for each in yard.children] == ["web"]
    assert yard.given == {"http_listener a": 7}
    yard.aides.use(configured(tmp_path, ""))
    assert yard.children[0].told == [link.Drain(5.0)]


async def test_the_web_is_there_for_traces_too(tmp_path: Path, timers: list[Any]) -> None:
    yard = Yard()
    yard.aides.use(configured(tmp_path, 'trace_endpoint = "http://127.0.0.1:4318/v1/traces"'))
    assert [each.name for each in yard.children] == ["web"]


async def test_the_web_is_told_of_a_generation_and_not_asked(
    tmp_path: Path, timers: list[Any]
) -> None:
    yard = Yard()
    config = 'http_listener { listen "127.0.0.1:2081" { } }'
    yard.aides.use(configured(tmp_path, config))
    yard.aides.use(configured(tmp_path, config))
    [web] = yard.children
    assert web.handed == {"http_listener a": 7}
    assert web.told == [link.Prepare(1, b"", ["http_listener a"]), link.Commit(1)]


async def test_a_web_which_does_not_listen_is_put_in_anothers_place(
    tmp_path: Path, timers: list[Any]
) -> None:
    yard = Yard()
    config = 'http_listener { listen "127.0.0.1:2081" { } }'
    yard.aides.use(configured(tmp_path, config))
    [web] = yard.children
    web.clogged = True
    yard.aides.use(configured(tmp_path, config))
    assert web.killed
    web.end(-9)
    timers[0][1](*timers[0][2:])
    assert len(yard.children) == 2
