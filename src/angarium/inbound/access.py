"""Relay control: who may send to whom (the relay_* options, open_relay).

Mail for a domain of ours is taken from anybody. For any other domain the client must be trusted:
by its address, or for the domain of the sender. Nothing else lets mail through.
"""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

Network = IPv4Network | IPv6Network


class Domains:
    """Domains and left globs: "example.com", "*.example.com", "*". Each look-up is O(labels)."""

    __slots__ = ("_all", "_below", "_endings", "_names")

    def __init__(self, patterns: Iterable[str]) -> None:
        self._names: set[str] = set()
        self._below: set[str] = set()  # of *.domain, the domain
        endings: list[str] = []
        for pattern in patterns:
            if pattern.startswith("*."):
                self._below.add(pattern[2:])
            elif pattern.startswith("*"):
                # "*example.com" is also badexample.com: Momentum's manual says so.
                endings.append(pattern[1:])
            else:
                self._names.add(pattern)
        self._endings = tuple(ending for ending in endings if ending)
        self._all = "" in endings

    def __bool__(self) -> bool:
        return bool(self._all or self._names or self._below or self._endings)

    def __contains__(self, domain: str) -> bool:
        """Say whether the domain, in normal form, matches a pattern."""
        if domain in self._names or self._all:
            return True
        if self._endings and domain.endswith(self._endings):
            return True
        if self._below:
            _, dot, rest = domain.partition(".")
            while dot:
                if rest in self._below:
                    return True
                _, dot, rest = rest.partition(".")
        return False


class Relay:
    """The rules of one place of the configuration; shared by its sessions.

    Args:
        domains: for which mail is taken from anybody (relay_domains, bounce_domains).
        hosts: clients which may send to any domain.
        senders: domains of senders which may; None: none, empty: all (an open relay).
        everyone: open_relay.
    """

    __slots__ = ("_domains", "_everyone", "_hosts", "_senders")

    def __init__(
        self,
        domains: Iterable[str],
        hosts: Sequence[Network],
        senders: Sequence[str] | None,
        *,
        everyone: bool,
    ) -> None:
        self._domains = Domains(domains)
        self._hosts = tuple(hosts)
        self._senders = None if senders is None else Domains(senders)
        self._everyone = everyone or (senders is not None and not senders)

    def trusts_client(self, address: str) -> bool:
        """Say whether a client may send to any domain; asked once for a connection."""
        if self._everyone:
            return True
        if not self._hosts:
            return False
        known = ip_address(address)
        # A client on a socket which takes both families is ::ffff:192.0.2.1.
        mapped = getattr(known, "ipv4_mapped", None)
        return any(known in network or (mapped and mapped in network) for network in self._hosts)

    def trusts_sender(self, domain: str) -> bool:
        """Say whether a sender of this domain may send to any domain."""
        return self._senders is not None and domain in self._senders

    def accepts(self, domain: str) -> bool:
        """Say whether mail for this domain is taken from anybody."""
        return domain in self._domains
