"""Changes by the console, in force at once: nobody is disconnected who need not be."""

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from helpers.caller import Caller
from helpers.operators import operator
from helpers.world import World

pytestmark = pytest.mark.slow

ZONE = """
sink.test MX 10 mx.sink.test
mx.sink.test A 127.0.0.1
other.test MX 10 mx.sink.test
"""
CONFIG = """
domain "sink.test" {
  suspend_delivery = true   # until somebody says otherwise
}
"""
CONTENT = b"Subject: hello\r\n\r\nhi\r\n"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with World(tmp_path, config=CONFIG, zone=ZONE, workers=1) as world:
        yield world


async def mail(caller: Caller, to: str) -> str:
    """Send a message to somebody; return the reply to it."""
    reply = await caller.envelope("a@b.test", to)
    return await caller.data(CONTENT) if reply.startswith("2") else reply


async def test_a_limit_set_live_changes_deliveries_and_disconnects_nobody(world: World) -> None:
    async with world.call() as injector, operator(world.state) as admin:
        for number in range(3):
            assert (await mail(injector, f"u{number}@sink.test")).startswith("250")
        assert world.sink.messages == []
        said = await admin.say("config set domain sink.test suspend_delivery false")
        assert said == "suspend_delivery = false"
        await world.delivered(3)
        # The injector has nothing to do with that, and goes on in the session it has.
        assert (await mail(injector, "u3@sink.test")).startswith("250")
        await world.delivered(4)
        before = world.config.read_text()
        await admin.say("config set esmtp_listener max_message_size 5")
        assert (await injector.say("MAIL FROM:<a@b.test>")).startswith("421")
        assert world.config.read_text() == before
    async with world.call() as late:
        assert "SIZE 5" in late.greeting


async def test_a_reload_ends_sessions_and_undoes_what_was_not_written(world: World) -> None:
    async with world.call() as injector, operator(world.state) as admin:
        await admin.say("config set retry_interval 77")
        assert (await injector.say("RSET")).startswith("250")
        said = await admin.say("config reload")
        assert said == "not written, and gone: global: retry_interval: 77 -> 1"
        assert await admin.say("config eval retry_interval") == "retry_interval = 1"
        assert (await injector.say("RSET")).startswith("421")
        await admin.say("config set retry_interval 78")
        world.signal(signal.SIGHUP)
        await world.until(
            lambda: any("retry_interval: 78 -> 1" in line for line in world.output), "the loss"
        )
        assert (await admin.say("config history")).splitlines()[0].endswith("signal: reload")


async def test_two_operators_do_not_see_what_the_other_has_begun(world: World) -> None:
    async with operator(world.state) as one, operator(world.state) as two:
        await one.say("config begin")
        await two.say("config begin")
        await one.say("config set retry_interval 60")
        await two.say("config set max_retries 7")
        assert await two.say("config eval retry_interval") == "retry_interval = 1"
        assert "retry_interval: 1 -> 60" in await one.say("config commit")
        why = await two.fails("config commit")
        assert "retry_interval: 1 -> 60" in why
        await two.say("config rebase")
        await two.say("config commit")
        assert await one.say("config eval retry_interval") == "retry_interval = 60"
        assert await one.say("config eval max_retries") == "max_retries = 7"


async def test_a_faulty_commit_changes_nothing_and_says_where_the_fault_is(world: World) -> None:
    async with world.call() as injector, operator(world.state) as admin:
        await admin.say("config begin")
        await admin.say("config set retry_interval 60")
        await admin.say("config set memory_goal 99")
        await admin.say("config set memory_hwm 50")
        why = await admin.fails("config commit")
        assert re.search(r"ecelerity[.]conf:\d+:\d+: memory_goal .* is above memory_hwm", why)
        await admin.say("config set memory_goal 40")
        with socket.create_server(("127.0.0.1", 0)) as taken:
            place = f"127.0.0.1:{taken.getsockname()[1]}"
            await admin.say(f"config set esmtp_listener listen {place} enable true")
            assert "another server has it" in await admin.fails("config commit")
        await admin.say("config rollback")
        assert await admin.say("config eval retry_interval") == "retry_interval = 1"
        assert (await injector.say("MAIL FROM:<a@b.test>")).startswith("250")


async def test_what_is_written_back_is_what_a_reload_finds(world: World) -> None:
    async with operator(world.state) as admin:
        await admin.say("config set domain sink.test suspend_delivery false")
        await admin.say("config set domain new.test max_retries 4")
        live = await admin.say("config showrecurse")
        assert await admin.say("config diff") != ""
        assert await admin.say("config writeback") == f"written: {world.config}"
        assert await admin.say("config diff") == ""
        text = world.config.read_text()
        assert "suspend_delivery = false   # until somebody says otherwise" in text
        assert await admin.say("config reload") == ""
        assert await admin.say("config showrecurse") == live


async def test_there_is_a_history_and_a_way_back(world: World) -> None:
    async with operator(world.state) as admin:
        await admin.say("config set retry_interval 60")
        await admin.say("config set retry_interval 70")
        lines = (await admin.say("config history")).splitlines()
        assert len(lines) == 3
        number = lines[1].split()[0]
        assert await admin.say(f"config restore {number}") == ("global: retry_interval: 70 -> 60")
        assert await admin.say("config eval retry_interval") == "retry_interval = 60"


async def test_every_command_is_in_acctlog_without_secrets(world: World) -> None:
    async with operator(world.state) as admin:
        await admin.say("config set outbound_smtp_auth_pass hunter2")
        await admin.fails("config set retry_interval soon")
    lines = await world.logged("acctlog", "@Z@", 2)
    who = rf"\d+@Z@{re.escape(str(world.state))}/run/control@@[^@]+@"
    assert re.fullmatch(who + r"1@config set outbound_smtp_auth_pass = [*]{3}", lines[0])
    assert re.fullmatch(who + "-1@config set retry_interval = soon", lines[1])
    assert "hunter2" not in "".join(world.output)


async def test_the_program_does_commands_and_tells_by_its_exit_code(world: World) -> None:
    async def run(*words: str, typed: str = "") -> tuple[int | None, str, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "angarium.run.programs.cli", "console"),
            *("--state", str(world.state), *words),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate(typed.encode())
        return process.returncode, out.decode(), err.decode()

    batch = "config begin\n# two\nconfig set retry_interval 60\nconfig commit\nquit\nnonsense\n"
    said = await asyncio.gather(
        run("config", "get", "hostname"),
        run("--json", "config eval hostname"),
        run("config", "nothing"),
        run(typed="config nothing\nconfig set retry_interval 99\n"),
        run(typed=batch),
    )
    assert said[0] == (0, 'hostname = "mx.node.test"\n', "")
    assert '"value": "mx.node.test"' in said[1][1]
    assert said[2][0] == said[3][0] == 1
    assert "there is no such command" in said[2][2]
    assert said[4][:2] == (0, "retry_interval = 60\nglobal: retry_interval: 1 -> 60\n")
    assert (await run("config", "eval", "retry_interval"))[1] == "retry_interval = 60\n"
    os.kill(world.pid, signal.SIGKILL)
    await world.ended()
    assert (await run("config", "get", "hostname"))[0] == 3
