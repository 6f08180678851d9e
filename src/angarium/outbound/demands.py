"""What a domain demands of the hosts its mail goes to: asked once the hosts are known.

    hops = await demands.rule("example.com", hops, means.wanted)

Before hosts are pooled or tried: MTA-STS takes those away which the domain does not name, and DANE
those of which it cannot be told now what they demand. What is left says it in `hop.demand`. DANE
has the last word on TLS (RFC 7672 section 1.3.4), MTA-STS still on which hosts there are.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from angarium.core.reply import Reply
from angarium.net.answer import Answer
from angarium.net.options.tlspolicy import Dane, MtaSts
from angarium.net.tlspolicy import dane
from angarium.net.tlspolicy.demand import NOTHING, Demand, of_policy, of_records
from angarium.net.tlspolicy.policies import Policies
from angarium.outbound.errors import DeliveryError, Reach
from angarium.outbound.route import Hop
from angarium.wire import dns as wire
from angarium.wire.dns import Value

# RFC 3463 and 7505 have no better codes: 5.7.x of RFC 8460 is for replies of servers.
UNLISTED: Final = Reply(
    454, "[internal] no MX of this domain is named by its MTA-STS policy", "4.7.5"
)
UNCERTAIN: Final = Reply(454, "[internal] TLSA records cannot be looked up", "4.7.5")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which demands the options want heard.

    Attributes:
        depth: CNAMEs which may lead to a record of MTA-STS.
    """

    dane: bool = False
    sts: bool = False
    depth: int = 5

    def __bool__(self) -> bool:
        return self.dane or self.sts


UNWANTED: Final = Wanted()


def wanted(dane: Dane, sts: MtaSts) -> Wanted:
    """Return what the options of a line want."""
    made = Wanted(
        dane.use_dane and dane.enable_dane,
        sts.use_mta_sts and sts.enable_mta_sts,
        sts.mta_sts_dns_cname_max_depth,
    )
    return made or UNWANTED


class Heard(Protocol):
    """Told how a session fared by a demand; `result` is of RFC 8460 section 4.3, "" is success."""

    def __call__(
        self, demand: Demand, host: str, address: str, source: str, result: str, reason: str, /
    ) -> None: ...


def nobody(
    demand: Demand, host: str, address: str, source: str, result: str, reason: str, /
) -> None:
    """Nobody reports."""


class Names(Protocol):
    """What is asked of DNS."""

    async def lookup(self, name: str, rrtype: int) -> Answer[Value]: ...


def _place(hop: Hop) -> tuple[str, str, int]:
    return hop.base or hop.host, hop.host, hop.port


class Demands:
    """Finds demands.

    Args:
        policies: gives those of MTA-STS.

    Attributes:
        heard: told of each session, and of hosts which are left out.
    """

    def __init__(
        self, names: Names, policies: Callable[[], Policies], heard: Heard = nobody
    ) -> None:
        self._names = names
        self._policies = policies
        self.heard = heard

    async def rule(self, domain: str, hops: Sequence[Hop], wanted: Wanted) -> list[Hop]:
        """Return the hosts which may be used, with what is demanded of each.

        Raises:
            DeliveryError: there is none, for now.
        """
        ruled = list(hops)
        if wanted.sts:
            ruled = await self._by_policy(domain, ruled, wanted.depth)
        if wanted.dane:
            ruled = await self._by_records(domain, ruled)
        return ruled

    async def _by_policy(self, domain: str, hops: list[Hop], depth: int) -> list[Hop]:
        kept = await self._policies().of(domain, depth)
        if kept is None:
            return hops
        policy = kept.policy
        demand = of_policy(domain, policy)
        if demand is NOTHING:
            return hops
        ruled = []
        for hop in hops:
            if policy.allows(hop.host):
                ruled.append(replace(hop, demand=demand))
                continue
            reason = "the host is not named by the policy"
            self.heard(demand, hop.host, hop.address, "", "validation-failure", reason)
            if not demand.required:
                # Testing: it is only told. Its certificate would not make it right.
                ruled.append(hop)
        if not ruled:
            raise DeliveryError(UNLISTED, Reach.DOMAIN, policy=" ".join(policy.hosts))
        return ruled

    async def _by_records(self, domain: str, hops: list[Hop]) -> list[Hop]:
        places = list(dict.fromkeys(_place(hop) for hop in hops if hop.secure))
        demands = await asyncio.gather(*(self._records(*place, domain) for place in places))
        found = dict(zip(places, demands, strict=True))
        ruled = []
        for hop in hops:
            demand = found[_place(hop)] if hop.secure else NOTHING
            if demand is not None:
                ruled.append(hop if demand is NOTHING else replace(hop, demand=demand))
        if not ruled:
            raise DeliveryError(UNCERTAIN, Reach.DOMAIN, hosts=" ".join(e[1] for e in places))
        return ruled

    async def _records(self, base: str, host: str, port: int, domain: str) -> Demand | None:
        """Return what the TLSA records of a host demand; None: that cannot be told now.

        Below the end of its CNAMEs, and if there are none below the name itself: RFC 7672 section
        2.2.3. What an attacker could have kept from us is no answer, so the host is not used.
        """
        for name in dict.fromkeys((base, host)):
            place = f"_{port}._tcp.{name}"
            answer = await self._names.lookup(place, wire.TLSA)
            if answer.temporary:
                return None
            if answer.records and answer.authentic:
                found = dane.records(each for each in answer.records if isinstance(each, bytes))
                return of_records(domain, place, found, (name, host, domain))
        return NOTHING
