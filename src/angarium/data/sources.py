"""`Datasources`: all sources of a configuration, by name.

    rows = await sources.query("users", "SELECT name FROM users WHERE id = ?", [5])

A worker has one, and policy in every language asks it. A reload changes what has changed: a source
whose uris stay keeps what it has found.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from random import Random
from typing import Final

from angarium.core.clock import Clock
from angarium.data.breaker import Breaker
from angarium.data.driver import Limits
from angarium.data.errors import StatementError
from angarium.data.pool import Pool
from angarium.data.rows import Row, Rows
from angarium.data.source import CONNECTIONS, WAITING, Datasource, Settings
from angarium.data.statement import Parameters
from angarium.data.uri import parse
from angarium.events.metrics import Metrics

_LDAP: Final = ("ldap", "ldaps")


class Datasources:
    """The sources of a worker."""

    def __init__(self, clock: Clock, random: Random, metrics: Metrics) -> None:
        self._clock = clock
        self._random = random
        self._metrics = metrics
        self._sources: dict[str, Datasource] = {}
        self._retired: list[Datasource] = []
        self._connections = metrics.cell(CONNECTIONS)
        self._waiting = metrics.cell(WAITING)

    @property
    def sources(self) -> Mapping[str, Datasource]:
        return self._sources

    def prepare(self, settings: Iterable[Settings]) -> None:
        """Import the drivers these sources need."""
        for each in settings:
            for uri in each.uris:
                parse(uri).driver()

    def configure(self, settings: Iterable[Settings]) -> None:
        """Go over to these sources."""
        wanted = {each.name: each for each in settings}
        for name in self._sources.keys() - wanted.keys():
            gone = self._sources.pop(name)
            gone.retire()
            self._retired.append(gone)
        for name, each in wanted.items():
            if name not in self._sources:
                self._sources[name] = Datasource(each, self._pools, self._clock, self._metrics)
            elif self._sources[name].settings != each:
                self._sources[name].adopt(each)

    def _pools(self, settings: Settings) -> list[Pool]:
        limits = Limits(
            settings.max_rows, settings.charset, settings.connect_seconds, settings.query_seconds
        )
        pools = []
        for each, password in zip_longest(settings.uris, settings.passwords, fillvalue=""):
            uri = parse(each).with_password(password)
            pools.append(
                Pool(
                    uri.driver().Driver(uri, limits),
                    Breaker(self._clock, self._random),
                    self._clock,
                    most=settings.connections,
                    idle_most=settings.idle,
                    idle_seconds=settings.idle_seconds,
                    connect_seconds=settings.connect_seconds,
                )
            )
        return pools

    def source(self, name: str) -> Datasource:
        """Return a source. Raises StatementError if there is none."""
        found = self._sources.get(name)
        if found is None:
            known = ", ".join(sorted(self._sources)) or "none"
            raise StatementError("there is no such datasource", name=name, known=known)
        return found

    async def query(
        self, name: str, text: str, parameters: Parameters = (), *, fresh: bool = False
    ) -> Rows:
        """Return the rows of a query. Raises DataError; see `Datasource.query`."""
        return await self.source(name).query(text, parameters, fresh=fresh)

    async def fetch_row(
        self, name: str, text: str, parameters: Parameters = (), *, fresh: bool = False
    ) -> Row | None:
        """Return the first row of a query; None if there is none. Raises DataError."""
        return await self.source(name).fetch_row(text, parameters, fresh=fresh)

    async def execute(self, name: str, text: str, parameters: Parameters = ()) -> None:
        """Run a statement which returns nothing. Raises DataError."""
        await self.source(name).execute(text, parameters)

    def directories(self) -> list[Pool]:
        """Return the connections to directories."""
        return [
            pool
            for source in self._sources.values()
            for uri, pool in zip(source.settings.uris, source.pools, strict=True)
            if parse(uri).kind in _LDAP
        ]

    def tick(self) -> None:
        """Once a second."""
        for each in self._sources.values():
            each.tick()
        pools = [pool for each in self._sources.values() for pool in each.pools]
        self._connections.value = sum(pool.count for pool in pools)
        self._waiting.value = sum(pool.waiting for pool in pools)
        self._retired = [each for each in self._retired if each.pending]

    def shrink(self) -> Iterator[None]:
        """Give memory back, in pieces."""
        for each in list(self._sources.values()):
            yield from each.cache.shrink()

    async def close(self) -> None:
        """Close all; what is on its way is given up."""
        every = [*self._sources.values(), *self._retired]
        await asyncio.gather(*(each.close() for each in every))
