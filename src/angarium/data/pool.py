"""`Pool`: the connections to one database, a few for all who ask.

Whoever asks gets an idle connection, else a new one while there is room, else waits in line. The
rule: a connection goes back only after its statement has come to an end; who is cancelled, because
the time is over, closes it, and its room is free when nothing is left of it. So a database which
hangs has at most `most` connections, and the rest of those who ask cost memory until their timeout.
"""

import asyncio
from collections import deque
from typing import Final, NamedTuple

from angarium.core.clock import Clock
from angarium.data.breaker import Breaker
from angarium.data.driver import Bound, Connection, Driver
from angarium.data.errors import LateError, RestingError, StatementError, UnreachableError
from angarium.data.rows import Rows

WAITING_MOST: Final = 10_000  # who comes then is told at once
_CLOSING_SECONDS: Final = 2.0


class Idle(NamedTuple):
    """A connection which nobody uses, and since when."""

    connection: Connection
    whom: object
    since: float


class Pool:
    """Connections of one driver.

    Args:
        most: connections at once.
        idle_most, idle_seconds: how many may be kept without use, and for how long.

    Attributes:
        opened: connections made since the start.
        reused: statements which found an idle one.
        count: connections there are now.
    """

    def __init__(
        self,
        driver: Driver,
        breaker: Breaker,
        clock: Clock,
        *,
        most: int,
        idle_most: int,
        idle_seconds: float,
        connect_seconds: float,
    ) -> None:
        self.driver = driver
        self.breaker = breaker
        self._clock = clock
        self._most = most
        self._idle_most = idle_most
        self._idle_seconds = idle_seconds
        self._connect_seconds = connect_seconds
        self._idle: deque[Idle] = deque()  # those used last are at the end
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._closed = False
        self._ends: set[asyncio.Future[None]] = set()
        self.count = 0
        self.opened = 0
        self.reused = 0
        self.expired = 0

    @property
    def idle(self) -> int:
        return len(self._idle)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    async def run(self, bound: Bound, *, fetch: bool) -> Rows:
        """Run a statement.

        A read which finds that an idle connection has died is tried once more with a new one; what
        changes something is not, because nobody knows whether it has been done.

        Raises:
            DataError: see `data/errors`.
        """
        connection, used = await self._take(bound)
        try:
            found = await self._use(connection, bound, fetch=fetch)
        except UnreachableError:
            if not (used and fetch):
                raise
            self.close_idle()
            connection, _ = await self._take(bound)
            return await self._use(connection, bound, fetch=fetch)
        return found

    async def probe(self) -> None:
        """See whether the database answers, in the time it has. Raises DataError."""
        driver = self.driver
        query = driver.bind(driver.probe, driver.template(driver.probe), ())
        try:
            async with asyncio.timeout(self._connect_seconds):
                await self.run(query, fetch=True)
        except TimeoutError:
            raise LateError("no answer in time", seconds=self._connect_seconds) from None

    async def _use(self, connection: Connection, bound: Bound, *, fetch: bool) -> Rows:
        done = False
        try:
            found = await connection.run(bound, fetch=fetch)
            done = True
        except StatementError:
            done = True
            raise
        except UnreachableError as error:
            error.begun = True
            self.breaker.failed(error.message)
            raise
        except asyncio.CancelledError:
            self.breaker.failed("no answer in time")
            raise
        finally:
            if done and connection.alive and not self._closed:
                self._give_back(connection, bound.whom)
            else:
                self._drop(connection)
            if done:
                self.breaker.succeeded()
        return found

    async def _take(self, bound: Bound) -> tuple[Connection, bool]:
        """Return a connection, and whether it has been used before."""
        while True:
            if self._closed:
                raise UnreachableError("the datasource is being closed")
            if found := self._found(bound.whom):
                self.reused += 1
                return found, True
            if self.count < self._most:
                return await self._made(bound), False
            if self._idle:  # of others, to whom this statement must not go
                self._drop(self._idle.popleft().connection)
                continue
            await self._turn()

    def _found(self, whom: object) -> Connection | None:
        """Take the idle connection which was used last out of those for somebody."""
        for place in range(len(self._idle) - 1, -1, -1):
            each = self._idle[place]
            if each.whom == whom:
                del self._idle[place]
                if each.connection.alive:
                    return each.connection
                self._drop(each.connection)
        return None

    async def _made(self, bound: Bound) -> Connection:
        if not self.breaker.allows():
            wait = round(self.breaker.seconds, 1)
            raise RestingError("it is not asked now", seconds=wait, reason=self.breaker.reason)
        self.count += 1
        connection = self.driver.connection(bound)
        opened = False
        try:
            async with asyncio.timeout(self._connect_seconds):
                await connection.open()
            opened = True
        except TimeoutError:
            self.breaker.failed("no connection in time")
            raise LateError("no connection in time", seconds=self._connect_seconds) from None
        except StatementError:
            self.breaker.succeeded()  # It answers; it does not like who asks.
            raise
        except UnreachableError as error:
            self.breaker.failed(error.message)
            raise
        except asyncio.CancelledError:
            self.breaker.failed("no connection in time")
            raise
        finally:
            if not opened:
                self.breaker.withdrawn()
                self._drop(connection)
        self.opened += 1
        # That it takes connections is no proof that it answers; `_use` says.
        return connection

    async def _turn(self) -> None:
        """Wait in line for room."""
        if len(self._waiting) >= WAITING_MOST:
            raise RestingError("too many wait for it", waiting=len(self._waiting))
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self._next()  # It was my turn; it is the next one's.
            raise
        finally:
            if future in self._waiting:
                self._waiting.remove(future)

    def _next(self) -> None:
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(None)
                return

    def _give_back(self, connection: Connection, whom: object) -> None:
        self._idle.append(Idle(connection, whom, self._clock.monotonic()))
        while len(self._idle) > self._idle_most:
            self._drop(self._idle.popleft().connection)
        self._next()

    def _drop(self, connection: Connection) -> None:
        """Close a connection; its room is free when nothing is left of it."""
        end = connection.close()
        if end is None:
            self._freed()
        else:
            self._ends.add(end)
            end.add_done_callback(self._ended)

    def _ended(self, end: "asyncio.Future[None]") -> None:
        self._ends.discard(end)
        self._freed()

    def _freed(self) -> None:
        self.count -= 1
        self._next()

    def close_idle(self) -> int:
        """Close what nobody uses; return how many that were."""
        count = len(self._idle)
        while self._idle:
            self._drop(self._idle.popleft().connection)
        return count

    def tick(self) -> None:
        """Close what was idle for too long, or has died meanwhile."""
        over = self._clock.monotonic() - self._idle_seconds
        gone = [each for each in self._idle if each.since <= over or not each.connection.alive]
        for each in gone:
            self._idle.remove(each)
            self.expired += 1
            self._drop(each.connection)

    def adapt(self, *, most: int, idle_most: int, idle_seconds: float) -> None:
        """Go over to other bounds; connections in use stay."""
        self._most, self._idle_most, self._idle_seconds = most, idle_most, idle_seconds
        while len(self._idle) > idle_most:
            self._drop(self._idle.popleft().connection)
        for _ in range(most):
            self._next()

    def close(self) -> None:
        """Close all; connections in use are closed when their statements have come to an end."""
        self._closed = True
        self.close_idle()
        waiting, self._waiting = self._waiting, deque()
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def gone(self) -> None:
        """Wait until nothing is left of connections, for a moment at most."""
        if self._ends:
            await asyncio.wait(list(self._ends), timeout=_CLOSING_SECONDS)
