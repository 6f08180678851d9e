"""Which hosts are left, and what is demanded of them, when a domain has had its say."""

from pathlib import Path
from random import Random

import pytest

from angarium.net.options.tlspolicy import Dane, MtaSts
from angarium.net.tlspolicy.demand import NOTHING, STS, TLSA, Demand
from angarium.net.tlspolicy.policies import Policies
from angarium.net.tlspolicy.shelf import Shelf
from angarium.net.tlspolicy.sts import Mode, Policy
from angarium.outbound.demands import UNWANTED, Demands, Wanted, wanted
from angarium.outbound.errors import DeliveryError
from angarium.outbound.options import Transport
from angarium.outbound.route import Hop, Router
from helpers.clock import FakeClock
from helpers.dns import FakeDns

DIGEST = "00" * 32
ZONE = f"""
example.com               MX    10 mx1.example.com
example.com               MX    20 mx2.example.com
mx1.example.com           A     192.0.2.1
mx2.example.com           A     192.0.2.2
_mta-sts.example.com      TXT   v=STSv1; id=1
_25._tcp.mx1.example.com  TLSA  3 1 1 {DIGEST}
"""
BOTH = Wanted(dane=True, sts=True)
ONLY_DANE = Wanted(dane=True)
ONLY_STS = Wanted(sts=True)


class Web:
    def __init__(self, policy: Policy) -> None:
        self.gives = policy

    async def policy(self, domain: str) -> Policy:
        return self.gives


class Place:
    """A domain, its web server, and whoever hears how its sessions fare."""

    def __init__(self, folder: Path, *hosts: str, mode: Mode = Mode.ENFORCE) -> None:
        self.dns = FakeDns(ZONE)
        self.dns.zone.signed = True
        self.heard: list[tuple[str, str, str]] = []
        web = Web(Policy(mode, 86400, hosts or ("*.example.com",)))
        policies = Policies(
            self.dns, lambda: web, Shelf(folder), FakeClock(), lambda *_: None, lambda _: None
        )
        self.demands = Demands(self.dns, lambda: policies, self.hear)

    def hear(
        self, demand: Demand, host: str, address: str, source: str, result: str, reason: str
    ) -> None:
        self.heard.append((demand.kind, host, result))

    async def ruled(self, wanted: Wanted, domain: str = "example.com") -> list[Hop]:
        hops = await Router(self.dns, Random(1)).route(domain, Transport.make())
        return await self.demands.rule(domain, hops, wanted)

    async def kinds(self, wanted: Wanted, domain: str = "example.com") -> list[tuple[str, str]]:
        return [(hop.host, hop.demand.kind) for hop in await self.ruled(wanted, domain)]


async def test_a_policy_holds_for_the_hosts_it_names_and_takes_the_others_away(
    tmp_path: Path,
) -> None:
    assert await Place(tmp_path, "mx2.example.com").kinds(ONLY_STS) == [("mx2.example.com", STS)]


async def test_a_policy_which_names_no_host_of_the_domain_keeps_its_mail(tmp_path: Path) -> None:
    place = Place(tmp_path, "mx.example.net")
    with pytest.raises(DeliveryError, match="MTA-STS") as caught:
        await place.ruled(ONLY_STS)
    assert caught.value.temporary
    assert place.heard == [
        (STS, "mx1.example.com", "validation-failure"),
        (STS, "mx2.example.com", "validation-failure"),
    ]


async def test_a_policy_on_trial_takes_no_host_away_and_has_it_told(tmp_path: Path) -> None:
    place = Place(tmp_path, "mx2.example.com", mode=Mode.TESTING)
    first, second = await place.ruled(ONLY_STS)
    assert (first.demand, second.demand.kind) == (NOTHING, STS)
    assert not second.demand.required
    assert place.heard == [(STS, "mx1.example.com", "validation-failure")]


async def test_no_policy_and_one_without_effect_demand_nothing(tmp_path: Path) -> None:
    place = Place(tmp_path, mode=Mode.NONE)
    assert {kind for _, kind in await place.kinds(ONLY_STS)} == {NOTHING.kind}


async def test_records_have_the_last_word_on_tls_and_policies_on_hosts(tmp_path: Path) -> None:
    place = Place(tmp_path, "*.example.com")
    assert await place.kinds(BOTH) == [("mx1.example.com", TLSA), ("mx2.example.com", STS)]
    place = Place(tmp_path / "other", "mx2.example.com")
    assert await place.kinds(BOTH) == [("mx2.example.com", STS)]


async def test_the_names_of_a_host_are_its_own_and_the_domains(tmp_path: Path) -> None:
    hop = (await Place(tmp_path).ruled(ONLY_DANE))[0]
    assert hop.demand.names == ("mx1.example.com", "example.com")


@pytest.mark.parametrize("unsigned", ["example.com", "mx1.example.com", "_25._tcp.mx1.example.com"])
async def test_what_dnssec_does_not_vouch_for_all_the_way_is_no_dane(
    tmp_path: Path, unsigned: str
) -> None:
    place = Place(tmp_path)
    place.dns.zone.unsigned.add(unsigned)
    assert {kind for _, kind in await place.kinds(ONLY_DANE)} == {NOTHING.kind}


async def test_without_dnssec_nobody_is_asked_for_records(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.dns.zone.signed = False
    await place.ruled(ONLY_DANE)
    assert not [name for name, _ in place.dns.asked if name.startswith("_25.")]


@pytest.mark.parametrize("failure", ["SERVFAIL", "TIMEOUT"])
async def test_a_host_whose_records_cannot_be_had_is_not_used(tmp_path: Path, failure: str) -> None:
    place = Place(tmp_path)
    place.dns.zone.remove("_25._tcp.mx1.example.com")
    place.dns.zone.add(f"_25._tcp.mx1.example.com {failure}")
    assert await place.kinds(ONLY_DANE) == [("mx2.example.com", NOTHING.kind)]
    place.dns.zone.add(f"_25._tcp.mx2.example.com {failure}")
    place.dns.clear()
    with pytest.raises(DeliveryError, match="TLSA") as caught:
        await place.ruled(ONLY_DANE)
    assert caught.value.temporary


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        (f"_25._tcp.end.example.net TLSA 3 1 1 {DIGEST}", "end.example.net"),
        (f"_25._tcp.alias.example.com TLSA 3 1 1 {DIGEST}", "alias.example.com"),
    ],
)
async def test_records_are_below_the_end_of_aliases_or_else_below_the_name(
    tmp_path: Path, zone: str, name: str
) -> None:
    place = Place(tmp_path)
    place.dns.zone.add(
        f"""
        alias.test         MX     5 alias.example.com
        alias.example.com  CNAME  end.example.net
        end.example.net    A      192.0.2.9
        {zone}
        """
    )
    (hop,) = await place.ruled(ONLY_DANE, "alias.test")
    assert (hop.demand.kind, hop.demand.domain) == (TLSA, "alias.test")
    assert hop.demand.text == (f"_25._tcp.{name}. IN TLSA 3 1 1 {DIGEST}",)
    assert hop.demand.names[0] == name


@pytest.mark.effect("use_dane")
@pytest.mark.effect("enable_dane")
@pytest.mark.effect("use_mta_sts")
@pytest.mark.effect("enable_mta_sts")
@pytest.mark.parametrize(
    ("dane", "sts", "heard"),
    [
        ({}, {}, UNWANTED),
        ({"use_dane": True}, {}, Wanted(dane=True)),
        ({"use_dane": True, "enable_dane": False}, {}, UNWANTED),
        ({}, {"use_mta_sts": True}, Wanted(sts=True)),
        ({}, {"use_mta_sts": True, "enable_mta_sts": False}, UNWANTED),
    ],
)
def test_demands_are_heard_where_the_options_say_so(
    dane: dict[str, bool], sts: dict[str, bool], heard: Wanted
) -> None:
    assert wanted(Dane.make(**dane), MtaSts.make(**sts)) == heard
