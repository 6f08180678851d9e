"""What is said to change while the server runs does: reception, the spool's watermarks, the logs.

One server, reloaded with other values and back; each change is seen by who comes next.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from helpers.world import World

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]

CONTENT = b"Subject: x\r\n\r\ntext\r\n"
NO_DATE = b"X-Header: x\r\n\r\ntext\r\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with World(tmp_path_factory.mktemp("world"), zone="* A 127.0.0.1") as world:
        yield world
        assert not [line for line in world.output if "needs restart" in line]


async def deliver(world: World, content: bytes = CONTENT, to: str = "b@x.test") -> str:
    return (await world.send("a@sender.test", [to], content))[:9]


async def test_options_of_a_session_and_of_its_mail(world: World) -> None:
    assert await deliver(world, NO_DATE) == "250 2.0.0"
    world.listener = """
        banner_hostname = "banner.test"
        require_ehlo = true
        max_message_size = 2000
        max_recipients_per_message = 1
        smtp_extensions = ( XDUMPCONTEXT )
        context = [ tenant = "t1" ]
    """
    config = """
        relay_hosts = ( )
        relay_domains = ( "x.test" )
        rfc2822_date_header = "pedantic"
        rfc2822_max_line_length = 100
        rfc2822_max_line_length_policy = "reject"
        received_header_limit = 2
        max_sessions = 2
    """
    await world.reload(config)
    for _ in range(2):
        async with world.call(hello="NOOP") as caller:
            assert caller.banner.startswith("220 banner.test ")
            assert (await caller.say("MAIL FROM:<a@b.test>")).startswith("550 5.5.1")
            greeting = await caller.say("EHLO peer.test")
            assert "SIZE 2000" in greeting
            assert "[connection] tenant t1" in await caller.say("XDUMPCONTEXT")
            reply = await caller.envelope("a@b.test", "1@x.test", "2@x.test")
            assert reply.startswith("452 4.5.3")
    assert await deliver(world, to="b@other.test") == "550 5.7.1"
    assert await deliver(world, NO_DATE) == "550 5.6.0"
    dated = b"Date: x\r\n"
    assert await deliver(world, dated + b"\r\n" + b"x" * 101 + b"\r\n") == "550 5.6.0"
    assert await deliver(world, dated + b"Received: x\r\n" * 3 + b"\r\n") == "554 5.4.6"
    assert await deliver(world, dated + b"\r\n" + b"x\r\n" * 2000) == "552 5.3.4"
    async with world.call(), world.call(), world.call(hello="") as third:
        assert (await third.reply()).startswith("421 4.4.5")
    world.listener = ""
    await world.reload("")
    assert await deliver(world, NO_DATE, "b@other.test") == "250 2.0.0"


async def test_watermarks_of_the_disk(world: World) -> None:
    await world.reload("spool_space_low = 1000000000G\n")

    async def refused() -> bool:
        async with world.call(hello="") as caller:
            return (await caller.reply()).startswith("421 4.3.4 ")

    await world.eventually(refused, "a disk which has too little room now")

    async def taken() -> bool:
        return await deliver(world) == "250 2.0.0"

    await world.reload("")
    await world.eventually(taken, "mail to be taken in again")


async def test_where_logs_are_and_what_is_in_them(world: World) -> None:
    await world.reload(
        """
        ec_logger "ec_logger" {
          mainlog = "other/main"
          log_receptions = false
          rejectlog = ""
          heartbeat = 1
        }
        bounce_logger "bounce_logger" { enabled = false }
        """
    )
    other = world.state / "other" / "main"
    await world.until(lambda: other.exists() and "@M" in other.read_text(), "a heartbeat")
    before = len(world.log("mainlog"))
    assert await deliver(world, to="b@moved.test") == "250 2.0.0"
    await world.until(lambda: "@D@moved.test@" in other.read_text(), "a delivery")
    assert {line.split("@")[4] for line in other.read_text().splitlines()} == {"D", "M"}
    assert len(world.log("mainlog")) == before
