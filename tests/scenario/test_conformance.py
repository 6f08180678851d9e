"""What mail must look like: the rfc2821_* and rfc2822_* options, and the fields we put before it.

Each client address has a pathway of its own, so that one server has every value of every option.
"""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from helpers.caller import Caller
from helpers.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATHWAYS = {
    "127.0.0.2": """
        rfc2822_date_header = "pedantic"
        rfc2822_missing_headers = "allow"
        rfc2822_messageid_header = "ignore"
        rfc2822_lone_lf_in_headers = "fix"
        rfc2822_lone_lf_in_body = "fix"
        rfc2821_pedantic_address_rules = false
        rfc2821_allow_whitespace_in_envelope = true""",
    "127.0.0.3": """
        rfc2822_date_header = "ignore"
        rfc2822_missing_headers = "allow"
        rfc2822_trace_headers = false
        rfc2822_messageid_header = "ignore"
        rfc2822_lone_lf_in_body = "pedantic"
        rfc2822_max_line_length = "pedantic" """,
    "127.0.0.4": """
        rfc2822_max_line_length = "fix" """,
    "127.0.0.5": """
        rfc2822_max_line_length = 100
        rfc2822_max_line_length_policy = "reject"
        received_header_limit = 3
        max_header_size = 4k""",
    "127.0.0.6": """
        rfc2822_max_line_length = 100
        rfc2822_max_line_length_policy = "fix" """,
}
CONFIG = "\n".join(
    f'pathway "of_{address}" {{ {options}\n}}' for address, options in PATHWAYS.items()
)
LISTENER = "\n".join(f'peer "{address}" {{ pathway = "of_{address}" }}' for address in PATHWAYS) + (
    '\npeer "127.0.0.9" { allow_trailing_whitespace_in_commands = true }'
)
STAMP = r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("world")
    async with World(folder, CONFIG, "* A 127.0.0.1", listener=LISTENER) as world:
        yield world


async def through(world: World, source: str, content: bytes, to: str) -> bytes:
    """Send a content and return what arrives; or the refusal."""
    async with world.call(source) as caller:
        reply = await caller.deliver(content, to)
    if not reply.startswith("250 "):
        return reply.encode()
    return (await world.arrived(to)).content or b""


# What we put before a message.


async def test_received_return_path_date_and_message_id_are_added(world: World) -> None:
    got = await through(world, "127.0.0.1", b"Subject: x\r\n\r\ntext\r\n", "b@trace.test")
    assert re.fullmatch(
        "Return-Path: <a@sender\\.test>\r\n"
        "Received: from \\[127\\.0\\.0\\.1\\] \\(\\[127\\.0\\.0\\.1:\\d+\\] helo=peer\\.test\\)\r\n"
        "\tby mx\\.node\\.test \\(envelope-from <a@sender\\.test>\\)\r\n"
        "\t\\(\\S+\\) with ESMTP\r\n"
        f"\tid ../..-.....-........; {STAMP}\r\n"
        f"Date: {STAMP}\r\n"
        "Message-ID: <[0-9A-F.]+@mx\\.node\\.test>\r\n"
        "Subject: x\r\n\r\ntext\r\n",
        got.decode(),
    ), got


async def test_what_is_there_stays_and_a_return_path_is_replaced(world: World) -> None:
    content = b"RETURN-PATH: <forged@x.test>\r\ndate: x\r\nMESSAGE-id: <1@x>\r\n\r\ntext\r\n"
    got = await through(world, "127.0.0.1", content, "b@kept.test")
    assert got.lower().count(b"return-path") == 1
    assert got.endswith(b"\r\ndate: x\r\nMESSAGE-id: <1@x>\r\n\r\ntext\r\n")
    assert got.count(b"Date:") == 0


async def test_helo_is_with_smtp_and_names_nothing_that_breaks_a_comment(world: World) -> None:
    async with world.call(hello="HELO (x)") as caller:
        assert caller.greeting.startswith("501 ")
        assert await caller.say("HELO plain") == "250 mx.node.test says HELO to 127.0.0.1"
        assert (await caller.deliver(b"Subject: x\r\n\r\n", "b@helo.test")).startswith("250 ")
    got = (await world.arrived("b@helo.test")).content or b""
    assert b"helo=plain)" in got
    assert b") with SMTP\r\n" in got


@pytest.mark.effect("rfc2822_trace_headers")
async def test_without_trace_headers_the_content_is_what_was_sent(world: World) -> None:
    content = b"Return-Path: <x@y.test>\r\nSubject: x\r\n\r\ntext\r\n"
    assert await through(world, "127.0.0.3", content, "b@bare.test") == content


@pytest.mark.effect("rfc2822_missing_headers")
async def test_a_message_of_body_only_is_refused_or_gets_an_empty_line(world: World) -> None:
    text = b"no header here\r\nat all\r\n"
    refusal = b"550 5.6.0 Required headers not found (see RFC2822 section 3.6)"
    assert await through(world, "127.0.0.1", text, "b@body.test") == refusal
    got = await through(world, "127.0.0.3", text, "b@body.test")
    assert got == b"\r\n" + text


async def test_a_line_in_the_header_which_is_no_field_is_refused(world: World) -> None:
    got = await through(world, "127.0.0.1", b"Subject: x\r\nno field\r\n\r\n", "b@odd.test")
    assert got == b"550 5.6.0 Invalid header found (see RFC2822 section 3.6)"


@pytest.mark.effect("rfc2822_date_header", "rfc2822_messageid_header")
async def test_a_missing_date_is_refused_where_pedantic(world: World) -> None:
    got = await through(world, "127.0.0.2", b"Subject: x\r\n\r\n", "b@date.test")
    assert got == b"550 5.6.0 Missing required RFC2822 Date field (see RFC2822 section 3.6)"
    got = await through(world, "127.0.0.2", b"Date: x\r\nSubject: x\r\n\r\n", "b@date.test")
    assert got.endswith(b"\r\nDate: x\r\nSubject: x\r\n\r\n")
    assert b"Message-ID" not in got


# Line ends and long lines.


@pytest.mark.effect("rfc2822_lone_lf_in_headers")
async def test_lone_line_ends_in_the_header_are_refused_or_mended(world: World) -> None:
    content = b"Date: x\nSubject: x\rX-A: y\r\n\r\ntext\r\n"
    got = await through(world, "127.0.0.1", content, "b@lone.test")
    assert got == b"550 5.6.0 Lone CR or LF in headers (see RFC2822 section 2.2)"
    got = await through(world, "127.0.0.2", content, "b@lone.test")
    assert got.endswith(b"Date: x\r\nSubject: x\r\nX-A: y\r\n\r\ntext\r\n")


@pytest.mark.effect("rfc2822_lone_lf_in_body")
@pytest.mark.parametrize(
    ("source", "arrives"),
    [
        ("127.0.0.1", b"one\ntwo\rthree\r\n"),
        ("127.0.0.2", b"one\r\ntwo\r\nthree\r\n"),
        ("127.0.0.3", b"550 5.6.0 Lone CR or LF in body (see RFC2822 section 2.3)"),
    ],
)
async def test_lone_line_ends_in_the_body(world: World, source: str, arrives: bytes) -> None:
    content = b"Date: x\r\nMessage-ID: <1@x>\r\n\r\none\ntwo\rthree\r\n"
    got = await through(world, source, content, f"b@{source[-1]}.body.test")
    assert got.rpartition(b"\r\n\r\n")[2] == arrives


@pytest.mark.effect("rfc2822_max_line_length", "rfc2822_max_line_length_policy")
@pytest.mark.parametrize(
    ("source", "length", "arrives"),
    [
        ("127.0.0.1", 2000, [2000]),
        ("127.0.0.3", 998, [998]),
        ("127.0.0.3", 999, "550 5.6.0 Body line too long (see RFC2822 section 3.5)"),
        ("127.0.0.4", 998, [998]),
        ("127.0.0.4", 2000, [998, 998, 4]),
        ("127.0.0.5", 100, [100]),
        ("127.0.0.5", 101, "550 5.6.0 Body line too long (see RFC2822 section 3.5)"),
        ("127.0.0.6", 250, [100, 100, 50]),
    ],
)
async def test_long_lines_in_the_body(
    world: World, source: str, length: int, arrives: list[int] | str
) -> None:
    content = b"Subject: x\r\nDate: x\r\n\r\n" + b"x" * length + b"\r\n"
    got = await through(world, source, content, f"b@{source[-1]}.{length}.long.test")
    if isinstance(arrives, str):
        assert got.decode() == arrives
    else:
        body = got.partition(b"\r\n\r\n")[2]
        assert [len(line) for line in body.split(b"\r\n")] == [*arrives, 0]


async def test_long_lines_in_the_header_are_folded_or_refused(world: World) -> None:
    content = b"Subject: " + b"word " * 300 + b"end\r\nDate: x\r\n\r\ntext\r\n"
    got = await through(world, "127.0.0.3", content, "b@fold.test")
    assert got == b"550 5.6.0 Header line too long (see RFC2822 section 3.5)"
    got = await through(world, "127.0.0.4", content, "b@fold.test")
    assert max(map(len, got.split(b"\r\n"))) <= 998
    unfolded = re.sub(rb"\r\n[ \t]", b" ", got)
    assert b"Subject: " + b"word " * 300 + b"end" in unfolded.replace(b"  ", b" ")


# Loops and headers which are too large.


@pytest.mark.effect("received_header_limit")
async def test_a_message_which_has_come_round_too_often_is_refused(world: World) -> None:
    loop = b"554 5.4.6 mail loop: too many Received header fields"
    line = b"Received: by x.test; y\r\n"
    got = await through(world, "127.0.0.5", line * 4 + b"\r\n", "b@loop.test")
    assert got == loop
    got = await through(world, "127.0.0.5", line * 3 + b"\r\n", "b@loop.test")
    assert got.count(b"Received:") == 4
    # RFC 5321 section 6.3 wants at least 100 to be allowed.
    got = await through(world, "127.0.0.1", line * 101 + b"\r\n", "c@loop.test")
    assert got == loop
    got = await through(world, "127.0.0.1", line * 100 + b"\r\n", "c@loop.test")
    assert got.count(b"Received:") == 101


@pytest.mark.effect("max_header_size")
async def test_a_header_over_its_limit_is_refused(world: World) -> None:
    content = b"X-Long: " + b"y" * 80 + b"\r\n"
    got = await through(world, "127.0.0.5", content * 60 + b"\r\n", "b@header.test")
    assert got == b"552 5.3.4 header size limit exceeded"


# The envelope.


async def said(caller: Caller, line: str) -> str:
    reply = await caller.say(line)
    await caller.say("RSET")
    return reply[:3]


@pytest.mark.effect("rfc2821_pedantic_address_rules")
async def test_dots_in_local_parts(world: World) -> None:
    for source, code in (("127.0.0.1", "501"), ("127.0.0.2", "250")):
        async with world.call(source) as caller:
            for address in ("a..b@x.test", "ab.@x.test"):
                assert await said(caller, f"MAIL FROM:<{address}>") == code
            assert await said(caller, "MAIL FROM:<.ab@x.test>") == "501"
            assert await said(caller, 'MAIL FROM:<"a..b"@x.test>') == "250"


@pytest.mark.effect("rfc2821_allow_whitespace_in_envelope", "allow_trailing_whitespace_in_commands")
async def test_blanks_around_addresses(world: World) -> None:
    for source, trailing, inside in (
        ("127.0.0.1", "501", "501"),
        ("127.0.0.2", "250", "501"),
        ("127.0.0.9", "501", "250"),
    ):
        async with world.call(source) as caller:
            assert await said(caller, "MAIL FROM:<a@x.test> ") == trailing, source
            assert await said(caller, "MAIL FROM:< a@x.test >") == inside, source
            assert await said(caller, "MAIL FROM: <a@x.test>") == "250"


@pytest.mark.parametrize(
    "line",
    [
        "MAIL FROM:a@x.test",
        "MAIL FROM:<a@x.test",
        "MAIL FROM:<a@x..test>",
        "MAIL FROM:<a@-x.test>",
        "MAIL FROM:<a@b@x.test>",
        "MAIL FROM:<a b@x.test>",
        "MAIL FROM:<a@x.test>SIZE=1",
        "MAIL TO:<a@x.test>",
        "MAIL",
        'MAIL FROM:<"a@x.test>',
        f"MAIL FROM:<{'l' * 64}@{'d' * 64}.test>",
    ],
)
async def test_a_sender_which_is_no_address_is_refused(world: World, line: str) -> None:
    async with world.call() as caller:
        assert await caller.say(line) == "501 5.5.2 MAIL FROM syntax error"
