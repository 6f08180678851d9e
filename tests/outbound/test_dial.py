"""A new connection: which hosts are tried, for how long, and what their failures are."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from angarium.config.kinds import Throttle
from angarium.core.ident import Idents
from angarium.core.units import Rate
from angarium.net.errors import NoRouteError, NotLocalError
from angarium.net.sweep import Sweep
from angarium.outbound.attempt import patience
from angarium.outbound.dial import Dialer, Full, Resting
from angarium.outbound.errors import DeliveryError
from angarium.outbound.hosts import Hosts
from angarium.outbound.means import Means
from angarium.outbound.options import Transport
from angarium.outbound.permits import Permit
from angarium.outbound.route import Router
from angarium.outbound.smtp import Session
from angarium.queue.options import HostLimits
from angarium.queue.throttle import LocalLedger
from helpers.attempts import NoResults
from helpers.clock import FakeClock
from helpers.dns import FakeDns
from helpers.sending import Sending

ZONE = """
    example.test  MX 10 one.test
    example.test  MX 20 two.test
    one.test      A  192.0.2.1
    two.test      A  192.0.2.2
"""


class Net:
    """Stands for `net.address.connect`: an error for each address, or None to greet."""

    def __init__(self, errors: dict[str, Exception | None]) -> None:
        self.errors = errors
        self.asked: list[tuple[str, float]] = []

    async def __call__(
        self,
        factory: Callable[[], Session],
        host: str,
        port: int,
        source: str = "*",
        *,
        within: float,
    ) -> tuple[Any, Session]:
        self.asked.append((host, within))
        error = self.errors.get(host)
        if error is not None:
            raise error
        session = factory()
        session.greeted.set_result(None)
        return None, session


class Dialing:
    def __init__(self, errors: dict[str, Exception | None], **options: Any) -> None:
        clock = FakeClock()
        self.net = Net(errors)
        self.hosts = Hosts(clock)
        self.ledger = LocalLedger(clock)
        self.caps: dict[str, int] = {}
        self.throttles: dict[str, Throttle] = {}
        self.messages: dict[str, Throttle] = {}
        router = Router(FakeDns(ZONE, clock), Random(1))
        self.dialer = Dialer(router, self.hosts, clock, Idents(1), "node.test", self.net)
        transport = Transport.make(**options)
        line = Sending().board.line("default", "default", "example.test")
        results, sweep = NoResults(), Sweep(clock)
        self.means = Means(line, transport, results, sweep, patience(transport))

    async def dial(self) -> str:
        session = await self.dialer.dial(self.means, Permit(self.ledger), "node.test", self.limits)
        return session.hop.address

    def limits(self, name: str, means: Means) -> HostLimits:
        return HostLimits.make(
            max_outbound_connections=self.caps.get(name, -1),
            outbound_throttle_connections=self.throttles.get(name),
            outbound_throttle_messages=self.messages.get(name),
        )


REFUSED = ConnectionRefusedError(111, "Connection refused")


async def test_the_best_host_first_with_less_patience_while_there_is_another() -> None:
    dialing = Dialing({"192.0.2.1": TimeoutError()}, connect_timeout=300.0)
    assert await dialing.dial() == "192.0.2.2"
    assert dialing.net.asked == [("192.0.2.1", 30.0), ("192.0.2.2", 300.0)]


async def test_a_host_that_failed_is_passed_over_until_its_pause_ends() -> None:
    dialing = Dialing({"192.0.2.1": REFUSED})
    await dialing.dial()
    dialing.net.asked.clear()
    await dialing.dial()
    assert [host for host, _ in dialing.net.asked] == ["192.0.2.2"]


@pytest.mark.parametrize(
    ("error", "reply"),
    [
        (REFUSED, "451 4.4.1 [internal] No valid hosts (unable to make any connections)"),
        (TimeoutError(), "450 4.4.1 [internal] Connection Timed Out"),
    ],
)
async def test_all_hosts_away_is_one_failure_then_a_rest(error: Exception, reply: str) -> None:
    dialing = Dialing({"192.0.2.1": error, "192.0.2.2": error}, host_failure_retry=120.0)
    with pytest.raises(DeliveryError) as caught:
        await dialing.dial()
    assert (str(caught.value.reply), caught.value.fields["tried"]) == (reply, 2)
    assert (caught.value.remote, caught.value.connection) == ("192.0.2.2:25", 0)
    with pytest.raises(Resting) as resting:
        await dialing.dial()
    assert resting.value.until == 1120.0


async def test_a_host_at_its_limit_leaves_the_next_one() -> None:
    dialing = Dialing({})
    dialing.caps["one.test"] = 1
    assert await dialing.dial() == "192.0.2.1"
    assert await dialing.dial() == "192.0.2.2"
    dialing.caps["two.test"] = 0
    with pytest.raises(Full) as full:
        await dialing.dial()
    assert full.value.key == "host:two.test"


async def test_a_host_stanza_holds_for_a_mail_server_by_its_name_in_any_case() -> None:
    dialing = Dialing({}, routes=("smtp://One.Test",))
    dialing.caps["one.test"] = 1
    assert await dialing.dial() == "192.0.2.1"
    with pytest.raises(Full) as full:
        await dialing.dial()
    assert full.value.key == "host:one.test"


async def test_the_rate_of_connections_to_a_host_is_waited_for() -> None:
    dialing = Dialing({})
    dialing.throttles["one.test"] = Throttle(Rate(1, 10), "one")
    dialing.throttles["two.test"] = Throttle(Rate(1, 20), "two")
    assert [await dialing.dial(), await dialing.dial()] == ["192.0.2.1", "192.0.2.2"]
    with pytest.raises(Full) as full:
        await dialing.dial()
    assert (full.value.key, full.value.seconds) == ("", 10.0)


async def test_a_host_whose_rate_is_used_up_leaves_the_mail_to_the_next_one() -> None:
    dialing = Dialing({})
    dialing.messages["one.test"] = Throttle(Rate(1, 100), "one")
    dialing.messages["two.test"] = Throttle(Rate(1, 60), "two")
    assert [await dialing.dial(), await dialing.dial()] == ["192.0.2.1", "192.0.2.2"]
    with pytest.raises(Full) as full:
        await dialing.dial()
    assert (full.value.key, full.value.seconds) == ("", 60.0)


async def test_a_host_without_connections_and_one_without_rate_are_looked_at_again_soon() -> None:
    dialing = Dialing({})
    dialing.caps["one.test"] = 0
    dialing.messages["two.test"] = Throttle(Rate(1, 60), "two")
    assert await dialing.dial() == "192.0.2.2"
    with pytest.raises(Full) as full:
        await dialing.dial()
    assert (full.value.key, full.value.seconds) == ("", 1.0)


async def test_mail_waits_for_a_host_which_is_used_up_where_the_others_are_away() -> None:
    dialing = Dialing({"192.0.2.2": REFUSED})
    dialing.messages["one.test"] = Throttle(Rate(1, 60), "one")
    assert await dialing.dial() == "192.0.2.1"
    with pytest.raises(Full):
        await dialing.dial()


@pytest.mark.parametrize("kind", ["throttles", "messages"])
async def test_a_host_which_is_not_to_be_had_counts_no_message(kind: str) -> None:
    dialing = Dialing({"192.0.2.1": REFUSED} if kind == "messages" else {}, host_failure_retry=0.0)
    dialing.messages["one.test"] = rate = Throttle(Rate(1, 60), "one")
    if kind == "throttles":
        dialing.throttles["one.test"] = Throttle(Rate(1, 10), "opened")
        dialing.ledger.take("opened", Rate(1, 10))
    assert await dialing.dial() == "192.0.2.2"
    assert dialing.ledger.take(rate.key, rate.rate) == 0.0


async def test_what_a_failed_host_was_counted_as_is_given_back() -> None:
    dialing = Dialing({"192.0.2.1": REFUSED})
    dialing.caps["one.test"] = 1
    await dialing.dial()
    assert dialing.ledger.count("host:one.test") == 0


@pytest.mark.parametrize("error", [NotLocalError("no"), NoRouteError("no")])
async def test_what_is_wrong_here_is_no_failure_of_a_host(error: Exception) -> None:
    dialing = Dialing({"192.0.2.1": error, "192.0.2.2": error})
    with pytest.raises(type(error)):
        await dialing.dial()
    assert len(dialing.hosts) == 0


async def test_a_dial_which_is_cancelled_leaves_no_connection() -> None:
    dialing = Dialing({})
    opened: list[Session] = []
    reached = asyncio.Event()

    async def hang(
        factory: Callable[[], Session], host: str, port: int, source: str = "*", *, within: float
    ) -> tuple[Any, Session]:
        opened.append(factory())
        reached.set()
        return None, opened[0]

    object.__setattr__(dialing.dialer, "connect", hang)
    task = asyncio.ensure_future(dialing.dial())
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert opened[0]._over
