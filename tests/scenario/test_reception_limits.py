"""How much a client may do: lines, recipients, messages, errors, commands, sessions."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from helpers.caller import Caller
from helpers.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONFIG = """
pathway "slow" { inbound_throttle_messages = "1/3600" }
pathway "paced" { inbound_throttle_messages = "10/1" }
"""
LISTENER = """
  peer "127.0.0.2" {
    max_recipients_per_message = 2
    max_receptions_per_connection = 2
  }
  peer "127.0.0.3" { max_recipients_per_connection = 3 }
  peer "127.0.0.4" {
    max_errors_per_connection = 3
    max_idle_commands = 5
  }
  peer "127.0.0.5" { max_commands_per_connection = 4 }
  peer "127.0.0.6" { pathway = "slow" }
  peer "127.0.0.8" { pathway = "paced" }
  peer "127.0.0.7" { command_line_limit = 1000 }
  peer "127.0.0.9" { auth_line_limit = 600 }
"""
CONTENT = b"Subject: x\r\n\r\ntext\r\n"
TOO_LONG = "500 5.5.2 line too long"
BUSY = "421 4.4.5 Service unavailable, concurrency limit reached"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("world")
    async with World(folder, CONFIG, "* A 127.0.0.1", listener=LISTENER) as world:
        yield world


# Lines. RFC 5321 section 4.5.3.1.4: 512 octets with CRLF, and what an extension adds to them.


@pytest.mark.parametrize(
    ("line", "most"),
    [
        ("NOOP @", 512),
        ("EHLO @", 512),
        ("VRFY @", 512),
        # SIZE, BODY, SMTPUTF8, RET and ENVID, AUTH add to it.
        ("MAIL FROM:<a> ENVID=@", 512 + 26 + 17 + 10 + 107 + 500),
        ("RCPT TO:<a@x.test> ORCPT=rfc822;@", 512 + 500),
        ("AUTH PLAIN @", 12288),
    ],
)
async def test_each_verb_has_its_own_limit(world: World, line: str, most: int) -> None:
    async with world.call() as caller:
        head, _, tail = line.rpartition("@")
        fill = most - 2 - len(head) - len(tail)
        assert await caller.say(f"{head}{'x' * fill}{tail}") != TOO_LONG
        assert await caller.say("NOOP") == "250 2.0.0 OK"
        assert await caller.say(f"{head}{'x' * 20000}{tail}") == TOO_LONG
        assert await caller.say("NOOP") == "250 2.0.0 OK"


@pytest.mark.effect("command_line_limit")
async def test_a_line_is_refused_at_the_first_octet_too_many(world: World) -> None:
    for source, limit in (("127.0.0.1", 512), ("127.0.0.7", 1000)):
        async with world.call(source) as caller:
            assert await caller.say("NOOP " + "x" * (limit - 7)) == "250 2.0.0 OK"
            assert await caller.say("NOOP " + "x" * (limit - 6)) == TOO_LONG


@pytest.mark.effect("auth_line_limit")
async def test_lines_of_auth_have_a_limit_of_their_own(world: World) -> None:
    for source, limit in (("127.0.0.1", 12288), ("127.0.0.9", 600)):
        async with world.call(source) as caller:
            assert await caller.say("AUTH PLAIN " + "x" * (limit - 13)) != TOO_LONG
            assert await caller.say("AUTH PLAIN " + "x" * (limit - 12)) == TOO_LONG


async def test_a_line_without_end_costs_no_memory_and_is_refused_when_it_ends(
    world: World,
) -> None:
    async with world.call() as caller:
        for _ in range(64):
            await caller.put(b"x" * 65536)
        await caller.put(b"\r\nNOOP\r\n")
        assert await caller.replies(2) == [TOO_LONG, "250 2.0.0 OK"]


# Recipients and messages.


@pytest.mark.effect("max_recipients_per_message", "max_receptions_per_connection")
async def test_recipients_of_a_message_above_the_limit_are_put_off(world: World) -> None:
    async with world.call("127.0.0.2") as caller:
        await caller.envelope("a@sender.test", "1@many.test", "2@many.test")
        reply = await caller.say("RCPT TO:<3@many.test>")
        assert reply == "452 4.5.3 Service unavailable, recipients per message limit reached"
        assert (await caller.data(CONTENT)).startswith("250 ")
        assert (await caller.envelope("a@sender.test", "3@many.test")).startswith("250 ")
        assert (await caller.data(CONTENT)).startswith("250 ")
        reply = await caller.say("MAIL FROM:<a@sender.test>")
        assert reply == "452 4.5.3 Service unavailable, batch limit reached"
    assert (await world.arrived("1@many.test")).recipients == ["1@many.test", "2@many.test"]
    await world.arrived("3@many.test")


async def test_recipients_of_a_connection_above_the_limit_are_put_off(world: World) -> None:
    async with world.call("127.0.0.3") as caller:
        for number in (1, 2, 3):
            assert (await caller.deliver(CONTENT, f"{number}@conn.test")).startswith("250 ")
        reply = await caller.envelope("a@sender.test", "4@conn.test")
        assert reply == "452 4.5.3 Service unavailable, recipients per connection limit reached"


async def test_ten_thousand_recipients_are_one_message(world: World) -> None:
    count = 10_000
    async with world.call() as caller:
        names = b"".join(b"RCPT TO:<%d@mass.test>\r\n" % number for number in range(count))
        await caller.put(b"MAIL FROM:<a@sender.test>\r\n")
        at = 0
        # Read while writing, as RFC 2920 section 3.1 asks of a client.
        while at < len(names):
            await caller.put(names[at : at + 32768])
            at += 32768
        replies = await caller.replies(count + 1)
        assert {reply[:4] for reply in replies} == {"250 "}
        assert (await caller.data(CONTENT)).startswith("250 ")
    await world.until(
        lambda: (
            sum(len(e.recipients) for e in world.sink.accepted if "@mass" in e.recipients[0])
            == count
        ),
        "all of them",
    )


@pytest.mark.effect("inbound_throttle_messages")
async def test_messages_above_a_rate_wait_a_little_or_are_put_off(world: World) -> None:
    async with world.call("127.0.0.6") as caller:
        assert (await caller.deliver(CONTENT, "1@rate.test")).startswith("250 ")
        reply = await caller.say("MAIL FROM:<a@sender.test>")
        assert reply == "451 4.3.0 Resource limitations, please try later"
    async with world.call("127.0.0.8") as caller:
        for number in (2, 3, 4):
            assert (await caller.deliver(CONTENT, f"{number}@rate.test")).startswith("250 ")
    # Who has another pathway is not concerned.
    assert (await world.send("a@sender.test", ["5@rate.test"], CONTENT)).startswith("250 ")


# Commands.


@pytest.mark.effect("max_errors_per_connection")
async def test_who_errs_too_often_has_to_go(world: World) -> None:
    async with world.call("127.0.0.4") as caller:
        for _ in range(3):
            assert await caller.say("NONSENSE") == "500 5.5.2 unrecognized command"
        assert (await caller.say("NONSENSE")).startswith("500 ")
        assert await caller.rest() == b"421 4.7.0 too many errors\r\n"


async def test_refused_recipients_count_as_errors(world: World) -> None:
    async with world.call("127.0.0.4") as caller:
        await caller.say("MAIL FROM:<a@sender.test>")
        for _ in range(4):
            assert (await caller.say("RCPT TO:<nobody>")).startswith("501 ")
        assert await caller.rest() == b"421 4.7.0 too many errors\r\n"


@pytest.mark.effect("max_idle_commands")
async def test_who_only_talks_has_to_go(world: World) -> None:
    async with world.call("127.0.0.4") as caller:
        for line in ("NOOP", "RSET", "VRFY x", "HELP"):  # EHLO was the first
            assert (await caller.say(line))[0] == "2"
        reply = await caller.say("NOOP")
        assert reply == "421 4.7.0 too many commands which bring no mail"
        assert await caller.rest() == b""
    # Mail in between, and the count begins anew.
    async with world.call("127.0.0.4") as caller:
        for number in (1, 2):
            for _ in range(4):
                assert (await caller.say("NOOP"))[0] == "2"
            assert (await caller.deliver(CONTENT, f"{number}@talk.test")).startswith("250 ")


@pytest.mark.effect("max_commands_per_connection")
async def test_commands_of_a_connection_are_limited(world: World) -> None:
    async with world.call("127.0.0.5") as caller:
        for _ in range(3):
            assert await caller.say("NOOP") == "250 2.0.0 OK"
        assert await caller.say("NOOP") == "421 4.7.0 too many commands"
        assert await caller.rest() == b""


# Sessions at once, counted for the node: two workers share them.


async def called(stack: AsyncExitStack, world: World, source: str) -> Caller:
    return await stack.enter_async_context(world.call(source, hello="NOOP"))


async def freed(world: World, source: str) -> None:
    """Wait until one more session of this address is taken."""
    while True:
        async with world.call(source, hello="QUIT") as caller:
            if caller.banner.startswith("220 "):
                return
            assert caller.banner == BUSY


@pytest.mark.effect("sessions_per_address", "listener_sessions", "max_sessions", "service_sessions")
@pytest.mark.parametrize(
    ("config", "listener", "others"),
    [
        ("", "sessions_per_address = 4", True),
        ("", 'peer "127.0.0.2" { sessions_per_address = 4 }', True),
        ("", 'peer "127.0.0.2" { listener_sessions = 4 }', True),
        ("max_sessions = 4", "", False),
        ("", "listener_sessions = 4", False),
        ("", "service_sessions = 4", False),
    ],
)
async def test_sessions_at_once_are_counted_over_all_workers(
    tmp_path: Path, config: str, listener: str, others: bool
) -> None:
    async with (
        World(tmp_path, config, listener=listener, workers=2) as world,
        AsyncExitStack() as stack,
    ):
        callers = [await called(stack, world, "127.0.0.2") for _ in range(4)]
        assert [each.banner[:4] for each in callers] == ["220 "] * 4
        for _ in range(3):
            turned_away = await called(stack, world, "127.0.0.2")
            assert turned_away.banner == BUSY
            assert await turned_away.rest() == b""
        other = await called(stack, world, "127.0.0.3")
        assert other.banner.startswith("220 " if others else BUSY)
        callers.pop().reset()
        await freed(world, "127.0.0.2")


# A reload.


async def test_an_open_session_ends_at_its_next_mail_after_a_reload(tmp_path: Path) -> None:
    async with World(tmp_path, zone="* A 127.0.0.1") as world:
        async with world.call() as caller, world.call() as busy:
            await busy.envelope("a@sender.test", "b@reload.test")
            await world.reload("max_sessions = 100\n")
            # What was begun is taken; then the session is told to come again.
            assert (await busy.data(CONTENT)).startswith("250 ")
            for each in (caller, busy):
                reply = await each.say("MAIL FROM:<a@sender.test>")
                assert reply == "421 4.3.2 Reconfiguration in progress"
                assert await each.rest() == b""
        await world.arrived("b@reload.test")
        assert (await world.send("a@sender.test", ["c@reload.test"], CONTENT))[:4] == "250 "
