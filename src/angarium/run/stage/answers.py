"""What DNS and databases say on a stage: what a transcript has given them to say."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from angarium.core.errors import Error
from angarium.data.errors import StatementError
from angarium.data.rows import Columns, Row, Rows, rows
from angarium.net.answer import MAX_ALIASES, Status
from angarium.net.dns import Done
from angarium.wire import dns as wire
from angarium.wire.dns import Record, Response, Soa, Value

FAILURES: Final = {"SERVFAIL": Status.SERVFAIL, "TIMEOUT": Status.TIMEOUT}
TTL: Final = 300
SOA: Final = Soa("ns.stage", "hostmaster.stage", 1, 3600, 600, 86400, 60)


class AnswerError(Error):
    """A line of a transcript which gives no answer."""


class Names:
    """A name server which knows what it was told; no other name exists.

    It stands where `net/dns` does, below the resolver of a worker.
    """

    def __init__(self) -> None:
        self._records: dict[str, list[Record]] = {}
        self._failures: dict[str, Status] = {}

    def add(self, words: Sequence[str]) -> None:
        """Take "example.com MX 10 mx.example.com", or "example.com TIMEOUT".

        Raises:
            AnswerError: it says nothing.
        """
        if len(words) == 2 and words[1].upper() in FAILURES:
            self._failures[_normal(words[0])] = FAILURES[words[1].upper()]
            return
        if len(words) < 3 or words[1].upper() not in wire.TYPES:
            kinds = ", ".join((*wire.TYPES, *FAILURES))
            raise AnswerError(f"dns NAME TYPE VALUE, of these types: {kinds}")
        kind, name = wire.TYPES[words[1].upper()], _normal(words[0])
        record = Record(name, kind, TTL, _value(kind, list(words[2:])))
        self._records.setdefault(name, []).append(record)

    def ask(self, name: str, rrtype: int, done: Done) -> None:
        name = _normal(name)
        failure = self._failures.get(name)
        if failure is not None:
            done(failure)
            return
        answers: list[Record] = []
        end = name
        for _ in range(MAX_ALIASES):
            found = self._records.get(end, [])
            alias = [each for each in found if each.type == wire.CNAME]
            if not alias or rrtype == wire.CNAME:
                answers += [each for each in found if each.type == rrtype]
                break
            answers += alias
            end = str(alias[0].value)
        rcode = wire.NOERROR if end in self._records else wire.NXDOMAIN
        authority = [] if answers else [Record("stage", wire.SOA, TTL, SOA)]
        done(Response(0, 0x8180, rcode, (name, rrtype), answers, authority))


def _normal(name: str) -> str:
    return name.lower().removesuffix(".")


def _value(kind: int, words: list[str]) -> Value:
    try:
        if kind == wire.MX:
            return int(words[0]), _normal(words[1])
        if kind == wire.TXT:
            return " ".join(words).encode()
        if kind == wire.SOA:
            return Soa(words[0], words[1], *map(int, words[2:7]))
    except (ValueError, IndexError, TypeError) as error:
        raise AnswerError(f"this is no such record: {' '.join(words)}") from error
    return words[0] if kind in (wire.A, wire.AAAA) else _normal(words[0])


@dataclass
class Databases:
    """Datasources which say what they were told to; blanks in statements do not count."""

    answers: dict[tuple[str, str], list[tuple[object, list[Any]]]] = field(default_factory=dict)
    asked: list[tuple[str, str, object]] = field(default_factory=list)

    def add(self, text: str) -> None:
        """Take `SOURCE "STATEMENT" [VALUES] -> ROWS`; VALUES and ROWS are JSON.

        Raises:
            AnswerError: it says nothing.
        """
        left, arrow, told = text.partition("->")
        try:
            words = shlex.split(left.partition("[")[0].partition("{")[0])
            given = left[len(left.partition("[")[0].partition("{")[0]) :].strip()
            values = msgspec.json.decode(given) if given else None
            found = msgspec.json.decode(told.strip()) if arrow else []
        except (ValueError, msgspec.DecodeError) as error:
            raise AnswerError(f"this answers no query: {error}") from error
        if len(words) != 2 or not arrow or not isinstance(found, list):
            raise AnswerError('query SOURCE "STATEMENT" [VALUES] -> [ROWS]')
        key = words[0], _blank(words[1])
        self.answers.setdefault(key, []).append((values, found))

    async def query(
        self, name: str, text: str, parameters: Any = (), *, fresh: bool = False
    ) -> Rows:
        given = dict(parameters) if isinstance(parameters, Mapping) else list(parameters)
        if isinstance(given, dict) and list(given) == list(range(1, len(given) + 1)):
            given = list(given.values())  # as Lua gives those which have places
        self.asked.append((name, text, given))
        for values, found in self.answers.get((name, _blank(text)), ()):
            if values is None or values == given:
                return _rows(found)
        raise StatementError("the transcript has no answer to this query", source=name, query=text)

    async def fetch_row(
        self, name: str, text: str, parameters: Any = (), *, fresh: bool = False
    ) -> Row | None:
        found = await self.query(name, text, parameters)
        return found[0] if found else None

    async def execute(self, name: str, text: str, parameters: Any = ()) -> None:
        await self.query(name, text, parameters)


def _blank(statement: str) -> str:
    return " ".join(statement.split())


def _rows(found: list[Any]) -> Rows:
    names = list(found[0]) if found and isinstance(found[0], dict) else ["1"]
    columns = Columns(names)
    lines = [list(each.values()) if isinstance(each, dict) else [each] for each in found]
    return rows(columns, lines)
