"""A database in memory which does as a test says: `Bank` is its driver.

bank = Bank()
bank.answers["SELECT 1"] = [[1]]
bank.away = True                    connections are refused
bank.hangs = True                   nothing is answered, until `release`
"""

import asyncio
from collections import Counter
from typing import Any

from angarium.data.driver import Bound
from angarium.data.errors import StatementError, UnreachableError
from angarium.data.rows import Columns, Rows, Scalar, rows
from angarium.data.statement import Template, sql


class Link:
    """A connection."""

    def __init__(self, bank: "Bank") -> None:
        self._bank = bank
        self.open_ = False

    @property
    def alive(self) -> bool:
        return self.open_ and not self._bank.cut

    async def open(self) -> None:
        self._bank.tried += 1
        if self._bank.deaf:
            await self._bank.free.wait()
        if self._bank.away:
            raise UnreachableError("connection refused")
        self.open_ = True
        self._bank.open.add(self)
        self._bank.most = max(self._bank.most, len(self._bank.open))

    async def run(self, bound: Bound, *, fetch: bool) -> Rows:
        bank = self._bank
        bank.asked[bound.text] += 1
        if bank.hangs:
            await bank.free.wait()
        if bank.away or not self.open_:
            raise UnreachableError("connection lost")
        if bound.text not in bank.answers:
            raise StatementError("no such statement")
        lines = bank.answers[bound.text]
        return rows(Columns(["a"]), lines) if fetch else ()

    def close(self) -> "asyncio.Future[None] | None":
        self.open_ = False
        self._bank.open.discard(self)
        if self._bank.lingers:
            future = asyncio.get_running_loop().create_future()
            self._bank.lingering.append(future)
            return future
        return None


class Bank:
    """A driver.

    It answers "SELECT 1".

    Attributes:
        cut: connections die without a word; `deaf`: none comes about, and none is refused.
        lingers: a closed connection takes its room until its future in `lingering` is done.
        asked: statements, how often; `tried`: connections.
        most: connections which were open at once.
    """

    def __init__(self, label: str = "bank") -> None:
        self.label = label
        self.answers: dict[str, list[list[Scalar]]] = {"SELECT 1": [[1]], "NONE": [], "DO": []}
        self.away = self.cut = self.hangs = self.deaf = self.lingers = False
        self.free = asyncio.Event()
        self.asked: Counter[str] = Counter()
        self.tried = self.most = 0
        self.open: set[Link] = set()
        self.lingering: list[asyncio.Future[None]] = []

    @property
    def probe(self) -> str:
        return "SELECT 1"

    def template(self, text: str) -> Template:
        return sql(text, "sqlite")

    def bind(self, text: str, template: Template, values: tuple[Scalar, ...]) -> Bound:
        whom = values[0] if text == "WHOM ?" else ()
        return Bound(text, values, whom=whom)

    def connection(self, bound: Bound) -> Link:
        return Link(self)


def those(*lines: Any) -> Any:
    """Return rows as mappings, to compare with."""
    return lines
