"""How many connections there are, what they are used for, and when they end; two workers share."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from helpers.operators import operator
from helpers.outlook import Outlook, Watched, second

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONFIG = """
connection_allocation_aggressiveness = high
idle_timeout = 1
host "mx.host.test" { max_outbound_connections = 1 }
domain "line.test" { max_outbound_connections = 2 }
domain "/[.]group[.]test$/" { scope_max_outbound_connections = 3 }
domain "used.test" { connection_allocation_aggressiveness = normal }
domain "twice.test" { max_deliveries_per_connection = 2 }
domain "named.test" { max_recipients_per_connection = 3  max_outbound_connections = 1 }
domain "rate.test" { outbound_throttle_messages = 20/1 }
domain "opened.test" { outbound_throttle_connections = 6/1  max_deliveries_per_connection = 1 }
domain "single.test" { max_outbound_connections = 1 }
binding "default" { server_max_outbound_connections = 20 }
"""
ZONE = """
line.test A 127.0.1.1
mx.host.test A 127.0.1.2
one.host.test MX 10 mx.host.test
two.host.test MX 10 mx.host.test
one.group.test A 127.0.1.3
two.group.test A 127.0.1.3
three.group.test A 127.0.1.3
four.group.test A 127.0.1.3
used.test A 127.0.1.4
twice.test A 127.0.1.5
named.test A 127.0.1.6
rate.test A 127.0.1.7
opened.test A 127.0.1.8
single.test A 127.0.1.9
*.many.test A 127.0.1.10
"""
SLOWLY = "at dot delay 30ms answer"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Outlook]:
    zone = ZONE + "".join(f"d{number}.many.test A 127.0.1.10\n" for number in range(40))
    async with Outlook(tmp_path_factory.mktemp("connections"), CONFIG, zone, workers=2) as world:
        yield world


@pytest_asyncio.fixture(loop_scope="module")
async def sink(world: Outlook, request: pytest.FixtureRequest) -> AsyncIterator[Watched]:
    address, script = request.param
    sink = await second(world, address, script)
    yield sink
    await sink.stop()


async def bring(world: Outlook, recipients: list[str], each: int) -> float:
    """Send so many messages to each recipient, by several connections: every worker has some.

    Nothing leaves before all is there: how fast it comes in is not to decide how much goes at once.
    Returns when the first may leave, by the clock of sinks.
    """
    async with operator(world.state) as admin:
        await admin.say("suspend all")
        await asyncio.gather(*(world.mails(each, recipient) for recipient in recipients * 4))
        began = world.sink.time()
        await admin.say("resume all")
    return began


def at(address: str, script: str = "") -> pytest.MarkDecorator:
    return pytest.mark.parametrize("sink", [(address, script)], indirect=True, ids=[""])


@at("127.0.1.1", SLOWLY)
async def test_a_domain_has_no_more_connections_than_its_limit(
    world: Outlook, sink: Watched
) -> None:
    await bring(world, ["b@line.test"], 8)
    await sink.until(32)
    assert sink.most == 2


@at("127.0.1.2", SLOWLY)
async def test_domains_of_one_host_share_its_limit(world: Outlook, sink: Watched) -> None:
    await bring(world, ["b@one.host.test", "b@two.host.test"], 3)
    await sink.until(24)
    assert sink.most == 1
    got = {address for each in sink.accepted for address in each.recipients}
    assert got == {"b@one.host.test", "b@two.host.test"}


@pytest.mark.effect("scope_max_outbound_connections")
@at("127.0.1.3", SLOWLY)
async def test_domains_of_one_stanza_share_its_limit(world: Outlook, sink: Watched) -> None:
    names = ("one", "two", "three", "four")
    await bring(world, [f"b@{name}.group.test" for name in names], 2)
    await sink.until(32)
    assert sink.most == 3


@pytest.mark.effect("server_max_outbound_connections")
@at("127.0.1.10", "at dot delay 500ms answer")
async def test_a_binding_has_no_more_connections_than_its_limit(
    world: Outlook, sink: Watched
) -> None:
    await bring(world, [f"b@d{number}.many.test" for number in range(40)], 1)
    await sink.until(160)
    assert sink.most == 20


@at("127.0.1.9", SLOWLY)
async def test_one_connection_is_handed_from_worker_to_worker(
    world: Outlook, sink: Watched
) -> None:
    await bring(world, ["b@single.test"], 12)
    await sink.until(48)
    assert sink.most == 1


@at("127.0.1.4")
async def test_a_connection_is_used_again_and_left_when_it_is_idle(
    world: Outlook, sink: Watched
) -> None:
    async with world.call() as caller:  # One worker.
        for count in range(1, 6):
            assert (await caller.deliver(b"Subject: x\r\n\r\n", "b@used.test")).startswith("250")
            await sink.until(count)
        await world.until(lambda: sink.counts.open == 0, "the end of the idle connection")
        assert (await caller.deliver(b"Subject: x\r\n\r\n", "b@used.test")).startswith("250")
        await sink.until(6)
    verbs = [[line.split()[0] for line in each.commands] for each in sink.sessions]
    once = ["MAIL", "RCPT", "DATA"]
    assert verbs == [["EHLO", *once * 5, "QUIT"], ["EHLO", *once]]


@at("127.0.1.5")
async def test_a_connection_ends_after_its_number_of_deliveries(
    world: Outlook, sink: Watched
) -> None:
    await world.mails(7, "b@twice.test")
    await sink.until(7)
    per_session = [sum(line.startswith("MAIL") for line in each.commands) for each in sink.sessions]
    assert max(per_session) <= 2
    await world.until(lambda: sink.counts.open == 0, "the end of the connections")
    assert all(each.commands[-1] == "QUIT" for each in sink.sessions)


@at("127.0.1.6")
async def test_a_connection_ends_after_its_number_of_recipients(
    world: Outlook, sink: Watched
) -> None:
    await world.mail(*(f"b{number}@named.test" for number in range(8)))
    await world.until(lambda: sink.counts.recipients == 8, "eight recipients")
    named = [sum(line.startswith("RCPT") for line in each.commands) for each in sink.sessions]
    assert named == [3, 3, 2]


def too_early(sink: Watched, began: float, rate: float, at_once: int) -> list[tuple[int, float]]:
    """Return which messages came before a rate allows it, counted from before the first one.

    Between two of them nothing is counted: a sink which is kept from work gets many together.
    """
    times = sorted(each.at - began for each in sink.accepted)
    return [(n, at) for n, at in enumerate(times) if at < (n - at_once) / rate]


@at("127.0.1.7")
async def test_no_second_has_more_messages_than_the_throttle(world: Outlook, sink: Watched) -> None:
    began = await bring(world, ["b@rate.test"], 10)
    await sink.until(40)
    # 20 a second over both workers; 2 may come at once, and 1 more for the way to the sink.
    assert too_early(sink, began, rate=20, at_once=3) == []


@at("127.0.1.8")
async def test_no_second_has_more_new_connections_than_the_throttle(
    world: Outlook, sink: Watched
) -> None:
    began = await bring(world, ["b@opened.test"], 3)
    await sink.until(12)
    assert too_early(sink, began, rate=6, at_once=2) == []
    assert sink.counts.connections == 12


@pytest.mark.effect("server_reserve_outbound_connections")
async def test_a_small_destination_has_a_connection_of_the_reserve(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    config = """
        connection_allocation_aggressiveness = high
        server_max_outbound_connections = 3
        server_reserve_outbound_connections = 1
    """
    zone = "large.test A 127.0.0.1\nsmall.test A 127.0.0.1"
    sink = "at dot to *@large.test delay 300ms answer"
    folder = tmp_path_factory.mktemp("reserve")
    async with Outlook(folder, config, zone, sink, workers=2) as world:
        await bring(world, ["b@large.test"] * 2, 12)
        await world.mail("b@small.test")
        await world.came("b@small.test")
        assert len(world.got("*@large.test")) < 96
        await world.came("*@large.test", 96)
        assert 3 <= world.sink.most <= 4
