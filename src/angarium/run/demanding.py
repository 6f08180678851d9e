"""What the domains we send to demand of TLS: put together for a worker, and kept as options say."""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from angarium.config.resolve import Configuration
from angarium.core.clock import Clock
from angarium.net.dnscache import Resolver
from angarium.net.options.tls import OutboundTls
from angarium.net.options.tlspolicy import STORE, MtaSts
from angarium.net.tlspolicy.demand import STS, Demand
from angarium.net.tlspolicy.policies import Policies
from angarium.net.tlspolicy.shelf import Shelf
from angarium.outbound.demands import Demands, Heard, nobody

if TYPE_CHECKING:
    from angarium.net.tlspolicy.fetch import Fetch


class Demanding:
    """`demands` for the dialer, `policies` for the console.

    Args:
        tell: told what cannot be read or written.

    """

    def __init__(
        self,
        configuration: Configuration,
        state: Path,
        resolver: Resolver,
        clock: Clock,
        tell: Callable[[str], None],
    ) -> None:
        self._resolver = resolver
        self._authorities = _authorities(configuration)
        self._fetch: Fetch | None = None
        self._old: list[Fetch] = []
        self._heard: Heard = nobody
        self.policies = Policies(
            resolver, self._fetcher, Shelf(store(configuration, state)), clock, self._failed, tell
        )
        self.demands = Demands(resolver, lambda: self.policies, self._hear)

    def use(self, configuration: Configuration) -> None:
        """Go over to another generation."""
        authorities = _authorities(configuration)
        if authorities != self._authorities and self._fetch is not None:
            self._old.append(self._fetch)  # It may be asking somebody right now.
            self._fetch = None
        self._authorities = authorities

    def hear(self, heard: Heard) -> None:
        """Tell him how sessions fare by a demand, and of policies which are not to be had."""
        self._heard = heard

    async def close(self) -> None:
        """End what is under way."""
        await self.policies.close()
        for fetch in (*self._old, self._fetch):
            if fetch is not None:
                await fetch.close()

    def _fetcher(self) -> "Fetch":
        if self._fetch is None:
            from angarium.net.tlspolicy.fetch import Fetch  # noqa: PLC0415 - aiohttp, for few

            context = ssl.create_default_context(cafile=self._authorities or None)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            self._fetch = Fetch(self._resolver, context)
        return self._fetch

    def _hear(
        self, demand: Demand, host: str, address: str, source: str, result: str, reason: str, /
    ) -> None:
        self._heard(demand, host, address, source, result, reason)

    def _failed(self, domain: str, result: str, reason: str, /) -> None:
        self._heard(Demand(STS, domain), f"mta-sts.{domain}", "", "", result, reason)


def store(configuration: Configuration, state: Path) -> Path:
    """Return the folder of the policies."""
    path = configuration.top(MtaSts).mta_sts_policy_store
    return state / ("mtasts" if path == STORE else path)


def _authorities(configuration: Configuration) -> str:
    return configuration.top(OutboundTls).tls_ca or ""
