"""What this machine lacks, an address or room for logs, stops what needs it, and is told."""

from pathlib import Path

import pytest

from helpers.world import World

ZONE = "* A 127.0.0.1"
CONTENT = b"Subject: x\r\n\r\nhello\r\n"
# No machine has it: RFC 5737 keeps it for documents.
ELSEWHERE = 'binding "default" { bind_address = "192.0.2.77" }\n'
ROOMLESS = "log_space_low = 1000000000G\n"
EXHAUSTED = "421 4.3.4 allocated resources exceeded"


async def greeting(world: World) -> str:
    async with world.call(hello="") as caller:
        return await caller.reply()


@pytest.mark.slow
async def test_a_binding_without_its_address_keeps_its_mail_until_it_has_one(
    tmp_path: Path,
) -> None:
    async with World(tmp_path, ELSEWHERE, zone=ZONE) as world:
        [alarm] = await world.logged("paniclog", "192.0.2.77")
        assert "binding default is suspended" in alarm
        assert (await world.send("a@sender.test", ["b@far.test"], CONTENT)).startswith("250 ")
        await world.logged("mainlog", "@R@")
        await world.reload("")
        await world.logged("paniclog", "binding default goes on")
        await world.logged("mainlog", "@D@far.test@")
        assert not [line for line in world.log("mainlog") if "@T@" in line or "@P@" in line]


@pytest.mark.slow
async def test_without_room_for_logs_no_session_begins_until_there_is_some(
    tmp_path: Path,
) -> None:
    async with World(tmp_path, zone=ZONE) as world:
        assert (await greeting(world)).startswith("220 ")
        await world.reload(ROOMLESS)
        await world.logged("paniclog", "no mail is taken in: the disk of a log is full")
        assert await greeting(world) == EXHAUSTED
        await world.reload("")
        await world.logged("paniclog", "mail is taken in$")
        assert (await world.send("a@sender.test", ["b@far.test"], CONTENT)).startswith("250 ")
        await world.logged("mainlog", "@D@far.test@")
