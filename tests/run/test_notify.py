"""What a service manager hears."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from angarium.run.notify import Notify


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        name = str(tmp_path / "notify")
        if request.param == "abstract":
            name = f"@angarium-test-{os.getpid()}"
        listening.bind(name.replace("@", "\0"))
        listening.settimeout(90)
        yield listening, name


def test_it_is_told_of_a_start_a_reload_and_a_stop(manager: tuple[socket.socket, str]) -> None:
    listening, name = manager
    notify = Notify({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "60000000"})
    notify.ready("2 workers")
    notify.reloading("reloading")
    for now in (1000.0, 1028.9, 1029.0, 1030.0):
        notify.alive(now)
    notify.stopping("stopping")
    heard = [listening.recv(4096).decode().split("\n") for _ in range(4)]
    assert heard[0] == ["READY=1", "STATUS=2 workers"]
    assert heard[1][0] == "RELOADING=1"
    assert heard[1][1].startswith("MONOTONIC_USEC=")
    assert heard[2] == ["WATCHDOG=1"]
    assert heard[3] == ["STOPPING=1", "STATUS=stopping"]
    notify.close()


def test_without_a_service_manager_nothing_is_sent(tmp_path: Path) -> None:
    for environment in ({}, {"NOTIFY_SOCKET": str(tmp_path / "nobody")}):
        notify = Notify(environment)
        notify.ready("2 workers")
        notify.close()
        notify.alive(1000.0)


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, 0.0),
        ({"WATCHDOG_USEC": "60000000"}, 30.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, 0.0),
        ({"WATCHDOG_USEC": "soon"}, 0.0),
    ],
)
def test_how_often_to_say_that_we_live(environment: dict[str, str], seconds: float) -> None:
    assert Notify(environment).alive_seconds == seconds
