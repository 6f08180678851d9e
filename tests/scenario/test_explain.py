"""Why mail waits: each situation is made, and `explain` says just that one."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from helpers.operators import Operator, operator
from helpers.preload import preload
from helpers.world import World

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

CONTENT = b"Subject: hello\r\n\r\nhi\r\n"
CONFIG = """
retry_interval = 300
host_failure_retry = 600
domain "throttled.test" { outbound_throttle_messages = 1/3600 }
domain "shut.test" { suspend_delivery = true }
domain "paused.test" { mx_failures_to_delay = 1 }
domain "resting.test" { mx_failures_to_delay = 100  dead_destination_delay = 500 }
domain "busy.test" { max_outbound_connections = 1 }
domain "slow.test" { outbound_throttle_connections = 1/3600  max_deliveries_per_connection = 1 }
host "mx.full.test" { max_outbound_connections = 1 }
domain "moved.test" { reroute_domain = "good.test" }
domain "routed.test" { routes = ( "127.0.0.1" ) }
binding "absent" { bind_address = "192.0.2.99" }
"""
ZONE = """
good.test       MX 10 mx.good.test
mx.good.test    A  127.0.0.1
throttled.test  A  127.0.0.1
shut.test       A  127.0.0.1
paused.test     A  127.0.1.1
resting.test    A  127.0.1.2
busy.test       A  127.0.0.1
slow.test       A  127.0.0.1
full.test       MX 10 mx.full.test
mx.full.test    A  127.0.0.1
grey.test       A  127.0.0.1
absent.test     A  127.0.0.1
dead.test       SERVFAIL
null.test       MX 0 .
"""
SINK = """
at dot to *@busy.test delay 60s answer
at dot to *@full.test delay 60s answer
at rcpt to *@grey.test reply 451 4.7.1 greylisted, try later
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("explain")
    await preload(folder / "state", [("default", "absent", "b@absent.test")])
    async with World(folder, CONFIG, ZONE, SINK, workers=2) as world:
        yield world


@pytest_asyncio.fixture(loop_scope="module")
async def admin(world: World) -> AsyncIterator[Operator]:
    async with operator(world.state) as admin:
        yield admin


async def mails(world: World, domain: str, count: int = 1) -> None:
    for number in range(count):
        assert (await world.send("a@s.test", [f"u{number}@{domain}"], CONTENT)).startswith("250")


async def plain(admin: Operator, line: str) -> Any:
    said, end = await admin.ask(line, "json")
    assert not end.failed, said
    return json.loads(said)


async def reasons(admin: Operator, domain: str, binding: str = "default") -> dict[str, Any]:
    """Return the reasons of a queue, by their codes."""
    found = await plain(admin, f"explain queue {binding} {domain}")
    [queue] = found["queues"].values()
    return {each["code"]: each for each in queue["reasons"]}


async def waits_for(world: World, admin: Operator, domain: str, code: str) -> dict[str, Any]:
    """Wait until a queue has a reason, and return it."""
    seen: dict[str, Any] = {}

    async def there() -> bool:
        seen.clear()
        seen.update(await reasons(admin, domain))
        return code in seen

    await world.eventually(there, f"{code} of {domain}, which has {seen}")
    return dict(seen[code])


async def test_an_empty_queue_has_no_reason(admin: Operator) -> None:
    assert await reasons(admin, "good.test") == {}
    assert "It is empty." in await admin.say("explain queue default good.test")
    assert "there is no binding nowhere" in await admin.fails("explain queue nowhere good.test")


async def test_a_throttle_says_its_rate_and_when_it_ends(world: World, admin: Operator) -> None:
    await mails(world, "throttled.test", 3)
    found = await waits_for(world, admin, "throttled.test", "throttled")
    assert found["text"] == "outbound_throttle_messages is used up: 1/3600"
    assert found["until"] > 0
    assert "Rate: outbound_throttle_messages 1/3600" in await admin.say(
        "explain queue default throttled.test"
    )


async def test_suspended_delivery_is_named_by_its_option(world: World, admin: Operator) -> None:
    await mails(world, "shut.test")
    found = await waits_for(world, admin, "shut.test", "suspend_delivery")
    assert found["until"] == 0


async def test_a_domain_whose_hosts_are_away_rests_until_a_time(
    world: World, admin: Operator
) -> None:
    await mails(world, "paused.test", 2)
    found = await waits_for(world, admin, "paused.test", "paused")
    assert "No valid hosts" in found["text"]
    assert found["until"] > 0
    said = await admin.say("explain queue default paused.test")
    assert re.search(r"Host: 0 paused\.test \[127\.0\.1\.1\]:\d+ left alone until .*failed", said)


async def test_hosts_which_failed_are_left_alone(world: World, admin: Operator) -> None:
    await mails(world, "resting.test", 2)
    await waits_for(world, admin, "resting.test", "hosts")


async def test_a_limit_says_how_much_of_it_is_in_use(world: World, admin: Operator) -> None:
    await mails(world, "busy.test", 6)
    found = await waits_for(world, admin, "busy.test", "limit")
    assert found["text"].endswith("max_outbound_connections of the queue: 1 of 1 are in use")
    await mails(world, "full.test", 6)
    found = await waits_for(world, admin, "full.test", "limit")
    assert "max_outbound_connections of host mx.full.test: 1 of 1 are in use" in found["text"]


async def test_a_rate_of_connections_is_named(world: World, admin: Operator) -> None:
    await mails(world, "slow.test", 4)

    async def held() -> bool:
        found = (await reasons(admin, "slow.test")).get("rate", {})
        return bool(found.get("text") == "outbound_throttle_connections is used up: 1/3600")

    await world.eventually(held, "the rate of connections")


async def test_what_dns_cannot_tell_is_said(world: World, admin: Operator) -> None:
    await mails(world, "dead.test")
    assert "no MX or A for domain" in await admin.say("explain domain dead.test")
    said = await admin.say("explain queue default dead.test")
    assert "No hosts: 454" in said
    assert "cannot tell" in said


async def test_an_address_which_is_not_here_is_named(world: World, admin: Operator) -> None:
    async def absent() -> bool:
        found = await reasons(admin, "absent.test", "absent")
        text = str(found.get("absent", {}).get("text"))
        return text == "192.0.2.99 is not an address of this machine"

    await world.eventually(absent, "the address")


async def test_a_greylisted_message_tells_its_life_and_when_it_is_tried_again(
    world: World, admin: Operator
) -> None:
    said = await world.send("a@s.test", ["b@grey.test"], CONTENT)
    ident = re.search(r"[0-9A-F]{2}/[0-9A-F]{2}-\d{5}-[0-9A-F]{8}", said)
    assert ident is not None, said

    async def deferred() -> bool:
        return "greylisted" in await admin.say(f"explain message {ident[0]}")

    await world.eventually(deferred, "the first attempt")
    said = await admin.say(f"explain message {ident[0]}")
    assert re.search(r"received +\S+ <a@s\.test> to <b@grey\.test> from 127\.0\.0\.1:\d+", said)
    assert re.search(r"deferred .*attempt 1: 451 4\.7\.1 greylisted, try later; next at", said)
    assert "<b@grey.test> is delayed: default grey.test" in said
    # 300 s, a part of a second, in whole seconds; it is later now, and may be another day then.
    due = re.search(r"Attempt 2 is due (?:[\d-]+ )?[\d:]+ \(in (\d+) s\)", said)
    assert due is not None
    assert 200 < int(due[1]) <= 302
    assert re.search(r"It is given up .* \(message_expiration\)", said)
    queue = await admin.say("explain queue default grey.test")
    assert "all its mail waits until its next attempt is due" in queue
    assert re.search(r"First delayed mail is due: (?:[\d-]+ )?[\d:]+ \(in \d+ s\)", queue)


async def test_a_message_in_a_suspended_queue_says_what_it_waits_for(
    world: World, admin: Operator
) -> None:
    said = await world.send("a@s.test", ["c@shut.test"], CONTENT)
    ident = re.search(r"[0-9A-F]{2}/[0-9A-F]{2}-\d{5}-[0-9A-F]{8}", said)
    assert ident is not None, said
    said = await admin.say(f"explain message {ident[0]}")
    assert "is waiting: default shut.test" in said
    assert "Waits: suspend_delivery" in said
    assert "nobody knows when" in said


async def test_a_delivered_message_is_in_no_queue(world: World, admin: Operator) -> None:
    said = await world.send("a@s.test", ["b@good.test"], CONTENT)
    ident = re.search(r"[0-9A-F]{2}/[0-9A-F]{2}-\d{5}-[0-9A-F]{8}", said)
    assert ident is not None, said

    async def settled() -> bool:
        # What is delivered may be still in its queue when the stream tells it, or for a moment
        # nobody knows of it.
        said = (await admin.ask(f"explain message {ident[0]}"))[0]
        return "delivered" in said and "It is in no queue any more." in said

    await world.eventually(settled, "the delivery")
    assert "is in no queue" in await admin.fails("explain message 91/6D-07914-E67BC044")
    assert "is no id" in await admin.fails("explain message 91")


async def test_a_domain_says_its_hosts_its_way_and_its_options(
    world: World, admin: Operator
) -> None:
    said = await admin.say("explain domain good.test")
    assert "Mail goes by its MX records." in said
    assert re.search(r"Host: 10 mx\.good\.test \[127\.0\.0\.1\]:\d+ may be tried", said)
    assert "retry_interval = 300  (global)" in said
    said = await admin.say("explain domain throttled.test")
    assert 'outbound_throttle_messages = "1/3600"  (domain throttled.test)' in said
    assert "queued as (reroute_domain) good.test" in await admin.say("explain domain moved.test")
    assert "by the routes 127.0.0.1" in await admin.say("explain domain routed.test")
    assert "NULL MX" in await admin.say("explain domain null.test")
    assert "there is no binding x" in await admin.fails("explain domain good.test x")


async def test_a_connection_says_what_it_does(world: World, admin: Operator) -> None:
    async with world.call() as caller:
        said = await caller.say("MAIL FROM:<a@s.test>")
        assert said.startswith("250")
        assert "1 sessions" in await admin.say("count SMTP 127.0.0.1")
    await mails(world, "busy.test")

    async def connected() -> bool:
        found = await plain(admin, "explain queue default busy.test")
        return bool(found["queues"]["default/default"]["connections"] == 1)

    await world.eventually(connected, "the connection")
    assert "there is no connection" in await admin.fails("explain connection 91/6D-07914-E67BC044")


async def test_mail_is_taken_in_and_it_is_said_so(admin: Operator) -> None:
    said = await admin.say("explain intake")
    assert re.search(r"worker 0: it takes mail in \(\d+ clients; memory: \d+ of \d+ MB", said)


async def test_events_are_followed_by_kind_and_domain(world: World, admin: Operator) -> None:
    following = asyncio.ensure_future(admin.say("tail delivered domain good.test for 8"))
    sent = 0
    while not following.done():
        await mails(world, "good.test")
        sent += 1
        await asyncio.sleep(0.2)
    said = await following
    assert re.search(r"delivered .* <u0@good\.test> by default to 127\.0\.0\.1:\d+", said)
    assert "received" not in said
    assert said.endswith("(that were 8 s)")
    assert "a filter begins with one of" in await admin.fails("tail nonsense")


async def test_a_suspension_says_whose_it_is(world: World, admin: Operator) -> None:
    await admin.say("suspend domain held.test")
    await mails(world, "held.test")
    found = await waits_for(world, admin, "held.test", "suspended")
    assert "`suspend domain held.test` by " in found["text"]
    await admin.say("resume domain held.test")

    async def resumed() -> bool:
        return "suspended" not in await reasons(admin, "held.test")

    await world.eventually(resumed, "the end of the suspension")


async def test_a_change_of_the_configuration_ends_what_it_no_longer_says(
    world: World, admin: Operator
) -> None:
    await admin.say("config set domain changed.test suspend_delivery true")
    await mails(world, "changed.test")
    await waits_for(world, admin, "changed.test", "suspend_delivery")
    await admin.say("config set domain changed.test suspend_delivery false")

    async def free() -> bool:
        return "suspend_delivery" not in await reasons(admin, "changed.test")

    await world.eventually(free, "the new generation")


async def test_the_limit_of_the_server_is_told_with_its_reserve(
    world: World, admin: Operator
) -> None:
    await mails(world, "busy.test", 3)  # one of which its host holds for a minute
    await waits_for(world, admin, "busy.test", "limit")
    await admin.say("config set server_reserve_outbound_connections 0")
    await admin.say("config set server_max_outbound_connections 1")

    async def full() -> bool:
        found = await plain(admin, "explain queue default busy.test")
        limits = found["queues"]["default/default"]["limits"]
        return any(e["used"] >= e["most"] == 1 and "server" in e["key"] for e in limits)

    await world.eventually(full, "a full server")
    found = await waits_for(world, admin, "busy.test", "limit")
    assert "of 1 are in use" in found["text"]
    await admin.say("config unset server_max_outbound_connections")


async def test_memory_that_is_short_says_why_no_client_is_taken(
    world: World, admin: Operator
) -> None:
    await admin.say("config begin")
    await admin.say("config set memory_goal 0.001")
    await admin.say("config set memory_hwm 0.002")
    await admin.say("config commit")

    async def refused() -> bool:
        return "memory is short" in await admin.say("explain intake")

    await world.eventually(refused, "the refusal")
