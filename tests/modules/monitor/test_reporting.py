"""SNMP in the monitor: what is built of a configuration, and what goes on without it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from angarium.config.load import load_text
from angarium.modules.monitor import reporting
from angarium.modules.monitor.conditions import START, Trap
from angarium.modules.monitor.mib import GROUPS, PRODUCT, SYSTEM
from angarium.modules.monitor.reporting import Reporting, Sources
from helpers.addresses import free_port
from helpers.clock import FakeClock

TRAPS = """
snmp_traps {
  state = enabled
  watch_interval = 20
  watch_variables = [ ActiveQueue = 5 ]
  user "watcher" { authentication_secret = "authentication" }
  destination "127.0.0.1:9" { community = "one" }
  trap_destination "127.0.0.2:9" { community = "other" user = "watcher" }
  destination "127.0.0.3:9" { user = "nobody" }
}
"""


class Sent:
    """Traps which go nowhere."""

    def __init__(self, destinations: Any, _engine: Any, _complain: Any) -> None:
        self.destinations = destinations
        self.traps: list[tuple[Trap, float]] = []

    async def send(self, trap: Trap, uptime: float) -> None:
        self.traps.append((trap, uptime))

    def close(self) -> None:
        """Nothing is open."""


class Server:
    def __init__(self, state: Path, config: str) -> None:
        self.clock = FakeClock()
        self.complaints: list[str] = []
        self.values: dict[str, float] = {}
        self.reporting = Reporting(
            load_text(config), "mx", state,
            Sources(lambda: self.values, dict, dict), self.clock,
            self.clock.monotonic() - 100.0, self.complaints.append,
        )  # fmt: skip

    @property
    def sent(self) -> Sent:
        traps: Any = self.reporting._traps
        assert isinstance(traps, Sent)
        return traps

    async def pass_(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.reporting.second()
        for _ in range(3):
            await asyncio.sleep(0)


@pytest.fixture
async def trapping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    monkeypatch.setattr(reporting, "Traps", Sent)
    server = Server(tmp_path, TRAPS)
    yield server
    await server.reporting.close()


@pytest.mark.effect("snmp_traps.trap_destination.community", "snmp_traps.trap_destination.user")
async def test_destinations_are_those_of_both_names(trapping: Server) -> None:
    one, other = trapping.sent.destinations
    assert (str(one.place), one.community, one.user) == ("127.0.0.1:9", "one", None)
    assert (str(other.place), other.community) == ("127.0.0.2:9", "other")
    assert other.user[0] == "watcher"
    [complaint] = trapping.complaints
    assert complaint == "traps to 127.0.0.3:9: there is no user nobody in snmp_traps"


async def test_a_start_and_a_stop_are_told(trapping: Server) -> None:
    trapping.reporting.hear("Angarium 1.0 started, generation 1")
    trapping.reporting.hear("reloaded, generation 2")
    trapping.reporting.hear("stopping, within 30 s")
    await asyncio.sleep(0)
    assert [(trap.oid[-1], uptime) for trap, uptime in trapping.sent.traps] == [
        (START[-1], 100.0), (2, 100.0),
    ]  # fmt: skip


async def test_the_queues_are_looked_at_in_intervals_when_workers_say_something(
    trapping: Server,
) -> None:
    await trapping.pass_(0)
    trapping.values = {"queued": 9.0, "delayed": 1.0}
    await trapping.pass_(19)
    assert trapping.sent.traps == []
    await trapping.pass_(1)
    [(trap, _)] = trapping.sent.traps
    assert trap.objects[0][0] == (*GROUPS, 1, 1)
    assert trap.objects[0][1].value == 8


async def test_without_an_address_there_is_no_agent_and_without_a_state_no_trap(
    tmp_path: Path,
) -> None:
    server = Server(tmp_path, "snmp { }\nsnmp_traps { }\n")
    await server.pass_(1)
    server.reporting.hear("Angarium 1.0 started")
    assert server.reporting.port == 0
    assert server.complaints == []
    await server.reporting.close()


async def test_a_place_that_is_taken_is_told_once_and_tried_again(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        port = free_port()
        taken.bind(("127.0.0.1", port))
        server = Server(tmp_path, f'snmp {{ address = "127.0.0.1:{port}" }}\n')
        for _ in range(3):
            await server.pass_(10)
        [complaint] = server.complaints
        assert f"cannot listen on 127.0.0.1:{port}" in complaint
    await server.pass_(10)
    assert server.reporting.port == port
    await server.reporting.close()


async def test_the_table_is_made_of_what_was_measured(tmp_path: Path) -> None:
    server = Server(tmp_path, 'snmp { sysLocation = "rack 7" }\nbinding "bulk" { }\n')
    server.values = {"queued": 9.0, "delayed": 1.0}
    table = server.reporting.table()
    shown = {
        "location": table.get((*SYSTEM, 6, 0)),
        "uptime": table.get((*SYSTEM, 3, 0)),
        "active": table.get((*GROUPS, 1, 1)),
        "name": table.get((*GROUPS, 4, 3)),
        "product": table.get((*PRODUCT, 1, 0)),
    }
    assert {name: found.value for name, found in shown.items() if found} == {
        "location": "rack 7", "uptime": 10000, "active": 8, "name": "none/bulk",
        "product": "Angarium",
    }  # fmt: skip
    await server.reporting.close()
