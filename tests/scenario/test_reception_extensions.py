"""What EHLO offers, each kept all the way: from a client through the spool to the next server.

Every test has a recipient of its own, so that all share one server.
"""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from helpers.caller import stuffed
from helpers.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONFIG = """
send_8bitmime = "ifavailable"
"""
LISTENER = """
max_message_size = 100000
"""
ZONE = """
* A 127.0.0.1
"""
HEADER = (
    b"From: a@sender.test\r\nDate: Wed, 25 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@x>\r\n\r\n"
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with World(tmp_path_factory.mktemp("world"), CONFIG, ZONE, listener=LISTENER) as world:
        yield world


def content_of(received: bytes | None) -> bytes:
    """Return what the client sent: without the two fields which we put before it."""
    assert received is not None
    found = re.match(rb"Return-Path: [^\r]*\r\nReceived: (?:[^\r]|\r\n\t)*\r\n", received)
    assert found, received
    return received[found.end() :]


async def test_the_greeting_offers_every_extension(world: World) -> None:
    async with world.call() as caller:
        assert re.fullmatch(r"220 mx\.node\.test ESMTP \S+ .*", caller.banner)
        first, *offers = caller.greeting.split("\n")
        assert first == "250-mx.node.test says EHLO to 127.0.0.1"
        assert {offer[4:] for offer in offers} == {
            "PIPELINING",
            "8BITMIME",
            "SMTPUTF8",
            "ENHANCEDSTATUSCODES",
            "CHUNKING",
            "BINARYMIME",
            "DSN",
            "SIZE 100000",
        }


async def test_a_whole_session_may_come_in_one_piece(world: World) -> None:
    one = b"MAIL FROM:<a@sender.test>\r\nRCPT TO:<%b@pipe.test>\r\nDATA\r\n"
    async with world.call(hello="") as caller:
        await caller.put(
            b"EHLO peer.test\r\n"
            + one % b"one"
            + stuffed(HEADER + b"1\r\n")
            + one % b"two"
            + stuffed(HEADER + b".2\r\n")
            + b"QUIT\r\n"
        )
        replies = [reply[:3] for reply in await caller.replies(11)]
        assert replies == "220 250 250 250 354 250 250 250 354 250 221".split()
        assert await caller.rest() == b""
    assert content_of((await world.arrived("one@pipe.test")).content) == HEADER + b"1\r\n"
    assert content_of((await world.arrived("two@pipe.test")).content) == HEADER + b".2\r\n"


async def test_a_refused_recipient_in_a_pipeline_leaves_the_others(world: World) -> None:
    async with world.call() as caller:
        await caller.put(
            b"MAIL FROM:<a@sender.test>\r\nRCPT TO:<good@part.test>\r\nRCPT TO:<bad@@part.test>\r\n"
            b"RCPT TO:<fine@part.test>\r\nDATA\r\n"
        )
        assert [reply[:3] for reply in await caller.replies(5)] == "250 250 501 250 354".split()
        assert (await caller.finish(stuffed(HEADER))).startswith("250 2.0.0 OK ")
    got = await world.arrived("good@part.test")
    assert got.recipients == ["good@part.test", "fine@part.test"]


@pytest.mark.effect("max_message_size")
async def test_a_declared_size_over_the_limit_is_refused_before_it_is_sent(world: World) -> None:
    async with world.call() as caller:
        refusal = "552 5.3.4 message size limit exceeded"
        assert await caller.say("MAIL FROM:<a@sender.test> SIZE=100001") == refusal
        reply = await caller.deliver(HEADER, "b@size.test", parameters="SIZE=100000")
        assert reply.startswith("250 ")


async def test_a_larger_message_than_declared_is_refused_at_its_end(world: World) -> None:
    large = HEADER + (b"x" * 98 + b"\r\n") * 1000
    async with world.call() as caller:
        reply = await caller.deliver(large, "no@size.test", parameters="SIZE=1000")
        assert reply == "552 5.3.4 message size limit exceeded"
        # The session goes on, in step.
        assert (await caller.deliver(HEADER, "yes@size.test")).startswith("250 ")
    await world.arrived("yes@size.test")
    assert not [each for each in world.sink.messages if "no@size.test" in each.recipients]


async def test_eight_bits_arrive_and_are_declared(world: World) -> None:
    text = HEADER + "Grüße\r\n".encode("latin-1")
    async with world.call() as caller:
        reply = await caller.deliver(text, "b@eight.test", parameters="BODY=8BITMIME")
        assert reply.startswith("250 ")
        assert (await caller.deliver(HEADER, "b@seven.test", parameters="BODY=8BITMIME"))[0] == "2"
        refusal = await caller.say("MAIL FROM:<a@sender.test> BODY=9BITMIME")
        assert refusal.startswith("501 5.5.4 ")
    got = await world.arrived("b@eight.test")
    assert content_of(got.content) == text
    assert "BODY=8BITMIME" in got.sender_parameters
    # What says 8BITMIME and has none needs none of the next server.
    assert "BODY" not in (await world.arrived("b@seven.test")).sender_parameters


async def test_addresses_and_headers_in_utf8_arrive(world: World) -> None:
    text = "Subject: Grüße\r\nDate: x\r\nMessage-ID: <2@x>\r\n\r\nhallo\r\n".encode()
    async with world.call() as caller:
        refusal = await caller.say("MAIL FROM:<jörg@sender.test>")
        assert refusal.startswith("553 5.6.7 ")
        reply = await caller.envelope(
            "jörg@sender.test", "grüße@utf.test", parameters="SMTPUTF8 BODY=8BITMIME"
        )
        assert reply.startswith("250 ")
        assert (await caller.data(text)).startswith("250 ")
    got = await world.arrived("grüße@utf.test")
    assert "SMTPUTF8" in got.sender_parameters
    assert got.sender == "jörg@sender.test"
    assert content_of(got.content) == text
    assert b") with UTF8SMTP\r\n" in (got.content or b"")


async def test_every_reply_has_an_enhanced_code_except_those_which_may_not(world: World) -> None:
    async with world.call() as caller:
        assert not re.match(r"\d{3} \d\.", caller.banner)
        lines = [
            "NOOP",
            "RSET",
            "VRFY someone",
            "EXPN list",
            "HELP",
            "NONSENSE",
            "MAIL FROM:nobody",
            "RCPT TO:<b@x.test>",
            "DATA",
            "BDAT x",
        ]
        for line in lines[:-1]:
            reply = await caller.say(line)
            assert re.match(r"([245])\d\d[ -]\1\.\d\.\d", reply), (line, reply)


async def test_chunks_become_one_message(world: World) -> None:
    body = b".leading dot\r\nno end of line"
    async with world.call() as caller:
        assert (await caller.envelope("a@sender.test", "b@chunk.test")).startswith("250 ")
        await caller.put(b"BDAT %d\r\n%b" % (len(HEADER), HEADER))
        assert await caller.reply() == f"250 2.0.0 {len(HEADER)} octets received"
        await caller.put(b"BDAT 0\r\nBDAT %d\r\n%b" % (len(body), body))
        assert [reply[:3] for reply in await caller.replies(2)] == ["250", "250"]
        assert (await caller.say("BDAT 0 LAST")).startswith("250 2.0.0 OK ")
        # Without BINARYMIME the next server gets it by DATA, which ends in a line end.
        assert await caller.say("NOOP") == "250 2.0.0 OK"
    got = await world.arrived("b@chunk.test")
    assert content_of(got.content).removesuffix(b"\r\n") == HEADER + body


async def test_a_chunk_out_of_place_is_swallowed_and_no_command(world: World) -> None:
    async with world.call() as caller:
        trap = b"RSET\r\nQUIT\r\n"
        await caller.put(b"BDAT %d LAST\r\n%bNOOP\r\n" % (len(trap), trap))
        assert (await caller.reply()).startswith("503 5.5.1 ")
        assert await caller.reply() == "250 2.0.0 OK"


async def test_binary_content_arrives_octet_for_octet(world: World) -> None:
    binary = HEADER + bytes(range(256)) * 4 + b"\r\n.\r\n\n.\n\r.\r end"
    async with world.call() as caller:
        reply = await caller.envelope(
            "a@sender.test", "b@binary.test", parameters="BODY=BINARYMIME"
        )
        assert reply.startswith("250 ")
        assert await caller.say("DATA") == "503 5.5.1 BINARYMIME goes by BDAT only"
        half = len(binary) // 2
        await caller.put(b"BDAT %d\r\n%b" % (half, binary[:half]))
        await caller.put(b"BDAT %d LAST\r\n%b" % (len(binary) - half, binary[half:]))
        assert [reply[:3] for reply in await caller.replies(2)] == ["250", "250"]
    got = await world.arrived("b@binary.test")
    assert got.command == "BDAT"
    assert "BODY=BINARYMIME" in got.sender_parameters
    assert content_of(got.content) == binary


async def test_dsn_parameters_go_with_the_message(world: World) -> None:
    async with world.call() as caller:
        reply = await caller.envelope(
            "a@sender.test",
            "b@dsn.test NOTIFY=SUCCESS,DELAY ORCPT=rfc822;old+2Bb@dsn.test",
            "c@dsn.test NOTIFY=NEVER",
            parameters="RET=HDRS ENVID=QQ314159+2B1",
        )
        assert reply.startswith("250 ")
        assert (await caller.data(HEADER)).startswith("250 ")
        wrong = ["RET=NONE", "ENVID=a+zz", "RET=FULL RET=FULL", "UNKNOWN=1"]
        for each in wrong:
            reply = await caller.say(f"MAIL FROM:<a@sender.test> {each}")
            assert reply.startswith(("501 5.5.", "555 5.5.")), each
    got = await world.arrived("b@dsn.test")
    assert "RET=HDRS ENVID=QQ314159+2B1" in got.sender_parameters
    told = dict(zip(got.recipients, got.recipient_parameters, strict=True))
    assert told["b@dsn.test"] == "NOTIFY=SUCCESS,DELAY ORCPT=rfc822;old+2Bb@dsn.test"
    assert told["c@dsn.test"] == "NOTIFY=NEVER"


async def test_a_message_has_one_id_from_its_received_to_its_logs(world: World) -> None:
    async with world.call() as caller:
        reply = await caller.deliver(HEADER, "b@id.test")
    ident = reply.removeprefix("250 2.0.0 OK ")
    got = await world.arrived("b@id.test")
    assert f"\tid {ident}; ".encode() in (got.content or b"")
    [line] = await world.logged("mainlog", r"@R@.*b@id\.test")
    assert ident in line
