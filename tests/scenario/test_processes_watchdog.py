"""A worker which is stuck: found, told, ended with its last words, and replaced."""

import asyncio
import contextlib
import os
import signal
from pathlib import Path

import pytest

from helpers.browser import ask
from helpers.package import Package
from helpers.world import World, reserved_port

pytestmark = pytest.mark.slow

ZONE = "sink.test MX 10 mx.sink.test\nmx.sink.test A 127.0.0.1\n"
CONTENT = b"Subject: hello\r\n\r\nhi\r\n"
# What a bug, or a policy of somebody, may do: a loop which does not end.
STUCK = """

def _stuck_here(self, message, recipients, done):
    while any(recipient.address.startswith("stuck") for recipient in recipients):
        pass
    _submit(self, message, recipients, done)


_submit, Admit.submit = Admit.submit, _stuck_here
"""


async def told(world: World, *words: str) -> str:
    """Wait until a line of the server has all these words; return it."""

    def found() -> list[str]:
        return [line for line in world.output if all(word in line for word in words)]

    await world.until(found, " ".join(words))
    return found()[0]


@pytest.mark.effect("watchdog_interval")
async def test_a_worker_in_an_endless_loop_says_where_it_was(tmp_path: Path) -> None:
    package = Package(tmp_path)
    package.append("queue/admit.py", STUCK)
    world = World(tmp_path, "watchdog_interval = 3\n", ZONE, workers=2)
    world.environment = package.environment
    async with world:
        before = set(world.worker_pids())
        async with world.call() as caller:
            await caller.envelope("a@b.test", "stuck@sink.test")
            await caller.say("DATA")
            await caller.put(CONTENT + b".\r\n")
            silent = await told(world, "does not answer")
            assert "running" in silent
            # The other takes all that comes, though it has far more than its share.
            for n in range(5):
                said = await world.send("a@b.test", [f"r{n}@sink.test"], CONTENT)
                assert said.startswith("250")
            words = await told(world, "last words")
            assert "_stuck_here" in words
        await told(world, "worker died", "-6")
        await world.until(lambda: len(world.worker_pids()) == 2, "another worker")
        assert len(before.intersection(world.worker_pids())) == 1
        [trace] = (world.state / "run" / "traces").iterdir()
        assert int(trace.stem) in before
        assert any("last words" in line for line in world.log("paniclog"))
        for n in range(5):
            await world.arrived(f"r{n}@sink.test")
        assert (await world.audit())["sound"]


async def test_a_worker_which_is_stopped_is_ended_and_its_mail_delivered(tmp_path: Path) -> None:
    config = "watchdog_interval = 3\n"
    async with World(
        tmp_path, config, ZONE, "at rcpt first 1 reply 451 4.3.0 later", workers=1
    ) as world:
        await world.send("a@b.test", ["c@sink.test"], CONTENT)
        await world.logged("mainlog", "@T@sink.test")
        [pid] = world.worker_pids()
        os.kill(pid, signal.SIGSTOP)
        assert "stopped" in await told(world, "does not answer")
        await told(world, "last words")
        await told(world, "worker died")
        await world.arrived("c@sink.test")
        assert (await world.settled())["delivered"] == 1


async def test_a_hose_which_is_stopped_is_ended_and_the_logs_go_on(tmp_path: Path) -> None:
    async with World(tmp_path, "watchdog_interval = 3\n", ZONE) as world:
        old = world.hose_pid()
        os.kill(old, signal.SIGSTOP)
        await world.send("a@b.test", ["c@sink.test"], CONTENT)
        await told(world, "stuck, and ended", "hose")
        await world.logged("mainlog", "@D@sink.test")
        assert world.hose_pid() not in (0, old)


@pytest.mark.parametrize("name", ["web", "monitor"])
async def test_who_is_beside_the_workers_and_hangs_is_ended_and_replaced(
    tmp_path: Path, name: str
) -> None:
    with contextlib.closing(reserved_port()) as keeper:
        port = keeper.getsockname()[1]
        config = (
            f"watchdog_interval = 3\nalerting {{ }}\n"
            f'http_listener {{ listen "127.0.0.1:{port}" {{ }} }}\n'
        )
        async with World(tmp_path, config, ZONE) as world:
            await world.until(lambda: world.child_pid(name), f"{name} to be there")
            old = world.child_pid(name)
            await told(world, "ready")
            os.kill(old, signal.SIGSTOP)
            await told(world, "does not answer", name, "stopped")
            await told(world, "stuck, and ended", name)
            await told(world, f"{name} died; mail goes on")
            await world.until(lambda: world.child_pid(name) not in (0, old), f"another {name}")
            assert any(
                "stuck, and ended" in line and name in line for line in world.log("paniclog")
            )

            async def alive() -> bool:
                with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                    return (await ask(port, "/healthz")).status == 200
                return False

            await world.eventually(alive, "an answer")


async def test_who_is_stopped_for_a_moment_goes_on(tmp_path: Path) -> None:
    """As a machine which sleeps: all of us are stopped, however long, and nobody is ended."""
    async with World(tmp_path, "watchdog_interval = 2\n", ZONE, workers=2) as world:
        pids = world.worker_pids()
        world.signal_all(signal.SIGSTOP)
        await asyncio.sleep(5.0)  # longer than the interval: what the test is about
        world.signal_all(signal.SIGCONT)
        assert (await world.send("a@b.test", ["c@sink.test"], CONTENT)).startswith("250")
        await world.arrived("c@sink.test")
        assert world.worker_pids() == pids
        assert not any("does not answer" in line for line in world.output)
