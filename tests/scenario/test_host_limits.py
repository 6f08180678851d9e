"""What a host stanza limits: mail goes to the next host, and stays active when there is none.

Two workers: what is limited is limited for the node.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from helpers.outlook import Outlook, Watched, second

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONFIG = """
connection_allocation_aggressiveness = high
domain "opened.test" { idle_timeout = 1 }
host "first.spill.test" { outbound_throttle_messages = 1/3600 }
host "second.spill.test" { outbound_throttle_messages = 1/3600 }
host "last.spill.test" { outbound_throttle_messages = 1/3600 }
host "/^mx[0-9][.]pattern[.]test$/" { outbound_throttle_messages = 1/3600 }
host "/^cap[0-9][.]test$/" { scope_max_outbound_connections = 2 }
host "slow.test" { outbound_throttle_messages = 1/2 }
host "first.opened.test" { outbound_throttle_connections = 1/3600 }
host "brisk.test" { outbound_throttle_messages = 20 }
domain "both.test" { outbound_throttle_messages = 1/3600 }
host "mx.both.test" { outbound_throttle_messages = 100 }
"""
ZONE = """
spill.test MX 10 first.spill.test
spill.test MX 10 second.spill.test
spill.test MX 20 last.spill.test
first.spill.test A 127.0.2.1
second.spill.test A 127.0.2.2
last.spill.test A 127.0.2.3
one.pattern.test MX 10 mx1.pattern.test
two.pattern.test MX 10 mx2.pattern.test
mx1.pattern.test A 127.0.2.4
mx2.pattern.test A 127.0.2.4
slow.test A 127.0.2.5
one.cap.test MX 10 cap1.test
two.cap.test MX 10 cap2.test
cap1.test A 127.0.2.10
cap2.test A 127.0.2.10
opened.test MX 10 first.opened.test
opened.test MX 20 second.opened.test
first.opened.test A 127.0.2.6
second.opened.test A 127.0.2.7
brisk.test A 127.0.2.8
both.test MX 10 mx.both.test
mx.both.test A 127.0.2.9
other.test A 127.0.0.1
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Outlook]:
    folder = tmp_path_factory.mktemp("hosts")
    async with Outlook(folder, CONFIG, ZONE, workers=2) as world:
        yield world


@pytest_asyncio.fixture(loop_scope="module")
async def sinks(world: Outlook, request: pytest.FixtureRequest) -> AsyncIterator[list[Watched]]:
    addresses, script = request.param
    sinks = [await second(world, address, script) for address in addresses]
    yield sinks
    for sink in sinks:
        await sink.stop()


def at(*addresses: str, script: str = "") -> pytest.MarkDecorator:
    return pytest.mark.parametrize("sinks", [(addresses, script)], indirect=True, ids=[""])


async def settled(world: Outlook) -> None:
    """Wait until mail which came before has had every chance to leave: later mail has left."""
    came = len(world.got("b@other.test"))
    await world.mails(4, "b@other.test")
    await world.came("b@other.test", came + 4)


@pytest.mark.effect("outbound_throttle_messages")
@at("127.0.2.1", "127.0.2.2", "127.0.2.3")
async def test_a_used_up_host_leaves_mail_to_its_equal_then_to_the_next_preference(
    world: Outlook, sinks: list[Watched]
) -> None:
    first, equal, last = sinks
    await world.mail("b@spill.test")
    await world.mail("b@spill.test")
    await world.until(lambda: first.accepted and equal.accepted, "one for each of the equal hosts")
    assert not last.accepted
    await world.mail("b@spill.test")
    await world.until(lambda: last.accepted, "one for the next preference")
    await world.mail("b@spill.test")
    await world.mail("b@spill.test")
    # All hosts are used up: what is left stays active, without an attempt.
    await settled(world)
    assert [len(each.accepted) for each in sinks] == [1, 1, 1]
    assert world.rows("mainlog", "T", "spill.test") == []


@at("127.0.2.4")
async def test_hosts_of_one_pattern_have_one_counter(world: Outlook, sinks: list[Watched]) -> None:
    await world.mail("b@one.pattern.test")
    await world.until(lambda: sinks[0].accepted, "the first message")
    await world.mail("b@two.pattern.test")
    await world.mail("b@one.pattern.test")
    await settled(world)
    assert len(sinks[0].accepted) == 1


@at("127.0.2.5")
async def test_a_rate_used_up_on_an_open_connection_ends_it_and_the_mail_stays_active(
    world: Outlook, sinks: list[Watched]
) -> None:
    began = sinks[0].time()
    await world.mails(3, "b@slow.test")
    await sinks[0].until(3)
    assert all(each.at - began > 2 * n - 0.1 for n, each in enumerate(sinks[0].accepted))
    verbs = [[line.split()[0] for line in each.commands] for each in sinks[0].sessions]
    assert verbs[0][:5] == ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"]
    assert len(verbs) == 3
    assert world.rows("mainlog", "T", "slow.test") == []


@at("127.0.2.8")
async def test_a_connection_is_kept_where_the_next_message_may_go_at_once(
    world: Outlook, sinks: list[Watched]
) -> None:
    began = sinks[0].time()
    async with world.call() as caller:  # One worker.
        for _ in range(12):
            assert (await caller.deliver(b"Subject: x\r\n\r\n", "b@brisk.test")).startswith("250")
    await sinks[0].until(12)
    assert sinks[0].accepted[-1].at - began > 0.4
    assert sinks[0].counts.connections <= 3


@at("127.0.2.10", script="at dot delay 20ms answer")
async def test_hosts_of_one_pattern_share_its_limit_on_connections(
    world: Outlook, sinks: list[Watched]
) -> None:
    for _ in range(4):
        await world.mails(6, "b@one.cap.test")
        await world.mails(6, "b@two.cap.test")
    await sinks[0].until(48)
    assert sinks[0].most <= 2


@pytest.mark.effect("outbound_throttle_connections")
@at("127.0.2.6", "127.0.2.7")
async def test_a_host_which_takes_no_further_connection_leaves_mail_to_the_next(
    world: Outlook, sinks: list[Watched]
) -> None:
    first, further = sinks
    await world.mail("b@opened.test")
    await world.until(lambda: first.accepted, "the first message")
    await world.until(lambda: first.counts.open == 0, "the end of the idle connection")
    await world.mail("b@opened.test")
    await world.until(lambda: further.accepted, "the second message")
    assert first.counts.connections == 1


@at("127.0.2.9")
async def test_the_rate_of_a_host_is_kept_beside_that_of_the_domain(
    world: Outlook, sinks: list[Watched]
) -> None:
    await world.mails(3, "b@both.test")
    await sinks[0].until(1)
    await settled(world)
    assert len(sinks[0].accepted) == 1
