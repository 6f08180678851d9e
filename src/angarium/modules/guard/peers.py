"""Clients whom a guard leaves alone: those who may relay, and those of exempt networks."""

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
