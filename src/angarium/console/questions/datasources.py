"""The datasources of a worker: what they keep, and what asking has cost."""

from typing import TYPE_CHECKING

import msgspec

from angarium.console.question import QuestionError, question
from angarium.console.questions.caches import Cache, of_source
from angarium.console.sums import Counts, Table
from angarium.data.uri import parse

if TYPE_CHECKING:
    from angarium.console.parts import Parts
    from angarium.data.pool import Pool


class Database(msgspec.Struct, frozen=True):
    """A database that is asked; of several workers together.

    `connections`: there are now, `idle` of them are not in use; `waiting`: statements for which
    there was none. `opened` were made, `reused` statements found an idle one, `expired` were
    closed because nobody used them. `resting`: of so many workers which leave it alone.
    """

    connections: int = 0
    idle: int = 0
    waiting: int = 0
    opened: int = 0
    reused: int = 0
    expired: int = 0
    resting: int = 0
    reason: str = ""

    def __add__(self, other: "Database") -> "Database":
        return Database(
            self.connections + other.connections,
            self.idle + other.idle,
            self.waiting + other.waiting,
            self.opened + other.opened,
            self.reused + other.reused,
            self.expired + other.expired,
            self.resting + other.resting,
            self.reason or other.reason,
        )


class Source(msgspec.Struct, frozen=True):
    """A datasource: its cache, statements it has put, those without a result, and their time."""

    cache: Cache
    octets: int
    statements: int
    errors: int
    seconds: float
    databases: dict[str, Database]

    def __add__(self, other: "Source") -> "Source":
        added = Table(self.databases) + Table(other.databases)
        return Source(
            self.cache + other.cache,
            self.octets + other.octets,
            self.statements + other.statements,
            self.errors + other.errors,
            self.seconds + other.seconds,
            added.rows,
        )


@question("datasources")
def datasources(worker: "Parts") -> Table[Source]:
    """Return each datasource by its name."""
    found = {}
    for name, source in worker.datasources.sources.items():
        databases = Table[Database]()
        for uri, pool in zip(source.settings.uris, source.pools, strict=True):
            databases += Table({parse(uri).label: of_pool(pool)})
        asked = source.asked
        found[name] = Source(
            of_source(source.cache), source.cache.held, asked.statements, asked.errors,
            asked.seconds, databases.rows,
        )  # fmt: skip
    return Table(found)


def of_pool(pool: "Pool") -> Database:
    """Return the numbers of the connections to a database."""
    return Database(
        pool.count, pool.idle, pool.waiting, pool.opened, pool.reused, pool.expired,
        int(pool.breaker.resting), pool.breaker.reason,
    )  # fmt: skip


@question("datasource flushed")
def flushed(worker: "Parts", name: str) -> Counts:
    """Forget what a datasource has found; say how many results that were."""
    source = worker.datasources.sources.get(name)
    if source is None:
        known = ", ".join(sorted(worker.datasources.sources)) or "none"
        raise QuestionError(f"there is no datasource {name}; there are {known}")
    return Counts({"flushed": source.flush()})


@question("directories")
def directories(worker: "Parts") -> Table[Database]:
    """Return the connections to directories, by their uri."""
    found = Table[Database]()
    for pool in worker.datasources.directories():
        found += Table({pool.driver.label: of_pool(pool)})
    return found


@question("directories flushed")
def directories_flushed(worker: "Parts") -> Counts:
    """Close the idle connections to directories; say how many that were."""
    return Counts({"closed": sum(each.close_idle() for each in worker.datasources.directories())})
