"""Only CRLF.CRLF ends a message, whatever the options say; all else arrives octet for octet.

Where two servers disagree on where a message ends, the first can be made to send a second message
in the name of anybody (CVE-2023-51764 and its kin). So what another server might take for an end is
refused, and what is let through must look the same at both ends.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from helpers.caller import Caller
from helpers.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONFIG = """
rfc2822_trace_headers = false
pathway "fixing" { rfc2822_lone_lf_in_body = "fix" }
pathway "strict" { rfc2822_lone_lf_in_body = "pedantic" }
"""
LISTENER = """
  max_errors_per_connection = 0
  peer "127.0.0.2" { pathway = "fixing" }
  peer "127.0.0.3" { pathway = "strict" }
"""
HEADER = b"Date: x\r\nMessage-ID: <1@x>\r\n\r\n"
REFUSED = "550 5.5.2 a line with a dot alone must begin and end with CR LF"
ENDS = [b"\r\n", b"\n", b"\r", b"\n\r", b"\r\r\n"]
# What somebody may take for the end: all pairs but the one which is it. CR CR LF before the dot
# ends in CRLF, so with CRLF behind it is the end, of a content with a lone CR.
FORBIDDEN = [
    (before, after)
    for before in ENDS
    for after in ENDS
    if not (before.endswith(b"\r\n") and after == b"\r\n")
]
SECOND = b"MAIL FROM:<admin@ours.test>\r\nRCPT TO:<victim@ours.test>\r\nDATA\r\nevil\r\n.\r\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("world")
    async with World(folder, CONFIG, "* A 127.0.0.1", listener=LISTENER) as world:
        yield world


async def in_octets(caller: Caller, octets: bytes) -> None:
    """Send each octet by itself."""
    for at in range(len(octets)):
        await caller.put(octets[at : at + 1])


@pytest.mark.parametrize("source", ["127.0.0.1", "127.0.0.2", "127.0.0.3"])
async def test_no_other_end_than_crlf_dot_crlf_is_let_through(world: World, source: str) -> None:
    async with world.call(source) as caller:
        for before, after in FORBIDDEN:
            for send in (caller.put, lambda octets: in_octets(caller, octets)):
                reply = await caller.envelope("a@sender.test", "b@table.test")
                assert reply.startswith("250 "), (before, after, reply)
                assert (await caller.say("DATA")).startswith("354 ")
                await send(HEADER + b"text" + before + b"." + after + SECOND)
                assert await caller.reply() == REFUSED, (before, after)
                # All of it was content: no command in it was obeyed.
                assert await caller.say("NOOP") == "250 2.0.0 OK"
    everybody = {each for message in world.sink.messages for each in message.recipients}
    assert not everybody & {"b@table.test", "victim@ours.test"}


async def test_an_end_may_not_be_forged_by_the_first_octets(world: World) -> None:
    async with world.call() as caller:
        for after in (b"\n", b"\r", b"\n\r", b"\r\r\n"):
            await caller.envelope("a@sender.test", "b@first.test")
            assert await caller.raw(b"." + after + SECOND) == REFUSED, after
        # The rightful end of an empty message.
        await caller.envelope("a@sender.test", "b@first.test")
        assert (await caller.raw(b".\r\n")).startswith("550 5.6.0 Required headers")


async def test_chunks_are_judged_alike_as_they_may_leave_by_data(world: World) -> None:
    async with world.call() as caller:
        for before, after in FORBIDDEN:
            await caller.envelope("a@sender.test", "b@table.test")
            content = HEADER + b"text" + before + b"." + after + b"more\r\n"
            cut = len(content) - len(after) - 6  # between dot and line end
            await caller.put(b"BDAT %d\r\n%b" % (cut, content[:cut]))
            await caller.put(b"BDAT %d LAST\r\n%b" % (len(content) - cut, content[cut:]))
            assert (await caller.reply()).startswith("250 "), (before, after)
            assert await caller.reply() == REFUSED, (before, after)


PASSED = {
    "dots": b".\r\n..\r\n.x\r\n. \r\n...\r\nx.\r\n",
    "lone": b"a\nb\rc\n\rd\r\re\n\nf\r\n",
    "dots in lone lines": b"a\n.b\r.c\r\n",
    "ends with a lone CR": b"text\r\r\n",
    "nul and eight bits": bytes(range(1, 9)) + b"\0\x80\xff\r\n",
    "empty": b"",
    "empty lines": b"\r\n\r\n\r\n",
    "commands": SECOND.replace(b"\r\n.\r\n", b"\r\n"),
    "a long line": b"x" * 70000 + b"\r\n",
}


@pytest.mark.parametrize("name", PASSED)
async def test_the_rest_arrives_octet_for_octet(world: World, name: str) -> None:
    content = HEADER + PASSED[name]
    for number, cut in enumerate((len(content), 1)):
        if cut == 1 and len(content) > 1000:
            continue
        recipient = f"b{number}@{name.replace(' ', '-').lower()}.test"
        async with world.call() as caller:
            await caller.envelope("a@sender.test", recipient)
            assert (await caller.say("DATA")).startswith("354 ")
            wire = (b"\r\n" + content).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"
            await (caller.put(wire) if cut > 1 else in_octets(caller, wire))
            assert (await caller.reply()).startswith("250 2.0.0 OK ")
        assert (await world.arrived(recipient)).content == content


@pytest.mark.parametrize("name", PASSED)
async def test_chunks_arrive_octet_for_octet(world: World, name: str) -> None:
    content = HEADER + PASSED[name]
    recipient = f"c@{name.replace(' ', '-').lower()}.test"
    async with world.call() as caller:
        await caller.envelope("a@sender.test", recipient)
        for at in range(0, len(content), 7000):
            piece = content[at : at + 7000]
            await caller.put(b"BDAT %d\r\n%b" % (len(piece), piece))
            assert (await caller.reply()).startswith("250 ")
        assert (await caller.say("BDAT 0 LAST")).startswith("250 2.0.0 OK ")
    assert (await world.arrived(recipient)).content == content


async def test_one_dot_of_a_line_which_was_not_doubled_is_taken_away(world: World) -> None:
    # RFC 5321 section 4.5.2: the first dot of any line goes, whatever the client meant by it.
    async with world.call() as caller:
        await caller.envelope("a@sender.test", "b@single.test")
        assert (await caller.raw(HEADER + b".x\r\n.\r\n")).startswith("250 ")
    assert (await world.arrived("b@single.test")).content == HEADER + b"x\r\n"


async def test_commands_behind_an_end_are_commands(world: World) -> None:
    async with world.call() as caller:
        await caller.envelope("a@sender.test", "b@behind.test")
        await caller.put(b"DATA\r\n")
        assert (await caller.reply()).startswith("354 ")
        await caller.put(HEADER + b"text\r\n.\r\nNOOP\r\nQUIT\r\n")
        assert [reply[:3] for reply in await caller.replies(3)] == ["250", "250", "221"]
