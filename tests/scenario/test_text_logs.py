"""The text logs of a node: every field of every record, one order, each line exactly once."""

import asyncio
import os
import re
import signal
from collections import Counter
from pathlib import Path

import pytest

from angarium.core.ident import printed
from helpers.outlook import Outlook

EVERYWHERE = "* A 127.0.0.1"
ID = r"[0-9A-F]{2}/[0-9A-F]{2}-[0-9A-F]{5}-[0-9A-F]{8}"
SINK = """
at rcpt to busy@* first 1 reply 451 4.2.1 busy@home is full\\nfor now
at rcpt to gone@* reply 550 5.1.1 no user gone@a.test
"""


async def kill_hose(world: Outlook) -> None:
    """Kill the process which writes the logs, once it is there."""
    await world.until(lambda: world.pids("hose"), "a hose")
    [pid] = world.pids("hose")
    os.kill(pid, signal.SIGKILL)
    await world.until(lambda: pid not in world.pids("hose"), "the end of the hose")


async def test_each_record_has_the_fields_which_parsers_know(tmp_path: Path) -> None:
    async with Outlook(tmp_path, "generate_bounces = false", EVERYWHERE, SINK) as world:
        await world.mail("well@a.test", "busy@a.test", "gone@a.test", sender="me@sender.test")
        await world.mail("x@[127.0.0.1]", sender="")
        await world.records("mainlog", "D", count=3)
        head = rf"(\d{{10}})@({ID})@({ID})@({ID})"
        forms = {
            "R": rf"{head}@R@(\w+)@(\S+)@(me|)@(sender[.]test|)@127[.]0[.]0[.]1@\d+@esmtp"
            r"@default@default",
            "D": rf"{head}@D@(\S+)@\d+@default@default@[01]@\d+[.]\d{{2,3}}@127[.]0[.]0[.]1",
            "T": rf"{head}@T@a[.]test@\d+@default@default@5@0@\d+[.]\d{{2,3}}@127[.]0[.]0[.]1"
            r"@451 4[.]2[.]1 busy@home is full for now",
            "P": rf"{head}@P@a[.]test@\d+@default@default@5@0@\d+[.]\d{{2,3}}@127[.]0[.]0[.]1"
            r"@550 5[.]1[.]1 no user gone@a[.]test",
        }
        lines = world.log("mainlog")
        found = Counter(
            kind for line in lines for kind, form in forms.items() if re.fullmatch(form, line)
        )
        assert found == {"R": 4, "D": 3, "T": 1, "P": 1}, lines
        assert len(lines) == 9
        # A recipient keeps its id, a content its batch, an attempt has its own connection.
        rows = {kind: world.rows("mainlog", kind) for kind in "RDTP"}
        of_first = [row for row in rows["R"] if row[7] == "me"]
        assert len({row[1] for row in of_first}) == 3
        assert len({(row[2], row[3]) for row in of_first}) == 1
        ends = {row[1] for kind in "DP" for row in rows[kind]}
        assert ends == {row[1] for row in rows["R"]}
        assert rows["T"][0][3] == rows["P"][0][3] != of_first[0][3]
        assert printed(0) != rows["T"][0][3]


async def test_failures_are_in_bouncelog_with_their_class(tmp_path: Path) -> None:
    async with Outlook(tmp_path, "generate_bounces = false", EVERYWHERE, SINK) as world:
        await world.mail("busy@a.test", "gone@a.test", sender="me@sender.test")
        await world.records("bouncelog", "B")
        [bounced] = world.rows("bouncelog", "B")
        [deferred] = await world.records("bouncelog", "T")
        head = rf"\d{{10}}@{ID}@{ID}@{ID}@B@gone@a[.]test@me@sender[.]test@default@default@5@10"
        assert re.fullmatch(
            rf"{head}@\d+@127[.]0[.]0[.]1@550 5[.]1[.]1 no user gone@a[.]test", "@".join(bounced)
        )
        assert deferred[5:13] == "busy a.test me sender.test default default 5 70".split()
        assert bounced[1] in {row[1] for row in world.rows("mainlog", "P")}


async def test_refusals_are_in_rejectlog(tmp_path: Path) -> None:
    config = 'relay_hosts = ( "192.0.2.0/24" )\nrelay_domains = ( "a.test" )'
    async with Outlook(tmp_path, config, EVERYWHERE) as world:
        async with world.call() as caller:
            said = await caller.envelope("me@sender.test", "b@elsewhere.test")
            assert said.startswith("55")
            code, _, text = said.split(" ", 2)
        [line] = await world.logged("rejectlog", "R=")
        local = rf"127[.]0[.]0[.]1:{world.port}"
        assert re.fullmatch(
            rf'\d{{10}}: R="127[.]0[.]0[.]1:\d+" L="{local}" C="{ID}" PATH="[^"]*" PATH_GRP="[^"]*"'
            rf' P="relaying denied" E={code} M=\w+ CTXCONN=\[.*\] CTXMESS=\[.*\]'
            rf" {re.escape(text)}",
            line,
        ), line


@pytest.mark.effect("ec_logger.heartbeat", "bounce_logger.heartbeat")
async def test_a_node_has_one_heartbeat_for_each_interval(tmp_path: Path) -> None:
    config = """
        ec_logger "ec_logger" { heartbeat = 1 }
        bounce_logger "bounce_logger" { heartbeat = 2 }
    """
    async with Outlook(tmp_path, config, EVERYWHERE, workers=3) as world:
        await world.logged("mainlog", r"^\d{10}@@@@M$", 2)
        await kill_hose(world)
        await world.logged("mainlog", r"^\d{10}@@@@M$", 4)
        await world.logged("rejectlog", r"^\d{10}: Marker 1$", 4)
        await world.logged("bouncelog", r"^\d{10}@@@@M1$", 1)
        beats = [line for line in world.log("mainlog") if line.endswith("M")]
        assert len(beats) == len(set(beats))
        rare = [int(line[:10]) // 2 for line in world.log("bouncelog")]
        assert len(rare) == len(set(rare))


async def test_logs_are_rotated_by_renaming_and_a_signal(tmp_path: Path) -> None:
    async with Outlook(tmp_path, "", EVERYWHERE, workers=2) as world:
        await world.mails(3, "b@a.test")
        await world.records("mainlog", "D", count=3)
        log = world.state / "log" / "mainlog.ec"
        old = log.rename(log.with_suffix(".ec.1"))
        await world.mails(3, "b@a.test")  # Until it is told so the hose writes to the old one.
        await world.came("b@a.test", 6)
        await world.until(lambda: old.read_text().count("@D@") == 6, "lines in the old file")
        world.signal(signal.SIGUSR1)
        await world.until(log.exists, "the new file")
        await world.mails(3, "b@a.test")
        await world.records("mainlog", "D", count=3)
        assert old.read_text().count("@R@") == 6
        assert log.read_text().count("@R@") == 3


async def test_lines_are_there_once_although_the_hose_is_killed(tmp_path: Path) -> None:
    async with Outlook(tmp_path, "", EVERYWHERE, workers=2) as world:
        for number in range(3):
            sending = asyncio.ensure_future(world.mails(40, f"b{number}@a.test"))
            await world.came(f"b{number}@a.test", 15)
            await kill_hose(world)
            await sending
        await world.records("mainlog", "D", count=120)
        assert once(world, "R", 120)
        assert once(world, "D", 120)


async def test_lines_are_there_once_although_everything_is_killed(tmp_path: Path) -> None:
    async with Outlook(tmp_path, "", EVERYWHERE, workers=2) as world:
        accepted = 0
        for number in range(2):
            sending = asyncio.ensure_future(bring(world, f"b{number}@a.test"))
            await world.came(f"b{number}@a.test", 40)
            await world.again(kill=True)
            accepted += await sending
        await world.records("mainlog", "D", count=accepted)
        # One more may lie on the disk, whose 250 was under way at the kill.
        await world.until(lambda: idents(world, "R") == idents(world, "D"), "the last one")
        assert await world.stop() == 0
        assert (await world.audit())["sound"]
        received = world.rows("mainlog", "R")
        # What was on disk when the 250 was under way counts too.
        assert accepted <= len(received) <= accepted + 2
        assert once(world, "R", len(received))
        assert once(world, "D", len(received))
        # At most what was in flight at a kill came twice.
        assert len(received) <= len(world.sink.accepted) <= len(received) + 2 * 40


async def bring(world: Outlook, recipient: str) -> int:
    """Send messages until the server is gone; return how many it took."""
    taken = 0
    try:
        async with world.call() as caller:
            while (await caller.deliver(b"Subject: x\r\n\r\n", recipient)).startswith("250"):
                taken += 1
    except ConnectionError:
        pass
    return taken


def idents(world: Outlook, kind: str) -> set[str]:
    return {row[1] for row in world.rows("mainlog", kind)}


def once(world: Outlook, kind: str, count: int) -> bool:
    """Say whether there are so many records of a kind, and all are different."""
    return len(world.rows("mainlog", kind)) == len(idents(world, kind)) == count
