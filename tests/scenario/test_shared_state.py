"""What policy counts holds for the node, whichever worker counts it, and survives one of them."""

import os
import signal
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import pytest

from helpers.operators import Operator, operator
from helpers.world import World

pytestmark = pytest.mark.slow

AUDIT = 'inbound_audit { monitors = ( "3600,2" ) }\n'
OUTBOUND = 'outbound_audit "o" { monitors = ( "3600,2" ) monitor_domains = true }\n'
ZONE = "example.com MX 10 mx.example.com\nmx.example.com A 127.0.0.1\n"
CONTENT = b"Subject: hello\r\n\r\nhi\r\n"


async def counted(admin: Operator, block: str, kind: str) -> int:
    """Return what inbound_audit has counted in the window of now and the one before."""
    said = await admin.say(f"inbound_audit show ip {block}")
    lines = [line for line in said.splitlines() if line.lower().startswith(f"{kind} ")]
    return sum(int(line.rpartition(": ")[2]) for line in lines)


POLICY = """
require("msys.core"); require("msys.audit_series"); require("msys.counter")
require("msys.gauge_cache"); require("msys.audit")
local mod = {}

function mod:init()
  msys.audit_series.define("senders", "string", 3600, 2, { persist = true })
  msys.gauge_cache.define("open", 100, 600)
  return true
end

function mod:validate_connect(ac, vctx)
  msys.counter.inc("/site/connections")
  msys.gauge_cache.inc("open", "all")
  return msys.core.VALIDATE_CONT
end

function mod:validate_mailfrom(str, ac, vctx)
  local sender = tostring(str)
  msys.audit_series.add("senders", sender)
  local count = msys.audit_series.count("senders", { key = sender, endv = 1 })
  if count > 4 then
    local text = string.format("4.7.1 %d times, %d connections, %s", count,
      msys.counter.read("/site/connections"), tostring(msys.shareGet("why")))
    vctx:set_code(450, text)
    return msys.core.VALIDATE_DONE
  end
  msys.shareSet("why", "too often")
  return msys.core.VALIDATE_CONT
end

msys.registerModule("limits", mod)
"""


def replaced(world: World, before: set[int]) -> bool:
    now = set(world.worker_pids())
    return len(now) == 2 and len(now - before) == 1


async def connect(world: World, connections: int) -> None:
    """Have so many connections at a time: each worker takes its share of them."""
    async with AsyncExitStack() as stack:
        for number in range(connections):
            await stack.enter_async_context(world.call(source=f"127.0.0.{2 + number}"))


async def test_connections_receptions_and_refusals_are_counted_for_the_node(
    tmp_path: Path,
) -> None:
    config = AUDIT + OUTBOUND
    async with World(tmp_path, config, ZONE, workers=2) as world, operator(world.state) as admin:
        await connect(world, 8)
        async with world.call(source="127.0.1.9") as caller:
            await caller.say("MAIL FROM:<a@sender.test>")
            await caller.say("RCPT TO:<no address>")
        await world.send("a@sender.test", ["b@example.com"], CONTENT)

        async def known() -> bool:
            return (
                await counted(admin, "127.0.0.0/24", "connections") == 9
                and await counted(admin, "127.0.0.5", "connections") == 1
                and await counted(admin, "127.0.0.0/16", "connections") == 10
                and await counted(admin, "127.0.0.0/8", "receptions") == 1
                and await counted(admin, "127.0.1.9", "rejections") == 1
            )

        await world.eventually(known, "all that was counted")

        async def delivered() -> bool:
            said = await admin.say("outbound_audit show domain example.com")
            return " r: 1 d: 1 dt: 0." in said and said.count("f: 0") == 3

        await world.eventually(delivered, "the delivery to be counted")
        said = await admin.say("inbound_audit show all")
        assert "127.0.0.1,3600/0,1,1,0" in said or "127.0.0.1,3600/1,1,1,0" in said


async def test_a_worker_which_is_killed_takes_nothing_with_it(tmp_path: Path) -> None:
    async with World(tmp_path, AUDIT, workers=2) as world, operator(world.state) as admin:
        await connect(world, 8)

        async def known() -> bool:
            return await counted(admin, "127.0.0.0/8", "connections") == 8

        await world.eventually(known, "eight connections")
        for number in range(2):  # one after the other: what each knows comes from its sibling
            before = set(world.worker_pids())
            os.kill(world.worker_pids()[number], signal.SIGKILL)
            await world.until(partial(replaced, world, before), "another worker")
            await world.eventually(known, f"eight connections after {number + 1} deaths")
        await admin.say("counter add /a 5")

        async def both() -> bool:
            return "1 counters listed" in await admin.say("counter list")

        await world.eventually(both, "the counter")


async def test_counters_are_one_for_the_node_and_go_over_to_new_workers(tmp_path: Path) -> None:
    async with World(tmp_path, AUDIT, workers=2) as world, operator(world.state) as admin:
        await admin.say("counter add /a 5")
        await admin.say("counter increment /a")
        await connect(world, 4)

        async def known() -> bool:
            plain = await admin.say("counter list")
            return plain.split("\n")[2].startswith("6 ")

        await world.eventually(known, "six")
        before = set(world.worker_pids())
        await admin.say("counter add /a 0")
        world.signal(signal.SIGUSR2)
        await world.until(lambda: not before & set(world.worker_pids()), "new workers")
        async with operator(world.state) as again:

            async def kept() -> bool:
                said = await again.say("counter list")
                return said.split("\n")[2].startswith("6 ") and (
                    await counted(again, "127.0.0.0/8", "connections") >= 4
                )

            await world.eventually(kept, "what the old ones had counted")


async def test_a_script_counts_for_the_node_and_a_series_outlives_a_restart(
    tmp_path: Path,
) -> None:
    (tmp_path / "limits.lua").write_text(POLICY)
    config = (
        'inbound_audit { serialize_dir = "series" }\n'
        'scriptlet "scriptlet" { script "limits" { source = "limits" } }\n'
    )
    async with World(tmp_path, config, workers=2) as world, operator(world.state) as admin:
        sent = 4
        async with AsyncExitStack() as stack:  # so that each worker has some of them
            for _ in range(sent):
                caller = await stack.enter_async_context(world.call())
                assert (await caller.say("MAIL FROM:<a@sender.test>")).startswith("250")

        async def knows() -> bool:
            """Send once more; say whether who is asked knows of all before."""
            nonlocal sent
            sent += 1
            async with world.call() as caller:
                reply = await caller.say("MAIL FROM:<a@sender.test>")
            return f"450 4.7.1 {sent} times, {sent} connections, too often" in reply

        await world.eventually(knows, "a worker which knows what both have counted")

        async def shown() -> bool:
            series = await admin.say("audit_series show senders a@sender.test")
            gauges = await admin.say("shared show open")
            return f"all: {sent}" in gauges and str(sent) in series.split()

        await world.eventually(shown, "what the console shows")
        assert await world.stop() == 0
        await world.start()
        async with world.call() as caller:
            reply = await caller.say("MAIL FROM:<a@sender.test>")
        assert f"{sent + 1} times, 1 connections, nil" in reply
