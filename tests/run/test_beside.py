import asyncio
import os
import sys
from pathlib import Path

import pytest

from angarium.run.beside import Beside
from helpers.clock import FakeClock
from helpers.quiet import Quiet

# A supervisor which starts the program, prints its number and stays.
SUPERVISOR = """
import asyncio, time
from angarium.run import log
from angarium.run.beside import Beside
async def main():
    program = Beside(["sink", "--listen", "127.0.0.1:0"], time, log.setup("supervisor"), print)
    program.start()
    print(program.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


@pytest.fixture(autouse=True)
def _the_child_finds_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2] / "src"))


async def test_it_runs_until_it_is_stopped_and_not_again() -> None:
    over = asyncio.Event()
    program = Beside(["sink", "--listen", "127.0.0.1:0"], FakeClock(), Quiet(), over.set)
    program.start()
    assert program.running
    program.stop()
    await asyncio.wait_for(over.wait(), 90)
    program.start()
    assert not program.running


async def test_a_program_that_ends_by_itself_is_started_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = asyncio.get_running_loop()
    again = asyncio.Event()
    monkeypatch.setattr(loop, "call_later", lambda wait, call: again.set())
    program = Beside(["no-such-word"], FakeClock(), Quiet(), lambda: None)
    program.start()
    await again.wait()
    assert not program.running


async def test_it_does_not_survive_a_supervisor_which_is_killed() -> None:
    supervisor = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SUPERVISOR, stdout=asyncio.subprocess.PIPE
    )
    assert supervisor.stdout is not None
    descriptor = os.pidfd_open(int(await supervisor.stdout.readline()))
    gone = asyncio.Event()
    asyncio.get_running_loop().add_reader(descriptor, gone.set)
    supervisor.kill()
    await supervisor.wait()
    await asyncio.wait_for(gone.wait(), 90)
    asyncio.get_running_loop().remove_reader(descriptor)
    os.close(descriptor)
