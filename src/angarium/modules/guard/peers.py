"""Clients and domains which a guard treats otherwise, as its options list them."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network

from angarium.policy.cidr import Table
from angarium.policy.context import Session


class Exempt:
    """Networks which are left alone."""

    def __init__(self, networks: Iterable[IPv4Network | IPv6Network]) -> None:
        self._networks = Table.of([(str(each), True) for each in networks])

    def has(self, session: Session) -> bool:
        """Say whether a client is left alone."""
        if session.trusted or not session.address:
            return True
        return bool(self._networks.find(session.address))


class Domains:
    """A list of domains; *.domain is what is below it, * is all."""

    def __init__(self, domains: Iterable[str]) -> None:
        self._domains = frozenset(domains)

    def __bool__(self) -> bool:
        return bool(self._domains)

    def has(self, domain: str) -> bool:
        """Say whether a domain in lower case is one of these."""
        known = self._domains
        if not known or domain in known or "*" in known:
            return bool(known)
        labels = domain.split(".")
        return any(f"*.{'.'.join(labels[at:])}" in known for at in range(1, len(labels)))
