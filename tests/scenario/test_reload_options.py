"""What a reload changes in queues, deliveries and name resolution, without a restart.

One node goes through all of it: each story has a domain of its own, and mail which waits when the
configuration changes.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from helpers.outlook import Outlook, Watched, second

pytestmark = pytest.mark.asyncio(loop_scope="module")

ZONE = """
rate.test A 127.0.4.1
many.test A 127.0.4.2
idle.test A 127.0.4.3
busy.test A 127.0.4.4
moved.test A 127.0.0.2
relay.test A 127.0.0.1
host.test MX 10 mx.host.test
mx.host.test A 127.0.4.5
name.test A 127.0.0.1
kept.test 1 A 127.0.4.6
"""
BEFORE = """
generate_bounces = false
domain "rate.test" { outbound_throttle_messages = 1/3600 }
domain "many.test" { max_outbound_connections = 1 }
domain "idle.test" { idle_timeout = 3600 }
domain "busy.test" { retry_interval = 3600 }
domain "kept.test" { max_deliveries_per_connection = 1 }
host "mx.host.test" { outbound_throttle_messages = 1/3600 }
min_dns_ttl = 3600
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Outlook]:
    folder = tmp_path_factory.mktemp("reloads")
    async with Outlook(folder, BEFORE, ZONE, workers=2) as world:
        yield world


@pytest_asyncio.fixture(loop_scope="module")
async def sink(world: Outlook, request: pytest.FixtureRequest) -> AsyncIterator[Watched]:
    address, script = request.param
    sink = await second(world, address, script)
    yield sink
    await sink.stop()
    await world.reload(BEFORE)


def at(address: str, script: str = "") -> pytest.MarkDecorator:
    return pytest.mark.parametrize("sink", [(address, script)], indirect=True, ids=[""])


@at("127.0.4.1")
async def test_a_rate_which_is_raised_holds_for_mail_which_waits(
    world: Outlook, sink: Watched
) -> None:
    await world.mails(4, "b@rate.test")
    await sink.until(1)
    await world.reload(BEFORE.replace("1/3600", "1000", 1))
    await sink.until(4)


@at("127.0.4.5")
async def test_the_rate_of_a_host_which_is_taken_away_keeps_nothing(
    world: Outlook, sink: Watched
) -> None:
    await world.mails(4, "b@host.test")
    await sink.until(1)
    await world.reload("\n".join(line for line in BEFORE.splitlines() if "mx.host" not in line))
    await sink.until(4)


@at("127.0.4.2", "at dot delay 250ms answer")
async def test_a_limit_on_connections_which_is_raised_lets_more_be_opened(
    world: Outlook, sink: Watched
) -> None:
    await world.mails(60, "b@many.test")
    await sink.until(2)
    assert sink.most == 1
    more = BEFORE.replace(
        "max_outbound_connections = 1",
        "max_outbound_connections = 9  connection_allocation_aggressiveness = high",
    )
    await world.reload(more)
    await world.until(lambda: sink.most > 1, "a further connection")


@at("127.0.4.3")
async def test_an_idle_timeout_holds_for_connections_made_after_it(
    world: Outlook, sink: Watched
) -> None:
    await world.mail("b@idle.test")
    await sink.until(1)
    assert sink.counts.open == 1
    await world.reload(BEFORE.replace("idle_timeout = 3600", "idle_timeout = 1"))
    await world.mail("c@idle.test")
    await sink.until(2)
    # The old one took it, and ended as its options are not those any more; or a new one did, of
    # the other worker, and the old one waits its hour.
    await world.until(lambda: sink.counts.connections > sink.counts.open, "the end of one")


@at("127.0.4.4", "at rcpt first 1 reply 451 4.2.1 not now")
async def test_a_retry_interval_holds_from_the_next_failure(world: Outlook, sink: Watched) -> None:
    await world.mail("b@busy.test")
    await world.records("mainlog", "T", "busy.test")
    await world.reload(BEFORE.replace("retry_interval = 3600", "retry_interval = 1"))
    await world.mail("c@busy.test")
    await sink.until(1)
    # What failed under the old configuration keeps its time; what fails now has the new one.
    assert [each.recipients for each in sink.accepted] == [["c@busy.test"]]


async def test_mail_which_comes_in_is_rerouted_from_then_on(world: Outlook) -> None:
    await world.reload(BEFORE + 'domain "moved.test" { reroute_domain = "relay.test" }')
    await world.mail("b@moved.test")
    await world.came("b@moved.test")


async def test_another_name_is_given_from_then_on(world: Outlook) -> None:
    await world.mail("b@name.test")
    [first] = await world.came("b@name.test")
    named = BEFORE + 'ehlo_hostname = "other.test"\nexternal_hostname = "outside.test"\n'
    await world.reload(named)
    await world.mail("c@name.test")
    [then] = await world.came("c@name.test")
    assert world.session(first)[0] == "EHLO mx.node.test"
    assert world.session(then)[0] == "EHLO other.test"
    assert b"by mx.node.test" in (first.content or b"")
    assert b"by outside.test" in (then.content or b"")


@at("127.0.4.6")
async def test_how_long_answers_are_kept_holds_for_the_next_ones(
    world: Outlook, sink: Watched
) -> None:
    await world.reload(BEFORE.replace("min_dns_ttl = 3600", "min_dns_ttl = 0"))
    sent = 0
    while sum(each[0] == "kept.test" and each[1] == "A" for each in world.dns.questions) < 3:
        sent += 1
        await world.mail("b@kept.test")
        await sink.until(sent)
