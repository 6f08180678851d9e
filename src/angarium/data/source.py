"""`Datasource`: where to look something up, and what was found of late.

    rows = await source.query("SELECT name FROM users WHERE id = ?", [5])
    row = await source.fetch_row("SELECT name FROM users WHERE id = :id", {"id": 5})
    await source.execute("INSERT INTO seen VALUES (?)", ["a"])

A result is kept for `cache_life`, also by who has asked for the first row only; that there is none
for `negative_life`. What is on its way is not asked again: all who want it wait for it. Of several
uris each is asked in turn; one that is away is left out (`data/breaker`). What `execute` does is
never kept, and never done twice.
"""

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Final

from angarium.core.clock import Clock
from angarium.data.cache import Cache
from angarium.data.errors import (
    DataError,
    LateError,
    RestingError,
    StatementError,
    UnreachableError,
)
from angarium.data.pool import Pool
from angarium.data.rows import Row, Rows, Scalar
from angarium.data.statement import Parameters, bound, identity
from angarium.events.metrics import Metrics, counter, gauge, histogram

LOOKUPS: Final = counter(
    "datasource_lookups",
    "Queries to datasources: answered from the cache, with another one, or by asking.",
    label="answer",
    values=("cached", "joined", "asked"),
)
FAILED: Final = counter(
    "datasource_failures",
    "Statements without a result: refused by the database, late, not asked, or connection lost.",
    label="reason",
    values=("refused", "late", "resting", "lost"),
)
SECONDS: Final = histogram("datasource_seconds", "Time from a question to its answer.")
CONNECTIONS: Final = gauge("datasource_connections", "Connections to databases.")
WAITING: Final = gauge("datasource_waiting", "Statements which wait for a connection.")

Outcome = Rows | DataError


@dataclass(frozen=True, slots=True)
class Settings:
    """A datasource as it is configured.

    Attributes:
        uris: kind and parameters; there may be passwords in them.
        passwords: of the uris, which do not have them; "" where there is none, () for none at all.
        negative_life: seconds for which it is kept that there is nothing.
        cache_size, cache_octets: of what is kept, at most.
        max_rows: -1 is all.
        query_seconds: for an answer, with all waiting for it.
        connections: to each uri at once.
        idle, idle_seconds: connections which may be kept without use, and for how long.
    """

    name: str
    uris: tuple[str, ...] = field(repr=False)
    passwords: tuple[str, ...] = field(default=(), repr=False)
    cache_life: float = 3600.0
    negative_life: float = 3600.0
    cache_size: int = 1000
    cache_octets: int = 16 * 1024 * 1024
    max_rows: int = 100
    no_cache: bool = False
    charset: str = "iso-8859-1"
    query_seconds: float = 10.0
    connect_seconds: float = 5.0
    connections: int = 4
    idle: int = 4
    idle_seconds: float = 60.0

    @property
    def driven(self) -> object:
        """Return that of which the drivers are made: what else changes needs no new ones."""
        return (
            self.uris, self.passwords, self.max_rows, self.charset, self.query_seconds,
            self.connect_seconds,
        )  # fmt: skip


@dataclass(slots=True)
class Asked:
    """What was asked of the databases of a source, since the start."""

    statements: int = 0
    errors: int = 0
    seconds: float = 0.0


class Datasource:
    """One source.

    Args:
        made: returns the pools for settings, one for each uri.

    Attributes:
        cache: what was found.
        asked: what it cost.
    """

    def __init__(
        self,
        settings: Settings,
        made: Callable[[Settings], list[Pool]],
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self.settings = settings
        self._made = made
        self._clock = clock
        self.pools = made(settings)
        self.cache = Cache(clock, settings.cache_size, settings.cache_octets)
        self.asked = Asked()
        self._flights: dict[Hashable, asyncio.Task[Outcome]] = {}
        self._tasks: set[asyncio.Task[Outcome]] = set()
        self._turn = 0
        self._answers = {each: metrics.cell(LOOKUPS, each) for each in LOOKUPS.values}
        self._failures = {each: metrics.cell(FAILED, each) for each in FAILED.values}
        self._seconds = metrics.durations(SECONDS)

    @property
    def pending(self) -> int:
        """Return how many statements are on their way."""
        return len(self._tasks)

    async def query(self, text: str, parameters: Parameters = (), *, fresh: bool = False) -> Rows:
        """Return the rows of a query.

        Args:
            fresh: ask the database, whatever is known; what it says is not kept.

        Raises:
            DataError: it has no result.
        """
        fresh = fresh or self.settings.no_cache
        try:
            template = self.pools[0].driver.template(text)
            values = bound(template, parameters)
        except StatementError as error:
            raise self._failed(error) from None
        if fresh:
            self._answers["asked"].value += 1
            return self._result(await asyncio.shield(self._begun(text, values, fetch=True)))
        key = (text, identity(values))
        known = self.cache.get(key)
        if known is not None:
            self._answers["cached"].value += 1
            return known
        flight = self._flights.get(key)
        if flight is None:
            self._answers["asked"].value += 1
            flight = self._begun(text, values, fetch=True, key=key)
        else:
            self.cache.counted.joined += 1
            self._answers["joined"].value += 1
        return self._result(await asyncio.shield(flight))

    async def fetch_row(
        self, text: str, parameters: Parameters = (), *, fresh: bool = False
    ) -> Row | None:
        """Return the first row of a query; None if there is none. Raises DataError."""
        found = await self.query(text, parameters, fresh=fresh)
        return found[0] if found else None

    async def execute(self, text: str, parameters: Parameters = ()) -> None:
        """Run a statement which returns nothing. Raises DataError."""
        try:
            values = bound(self.pools[0].driver.template(text), parameters)
        except StatementError as error:
            raise self._failed(error) from None
        self._result(await asyncio.shield(self._begun(text, values, fetch=False)))

    def _result(self, outcome: Outcome) -> Rows:
        if isinstance(outcome, DataError):
            raise outcome.again()
        return outcome

    def _begun(
        self, text: str, values: tuple[Scalar, ...], *, fetch: bool, key: Hashable = None
    ) -> "asyncio.Task[Outcome]":
        """Ask in a task of its own: whoever asked may be gone before the answer is there."""
        task = asyncio.create_task(self._outcome(text, values, fetch=fetch, key=key))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if key is not None:
            self._flights[key] = task
            # A bug is raised to all who wait; it is no flight which others could join any more.
            task.add_done_callback(lambda _: self._landed(key, task))
        return task

    def _landed(self, key: Hashable, task: "asyncio.Task[Outcome]") -> None:
        if self._flights.get(key) is task:
            del self._flights[key]

    async def _outcome(
        self, text: str, values: tuple[Scalar, ...], *, fetch: bool, key: Hashable
    ) -> Outcome:
        begun, cache, settings = self._clock.monotonic(), self.cache, self.settings
        self.asked.statements += 1
        try:
            async with asyncio.timeout(settings.query_seconds):
                found = await self._of_any(text, values, fetch=fetch)
        except TimeoutError:
            return self._failed(LateError("no answer in time", seconds=settings.query_seconds))
        except DataError as error:
            return self._failed(error)
        except asyncio.CancelledError:  # by `close`; those who wait are not cancelled
            return self._failed(UnreachableError("the datasource is being closed"))
        finally:
            spent = self._clock.monotonic() - begun
            self.asked.seconds += spent
            self._seconds.note(spent)
        if key is not None and self._flights.get(key) is asyncio.current_task():
            life = settings.cache_life if found else settings.negative_life
            cache.put(key, found, life, len(text))
        return found

    async def _of_any(self, text: str, values: tuple[Scalar, ...], *, fetch: bool) -> Rows:
        """Ask the next database in turn; where it is away, those after it."""
        pools = self.pools
        self._turn += 1
        failure: UnreachableError | None = None
        for step in range(len(pools)):
            pool = pools[(self._turn + step) % len(pools)]
            try:
                driver = pool.driver
                statement = driver.bind(text, driver.template(text), values)
                return await pool.run(statement, fetch=fetch)
            except StatementError as error:
                error.fields = {"at": pool.driver.label} | error.fields
                raise
            except UnreachableError as error:
                error.fields = {"at": pool.driver.label} | error.fields
                if error.begun and not fetch:
                    raise
                # That somebody is away tells more than that somebody rests.
                if failure is None or isinstance(failure, RestingError):
                    failure = error
        assert failure is not None
        if pools is not self.pools and type(pools[0].driver) is type(self.pools[0].driver):
            # They were closed for others which are in force now: who waited in line goes there.
            return await self._of_any(text, values, fetch=fetch)
        raise failure

    def _failed(self, error: DataError) -> DataError:
        """Count a failure, and say whose it is."""
        self.asked.errors += 1
        reason = "lost"
        if isinstance(error, StatementError):
            reason = "refused"
        elif isinstance(error, LateError):
            reason = "late"
        elif isinstance(error, RestingError):
            reason = "resting"
        self._failures[reason].value += 1
        error.fields = {"datasource": self.settings.name} | error.fields
        return error

    def flush(self) -> int:
        """Forget what was found, and what is on its way; return how many results were kept."""
        self._flights.clear()
        return self.cache.clear()

    def adopt(self, settings: Settings) -> None:
        """Go over to other settings. What was found stays, unless it may be otherwise now."""
        before, self.settings = self.settings, settings
        self.cache.size, self.cache.octets = settings.cache_size, settings.cache_octets
        self.cache.fit()
        if before.driven != settings.driven:
            self.retire()
            self.pools = self._made(settings)
            self.flush()
            return
        for pool in self.pools:
            pool.adapt(
                most=settings.connections, idle_most=settings.idle,
                idle_seconds=settings.idle_seconds,
            )  # fmt: skip

    def retire(self) -> None:
        """Take nothing new; what is on its way comes to its end."""
        for pool in self.pools:
            pool.close()

    def tick(self) -> None:
        """Once a second."""
        self.cache.tick()
        for pool in self.pools:
            pool.tick()

    async def close(self) -> None:
        """Give up what is on its way, and close the connections."""
        self.retire()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for pool in self.pools:
            await pool.gone()
