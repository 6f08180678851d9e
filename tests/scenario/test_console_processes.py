"""Changes by the console while processes die or are replaced: whole or not at all, and kept."""

import asyncio
import os
import re
import signal
from pathlib import Path

import pytest

from helpers.operators import Operator, operator
from helpers.world import World

pytestmark = pytest.mark.slow

CONTENT = b"Subject: hello\r\n\r\nhi\r\n"


async def generations(world: World) -> set[str]:
    """Return the banners of some connections: which configuration the workers have."""
    banners = set()
    for _ in range(6):
        async with world.call() as caller:
            banners.add(caller.banner.split()[1])
    return banners


@pytest.mark.parametrize("where", ["prepared", "committing", "committed"])
async def test_a_worker_killed_in_the_middle_of_a_commit_does_not_stop_it(
    tmp_path: Path, where: str
) -> None:
    world = World(tmp_path, workers=2, fault=f"reload.{where}/worker=kill")
    (tmp_path / "once").mkdir()
    world.environment = {"ANGARIUM_FAULT_ONCE": str(tmp_path / "once")}
    async with world, operator(world.state) as admin:
        before = set(world.worker_pids())
        await admin.say("config set hostname new.node.test")
        await world.until(
            lambda: len(world.worker_pids()) == 2 and set(world.worker_pids()) != before, "a worker"
        )
        await world.until(lambda: any("worker died" in line for line in world.output), "the death")
        assert await admin.say("config eval hostname") == 'hostname = "new.node.test"'

        async def all_new() -> bool:
            return await generations(world) == {"new.node.test"}

        await world.eventually(all_new, "the new configuration everywhere")


async def test_one_process_which_refuses_keeps_the_old_one_everywhere(tmp_path: Path) -> None:
    """Two logs cannot be in one file, which is seen by who would write them."""
    async with World(tmp_path, workers=2) as world, operator(world.state) as admin:
        await admin.say("config begin")
        await admin.say("config set hostname new.node.test")
        await admin.say(f"config set bounce_logger bounce_logger bouncelog {world.logs}/mainlog.ec")
        why = await admin.fails("config commit")
        assert re.search("nothing has changed: (worker [01]|hose): two logs in one file", why)
        assert await generations(world) == {"mx.node.test"}
        await admin.say("config unset bounce_logger bounce_logger bouncelog")
        await admin.say("config commit")
        assert await generations(world) == {"new.node.test"}


async def test_while_one_change_is_waited_for_others_take_their_turn(tmp_path: Path) -> None:
    async with World(tmp_path, workers=2) as world, operator(world.state) as admin:
        stuck, _ = world.worker_pids()
        await admin.say("config set command_timeout 0.2")
        os.kill(stuck, signal.SIGSTOP)
        asked = asyncio.ensure_future(admin.say("config set hostname new.node.test"))
        await world.until(lambda: any("no answer yet" in line for line in world.output), "the wait")
        # Nothing else is held up: another operator looks, and what he changes takes its turn.
        async with operator(world.state) as other:
            assert await other.say("config eval hostname") == 'hostname = "mx.node.test"'
            late = asyncio.ensure_future(other.say("config set retry_interval 60"))
            world.signal(signal.SIGHUP)
            await world.until(lambda: any("reload waits" in line for line in world.output), "that")
            os.kill(stuck, signal.SIGCONT)
            assert await asked == 'hostname = "new.node.test"'
            assert await late == "retry_interval = 60"
        await world.until(lambda: any("reloaded" in line for line in world.output), "the reload")
        assert await admin.say("config eval hostname") == 'hostname = "mx.node.test"'


async def test_an_upgrade_keeps_what_was_changed_and_the_socket(tmp_path: Path) -> None:
    async with World(tmp_path, workers=1) as world:
        async with operator(world.state) as admin:
            await admin.say("config set hostname new.node.test")
            await admin.say("config set esmtp_listener max_message_size 5000")
        node = (world.state / "run" / "control").stat().st_ino
        world.signal(signal.SIGUSR2)
        await world.until(lambda: any("upgrade done" in line for line in world.output), "the end")
        assert (world.state / "run" / "control").stat().st_ino == node
        assert await generations(world) == {"new.node.test"}
        async with operator(world.state) as admin:
            assert await admin.say("config eval hostname") == 'hostname = "new.node.test"'
            assert "max_message_size" in await admin.say("config diff")
            await admin.say("config set retry_interval 60")
            said = await admin.say("config reload")
            assert 'not written, and gone: global: hostname: "new.node.test"' in said
            assert await told(admin) == ["start", "root", "root", "root", "root"]
        assert await generations(world) == {"mx.node.test"}


async def told(admin: Operator) -> list[str]:
    lines = (await admin.say("config history")).splitlines()
    return [line.split("changes  " if "changes" in line else "change  ")[1].split(":")[0]
            for line in reversed(lines)]  # fmt: skip


async def test_an_upgrade_reads_the_files_where_nothing_was_changed(tmp_path: Path) -> None:
    async with World(tmp_path, workers=1) as world:
        world.configure('hostname = "new.node.test"\n')
        world.signal(signal.SIGUSR2)
        await world.until(lambda: any("upgrade done" in line for line in world.output), "the end")
        assert await generations(world) == {"new.node.test"}


async def test_what_was_not_written_is_in_the_history_after_a_crash(tmp_path: Path) -> None:
    async with World(tmp_path, workers=1) as world:
        async with operator(world.state) as admin:
            await admin.say("config set hostname new.node.test")
        world.kill()
        await world.ended()
        await world.start()
        await world.until(
            lambda: any("changed by the console" in line for line in world.output), "the warning"
        )
        async with operator(world.state) as admin:
            assert await admin.say("config eval hostname") == 'hostname = "mx.node.test"'
            assert "hostname" in await admin.say("config diff 2")
            await admin.say("config restore 2")
            assert await admin.say("config eval hostname") == 'hostname = "new.node.test"'
