"""DNSSEC as it really comes: from unbound, over the wire, to the worker's resolver."""

import asyncio
import random
from collections.abc import Iterator

import pytest

from angarium.config.load import load_text
from angarium.net.answer import Status
from angarium.net.loop import RealClock
from angarium.net.options.resolver import Resolver as Options
from angarium.net.resolver import Naming
from angarium.outbound.demands import Demands, Wanted
from angarium.outbound.errors import DeliveryError
from angarium.outbound.options import Transport
from angarium.outbound.route import Hop, Router
from angarium.wire import dns as wire
from helpers.unbound import Signed, resolving

DIGEST = "ab" * 32
GOOD = Signed(
    "good.test",
    f"""
    good.test MX 10 mx.good.test
    mx.good.test A 192.0.2.1
    _25._tcp.mx.good.test TLSA 3 1 1 {DIGEST}
    spoilt.good.test MX 10 mx2.good.test
    mx2.good.test A 192.0.2.2
    _25._tcp.mx2.good.test TLSA 3 1 1 {DIGEST}
    none.good.test MX 10 mx3.good.test
    mx3.good.test A 192.0.2.3
    away.good.test MX 10 mx.plain.test
    """,
    spoilt=(("_25._tcp.mx2.good.test.", "TLSA", "3 1 1 " + "cd" * 32),),
)
PLAIN = Signed(
    "plain.test",
    f"""
    plain.test MX 10 mx.plain.test
    mx.plain.test A 192.0.2.9
    _25._tcp.mx.plain.test TLSA 3 1 1 {DIGEST}
    """,
    signed=False,
)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with resolving(GOOD, PLAIN) as port:
        yield port


class Asking:
    def __init__(self, port: int) -> None:
        options = load_text(f'dns_servers = ( "127.0.0.1:{port}" )').top(Options)
        loop = asyncio.get_running_loop()
        self.naming = Naming(options, loop, RealClock(), random.SystemRandom())
        self.resolver = self.naming.resolver

    async def ruled(self, domain: str) -> list[Hop]:
        hops = await Router(self.resolver, random.Random(1)).route(domain, Transport.make())
        none = Demands(self.resolver, lambda: pytest.fail("nobody asks for policies"))
        return await none.rule(domain, hops, Wanted(dane=True))


async def test_what_is_signed_is_authentic_and_what_was_changed_is_no_answer(port: int) -> None:
    asking = Asking(port)
    mx = await asking.resolver.mx("good.test")
    assert (mx.authentic, mx.records[0].host) == (True, "mx.good.test")
    tlsa = await asking.resolver.lookup("_25._tcp.mx.good.test", wire.TLSA)
    assert (tlsa.authentic, len(tlsa.records)) == (True, 1)
    spoilt = await asking.resolver.lookup("_25._tcp.mx2.good.test", wire.TLSA)
    assert spoilt.status is Status.SERVFAIL
    plain = await asking.resolver.mx("plain.test")
    assert (plain.authentic, len(plain.records)) == (False, 1)
    asking.naming.close()


async def test_secure_records_are_demanded(port: int) -> None:
    asking = Asking(port)
    (hop,) = await asking.ruled("good.test")
    assert (hop.demand.required, hop.demand.named) == (True, True)
    assert hop.demand.text == (f"_25._tcp.mx.good.test. IN TLSA 3 1 1 {DIGEST}",)
    asking.naming.close()


async def test_that_there_are_none_is_proven_and_demands_nothing(port: int) -> None:
    asking = Asking(port)
    (hop,) = await asking.ruled("none.good.test")
    assert (hop.secure, hop.demand.required) == (True, False)
    asking.naming.close()


async def test_records_which_were_changed_on_the_way_keep_the_mail(port: int) -> None:
    asking = Asking(port)
    with pytest.raises(DeliveryError, match="TLSA") as caught:
        await asking.ruled("spoilt.good.test")
    assert caught.value.temporary
    asking.naming.close()


@pytest.mark.parametrize("domain", ["plain.test", "away.good.test"])
async def test_what_nobody_has_signed_demands_nothing(port: int, domain: str) -> None:
    asking = Asking(port)
    (hop,) = await asking.ruled(domain)
    assert (hop.secure, hop.demand.required) == (False, False)
    asking.naming.close()
