"""The recipient's domain to hosts, in the order in which they are tried (RFC 5321 section 5).

    gateway, else routes, else an address literal, else MX, else the domain's own address

What DNS could not tell for now is a temporary DeliveryError, what it denies a permanent one.
Nothing is remembered here but by the resolver's cache, so a change of DNS or of options is seen at
the next connection.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, Protocol

from angarium.net.answer import Answer, MxAnswer, Status
from angarium.net.tlspolicy.demand import NOTHING, Demand
from angarium.outbound import static
from angarium.outbound.egress import egress
from angarium.outbound.errors import (
    LOOKUP_FAILED,
    LOOPS_BACK,
    NO_HOSTS,
    NO_MX_OR_A,
    NO_VALID_DOMAIN,
    NULL_MX,
    PROHIBITED,
    SELF_IN_ROUTE,
    DeliveryError,
    Reach,
)
from angarium.outbound.options import Transport
from angarium.outbound.static import Step

# Addresses of one host which are tried. More are a load balancer's; 8 of them will do.
MAX_ADDRESSES: Final = 8

Order = tuple[int, int]  # of the step, then of the MX record within it


@dataclass(frozen=True, slots=True)
class Hop:
    """Where a connection may go.

    Attributes:
        secure: DNSSEC, or an operator, vouches for the name and the address.
        base: the name at the end of the host's CNAMEs, under which DANE looks for its records.
        demand: what the domain wants of the connection.
    """

    host: str
    address: str
    port: int
    order: Order = (0, 0)
    secure: bool = False
    base: str = ""
    demand: Demand = NOTHING

    @property
    def endpoint(self) -> str:
        """As events and logs write it."""
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{address}:{self.port}"


class Resolver(Protocol):
    """What is asked of DNS."""

    async def mx(self, domain: str) -> MxAnswer: ...

    async def address(self, name: str, families: Collection[int]) -> Answer[str]: ...


@dataclass(frozen=True, slots=True)
class Host:
    """A name whose addresses are wanted."""

    name: str
    port: int
    order: Order
    secure: bool = False


def _nobody(host: str, address: str, port: int) -> bool:
    return False


def _none(domain: str) -> bool:
    return False


class Router:
    """Finds the hops of a domain.

    Args:
        itself: says whether a host at an address and port is this server.
        relayed: says whether a domain is in the global relay_domains or bounce_domains.

    Attributes:
        everywhere: where all mail goes that has no gateway; None: to the hosts of its domain.
    """

    def __init__(
        self,
        resolver: Resolver,
        random: Random,
        itself: Callable[[str, str, int], bool] = _nobody,
        relayed: Callable[[str], bool] = _none,
    ) -> None:
        self._resolver = resolver
        self._random = random
        self.itself = itself
        self.relayed = relayed
        self.everywhere: Step | None = None

    async def route(self, domain: str, transport: Transport) -> list[Hop]:
        """Return the hops, at least one, best first; those of equal preference in random order.

        Raises:
            DeliveryError: there is none; of reach DOMAIN.
        """
        families = families_of(transport)
        hosts: list[Host] = []
        uncertain = False  # Something could not be looked up, and may lead somewhere later.
        denied: DeliveryError | None = None
        for step in self._steps(domain, transport):
            try:
                hosts += await self._hosts(step, domain, transport, families)
            except DeliveryError as error:
                uncertain = uncertain or error.temporary
                denied = denied if error.temporary else error
        if denied is not None and not hosts and not uncertain:
            raise denied
        hosts.sort(key=lambda host: host.order)
        hosts = hosts[: transport.max_mx_hosts]
        if transport.only_use_best_mx_for_relay_domains and hosts and self.relayed(domain):
            hosts = [host for host in hosts if host.order == hosts[0].order]
        return await self._hops(hosts, domain, transport, families, uncertain=uncertain)

    def _steps(self, domain: str, transport: Transport) -> list[Step]:
        if transport.gateway is not None:
            place = transport.gateway
            return [Step(place.host, port=place.port, by_mx=True)]
        if self.everywhere is not None:
            return [self.everywhere]
        if transport.routes:
            try:
                steps = static.steps(transport.routes)
            except ValueError as error:
                raise DeliveryError(NO_HOSTS, Reach.DOMAIN, routes=str(error)) from error
            return [
                Step(domain, step.order, step.port, by_mx=True, ttl=step.ttl)
                if step.name == static.MX_OF_DOMAIN
                else step
                for step in steps
            ]
        return [Step(domain, by_mx=True)]

    async def _hosts(
        self, step: Step, domain: str, transport: Transport, families: Collection[int]
    ) -> list[Host]:
        """Return the hosts which a step names."""
        lmtp = transport.delivery_method == "LMTP"
        port = step.port or (transport.lmtp_port if lmtp else transport.remote_smtp_port)
        name = _unbracketed(step.name)
        if _is_address(name) or not step.by_mx:
            return [Host(name, port, (step.order, 0), secure=True)]
        if _is_literal(step.name):
            raise DeliveryError(NO_VALID_DOMAIN, Reach.DOMAIN)
        answer = await self._resolver.mx(name)
        if answer.null:
            raise DeliveryError(NULL_MX, Reach.DOMAIN)
        records = [each for each in answer.records if each.host != "."]
        if records:
            secure = answer.authentic
            return [
                Host(each.host, port, (step.order, each.preference), secure) for each in records
            ]
        own = [Host(name, port, (step.order, 0), answer.authentic)]
        if answer.status is Status.NXDOMAIN:
            if name != domain:  # A gateway may stand in the hosts file only.
                return own
            raise DeliveryError(LOOKUP_FAILED, Reach.DOMAIN)
        if answer.temporary:
            self._give_up_lookup(answer, transport)
            if answer.failures < transport.mx_failures_fallback_to_a:
                raise DeliveryError(NO_MX_OR_A, Reach.DOMAIN, dns=answer.status.value)
            # The MX cannot be had. The domain's own address may do, if it has one.
            known = await self._resolver.address(name, families)
            if not known.records:
                raise DeliveryError(NO_MX_OR_A, Reach.DOMAIN, dns=answer.status.value)
        return own  # The implicit MX (RFC 5321 section 5.1).

    def _give_up_lookup(self, answer: MxAnswer, transport: Transport) -> None:
        """End mail for a domain whose name servers fail again and again.

        Only where a name server said so: while our resolver is away nothing is known of any
        domain, and mail waits until it expires.
        """
        if answer.status is Status.SERVFAIL and answer.failures >= transport.dns_failures_to_purge:
            raise DeliveryError(LOOKUP_FAILED, Reach.DOMAIN, dns=answer.status.value)

    async def _hops(
        self,
        hosts: Sequence[Host],
        domain: str,
        transport: Transport,
        families: Collection[int],
        *,
        uncertain: bool,
    ) -> list[Hop]:
        """Look the hosts' addresses up and leave out what may not be tried."""
        answers = await asyncio.gather(
            *(self._resolver.address(host.name, families) for host in hosts)
        )
        hops = [
            Hop(
                host.name,
                address,
                host.port,
                host.order,
                secure=host.secure and answer.authentic,
                base=answer.name,
            )
            for host, answer in zip(hosts, answers, strict=True)
            for address in answer.records[:MAX_ADDRESSES]
            if _may_be_a_host(address)
        ]
        if transport.prohibited_hosts and any(
            _within(hop.address, transport.prohibited_hosts) for hop in hops
        ):
            raise DeliveryError(PROHIBITED, Reach.DOMAIN)
        hops = [hop for hop in hops if not _within(hop.address, transport.skip_hosts)]
        hops = self._before_us(hops, transport)
        if not hops:
            raise self._nowhere(hosts, answers, domain, uncertain=uncertain)
        self._random.shuffle(hops)
        hops.sort(key=lambda hop: (hop.order, transport.prefer_ipv6_mxs and ":" not in hop.address))
        return hops

    def _before_us(self, hops: list[Hop], transport: Transport) -> list[Hop]:
        """Leave out ourselves and every host not better than us, else mail goes round in circles.

        RFC 5321 section 5.1. A route which names us beside others just goes to the others.
        """
        ours = [hop.order for hop in hops if self.itself(hop.host, hop.address, hop.port)]
        if not ours:
            return hops
        best = min(ours)
        left = [hop for hop in hops if hop.order < best]
        if left:
            return left
        if transport.gateway is None and not transport.routes:
            raise DeliveryError(LOOPS_BACK, Reach.DOMAIN)
        raise DeliveryError(SELF_IN_ROUTE, Reach.DOMAIN)

    def _nowhere(
        self,
        hosts: Sequence[Host],
        answers: Sequence[Answer[str]],
        domain: str,
        *,
        uncertain: bool,
    ) -> DeliveryError:
        """Return why no host is left."""
        if any(answer.records for answer in answers):
            return DeliveryError(NO_HOSTS, Reach.DOMAIN)  # All of them are skipped.
        if uncertain or not hosts or any(answer.temporary for answer in answers):
            return DeliveryError(NO_MX_OR_A, Reach.DOMAIN)
        own = [n for n, host in enumerate(hosts) if host.name == domain]
        if own:
            # Neither MX nor address. The name exists, so that it may yet get one.
            missing = answers[own[0]].status is Status.NXDOMAIN
            return DeliveryError(LOOKUP_FAILED if missing else NO_MX_OR_A, Reach.DOMAIN)
        return DeliveryError(NO_HOSTS, Reach.DOMAIN)


def families_of(transport: Transport) -> tuple[int, ...]:
    """Return the address families a binding can send by, the preferred one first.

    A binding with an address of one family sends by that one only, with bind_address_secondary
    by both. Behind a proxy it is the proxy which has the addresses.
    """
    way = egress(transport)
    if way is not None:
        four, six = (each in way.families for each in (socket.AF_INET, socket.AF_INET6))
        six = six and transport.use_ipv6
    else:
        sources = [transport.bind_address, transport.bind_address_secondary]
        known = [each for each in sources if each and each != "*"]
        four = not known or any(":" not in each for each in known)
        six = transport.use_ipv6 and (not known or any(":" in each for each in known))
    families = ((socket.AF_INET,) if four else ()) + ((socket.AF_INET6,) if six else ())
    return families[::-1] if transport.prefer_ipv6_mxs else families


def source_for(address: str, transport: Transport) -> str:
    """Return the address to connect to `address` from; "" if the system chooses."""
    way = egress(transport)
    if way is not None:
        return way.source(address)
    for each in (transport.bind_address, transport.bind_address_secondary):
        if each and each != "*" and (":" in each) == (":" in address):
            return each
    return ""


def _is_literal(domain: str) -> bool:
    return domain.startswith("[")


def _unbracketed(name: str) -> str:
    """Return the address of a literal: "[IPv6:2001:db8::1]" gives "2001:db8::1"."""
    if not _is_literal(name):
        return name
    inner = name.strip("[]")
    return inner[5:] if inner[:5].lower() == "ipv6:" else inner


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _may_be_a_host(address: str) -> bool:
    """A zone may say 0.0.0.0, to which a connection goes to ourselves, or a multicast group."""
    known = ipaddress.ip_address(address)
    return not (known.is_unspecified or known.is_multicast)


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _within(address: str, networks: Iterable[Network]) -> bool:
    known = ipaddress.ip_address(address)
    if isinstance(known, ipaddress.IPv6Address) and known.ipv4_mapped is not None:
        known = known.ipv4_mapped  # ::ffff:127.0.0.1 leads where 127.0.0.1 does.
    return any(known in network for network in networks if network.version == known.version)
