"""The cache of names: what is kept for how long, who waits for whom."""

import asyncio
import socket

import pytest

from angarium.net.answer import Mx, Status
from angarium.net.dns import Done
from angarium.net.dnscache import Keeping, Resolver
from angarium.net.resolvconf import Hosts
from angarium.wire import dns as wire
from helpers.clock import FakeClock
from helpers.dns import FakeDns

BOTH = (socket.AF_INET, socket.AF_INET6)
ZONE = """
    example.com        MX 20 mx2.example.com
    example.com        MX 10 MX1.example.com
    mx1.example.com    A 192.0.2.1
    mx1.example.com    A 192.0.2.2
    mx1.example.com    AAAA 2001:db8::1
    mx2.example.com    A 192.0.2.3
    brief.test         5 A 192.0.2.9
    null.test          MX 0 .
    www.test           CNAME example.com
    txt.test           TXT v=spf1 -all
    dead.test          SERVFAIL
    slow.test          TIMEOUT
    empty.test         NODATA
    1.2.0.192.in-addr.arpa PTR mx1.example.com
"""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def cold(clock: FakeClock, text: str = ZONE, keeping: Keeping = Keeping()) -> FakeDns:  # noqa: B008
    return FakeDns(text, clock, keeping, warm=False)


async def test_mx_records_come_in_order_of_preference(clock: FakeClock) -> None:
    answer = await cold(clock).mx("Example.COM.")
    assert answer.status is Status.NOERROR
    assert answer.records == (Mx(10, "mx1.example.com"), Mx(20, "mx2.example.com"))
    assert not answer.null


async def test_a_null_mx_is_flagged(clock: FakeClock) -> None:
    answer = await cold(clock).mx("null.test")
    assert answer.null


@pytest.mark.parametrize(
    ("name", "status", "temporary"),
    [
        ("none.test", Status.NXDOMAIN, False),
        ("empty.test", Status.NODATA, False),
        ("mx1.example.com", Status.NODATA, False),
        ("dead.test", Status.SERVFAIL, True),
        ("slow.test", Status.TIMEOUT, True),
        ("no..name", Status.NXDOMAIN, False),
        ("bücher.test", Status.NXDOMAIN, False),
    ],
)
async def test_the_status_says_how_it_ended(
    clock: FakeClock, name: str, status: Status, temporary: bool
) -> None:
    answer = await cold(clock).mx(name)
    assert (answer.status, answer.temporary, answer.records) == (status, temporary, ())


async def test_other_types(clock: FakeClock) -> None:
    dns = cold(clock)
    assert (await dns.txt("txt.test")).records == (b"v=spf1 -all",)
    assert (await dns.ptr("192.0.2.1")).records == ("mx1.example.com",)
    assert (await dns.lookup("www.test", wire.CNAME)).records == ("example.com",)


async def test_the_cache_answers_until_the_ttl_is_over(clock: FakeClock) -> None:
    dns = cold(clock)
    assert dns.cached_address("brief.test") is None
    await dns.address("brief.test")
    clock.advance(4.9)
    assert dns.cached_address("brief.test") is not None
    assert len(dns.asked) == 1
    clock.advance(0.1)
    assert dns.cached_address("brief.test") is None


async def test_ttls_are_clipped(clock: FakeClock) -> None:
    dns = cold(clock, keeping=Keeping(min_ttl=10, max_ttl=20))
    now = clock.monotonic()
    assert (await dns.address("brief.test")).ttl(now) == 10
    assert (await dns.mx("example.com")).ttl(now) == 20


async def test_a_ttl_of_nothing_lives_a_second(clock: FakeClock) -> None:
    dns = cold(clock, "zero.test 0 A 192.0.2.1")
    assert (await dns.address("zero.test")).ttl(clock.monotonic()) == 1.0


async def test_that_there_is_none_is_kept_as_the_zone_says_and_not_longer_than_we_like(
    clock: FakeClock,
) -> None:
    for most, kept in ((600.0, 60.0), (7.0, 7.0)):
        dns = cold(clock, keeping=Keeping(negative_ttl=most, min_ttl=3600))
        assert (await dns.mx("none.test")).ttl(clock.monotonic()) == kept


async def test_all_who_ask_at_once_share_one_question(clock: FakeClock) -> None:
    asked: list[Done] = []

    class Slow:
        def ask(self, name: str, rrtype: int, done: Done) -> None:
            asked.append(done)

    dns = Resolver(Slow(), asyncio.get_running_loop(), clock)
    tasks = [asyncio.ensure_future(dns.mx(name)) for name in ("a.test", "A.test", "a.test.")]
    await asyncio.sleep(0)
    tasks[0].cancel()
    await asyncio.sleep(0)
    assert len(asked) == 1
    asked[0](Status.TIMEOUT)
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert answers[1] is answers[2]


async def test_an_alias_is_followed_in_one_answer(clock: FakeClock) -> None:
    dns = cold(clock)
    answer = await dns.mx("www.test")
    assert answer.name == "example.com"
    assert answer.records[0].host == "mx1.example.com"
    assert dns.asked == [("www.test", wire.MX)]


async def test_an_alias_to_nothing_is_nothing(clock: FakeClock) -> None:
    dns = cold(clock, "a.test CNAME b.test")
    assert (await dns.mx("a.test")).status is Status.NXDOMAIN


async def test_aliases_without_end_are_a_temporary_failure(clock: FakeClock) -> None:
    dns = cold(clock, "a.test CNAME b.test\nb.test CNAME a.test")
    assert (await dns.mx("a.test")).status is Status.SERVFAIL
    chain = (
        "\n".join(f"n{n}.test CNAME n{n + 1}.test" for n in range(11)) + "\nn11.test A 192.0.2.1"
    )
    dns = cold(clock, chain)
    assert (await dns.address("n0.test")).status is Status.SERVFAIL
    assert (await dns.address("n1.test")).records == ("192.0.2.1",)
    dns = cold(clock, chain, Keeping(aliases=2))
    assert (await dns.address("n8.test")).status is Status.SERVFAIL
    assert (await dns.address("n9.test")).records == ("192.0.2.1",)


async def test_addresses_of_both_families_are_one_answer(clock: FakeClock) -> None:
    dns = cold(clock)
    answer = await dns.address("mx1.example.com", BOTH)
    assert answer.records == ("192.0.2.1", "192.0.2.2", "2001:db8::1")
    assert dns.cached_address("mx1.example.com", BOTH) == answer
    only = await dns.address("mx2.example.com", BOTH)
    assert (only.status, only.records) == (Status.NOERROR, ("192.0.2.3",))


async def test_without_any_address_a_temporary_failure_counts(clock: FakeClock) -> None:
    class Half(FakeDns):
        def ask(self, name: str, rrtype: int, done: Done) -> None:
            if rrtype == wire.AAAA:
                done(Status.TIMEOUT)
            else:
                super().ask(name, rrtype, done)

    dns = Half(ZONE, clock, warm=False)
    assert (await dns.address("null.test", BOTH)).status is Status.TIMEOUT
    assert (await dns.address("mx1.example.com", BOTH)).records == ("192.0.2.1", "192.0.2.2")


async def test_an_address_is_its_own(clock: FakeClock) -> None:
    dns = cold(clock)
    assert (await dns.address("192.0.2.7")).records == ("192.0.2.7",)
    assert (await dns.address("2001:DB8::7", BOTH)).records == ("2001:db8::7",)
    assert (await dns.address("2001:db8::7")).status is Status.NODATA
    assert dns.asked == []


async def test_the_hosts_file_is_asked_first(clock: FakeClock) -> None:
    dns = cold(clock)
    dns.hosts = Hosts("127.0.0.9 mx1.example.com")
    assert (await dns.address("MX1.example.com")).records == ("127.0.0.9",)
    assert dns.cached_address("mx1.example.com") is not None
    assert dns.asked == []


async def test_or_last_if_resolv_conf_says_so(clock: FakeClock) -> None:
    dns = cold(clock, keeping=Keeping(hosts_first=False))
    dns.hosts = Hosts("127.0.0.9 mx1.example.com\n127.0.0.8 none.test")
    assert (await dns.address("mx1.example.com")).records == ("192.0.2.1", "192.0.2.2")
    assert (await dns.address("none.test")).records == ("127.0.0.8",)


async def test_failures_are_kept_shortly_then_longer_and_counted(clock: FakeClock) -> None:
    dns = cold(clock)
    waits = []
    for n in range(8):
        answer = await dns.mx("dead.test")
        assert answer.failures == n + 1
        waits.append(answer.ttl(clock.monotonic()))
        assert dns.cached_mx("dead.test") is answer
        clock.advance(waits[-1])
        dns.tick(clock.monotonic())
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300]
    dns.zone.add("dead.test MX 10 mx1.example.com")
    assert (await dns.mx("dead.test")).failures == 0


async def test_what_cannot_be_refreshed_is_served_for_an_hour_more(clock: FakeClock) -> None:
    dns = cold(clock)
    fresh = await dns.mx("example.com")
    dns.zone.add("example.com TIMEOUT")
    clock.advance(301)
    dns.tick(clock.monotonic())
    stale = await dns.mx("example.com")
    assert stale.records == fresh.records
    assert stale.stale_since == fresh.expires
    assert stale.ttl(clock.monotonic()) == 30
    clock.advance(1800)
    dns.tick(clock.monotonic())
    dns.tick(clock.monotonic())
    assert (await dns.mx("example.com")).records == fresh.records
    clock.advance(1801)
    assert (await dns.mx("example.com")).status is Status.TIMEOUT


async def test_that_a_domain_is_gone_is_never_served_stale(clock: FakeClock) -> None:
    dns = cold(clock)
    await dns.mx("none.test")
    dns.zone.add("none.test TIMEOUT")
    clock.advance(61)
    assert (await dns.mx("none.test")).temporary


async def test_a_refresh_which_fails_leaves_what_is_known(clock: FakeClock) -> None:
    dns = cold(clock)
    fresh = await dns.mx("example.com")
    dns.zone.add("example.com SERVFAIL")
    assert await dns.refresh("example.com") == fresh
    dns.zone.add("example.com MX 5 new.example.com")
    await dns.refresh("example.com")
    known = dns.cached_mx("example.com")
    assert known is not None
    assert (5, "new.example.com") in known.records


async def test_too_many_who_ask_are_not_remembered_as_failures(clock: FakeClock) -> None:
    class Busy(FakeDns):
        def ask(self, name: str, rrtype: int, done: Done) -> None:
            done(Status.BUSY)

    dns = Busy("", clock, warm=False)
    assert (await dns.mx("a.test")).status is Status.BUSY
    assert dns.cached_mx("a.test") is None


async def test_a_name_can_be_forgotten(clock: FakeClock) -> None:
    dns = cold(clock)
    await dns.address("mx1.example.com", BOTH)
    await dns.mx("example.com")
    assert dns.purge("MX1.example.com") == 2
    assert dns.purge("mx1.example.com") == 0
    assert dns.cached_mx("example.com") is not None
    assert dns.clear() == 1


async def test_the_cache_is_bounded_and_keeps_what_is_used(clock: FakeClock) -> None:
    dns = cold(clock, "* A 192.0.2.1", Keeping(entries=10))
    for n in range(40):
        await dns.address(f"n{n}.test")
        assert dns.cached_address("n0.test") is not None
        assert len(dns) <= 10
    assert dns.counters["evicted"] == 30


async def test_what_is_over_is_removed_a_slice_at_a_time(clock: FakeClock) -> None:
    dns = cold(clock, "* 5 A 192.0.2.1")
    for n in range(2500):
        await dns.address(f"n{n}.test")
    clock.advance(3700)
    dns.tick(clock.monotonic())
    assert len(dns) == 500
    dns.tick(clock.monotonic())
    assert len(dns) == 0


async def test_a_submitted_question_is_answered_for_those_who_ask_later(clock: FakeClock) -> None:
    dns = cold(clock)
    dns.submit("example.com", wire.MX)
    assert dns.cached_mx("example.com") is not None


async def test_the_counters_tell_hits_from_lookups(clock: FakeClock) -> None:
    dns = cold(clock)
    await dns.mx("example.com")
    await dns.mx("example.com")
    assert (dns.counters["lookups"], dns.counters["hits"]) == (2, 1)


async def test_under_pressure_an_eighth_is_kept_and_rather_what_was_asked_for(
    clock: FakeClock,
) -> None:
    zone = "\n".join(f"m{number}.test A 192.0.2.1" for number in range(80))
    dns = cold(clock, zone, Keeping(entries=80))
    for number in range(80):
        await dns.address(f"m{number}.test")
    for number in range(5):
        assert dns.cached_address(f"m{number}.test") is not None
    for _ in dns.shrink():
        pass
    assert len(dns) == 10
    assert all(dns.cached_address(f"m{number}.test") for number in range(5))
    for _ in dns.shrink():
        pass
    assert len(dns) == 10
