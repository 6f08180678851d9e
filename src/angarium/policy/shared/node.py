"""All that policy shares on a node: what is defined, by kind and name.

    shared.define_series("logins", "cidr", 300, 6)        as a script or a module starts
    shared.series("logins").add(packed("192.0.2.1"))      whenever something happens

`run/spread` tells the workers of a node about it; a worker knows what others have done within
100 ms. Nothing is told, and no socket is open, before something is defined, here or at another.
"""

from collections.abc import Callable, Iterator
from typing import Final, TypeVar, cast

from angarium.core.clock import Clock
from angarium.core.errors import Error
from angarium.policy.shared import counters, gauges, presence, series, values
from angarium.policy.shared.counters import Counters
from angarium.policy.shared.gauges import GaugeCache
from angarium.policy.shared.presence import Presence
from angarium.policy.shared.series import Series
from angarium.policy.shared.told import Means, Origin, Shape, Stamps, Table
from angarium.policy.shared.values import Values

SHARE: Final = "share"  # the map of the shared variables of scripts
MOST_SHARED: Final = 100_000
MOST_TABLES: Final = 1_000
MAX_NAME: Final = 200

T = TypeVar("T", bound=Table)
Key = tuple[str, str]


class SharedError(Error):
    """What is asked for is not defined, or cannot be."""


def nothing() -> None:
    """Do nothing: nobody has to know."""


def _nobody(_presence: Presence) -> None:
    """Nobody has anything."""


class Shared:
    """What is shared, as one worker sees it.

    Args:
        number: of the worker.

    Attributes:
        opened: called when the first thing is defined.
        changed: called when something has changed which others do not know.
        alive: returns the workers there are, ourselves too.
        counted: called when somebody, here or elsewhere, wants to know what is there: who has it
            adds it.
    """

    def __init__(self, clock: Clock, number: int = 0) -> None:
        self.clock = clock
        self.number = number
        self.opened: Callable[[], None] = nothing
        self.changed: Callable[[], None] = nothing
        self.counted: Callable[[Presence], None] = _nobody
        self.alive: Callable[[], list[Origin]] = lambda: [(number, 0)]
        self._means = Means(clock, Stamps(clock, number), self._heard)
        self._tables: dict[Key, Table] = {}
        self._named: dict[bytes, Series] = {}  # those of the tables which scripts have named
        self._mine: set[Key] = set()  # those which were defined here
        self._dirty: dict[Key, Table] = {}
        self._known = False
        self._waiting: list[Callable[[], None]] = []

    # -- what scripts and modules use ------------------------------------------------------

    def define_series(self, name: str, kind: str, interval: int, windows: int) -> Series:
        """Define an audit series; one that is there stays, with what it has counted.

        Raises:
            SharedError: there can be no such series.
        """
        if kind not in series.TYPES:
            raise SharedError(f"a series is of type cidr, cidr_ipv6 or string, not {kind!r}")
        if interval < 1 or not 1 <= windows <= series.MOST_WINDOWS:
            raise SharedError(
                f"a series has 1 to {series.MOST_WINDOWS} windows of 1 second or more"
            )
        shape = Shape(series.KIND, name, (series.TYPES.index(kind), interval, windows))
        return cast(Series, self._defined(shape))

    def series(self, name: str) -> Series:
        """Return a series. Raises SharedError."""
        found = self._tables.get((series.KIND, name))
        if isinstance(found, Series):
            return found
        return self._find(Series, series.KIND, name, "audit series")

    def series_named(self, name: bytes) -> Series:
        """As `series`, by the octets of its name; scripts ask with each command of a session."""
        found = self._named.get(name)
        if found is None:
            found = self._named[name] = self.series(name.decode("utf-8", "surrogateescape"))
        return found

    def define_gauge(self, name: str, most: int, ttl: int) -> GaugeCache:
        """Define a gauge cache; one that is there stays. Raises SharedError."""
        if not 1 <= most <= gauges.MOST_ELEMENTS or ttl < 1:
            raise SharedError(
                f"a gauge cache has 1 to {gauges.MOST_ELEMENTS} entries, which live 1 s or more"
            )
        return cast(GaugeCache, self._defined(Shape(gauges.KIND, name, (most, ttl))))

    def gauge(self, name: str) -> GaugeCache:
        """Return a gauge cache. Raises SharedError."""
        return self._find(GaugeCache, gauges.KIND, name, "gauge cache")

    def define_values(self, name: str, most: int) -> Values:
        """Define a map of values; one that is there stays. Raises SharedError."""
        most = min(max(most, 1), values.MOST_VALUES)
        return cast(Values, self._defined(Shape(values.KIND, name, (most,))))

    def define_presence(self, name: str) -> Presence:
        """Define numbers of what is there. Raises SharedError."""
        return cast(Presence, self._defined(Shape(presence.KIND, name)))

    @property
    def counters(self) -> Counters:
        """Return the generic counters."""
        return cast(Counters, self._defined(Shape(counters.KIND)))

    @property
    def variables(self) -> Values:
        """Return the shared variables of scripts."""
        return self.define_values(SHARE, MOST_SHARED)

    def has(self, kind: str, name: str = "") -> bool:
        """Say whether there is such a thing."""
        return (kind, name) in self._tables

    def forget(self, kind: str, name: str) -> None:
        """A definition is gone with the configuration that had it."""
        self._mine.discard((kind, name))
        self._tables.pop((kind, name), None)
        self._named.clear()
        self._dirty.pop((kind, name), None)

    def all_series(self) -> list[Series]:
        return [each for each in self._tables.values() if isinstance(each, Series)]

    def all_gauges(self) -> list[GaugeCache]:
        return [each for each in self._tables.values() if isinstance(each, GaugeCache)]

    def all_presences(self) -> list[Presence]:
        return [each for each in self._tables.values() if isinstance(each, Presence)]

    def all_values(self) -> list[Values]:
        return [each for each in self._tables.values() if isinstance(each, Values)]

    @property
    def in_use(self) -> bool:
        """Say whether anything is defined here."""
        return bool(self._mine)

    @property
    def first(self) -> bool:
        """Say whether this worker does what one of them has to do."""
        return min(self.alive())[0] == self.number

    def when_known(self, call: Callable[[], None]) -> None:
        """Call when all is known that others know: at once, if it is."""
        if self._known:
            call()
        else:
            self._waiting.append(call)

    # -- what tells the others uses --------------------------------------------------------

    @property
    def tables(self) -> list[Table]:
        return list(self._tables.values())

    def know(self) -> None:
        """All is known that others know."""
        self._known = True
        waiting, self._waiting = self._waiting, []
        for call in waiting:
            call()

    def take_changed(self) -> Iterator[Table]:
        """Yield what has changed since this was last called."""
        changed, self._dirty = self._dirty, {}
        yield from changed.values()

    def told(self, shape: Shape) -> Table | None:
        """Return the thing another worker tells something of.

        One that is not defined here is kept for when it is; None: it is another one here, or
        there are too many.
        """
        found = self._tables.get((shape.kind, shape.name))
        if found is not None:
            return found if found.shape == shape else None
        if len(self._tables) >= MOST_TABLES:
            return None
        found = self._made(shape)
        if found is not None:
            self._tables[shape.kind, shape.name] = found
            self._count(found)
        return found

    # -- definitions -----------------------------------------------------------------------

    def _defined(self, shape: Shape) -> Table:
        key = shape.kind, shape.name
        found = self._tables.get(key)
        if found is not None and found.shape == shape:
            self._mine.add(key)
            return found
        if found is None and len(self._tables) >= MOST_TABLES:
            raise SharedError(f"{MOST_TABLES} things are shared, and no more can be")
        if len(shape.name) > MAX_NAME:
            raise SharedError(f"a name has {MAX_NAME} characters at most")
        made = self._made(shape)
        if made is None:
            raise SharedError("nothing of this kind is shared", kind=shape.kind)
        first = not self._mine
        self._tables[key] = made
        self._named.clear()
        self._dirty.pop(key, None)
        self._mine.add(key)
        if first:
            self.opened()
        self._count(made)
        return made

    def _made(self, shape: Shape) -> Table | None:
        name, numbers = shape.name, shape.numbers
        means = self._means
        match shape.kind, numbers:
            case series.KIND, (kind, interval, windows) if kind in range(len(series.TYPES)):
                if interval < 1 or windows < 1:
                    return None
                of = series.TYPES[kind]
                return Series(name, of, interval, windows, means)
            case gauges.KIND, (most, ttl):
                return GaugeCache(name, most, ttl, means)
            case values.KIND, (most,):
                return Values(name, most, means, self.number)
            case presence.KIND, ():
                return Presence(name, self._heard)
            case counters.KIND, ():
                return Counters(means)
            case _:
                return None

    def _count(self, table: Table) -> None:
        if isinstance(table, Presence):
            self.counted(table)

    def _heard(self, table: Table) -> None:
        key = table.shape.kind, table.shape.name
        if key not in self._dirty and self._tables.get(key) is table:
            self._dirty[key] = table
            if len(self._dirty) == 1:
                self.changed()

    def _find(self, of: type[T], kind: str, name: str, what: str) -> T:
        found = self._tables.get((kind, name))
        if not isinstance(found, of):
            raise SharedError(f"there is no {what} {name!r}; define it first")
        return found
