"""Commands about mail and queues, on a real server of two workers with mail that waits."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from helpers.operators import Operator, operator
from helpers.world import World

pytestmark = pytest.mark.slow

ZONE = """
example.com MX 10 mx.example.com
mx.example.com A 127.0.0.1
other.test MX 10 mx.other.test
mx.other.test A 127.0.0.1
"""
CONFIG = """
retry_interval = 600
binding "b1" { }
"""
KIND = b"Subject: x\r\nX-Kind: bulk\r\n\r\nhello\r\n"
PLAIN = b"Subject: y\r\n\r\nhello\r\n"


@asynccontextmanager
async def waiting(folder: Path) -> AsyncIterator[tuple[World, Operator]]:
    """Start a server, suspend it, and give it mail: 3 for example.com, 2 for other.test."""
    async with World(folder, CONFIG, ZONE, workers=2) as world, operator(world.state) as admin:
        assert await admin.say("suspend all") == "all is suspended"
        for number in range(3):
            content = KIND if number else PLAIN
            assert (await world.send(f"s{number}@a.test", ["u@example.com"], content))[0] == "2"
        await world.send("s9@a.test", ["u@other.test", "v@other.test"], PLAIN)
        yield world, admin


async def plain(admin: Operator, text: str) -> dict[str, object]:
    said, end = await admin.ask(text, "json")
    assert not end.failed, said
    found: dict[str, object] = json.loads(said)
    return found


async def test_queues_are_shown_as_they_are(tmp_path: Path) -> None:
    async with waiting(tmp_path) as (_, admin):
        assert (await admin.say("active 0")).splitlines() == [
            "Domain:                    example.com  C:  0  A:      3  D:     0  S:     0",
            "Domain:                     other.test  C:  0  A:      2  D:     0  S:     0",
            "                                Total:  C:  0  A:      5  D:     0  S:     0",
        ]
        assert (await admin.say("active 2")).count("Domain:") == 1
        assert (await admin.say("delayed 0")).count("Domain:") == 0
        assert (await admin.say("binding active default 0")).count("Domain:") == 2
        assert (await admin.say("binding active b1 0")).count("Domain:") == 0
        assert await admin.fails("binding active b2 0") == "there is no binding b2"
        said = (await admin.say("mailq --domain example.com")).splitlines()
        assert said[0].split() == ["Group/Binding", "Domain", "AQ", "DQ"]
        assert said[2].split() == ["default/default", "example.com", "3", "0"]
        assert (await plain(admin, "mailq --limit 1"))["total"] == 2
        assert "Totals: C: 0 A: 5 D: 0 S: 0" in await admin.say("domain all")
        said = (await admin.say("showqueue example.com")).splitlines()
        assert len(said) == 6
        assert re.fullmatch(r"\[active/default\] \w\w/\w\w-\d{5}-\w{8} Created: \d+", said[0]), (
            said[0]
        )
        assert re.fullmatch(r"  From: <s\d@a\.test> To: <u@example\.com>", said[1]), said[1]
        assert (await admin.say("showqueue example.com 1,2")).splitlines() == said[4:]
        summary = await plain(admin, "binding summary default")
        assert isinstance(summary["bindings"], list)
        assert summary["bindings"][0]["active"] == 5
        assert "Queue:\n        Active:          3" in await admin.say("domain example.com")


async def test_a_filter_chooses_and_a_preview_changes_nothing(tmp_path: Path) -> None:
    async with waiting(tmp_path) as (world, admin):
        said = await admin.say("fail domain --header X-Kind bulk example.com --dry-run")
        lines = said.splitlines()
        assert lines[-1] == "[dry-run] example.com: 2 messages would be failed."
        assert re.search("domain=example.com from=<s[12]@a.test> to=<u@example.com>$", lines[0])
        assert "A:      3" in await admin.say("active 2")
        said = await admin.say("fail domain quiet --header X-Kind bulk example.com 550 5.7.1 no")
        assert said == "example.com purged, 2 messages failed."
        failed = await world.logged("bouncelog", "example.com", 2)
        assert all("550 5.7.1 no" in each for each in failed)
        assert await admin.say("fail all quiet --sender s9@*") == (
            "All domains purged. 2 messages failed."
        )
        assert "filter is missing" in await admin.fails("fail all")
        assert "one filter too many" in await admin.fails("fail all --meta a b --header c d")
        assert await admin.say("resume all") == "all is resumed"
        assert (await world.settled())["bounced"] == 4
        assert [each.recipients for each in world.sink.accepted] == [["u@example.com"]]


async def test_senders_hear_of_failed_mail_unless_it_is_quiet(tmp_path: Path) -> None:
    async with waiting(tmp_path) as (world, admin):
        assert await admin.say("binding fail domain default other.test") == (
            "other.test purged, 2 messages failed."
        )
        await world.logged("bouncelog", "554 Message manually purged.", 2)
        said = await admin.say("mailq --domain a.test")
        assert "a.test" in said.splitlines()[2]
        assert await admin.say("binding fail domain quiet default all") == (
            f"All domains purged.  {3 + int(said.split()[-2])} messages failed."
        )
        ends = await world.settled()
        assert ends["queued"] == 0


async def test_one_message_is_looked_at_and_ended(tmp_path: Path) -> None:
    async with waiting(tmp_path) as (world, admin):
        said = await admin.say("showqueue example.com")
        found = re.findall(r"(\S+) Created.*\n.*<(s\d)@", said)
        ids = {sender: ident for ident, sender in found}
        first, second, third = (ids[f"s{number}"] for number in range(3))
        said = await admin.say(f"message details {first}")
        assert said.startswith(f"Message: {first}\nMessage Type: full message\n")
        assert "Sender: s0@a.test" in said
        assert "Next Attempt: active" in said
        assert "X-Kind: bulk\n\nhello" in await admin.say(f"message details body {second}")
        assert await admin.say(f"message fail quiet {first}") == "Message failed"
        [line] = await world.logged("bouncelog", re.escape(first))
        assert "554 manually failed." in line
        assert await admin.fails(f"message fail {first}") == (
            f"there is no message {first} in the queue"
        )
        assert await admin.say(f"message retry {second}") == "Message is active already"
        assert await admin.say(f"message delete {third}") == "Message deleted"
        assert await admin.say(f"spool_in {second}") == "Message is in the queue already"
        assert "is no id" in await admin.fails("message fail 12")
        await admin.say("resume all")
        ends = await world.settled()
        assert (ends["delivered"], ends["bounced"], ends["discarded"]) == (3, 1, 1)


async def test_mail_is_delayed_flushed_and_rerouted(tmp_path: Path) -> None:
    async with waiting(tmp_path) as (world, admin):
        assert await admin.say("delay 600 --domain example.com") == "Delayed 3 messages."
        assert await admin.say("delay 600 --domain example.com") == (
            "No messages for example.com found."
        )
        assert "filter is missing" in await admin.fails("delay 600")
        assert "A:      0  D:     3" in await admin.say("delayed 2")
        assert await admin.say("reroute queue example.com other.test") == (
            "Moved 3 messages from 'example.com' to 'other.test'"
        )
        assert (await admin.say("showqueue other.test")).count("delayed/") == 3
        assert await admin.say("rebind all") == "Rebound 5 messages."
        assert await admin.say("flush domain other.test") == (
            "other.test flushed.  3 messages requeued."
        )
        await admin.say("resume all")
        assert (await world.settled())["delivered"] == 5


async def test_what_is_suspended_stays_so_over_a_restart(tmp_path: Path) -> None:
    async with waiting(tmp_path) as (world, admin):
        await admin.say("suspend domain *.test")
        assert await admin.say("resume all") == "all is resumed\ndomain *.test is resumed"
        await admin.say("suspend domain *.test")
        await world.arrived("u@example.com")
        await world.stop()
        await world.start()
        async with operator(world.state) as again:
            assert re.match(r"domain \*\.test  by \S+ at ", await again.say("suspend list"))
            assert await again.fails("resume all x")
            assert await again.fails("resume domain x") == (
                "domain x is not suspended by a command; domain *.test is"
            )
            assert await again.say("resume domain *.test") == "domain *.test is resumed"
            assert (await world.settled())["delivered"] == 5


async def test_connections_are_shown_and_commands_are_noted(tmp_path: Path) -> None:
    async with waiting(tmp_path) as (world, admin), world.call():
        said = await admin.say("show inbound")
        assert re.search(
            r"^\d+: \[inbound/esmtp\] IPv4 127\.0\.0\.1:\d+ between transactions", said
        )
        await admin.say("resume all")
        await world.settled()
        said = await admin.say("show outbound")
        assert re.search(r"\d+: \[outbound/smtp\] mx\.\w+\.\w+ IPv4 127\.0\.0\.1", said)
        assert await plain(admin, "hot_domains list")
        await world.logged("acctlog", "resume all")
