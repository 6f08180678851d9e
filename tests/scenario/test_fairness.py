"""A bulk job does not hold up a single message of somebody else: in a queue, and across workers."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from angarium.core.ident import parse, shard_of
from angarium.lab.received import Received
from angarium.queue.throttle import HAND_BACK_MESSAGES
from helpers.caller import Caller, stuffed
from helpers.pressure import Pressure, pressure
from helpers.world import World

pytestmark = pytest.mark.slow

ZONE = "* A 127.0.0.1\n"
# 20 messages a second: whatever a busy machine takes in is more.
SLOW = "at dot delay 0.05 answer"
BULK = 200
TEXT = b"Subject: hello\r\n\r\nhi\r\n"
# Messages under way on a connection: one is being answered, one follows it in the pipeline.
UNDER_WAY = 2
EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "fairness"


@asynccontextmanager
async def bulk(world: World, to: str = "sink.test") -> AsyncIterator[Pressure]:
    """Bring a bulk job without end over one connection, which has paid for its sessions."""
    async with pressure(world.port, to=to, pipelining=False) as load:
        await world.delivered(4 * HAND_BACK_MESSAGES)
        await world.until(
            lambda: len(load.acknowledged) - len(world.sink.accepted) >= BULK, "the bulk job"
        )
        yield load


async def overtakes(
    world: World, caller: Caller, recipient: str, content: bytes = TEXT
) -> tuple[int, int]:
    """Send one message of another; return how many of the bulk came before it, and its shard."""
    for command in ("MAIL FROM:<single@other.test>", f"RCPT TO:<{recipient}>"):
        assert (await caller.say(command)).startswith("250")
    assert (await caller.say("DATA")).startswith("354")
    assert (await caller.finish(stuffed(content))).startswith("250")
    before = len(world.sink.accepted)
    mail = await world.arrived(recipient)
    order = [each.recipients for each in world.sink.accepted]
    return order.index(mail.recipients) - before, shard(mail)


def shard(mail: Received) -> int:
    """Return the shard in which a message lay, from the id in our Received."""
    found = re.search(rb"\sid ([^;\s]+);", mail.content or b"")
    assert found
    ident = parse(found[1].decode())
    assert ident is not None
    return shard_of(ident)


@pytest.mark.effect("fairness_key")
@pytest.mark.parametrize("connections", [1, 4])
async def test_one_message_overtakes_a_bulk_job_of_another_key(
    tmp_path: Path, connections: int
) -> None:
    config = f"fairness_key = sender\nmax_outbound_connections = {connections}\n"
    async with (
        World(tmp_path, config, ZONE, sink=f"at dot delay {0.05 * connections} answer") as world,
        bulk(world) as load,
        world.call() as call,
    ):
        for number in range(3):
            overtaken, _ = await overtakes(world, call, f"one{number}@sink.test")
            # Two keys, so it is the next or the one after it; plus what is under way already.
            assert overtaken <= 2 + UNDER_WAY * connections
        assert len(world.sink.accepted) < len(load.acknowledged)


@pytest.mark.effect("priority_header")
async def test_an_urgent_message_overtakes_those_of_its_own_key(tmp_path: Path) -> None:
    config = "priority_header = X-Urgent\nmax_outbound_connections = 1\n"
    async with World(tmp_path, config, ZONE, sink=SLOW) as world, bulk(world), world.call() as call:
        overtaken, _ = await overtakes(world, call, "one@sink.test", b"X-Urgent: 1\r\n" + TEXT)
        assert overtaken <= 1 + UNDER_WAY
        assert (await world.send("single@other.test", ["two@sink.test"], TEXT)).startswith("250")
        await world.delivered(len(world.sink.accepted) + 20)
        assert ["two@sink.test"] not in [each.recipients for each in world.sink.accepted]


@pytest.mark.parametrize("to", ["sink.test", "elsewhere.test"])
async def test_it_overtakes_what_another_worker_has_all_connections_for(
    tmp_path: Path, to: str
) -> None:
    """In the same queue, whose connections are limited, and in another one of the same binding."""
    config = """
        fairness_key = sender
        max_outbound_connections = 2
        binding "default" { server_max_outbound_connections = 2 }
    """
    async with (
        World(tmp_path, config, ZONE, sink="at dot delay 0.1 answer", workers=2) as world,
        bulk(world) as load,
        AsyncExitStack() as stack,
    ):
        home = {shard(each) for each in world.sink.accepted}
        assert len(home) == 1
        calls = [await stack.enter_async_context(world.call()) for _ in range(4)]
        seen = set()
        for number, call in enumerate(calls):
            # A line gives up a connection for another one once in so many messages.
            await world.delivered(len(world.sink.accepted) + HAND_BACK_MESSAGES)
            overtaken, where = await overtakes(world, call, f"one{number}@{to}")
            seen.add(where)
            # A session ends after what is under way on it; then another one is opened.
            assert overtaken <= 2 + 4 * UNDER_WAY
        assert seen - home
        assert len(world.sink.accepted) < len(load.acknowledged)


class Shown(World):
    """The server of the example, its ports being ours."""

    def configure(self, extra: str) -> None:
        text = (EXAMPLE / "ecelerity.conf").read_text("utf-8")
        text = text.replace("127.0.0.1:2525", f"127.0.0.1:{self.port}")
        text = text.replace("127.0.0.1:2526", f"127.0.0.1:{self.sink.port}")
        self.config.write_text(text + 'eventloop "pool" { concurrency = 1 }\n', encoding="utf-8")


async def test_the_example_gives_turns_to_campaigns_and_goes_first_with_what_is_urgent(
    tmp_path: Path,
) -> None:
    async with Shown(tmp_path, zone=ZONE, sink=SLOW) as world, bulk(world), world.call() as call:
        for field in (b"X-Campaign: spring\r\n", b"X-Urgent: 1\r\n"):
            name = field[2:8].decode().lower().strip(":")
            overtaken, _ = await overtakes(world, call, f"{name}@sink.test", field + TEXT)
            assert overtaken <= 2 + UNDER_WAY
