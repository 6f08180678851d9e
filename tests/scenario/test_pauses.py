"""Why mail waits: hosts which are away, suspended delivery, blackholes, and what ends that."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest

from angarium.core.ident import printed
from helpers.outlook import Outlook, second, times

EVERYWHERE = "* A 127.0.0.1"
REFUSED = "451 4.4.1 [internal] No valid hosts (unable to make any connections)"


@pytest.mark.effect("dead_destination_delay")
async def test_while_a_host_is_away_one_message_says_so_and_the_others_wait(
    tmp_path: Path,
) -> None:
    config = "host_failure_retry = 1\ndead_destination_delay = 2\nmax_retry_interval = 1"
    zone = "away.test A 127.0.1.1\nwell.test A 127.0.0.1"
    async with Outlook(tmp_path, config, zone) as world:
        await world.mails(5, "b@away.test")
        await world.records("mainlog", "T", "away.test", 2)
        await world.mail("b@well.test")
        await world.came("b@well.test")
        deferred = world.rows("mainlog", "T", "away.test")
        assert len(deferred) == 2
        assert times(deferred)[1] - times(deferred)[0] >= 1
        assert {(row[6], row[9], row[13]) for row in deferred} == {("0", "0", REFUSED)}
        sink = await second(world, "127.0.1.1")
        try:
            await sink.until(5)
        finally:
            await sink.stop()


@pytest.mark.effect("host_failure_retry")
async def test_a_host_which_failed_is_passed_over_for_its_pause(tmp_path: Path) -> None:
    zone = """
        a.test MX 10 first.test
        a.test MX 20 second.test
        first.test A 127.0.1.1
        second.test A 127.0.1.2
    """
    config = "host_failure_retry = 4\nidle_timeout = 0\nmax_deliveries_per_connection = 1"
    async with Outlook(tmp_path, config, zone) as world:
        other = await second(world, "127.0.1.2")
        await world.mail("b@a.test")
        await other.until(1)
        first = await second(world, "127.0.1.1")

        def arrived(count: int) -> bool:
            return other.counts.messages + first.counts.messages == count

        try:
            sent = 1  # Within the pause they go by the other one, though the first is there now.
            while not first.messages:
                await world.mail("c@a.test")
                sent += 1
                await world.until(partial(arrived, sent), "the message by either host")
            # Some of the pause may have gone by before the other one has taken the first message.
            assert first.accepted[0].at - other.accepted[0].at >= 2.0
        finally:
            await first.stop()
            await other.stop()


@pytest.mark.effect("connect_timeout", "connect_timeout_ceiling")
async def test_a_host_which_does_not_accept_is_left_for_the_next_then_given_up(
    tmp_path: Path,
) -> None:
    zone = """
        two.test MX 10 full.test
        two.test MX 20 well.test
        one.test MX 10 also.full.test
        full.test A 127.0.1.1
        also.full.test A 127.0.1.2
        well.test A 127.0.0.1
    """
    config = """
        connect_timeout = 60
        connect_timeout_ceiling = 1
        domain "one.test" { connect_timeout = 1 }
    """
    async with Outlook(tmp_path, config, zone) as world:
        port = world.sink.port
        with unaccepting("127.0.1.1", port), unaccepting("127.0.1.2", port):
            await world.mail("b@one.test")
            await world.mail("b@two.test")
            await world.came("b@two.test")
            [deferred] = await world.records("mainlog", "T", "one.test")
            assert (deferred[6], deferred[9], deferred[12], deferred[13]) == (
                *("0", "0", "127.0.1.2"),
                "450 4.4.1 [internal] Connection Timed Out",
            )
            assert deferred[3] == printed(0)
            assert world.rows("mainlog", "T", "two.test") == []


@contextmanager
def unaccepting(address: str, port: int) -> Iterator[None]:
    """Listen and accept nothing: the queue is full, so the system drops who knocks."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind((address, port))
        listening.listen(0)
        for _ in range(2):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex((address, port))
        yield


async def test_suspended_mail_waits_until_a_reload_lets_it_go(tmp_path: Path) -> None:
    config = 'domain "held.test" { suspend_delivery = true }'
    async with Outlook(tmp_path, config, EVERYWHERE) as world:
        await world.mails(3, "b@held.test")
        await world.mail("b@free.test")
        await world.came("b@free.test")
        assert world.got("*@held.test") == []
        await world.reload(config.replace("true", "false"))
        await world.came("*@held.test", 3)
        await world.reload(config)
        await world.mail("c@held.test")
        await world.mail("c@free.test")
        await world.came("c@free.test")
        assert world.got("c@held.test") == []


@pytest.mark.effect("default_binding")
async def test_the_default_binding_may_be_suspended_or_closed(tmp_path: Path) -> None:
    async with Outlook(tmp_path, "default_binding = suspended", EVERYWHERE) as world:
        await world.mail("b@a.test")
        await world.reload("default_binding = none")
        said = await world.send("a@sender.test", ["c@a.test"], b"Subject: x\r\n\r\n")
        assert said.startswith("451")
        await world.reload("")
        await world.came("b@a.test")
        assert len(world.sink.messages) == 1


@pytest.mark.effect("blackhole")
async def test_a_blackhole_takes_in_and_drops_or_refuses(tmp_path: Path) -> None:
    config = """
        domain "in.test" { blackhole = internal }
        domain "out.test" { blackhole = inline }
    """
    async with Outlook(tmp_path, config, EVERYWHERE) as world:
        await world.mail("b@in.test", "b@well.test")
        said = await world.send("a@sender.test", ["b@out.test"], b"Subject: x\r\n\r\n")
        assert said.startswith("5")
        await world.came("b@well.test")
        [dropped] = await world.records("mainlog", "P", "in.test")
        assert dropped[13] == "554 5.7.0 [internal] Blackholed"
        assert [each.recipients for each in world.sink.messages] == [["b@well.test"]]


async def test_what_is_queued_for_a_blackhole_fails_at_once(tmp_path: Path) -> None:
    config = 'domain "a.test" { suspend_delivery = true }'
    async with Outlook(tmp_path, config, EVERYWHERE) as world:
        await world.mails(3, "b@a.test")
        await world.reload('domain "a.test" { blackhole = inline }')
        await world.records("mainlog", "P", "a.test", 3)
        reports = await world.came("a@sender.test", 3)
        assert b"Blackholed" in (reports[0].content or b"")


async def test_without_an_address_of_its_own_a_binding_waits_with_an_alarm(
    tmp_path: Path,
) -> None:
    config = 'binding "default" { bind_address = "192.0.2.77" }'
    async with Outlook(tmp_path, config, EVERYWHERE) as world:
        await world.mail("b@a.test")
        await world.logged("paniclog", "binding default is suspended: 192.0.2.77")
        assert world.rows("mainlog", "T") == []
        await world.reload("")
        await world.came("b@a.test")
