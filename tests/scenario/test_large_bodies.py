"""Large messages are streamed: to a file while they arrive, from it while they leave."""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from helpers.caller import Caller, stuffed
from helpers.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

MB = 1 << 20
CONFIG = """
rfc2822_trace_headers = false
large_message_threshold = 64k
pathway "fixing" { rfc2822_lone_lf_in_body = "fix" }
pathway "strict" { rfc2822_lone_lf_in_body = "pedantic" }
"""
LISTENER = """
  peer "127.0.0.2" { max_message_size = 1M }
  peer "127.0.0.3" { pathway = "fixing" }
  peer "127.0.0.4" { pathway = "strict" }
"""
HEADER = b"Date: x\r\nMessage-ID: <1@x>\r\nSubject: x\r\n\r\n"
LINE = b"y" * 70 + b"\r\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("world")
    async with World(folder, CONFIG, "* A 127.0.0.1", listener=LISTENER) as world:
        yield world


def bodies(world: World) -> list[Path]:
    """Return the files of large bodies."""
    return list((world.state / "spool").glob("*/large/*"))


async def removed(world: World) -> None:
    await world.until(lambda: not bodies(world), "the removal of large bodies")


def content_of(octets: int) -> bytes:
    """Return a content of about so many octets in which no part is like another."""
    lines = octets // 40
    return HEADER + b"".join(b".line %032d\r\n" % number for number in range(lines))


@pytest.mark.parametrize("how", ["DATA", "BDAT"])
async def test_a_message_of_40_mb_takes_neither_its_size_in_memory_nor_a_trace(
    world: World, how: str
) -> None:
    [worker] = world.worker_pids()
    before = world.memory(worker, "VmHWM")
    content = content_of(40 * MB)
    async with world.call() as caller:
        await caller.envelope("a@sender.test", f"{how.lower()}@large.test")
        if how == "DATA":
            assert (await caller.data(content)).startswith("250 ")
        else:
            for at in range(0, len(content), 5 * MB):
                piece = content[at : at + 5 * MB]
                await caller.put(b"BDAT %d\r\n%b" % (len(piece), piece))
                assert (await caller.reply()).startswith("250 ")
            assert (await caller.say("BDAT 0 LAST")).startswith("250 2.0.0 OK ")
    got = await world.arrived(f"{how.lower()}@large.test")
    assert got.content == content
    assert world.memory(worker, "VmHWM") - before < 16 * MB
    await removed(world)


async def test_several_at_once_share_the_disk_and_small_ones_pass_them(world: World) -> None:
    [worker] = world.worker_pids()
    before = world.memory(worker, "VmHWM")
    content = content_of(8 * MB)

    async def send(number: int) -> None:
        async with world.call() as caller:
            assert (await caller.deliver(content, f"{number}@several.test")).startswith("250 ")

    sending = [asyncio.ensure_future(send(number)) for number in range(6)]
    for number in range(10):
        reply = await world.send("a@sender.test", [f"{number}@small.test"], HEADER)
        assert reply.startswith("250 ")
    await asyncio.gather(*sending)
    for number in range(6):
        assert (await world.arrived(f"{number}@several.test")).content == content
    assert world.memory(worker, "VmHWM") - before < 6 * 5 * MB
    await removed(world)


async def test_every_recipient_gets_it_and_the_file_stays_until_the_last(world: World) -> None:
    content = content_of(MB)
    names = [f"b@{number}.shared.test" for number in range(5)]
    async with world.call() as caller:
        await caller.envelope("a@sender.test", *names)
        assert (await caller.data(content)).startswith("250 ")
    for name in names:
        assert (await world.arrived(name)).content == content
    await removed(world)


# What is refused leaves no file and no word behind.


async def refused(caller: Caller, wire: bytes, reply: str) -> None:
    await caller.envelope("a@sender.test", "never@large.test")
    assert await caller.raw(wire) == reply
    assert await caller.say("NOOP") == "250 2.0.0 OK"


async def test_too_large_is_refused_at_the_end_and_the_session_goes_on(world: World) -> None:
    async with world.call("127.0.0.2") as caller:
        await refused(caller, stuffed(content_of(3 * MB)), "552 5.3.4 message size limit exceeded")
        assert (await caller.deliver(HEADER, "next@large.test")).startswith("250 ")
    await removed(world)


async def test_a_forged_end_far_inside_is_refused(world: World) -> None:
    wire = HEADER + LINE * 5000 + b"\n.\r\n" + LINE * 5000 + b"\r\n.\r\n"
    async with world.call() as caller:
        await refused(
            caller, wire, "550 5.5.2 a line with a dot alone must begin and end with CR LF"
        )
    await removed(world)


async def test_lone_line_ends_far_inside_follow_the_option(world: World) -> None:
    text = LINE * 5000 + b"a\nb\rc\r\n" + LINE * 5000
    async with world.call("127.0.0.4") as caller:
        reply = "550 5.6.0 Lone CR or LF in body (see RFC2822 section 2.3)"
        await refused(caller, HEADER + text + b".\r\n", reply)
    for source, body in (
        ("127.0.0.1", text),
        ("127.0.0.3", text.replace(b"a\nb\rc", b"a\r\nb\r\nc")),
    ):
        async with world.call(source) as caller:
            to = f"{source[-1]}@lone.large.test"
            assert (await caller.deliver(HEADER + text, to)).startswith("250 ")
        assert (await world.arrived(to)).content == HEADER + body
    await removed(world)


async def test_a_header_larger_than_the_threshold_goes_through(world: World) -> None:
    content = b"Date: x\r\nMessage-ID: <1@x>\r\n" + b"X: " + LINE * 1
    content += b"".join(b"X-%d: %b" % (number, LINE) for number in range(3000))
    content += b"\r\n" + LINE * 3000
    async with world.call() as caller:
        assert (await caller.deliver(content, "b@header.test")).startswith("250 ")
    assert (await world.arrived("b@header.test")).content == content


async def test_any_cut_of_the_network_gives_the_same(world: World) -> None:
    random_cuts = random.Random(7)
    content = HEADER + b"".join(
        random_cuts.choice([b".\r\n", b"..\r\n", b"\r\n", LINE, b"\r", b"\n", b"x.\r\n"])
        for _ in range(20_000)
    )
    content = content.replace(b"\n.\r", b"\nx\r").replace(b"\r.\r", b"\rx\r")
    content += b"end\r\n"
    wire = stuffed(content)
    async with world.call() as caller:
        await caller.envelope("a@sender.test", "b@cuts.test")
        assert (await caller.say("DATA")).startswith("354 ")
        at = 0
        while at < len(wire):
            size = random_cuts.choice([1, 2, 3, 1000, 30_000])
            await caller.put(wire[at : at + size])
            at += size
        assert (await caller.reply()).startswith("250 ")
    assert (await world.arrived("b@cuts.test")).content == content


async def test_what_was_half_sent_is_gone_when_the_client_is(world: World) -> None:
    for how in ("close", "reset"):
        async with world.call() as caller:
            await caller.envelope("a@sender.test", "half@large.test")
            await caller.say("DATA")
            await caller.put(content_of(2 * MB))
            await world.until(lambda: bodies(world), "a file")
            getattr(caller, how)()
        await removed(world)


async def test_what_was_half_sent_is_gone_after_a_kill(tmp_path: Path) -> None:
    async with World(tmp_path, CONFIG, "* A 127.0.0.1") as world:
        async with world.call() as caller:
            await caller.envelope("a@sender.test", "half@large.test")
            await caller.say("DATA")
            await caller.put(content_of(2 * MB))
            await world.until(lambda: bodies(world), "a file")
            world.kill()
            await world.ended()
        await world.start()
        await removed(world)
