"""Mail from files into a running server, by the console; and what crashes leave of it."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from helpers.operators import Operator, operator
from helpers.upgrade import upgrade
from helpers.world import World

pytestmark = pytest.mark.slow

ZONE = "sink.test MX 10 mx.sink.test\nmx.sink.test A 127.0.0.1\n"
CONFIG = 'ec_logger { importlog = "log/importlog.ec" }\n'
POSTCAT = b"""\
*** ENVELOPE RECORDS deferred/1/1A2B ***
sender: s@b.test
recipient: p@sink.test
*** MESSAGE CONTENTS deferred/1/1A2B ***
Subject: hi

.the end
*** HEADER EXTRACTED deferred/1/1A2B ***
*** MESSAGE FILE END deferred/1/1A2B ***
"""


def letter(number: int, body: str = "hello\n") -> bytes:
    return (
        f"Return-Path: <s@b.test>\nDelivered-To: u{number}@sink.test\nSubject: {number}\n\n{body}"
    ).encode()


def fill(folder: Path, count: int) -> Path:
    folder.mkdir(exist_ok=True)
    for number in range(count):
        (folder / f"{number:04d}.eml").write_bytes(letter(number))
    return folder


@asynccontextmanager
async def running(folder: Path, workers: int = 2) -> AsyncIterator[tuple[World, Operator]]:
    async with (
        World(folder, CONFIG, ZONE, workers=workers) as world,
        operator(world.state) as admin,
    ):
        yield world, admin


async def plain(admin: Operator, text: str) -> Any:
    said, end = await admin.ask(text, "json")
    assert not end.failed, said
    return json.loads(said)


def delivered(world: World) -> Counter[str]:
    return Counter(each for mail in world.sink.accepted for each in mail.recipients)


async def test_messages_of_a_directory_are_delivered_and_removed(tmp_path: Path) -> None:
    drop = fill(tmp_path / "drop", 3)
    (drop / "queue.txt").write_bytes(POSTCAT)
    (drop / "large.eml").write_bytes(letter(9, "line of a large one\n" * 20_000))
    (drop / "nobody.eml").write_bytes(b"Subject: x\n\nhello\n")
    (drop / "late.tmp").write_bytes(letter(7))
    (drop / "link.eml").symlink_to("/etc/hostname")
    async with running(tmp_path) as (world, admin):
        said = await admin.say(f"spool import --dry-run {drop}")
        assert said.splitlines()[0] == "[dry-run] 5 messages for 5 recipients would be brought in"
        assert len(list(drop.iterdir())) == 8
        found = await plain(admin, f"spool import {drop} 2")
        assert (found["messages"], found["recipients"], found["refused"]) == (5, 5, 1)
        assert "nothing says whom" in found["reasons"][str(drop / "nobody.eml")]
        assert {each.name for each in drop.iterdir()} == {"nobody.eml", "late.tmp", "link.eml"}
        await world.settled()
        assert delivered(world) == Counter(
            ["u0@sink.test", "u1@sink.test", "u2@sink.test", "u9@sink.test", "p@sink.test"]
        )
        contents = {mail.recipients[0]: mail.content or b"" for mail in world.sink.accepted}
        assert contents["p@sink.test"].endswith(b"Subject: hi\r\n\r\n.the end\r\n")
        assert contents["p@sink.test"].startswith(b"Received: by mx.node.test\r\n")
        assert len(contents["u9@sink.test"]) > 400_000
        lines = await world.logged("importlog", "@I@", 6)
        assert sorted(line.split("@")[4] for line in lines) == ["1"] * 5 + ["2"]
        assert all(f"@{drop}/" in line for line in lines)
        again = await plain(admin, f"spool import {drop} 1 suppress_trace_headers")
        assert (again["messages"], again["refused"]) == (0, 1)
        assert "done, begun" in await admin.say(f"spool import_poll {drop}")


POINTS = ("import.claimed", "spool.appended", "spool.durable", "import.brought", "import.removed")


@pytest.mark.parametrize("point", POINTS)
async def test_a_worker_which_is_killed_over_it_costs_nothing_and_brings_nothing_twice(
    tmp_path: Path, point: str
) -> None:
    drop, once = fill(tmp_path / "drop", 150), tmp_path / "once"
    once.mkdir()
    world = World(tmp_path, CONFIG, ZONE, workers=1, fault=f"{point}:2")
    world.environment = {"ANGARIUM_FAULT_ONCE": str(once)}
    async with world, operator(world.state) as admin:
        found = await plain(admin, f"spool import {drop}")
        assert found["state"] == "done"
        assert [each.name for each in once.iterdir()] == [point]
        assert list(drop.iterdir()) == []
        assert list((world.state / "imports").iterdir()) == []
        ends = await world.settled()
        assert ends["delivered"] == 150
        # What was delivered and not yet recorded is sent again, as after any crash.
        assert delivered(world).keys() == {f"u{number}@sink.test" for number in range(150)}
        assert ends["bounced"] == 0


async def test_what_a_dead_server_has_left_is_settled_by_the_next_import(tmp_path: Path) -> None:
    drop = fill(tmp_path / "drop", 1000)
    async with World(tmp_path, CONFIG, ZONE, workers=2) as world:
        async with operator(world.state) as admin:
            assert "has begun" in await admin.say(f"spool import --background {drop} 2")
            await world.until(lambda: len(list(drop.iterdir())) < 700, "a part of it")
        world.kill()
        await world.ended()
        assert list(drop.iterdir())
        await world.start()
        async with operator(world.state) as admin:
            await plain(admin, f"spool import {drop} 2")
        assert list(drop.iterdir()) == []
        ends = await world.settled()
        assert (ends["delivered"], ends["bounced"]) == (1000, 0)


async def test_a_directory_is_looked_at_again_and_again_also_after_an_upgrade(
    tmp_path: Path,
) -> None:
    drop = fill(tmp_path / "drop", 2)
    async with running(tmp_path) as (world, admin):
        assert "has begun" in await admin.say(f"spool import --every 1 {drop}")
        assert "is being imported" in await admin.fails(f"spool import {drop}/sub")
        await world.until(lambda: not list(drop.iterdir()), "the first two")
        assert "looked at every 1 s" in await admin.say("spool import_poll")
        code, _ = await upgrade(world.state)
        assert code == 0
        (drop / "after.eml").write_bytes(letter(7))
        await world.until(lambda: not list(drop.iterdir()), "the third")
        async with operator(world.state) as new:
            assert ": stopped, begun" in await new.say(f"spool import_stop {drop}")
            assert "is over: stopped" in await new.fails(f"spool import_stop {drop}")
        await world.settled()
        assert delivered(world) == Counter(["u0@sink.test", "u1@sink.test", "u7@sink.test"])


async def test_who_hangs_up_ends_the_import_and_what_is_left_comes_in_later(tmp_path: Path) -> None:
    drop = fill(tmp_path / "drop", 1000)
    async with running(tmp_path) as (world, admin):
        asking = asyncio.ensure_future(admin.ask(f"spool import {drop}"))
        await world.until(lambda: len(list(drop.iterdir())) < 900, "a part of it")
        asking.cancel()
        admin.writer.close()
        async with operator(world.state) as other:

            async def stopped() -> bool:
                return "stopped, begun" in await other.say("spool import_poll")

            await world.eventually(stopped, "the end of it")
            found = await plain(other, f"spool import {drop}")
            assert 0 < found["messages"] < 1000
        ends = await world.settled()
        assert (ends["delivered"], ends["bounced"]) == (1000, 0)
