import asyncio
from pathlib import Path

import pytest
import structlog

from angarium.run.beside import Beside
from helpers.clock import FakeClock


@pytest.fixture(autouse=True)
def _the_child_finds_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2] / "src"))
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())


async def test_it_runs_until_it_is_stopped_and_not_again() -> None:
    over = asyncio.Event()
    program = Beside(
        ["sink", "--listen", "127.0.0.1:0"], FakeClock(), structlog.get_logger(), over.set
    )
    program.start()
    assert program.running
    program.stop()
    await asyncio.wait_for(over.wait(), 20)
    program.start()
    assert not program.running


async def test_a_program_that_ends_by_itself_is_started_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = asyncio.get_running_loop()
    again = asyncio.Event()
    monkeypatch.setattr(loop, "call_later", lambda wait, call: again.set())
    program = Beside(["no-such-word"], FakeClock(), structlog.get_logger(), lambda: None)
    program.start()
    await again.wait()
    assert not program.running
