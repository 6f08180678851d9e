"""What a worker knows of policies: when it asks, when it trusts what it has (RFC 8461)."""

import asyncio
from pathlib import Path

import pytest

from angarium.core.errors import Error
from angarium.net.tlspolicy.fetch import FetchError
from angarium.net.tlspolicy.policies import DAY, PAUSE_SECONDS, Policies
from angarium.net.tlspolicy.shelf import Kept, Shelf
from angarium.net.tlspolicy.sts import Mode, Policy
from helpers.clock import FakeClock
from helpers.dns import FakeDns

RECORD = "_mta-sts.example.com  TXT  v=STSv1; id={};"
ENFORCE = Policy(Mode.ENFORCE, 7 * 86400, ("mx.example.com",))
TESTING = Policy(Mode.TESTING, 86400, ("mx.example.com",))


class Web:
    """The web server of the domain: gives what it has, or the failure."""

    def __init__(self) -> None:
        self.gives: Policy | FetchError = ENFORCE
        self.asked = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def policy(self, domain: str) -> Policy:
        self.asked += 1
        await self.gate.wait()
        if isinstance(self.gives, FetchError):
            raise self.gives
        return self.gives


class Place:
    """A worker, its DNS, and the web."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.dns = FakeDns(RECORD.format("one"), self.clock)
        self.web = Web()
        self.failed: list[tuple[str, str]] = []
        self.told: list[str] = []
        self.shelf = Shelf(folder)
        self.policies = self.worker()

    def worker(self) -> Policies:
        def failed(domain: str, result: str, reason: str) -> None:
            self.failed.append((domain, result))

        return Policies(
            self.dns, lambda: self.web, self.shelf, self.clock, failed, self.told.append
        )

    async def mode(self, domain: str = "example.com", depth: int = 5) -> Mode | None:
        kept = await self.policies.of(domain, depth)
        return None if kept is None else kept.policy.mode

    def record(self, text: str) -> None:
        self.dns.zone.remove("_mta-sts.example.com")
        self.dns.zone.add(text)
        self.clock.advance(3600)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "sts")


async def test_a_policy_is_fetched_once_and_kept(place: Place) -> None:
    assert [await place.mode(each) for each in ("example.com", "EXAMPLE.com.")] == [
        Mode.ENFORCE,
        Mode.ENFORCE,
    ]
    assert place.web.asked == 1
    assert place.policies.domains() == ["example.com"]


async def test_all_who_ask_at_once_wait_for_one_request(place: Place) -> None:
    place.web.gate.clear()
    waiting = [asyncio.ensure_future(place.mode()) for _ in range(5)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    place.web.gate.set()
    assert await asyncio.gather(*waiting[1:]) == [Mode.ENFORCE] * 4
    assert place.web.asked == 1


async def test_a_domain_without_a_record_has_no_policy_and_its_web_is_not_asked(
    place: Place,
) -> None:
    assert await place.mode("other.example") is None
    assert place.web.asked == 0


async def test_a_new_id_has_it_fetched_again_and_the_same_has_not(place: Place) -> None:
    await place.mode()
    place.clock.advance(7200)
    await place.mode()
    assert place.web.asked == 1
    place.web.gives = TESTING
    place.record(RECORD.format("two"))
    assert await place.mode() is Mode.TESTING
    assert place.web.asked == 2


async def test_after_a_day_it_is_fetched_anew_while_the_old_one_is_used(place: Place) -> None:
    await place.mode()
    place.web.gives = TESTING
    place.clock.advance(DAY + 1)
    place.web.gate.clear()
    assert await place.mode() is Mode.ENFORCE
    place.web.gate.set()
    await asyncio.gather(*place.policies._renewals.values())
    assert await place.mode() is Mode.TESTING


@pytest.mark.parametrize("gone", ["_mta-sts.example.com TXT v=spf1", "x.test A 192.0.2.1"])
async def test_what_was_fetched_counts_though_dns_says_nothing_now(place: Place, gone: str) -> None:
    await place.mode()
    place.record(gone)
    assert await place.mode() is Mode.ENFORCE


async def test_what_was_fetched_counts_though_the_new_one_is_not_to_be_had(place: Place) -> None:
    await place.mode()
    place.web.gives = FetchError("no", "sts-webpki-invalid")
    place.record(RECORD.format("two"))
    assert await place.mode() is Mode.ENFORCE
    assert place.failed == [("example.com", "sts-webpki-invalid")]


async def test_what_is_over_does_not_count(place: Place) -> None:
    await place.mode()
    place.record("x.test A 192.0.2.1")
    place.clock.advance(ENFORCE.max_age)
    assert await place.mode() is None
    assert place.policies.domains() == []


async def test_who_cannot_be_asked_is_left_alone_for_a_while(place: Place) -> None:
    place.web.gives = FetchError("no", "sts-policy-fetch-error")
    assert await place.mode() is None
    place.clock.advance(PAUSE_SECONDS - 1)
    assert await place.mode() is None
    assert place.web.asked == 1
    place.web.gives = ENFORCE
    place.clock.advance(2)
    assert await place.mode() is Mode.ENFORCE


async def test_a_policy_is_there_after_a_restart_without_dns_and_web(place: Place) -> None:
    await place.mode()
    place.dns.zone.remove("_mta-sts.example.com")
    place.dns.clear()
    place.policies = place.worker()
    assert await place.mode() is Mode.ENFORCE
    assert place.web.asked == 1


async def test_what_another_worker_has_fetched_is_not_fetched_again(place: Place) -> None:
    assert await place.mode("other.example") is None
    other, place.policies = place.policies, place.worker()
    assert await place.mode() is Mode.ENFORCE
    place.policies = other
    assert await place.mode() is Mode.ENFORCE
    assert place.web.asked == 1


async def test_a_record_at_the_end_of_too_many_aliases_is_none(place: Place) -> None:
    place.record(
        """
        _mta-sts.example.com  CNAME  a.example
        a.example             CNAME  b.example
        b.example             TXT    v=STSv1; id=one;
        """
    )
    assert await place.mode(depth=1) is None
    place.clock.advance(7200)
    assert await place.mode(depth=2) is Mode.ENFORCE


async def test_an_operator_has_it_fetched_now(place: Place) -> None:
    await place.mode()
    place.web.gives = TESTING
    assert (await place.policies.refresh("example.com")).policy.mode is Mode.TESTING
    assert await place.mode() is Mode.TESTING
    with pytest.raises(Error, match="no record"):
        await place.policies.refresh("other.example")


async def test_a_folder_which_cannot_be_written_is_told_and_stops_nothing(
    place: Place, tmp_path: Path
) -> None:
    (tmp_path / "sts").write_text("a file in its way")
    assert await place.mode() is Mode.ENFORCE
    assert any("not kept over a restart" in each for each in place.told)


async def test_what_is_known_is_bounded(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("angarium.net.tlspolicy.policies.MOST_DOMAINS", 2)
    for number in range(5):
        await place.mode(f"d{number}.example")
    assert len(place.policies._known) == 2


async def test_an_end_ends_what_is_under_way(place: Place) -> None:
    place.web.gate.clear()
    waiting = asyncio.ensure_future(place.mode())
    await asyncio.sleep(0)
    await place.policies.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_kept_one_that_is_over_is_not_taken_from_the_disk(place: Place) -> None:
    lines = tuple(ENFORCE.lines())
    place.shelf.save(Kept("example.com", "zero", place.clock.time() - ENFORCE.max_age, lines))
    place.dns.zone.remove("_mta-sts.example.com")
    assert await place.mode() is None
