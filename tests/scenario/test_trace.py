"""What is said on connections, to a file and to a console: without contents and secrets."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from helpers.operators import operator
from helpers.world import World

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

CONTENT = b"Subject: private\r\n\r\nnobody reads this\r\n"
ZONE = "good.test A 127.0.0.1\nother.test A 127.0.0.1\n"
CONFIG = "trace_smtp_mode = 0600\nidle_timeout = 0\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with World(tmp_path_factory.mktemp("trace"), CONFIG, ZONE, workers=2) as world:
        yield world


@pytest.mark.effect("trace_smtp_mode")
async def test_a_trace_to_a_file_has_what_was_said_to_hosts_of_a_domain(world: World) -> None:
    path = world.folder / "trace.log"
    async with operator(world.state) as admin:
        assert await admin.say(f"trace smtp add * good.test {path}") == "Registered smtp tracer #1"
        said = await admin.say("trace smtp list")
        assert re.search(r"\[     1\]  binding: \*\n +domain: good\.test\n +file: /", said)
        assert "@ 2 workers, 3600 s left" in said
        await world.send("a@s.test", ["b@other.test"], CONTENT)
        await world.arrived("b@other.test")
        await world.send("a@s.test", ["b@good.test"], CONTENT)
        await world.arrived("b@good.test")
        await world.until(lambda: "closed" in path.read_text(), "the end of the connection")
        text = path.read_text()
        assert re.search(r"[0-9A-F]{8} C: MAIL FROM:<a@s\.test>", text)
        assert "S: 354" in text or "C: BDAT" in text
        assert re.search(r"C: \(\d+ octets of content\)", text)
        assert "nobody reads this" not in text
        assert "other.test" not in text
        assert path.stat().st_mode & 0o777 == 0o600
        assert await admin.say("trace smtp remove 1") == "Removed smtp tracer #1"
        assert await admin.say("trace smtp list") == ""
        size = path.stat().st_size
        await world.send("a@s.test", ["c@good.test"], CONTENT)
        await world.arrived("c@good.test")
        assert path.stat().st_size == size
        assert "there is no smtp tracer #1" in await admin.fails("trace smtp remove 1")
        assert "cannot be written" in await admin.fails("trace smtp add * * /nowhere/x")


async def test_what_a_client_says_is_seen_live_and_passwords_are_not(world: World) -> None:
    async with operator(world.state) as admin:
        following = asyncio.ensure_future(admin.say("trace smtp live in address 127.0.0.1 for 8"))
        while not following.done():
            async with world.call() as caller:
                await caller.say("AUTH PLAIN AGJvYgBzZWNyZXQ=")
                await caller.deliver(CONTENT, "b@good.test")
            await asyncio.sleep(0.2)
        said = await following
        assert re.search(r"[0-9A-F]{8} from 127\.0\.0\.1$", said, re.MULTILINE)
        assert "S: 220" in said
        assert "C: EHLO peer.test" in said
        assert "C: AUTH PLAIN ********" in said
        assert "AGJvYgBzZWNyZXQ" not in said
        assert "nobody reads this" not in said
        assert said.endswith("(that were 8 s)")
        assert "is no address or network" in await admin.fails("trace smtp live address x")
        assert "is in no queue" in await admin.fails("trace smtp live message 91/6D-07914-E67BC044")
        assert "\nTOTAL" in "\n" + (await admin.say("ages")).splitlines()[1].lstrip()
