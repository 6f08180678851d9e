"""Proxies are looked at: so many failures put one out of order, so many successes bring it back."""

import asyncio
from collections.abc import Collection
from typing import Any, cast

import pytest

from angarium.config.kinds import Place
from angarium.net.answer import Answer, Status
from angarium.net.errors import ProxyError
from angarium.net.sweep import Sweep
from angarium.outbound.egress import Egress
from angarium.outbound.proxies import Health, Proxies
from helpers.clock import FakeClock

SERVER = Place("proxy.test", 2525)
WAY = Egress(SERVER, haproxy=True, four="198.51.100.25")
HEALTH = Health(interval=5.0, timeout=0.5, failures=2, successes=3)


class Site:
    """Proxies, their names, and how they answer."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.sweep = Sweep(self.clock)
        self.alarms: list[str] = []
        self.looked: list[tuple[tuple[str, int], float]] = []
        self.answers = True
        self.addresses: tuple[str, ...] = ("192.0.2.10",)
        self.proxies = Proxies(self, self.sweep, self.alarms.append, self.look)

    async def address(self, name: str, families: Collection[int]) -> Answer[str]:
        assert len(families) == 2
        if not self.addresses:
            return Answer(Status.NXDOMAIN)
        return Answer(Status.NOERROR, self.addresses)

    async def look(self, proxy: tuple[str, int], within: float) -> None:
        self.looked.append((proxy, within))
        if not self.answers:
            raise ProxyError("connection refused")

    async def later(self, times: int = 1) -> None:
        for _ in range(times):
            self.clock.advance(6.0)  # the sweep looks within a second
            self.sweep.tick(self.clock.monotonic())
            for _ in range(10):  # Its tasks need a few turns, and wait for nothing.
                await asyncio.sleep(0)

    async def connect(self) -> Any:
        made = cast(Any, lambda: None)
        return await self.proxies.connect(WAY, made, "203.0.113.9", 25, within=1.0)


async def test_so_many_failures_in_a_row_put_it_out_of_order_and_successes_bring_it_back() -> None:
    site = Site()
    site.proxies.configure([SERVER, SERVER], HEALTH)
    await site.later()
    assert site.looked == [(("192.0.2.10", 2525), 0.5)]
    site.answers = False
    await site.later()
    site.answers = True
    await site.later()  # one alone is nothing
    site.answers = False
    await site.later()
    assert site.proxies.trouble(SERVER) == ""
    await site.later(3)
    assert site.proxies.trouble(SERVER) == "proxy proxy.test:2525 does not answer"
    with pytest.raises(ProxyError, match="does not answer"):
        await site.connect()
    assert len(site.alarms) == 1
    assert "out of order" in site.alarms[0]
    assert "connection refused" in site.alarms[0]
    site.answers = True
    await site.later(2)
    assert site.proxies.trouble(SERVER)
    await site.later()
    assert not site.proxies.trouble(SERVER)
    assert site.alarms[1:] == ["proxy proxy.test:2525 is back"]


async def test_a_name_is_looked_up_each_time_so_that_who_moves_is_found() -> None:
    site = Site()
    site.proxies.configure([SERVER], HEALTH)
    await site.later()
    site.addresses = ("192.0.2.11",)
    await site.later()
    assert [place for place, _ in site.looked] == [("192.0.2.10", 2525), ("192.0.2.11", 2525)]
    site.addresses = ()
    await site.later(2)
    assert "there is no such name" in site.alarms[0]


async def test_without_the_module_nothing_is_looked_at() -> None:
    site = Site()
    site.proxies.configure([SERVER], None)
    await site.later(2)
    assert site.looked == []
    site.addresses = ()
    with pytest.raises(ProxyError, match="no such name"):
        await site.connect()


async def test_a_reload_keeps_what_is_known_and_forgets_what_is_gone() -> None:
    site = Site()
    site.proxies.configure([SERVER], HEALTH)
    site.answers = False
    await site.later(2)
    site.proxies.configure([SERVER, Place("other.test", 1)], HEALTH)
    assert site.proxies.trouble(SERVER)
    site.proxies.configure([], HEALTH)
    assert not site.proxies.trouble(SERVER)
    looked = len(site.looked)
    await site.later(2)
    assert len(site.looked) == looked


async def test_one_that_is_slow_is_not_asked_twice_at_once() -> None:
    site = Site()
    waits = asyncio.Event()

    async def slow(proxy: tuple[str, int], within: float) -> None:
        site.looked.append((proxy, within))
        await waits.wait()

    site.proxies = Proxies(site, site.sweep, site.alarms.append, slow)
    site.proxies.configure([SERVER], HEALTH)
    await site.later(3)
    assert len(site.looked) == 1
    site.proxies.close()
    await site.later(2)
    assert len(site.looked) == 1
