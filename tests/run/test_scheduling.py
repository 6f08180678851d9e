"""Jobs are run when they are due."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from angarium.run.scheduling import Scheduling
from helpers.clock import FakeClock
from helpers.consoles import FakeServer
from helpers.guards import until


class Log(list[str]):
    def error(self, event: str, **fields: Any) -> None:
        self.append(f"{event}: {fields}")


async def scheduled(folder: Path, text: str, command: str) -> tuple[FakeServer, Log, Scheduling]:
    server, log = FakeServer(folder, text), Log()
    scheduling = Scheduling(server, server.node, FakeClock(), log)
    scheduling.use(server.live.configuration)
    await server.node.schedule.add(0, 0, command, server.aside)
    return server, log, scheduling


async def test_a_job_is_run_as_an_operator_and_accounted_for(tmp_path: Path) -> None:
    server, log, scheduling = await scheduled(tmp_path, "sched { }", "config show sched")
    await until(lambda: server.accounts)
    assert server.accounts[0][0] == "sched"
    assert server.node.schedule.jobs == []
    assert log == []
    scheduling.close()


async def test_a_job_that_fails_is_told(tmp_path: Path) -> None:
    _, log, scheduling = await scheduled(tmp_path, "sched { }", "nonsense")
    await until(lambda: log)
    assert "no such command" in log[0]
    scheduling.close()


async def test_a_store_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    text = f'sched {{ backing_store = "{tmp_path}/no/such/db" }}'
    _, log, scheduling = await scheduled(tmp_path, text, "config show sched")
    await until(lambda: log)
    assert "scheduled commands wait" in log[0]
    scheduling.close()


@pytest.mark.effect("sched.enabled")
async def test_off_jobs_wait(tmp_path: Path) -> None:
    server, log, scheduling = await scheduled(tmp_path, "sched { enabled = false }", "nonsense")
    assert await scheduling.turn(server.node.schedule) > 0
    assert len(server.node.schedule.jobs) == 1
    assert log == []
    scheduling.close()
    await asyncio.sleep(0)
