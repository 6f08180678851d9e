"""Clients which are slow, deaf, rude or mad cost their own connection, and nobody else anything."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import pytest
import pytest_asyncio

from helpers.caller import Caller, stuffed
from helpers.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Everybody is from an address of his own; 127.0.0.1 is the well-behaved one.
LISTENER = """
  max_idle_commands = 0
  peer "127.0.0.2" {
    min_byte_rate = 1000
    min_byte_rate_window = 1
  }
  peer "127.0.0.3" { reception_deadline = 3 }
  peer "127.0.0.4" { idle_time = 3 }
  peer "127.0.0.5" { write_timeout = 1 }
  peer "127.0.0.6" { sessions_per_address = 10 }
"""
CONTENT = b"Subject: x\r\n\r\ntext\r\n"
BUSY = "421 4.4.5 Service unavailable, concurrency limit reached"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("world")
    async with World(folder, zone="* A 127.0.0.1", listener=LISTENER) as world:
        yield world
        # Whatever was done to it, it is the same process, and it works.
        assert not [line for line in world.output if "died" in line], world.output
        assert (await world.send("a@sender.test", ["last@good.test"], CONTENT))[:4] == "250 "
        await world.arrived("last@good.test")


async def begun(caller: Caller, recipient: str) -> None:
    """Go as far as DATA."""
    assert (await caller.envelope("a@sender.test", recipient)).startswith("250 ")
    assert (await caller.say("DATA")).startswith("354 ")


async def dripped(caller: Caller, drop: bytes) -> bytes:
    """Send a drop every now and then until the server has enough; return its last words."""

    async def drip() -> None:
        while True:
            await caller.put(drop)
            await asyncio.sleep(0.05)

    task = asyncio.ensure_future(drip())
    try:
        return await caller.rest()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, ConnectionError):
            await task


# Slow ones.


@pytest.mark.effect("min_byte_rate", "min_byte_rate_window")
async def test_a_content_which_trickles_is_given_up(world: World) -> None:
    async with world.call("127.0.0.2") as caller:
        await begun(caller, "b@slow.test")
        assert await dripped(caller, b"x") == b"421 4.4.2 the message comes too slowly\r\n"


@pytest.mark.effect("reception_deadline")
async def test_a_message_has_a_deadline_however_busy_its_client(world: World) -> None:
    async with world.call("127.0.0.3") as caller:
        await begun(caller, "b@late.test")
        piece = (b"x" * 78 + b"\r\n") * 100
        assert await dripped(caller, piece) == b"421 4.4.2 the message took too long\r\n"


@pytest.mark.effect("idle_time")
async def test_who_says_nothing_is_told_and_left(world: World) -> None:
    async with (
        world.call("127.0.0.4") as greeted,
        world.call("127.0.0.4", hello="") as silent,
        world.call("127.0.0.4") as halting,
    ):
        await begun(halting, "b@idle.test")
        for caller in (greeted, silent, halting):
            assert (await caller.rest()).endswith(b"421 4.4.2 idle for too long\r\n")


# Deaf ones.


@pytest.mark.effect("write_timeout")
async def test_who_sends_and_never_reads_is_left_and_costs_little(world: World) -> None:
    [worker] = world.worker_pids()
    before = world.memory(worker)
    line = b"VRFY " + b"x" * 400 + b"\r\n"
    async with AsyncExitStack() as stack:
        callers = [await stack.enter_async_context(world.call("127.0.0.5")) for _ in range(5)]

        async def flood(caller: Caller) -> None:
            caller.pause()
            with suppress(ConnectionError):
                while True:
                    await caller.put(line * 1000)

        floods = [asyncio.ensure_future(flood(caller)) for caller in callers]
        assert (await world.send("a@sender.test", ["b@deaf.test"], CONTENT))[:4] == "250 "
        await world.arrived("b@deaf.test")
        await asyncio.wait_for(asyncio.gather(*floods), 90)  # They were cut off.
    # Each may leave 64 KiB unread, a read of the loop, and 64 KiB of answers untaken.
    assert world.memory(worker) - before < 5 * (3 << 18) + (4 << 20)


# Those which leave.


async def test_who_has_said_all_and_half_closes_gets_all_answers(world: World) -> None:
    async with world.call(hello="") as caller:
        await caller.put(
            b"EHLO peer.test\r\nMAIL FROM:<a@sender.test>\r\nRCPT TO:<b@half.test>\r\nDATA\r\n"
            + stuffed(CONTENT)
        )
        caller.half_close()
        codes = [reply[:3] for reply in await caller.replies(6)]
        assert codes == ["220", "250", "250", "250", "354", "250"]
        assert await caller.rest() == b""
    await world.arrived("b@half.test")


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"EH",
        b"EHLO peer.test\r\nMAIL FROM:<a@sender.test>\r\nRCPT TO:<b@gone.test>\r\n",
        b"MAIL FROM:<a@sender.test>\r\nRCPT TO:<b@gone.test>\r\nDATA\r\nSubject: x\r\n\r\nhalf",
        b"MAIL FROM:<a@sender.test>\r\nRCPT TO:<b@gone.test>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.",
        b"MAIL FROM:<a@sender.test>\r\nRCPT TO:<b@gone.test>\r\nBDAT 100 LAST\r\nSubject: x\r\n",
        b"MAIL FROM:<a@sender.test>\r\nRCPT TO:<b@gone.test>\r\nDATA\r\n" + b"x" * 200_000,
    ],
)
@pytest.mark.parametrize("how", ["reset", "close"])
async def test_half_a_message_is_none(world: World, said: bytes, how: str) -> None:
    async with world.call(hello="") as caller:
        await caller.put(said)
        await caller.reply()
        if how == "reset":
            caller.reset()
        else:
            caller.half_close()
            await caller.rest()
    assert (await world.send("a@sender.test", ["b@stays.test"], CONTENT))[:4] == "250 "
    assert not [each for each in world.sink.messages if "b@gone.test" in each.recipients]


async def test_a_message_whose_client_left_before_the_250_is_ours_all_the_same(
    world: World,
) -> None:
    async with world.call() as caller:
        await begun(caller, "b@left.test")
        await caller.put(stuffed(CONTENT))
        caller.half_close()
        await caller.reply()
    await world.arrived("b@left.test")


# Rude ones.


async def test_a_flood_of_commands_holds_up_nobody_else(world: World) -> None:
    async with world.call("127.0.0.7") as flooder:
        stop = asyncio.Event()

        async def flood() -> int:
            rounds = 0
            while not stop.is_set():
                await flooder.put(b"NOOP\r\n" * 5000)
                assert set(await flooder.replies(5000)) == {"250 2.0.0 OK"}
                rounds += 1
            return rounds

        flooding = asyncio.ensure_future(flood())
        for number in range(10):
            reply = await world.send("a@sender.test", [f"{number}@flood.test"], CONTENT)
            assert reply.startswith("250 ")
        for number in range(10):
            await world.arrived(f"{number}@flood.test")
        stop.set()
        assert await flooding > 0


async def test_messages_sent_without_waiting_for_anything_are_all_taken(world: World) -> None:
    count = 300
    async with world.call() as caller:
        pipeline = b"".join(
            b"MAIL FROM:<a@sender.test>\r\nRCPT TO:<%d@blind.test>\r\nDATA\r\n%b"
            % (number, stuffed(CONTENT))
            for number in range(count)
        )
        writing = asyncio.ensure_future(caller.put(pipeline))
        replies = await caller.replies(4 * count)
        await writing
        assert [reply[:3] for reply in replies] == ["250", "250", "354", "250"] * count
    await world.arrived(f"{count - 1}@blind.test")


async def test_a_flood_of_connections_from_one_address_leaves_room_for_others(
    world: World,
) -> None:
    async with AsyncExitStack() as stack:
        for number in range(60):
            caller = await stack.enter_async_context(world.call("127.0.0.6", hello=""))
            assert (await caller.reply()).startswith("220 " if number < 10 else "421 4.4.5 ")
        assert (await world.send("a@sender.test", ["b@room.test"], CONTENT))[:4] == "250 "


@pytest.mark.parametrize(
    "babble",
    [
        b"GET / HTTP/1.1\r\nHost: mx.node.test\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)) * 2,
        b"\0" * 100_000,
        b"\r\n" * 10_000,
        b"\r" * 50_000 + b"\n" * 50_000,
        random.Random(1).randbytes(100_000),
        b"BDAT 99999999999999999999\r\nBDAT -1\r\nBDAT x LAST\r\n",
        b"MAIL FROM:<" + b"a." * 200 + b"@" + b"b." * 10 + b">\r\n",
        "EHLO \u202e\u0000\r\nMAIL FROM:<\ud800@x>\r\n".encode("utf-8", "surrogatepass"),
        b'RCPT TO:<"' + b"\\" * 500 + b"@x>\r\n",
    ],
)
async def test_babble_is_answered_with_errors_and_an_end(world: World, babble: bytes) -> None:
    async with world.call(hello="") as caller:
        assert (await caller.reply()).startswith("220 ")
        with suppress(ConnectionError):
            await caller.put(babble + b"\r\nQUIT\r\n")
        caller.half_close()
        for line in (await caller.rest()).decode("utf-8").split("\r\n"):
            assert line == "" or line[:3] in ("250", "221", "421") or line[0] == "5", line


async def test_chunks_larger_than_what_there_is_take_nothing(world: World) -> None:
    """RFC 3030 has no limit for a chunk; what is announced is not kept in store."""
    [worker] = world.worker_pids()
    before = world.memory(worker)
    async with AsyncExitStack() as stack:
        for _ in range(50):
            caller = await stack.enter_async_context(world.call())
            await caller.envelope("a@sender.test", "b@huge.test")
            await caller.put(b"BDAT 999999999999999\r\nSubject: x\r\n\r\n")
        assert (await world.send("a@sender.test", ["b@small.test"], CONTENT))[:4] == "250 "
        assert world.memory(worker) - before < 16 << 20


@pytest.mark.effect("server_max_file_descriptors")
async def test_connections_leave_descriptors_for_mail(tmp_path: Path) -> None:
    config = "server_max_file_descriptors = 128\n"
    async with (
        World(tmp_path, config, "* A 127.0.0.1", descriptors=128) as world,
        AsyncExitStack() as stack,
    ):
        first = await stack.enter_async_context(world.call())
        replies = [""]
        while not replies[-1].startswith("421 "):
            caller = await stack.enter_async_context(world.call(hello=""))
            replies.append(await caller.reply())
        assert replies[-1] == BUSY
        assert (await first.deliver(CONTENT, "b@full.test")).startswith("250 ")
        await world.arrived("b@full.test")
