"""The logs gone through: once, or as often as it takes to know which messages are wanted.

What is remembered of messages lies in a file of SQLite that has no name, so memory does not grow
with the logs.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Final

from angarium.run.trace.choice import Choice
from angarium.run.trace.records import Record, parse
from angarium.run.trace.sources import Source

_CACHE: Final = -65536  # KiB of pages which stay in memory


class Messages:
    """Identifiers of messages, and lines about them."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        database.execute("CREATE TABLE ids (id TEXT PRIMARY KEY, at INTEGER) WITHOUT ROWID")
        database.execute("CREATE TABLE lines (id TEXT, line TEXT)")
        self._count = 0
        self._last = ""  # records of a message often follow each other

    def add(self, ident: str) -> None:
        self._database.execute("INSERT OR IGNORE INTO ids VALUES (?, ?)", (ident, self._count))
        self._count += 1

    def __contains__(self, ident: object) -> bool:
        if ident == self._last:
            return True
        found = self._database.execute("SELECT 1 FROM ids WHERE id = ?", (ident,)).fetchone()
        if found is not None:
            self._last = str(ident)
        return found is not None

    def keep(self, record: Record) -> None:
        octets = record.text.encode("utf-8", "surrogateescape")
        self._database.execute("INSERT INTO lines VALUES (?, ?)", (record.ident, octets))

    def grouped(self) -> Iterator[tuple[str, str]]:
        """Yield (message, line): by the first record of a message that was wanted."""
        for ident, octets in self._database.execute(
            "SELECT id, line FROM ids JOIN lines USING (id) ORDER BY ids.at, lines.rowid"
        ):
            yield ident, octets.decode("utf-8", "surrogateescape")


@contextmanager
def messages() -> Iterator[Messages]:
    """Yield an empty set of messages, which is gone afterwards."""
    with closing(sqlite3.connect("")) as database:
        database.execute("PRAGMA journal_mode = OFF")
        database.execute(f"PRAGMA cache_size = {_CACHE}")
        yield Messages(database)


def records(sources: Iterable[Source]) -> Iterator[Record]:
    """Yield the records of all sources. Raises SourceError."""
    for source in sources:
        for text in source.lines():
            record = parse(text)
            if record is not None:
                yield record


def passes(choice: Choice, *, whole: bool) -> int:
    """Return how often the sources are read. `whole`: messages are told, or counted."""
    return 3 if choice.message and (whole or choice.attempt) else 2 if whole else 1


@contextmanager
def wanted(choice: Choice, sources: Sequence[Source], *, joint: bool) -> Iterator[Iterator[Record]]:
    """Yield the records which are wanted.

    Args:
        joint: tests of a message choose all of its records, not only its reception.

    Raises:
        SourceError: in the midst of it.
    """
    with messages() as chosen:
        joint = bool(choice.message) and (joint or bool(choice.attempt))
        if joint:
            for record in records(sources):
                if choice.begins(record):
                    chosen.add(record.ident)
        known = chosen if joint else None
        yield (each for each in records(sources) if choice.takes(each, known))


@contextmanager
def histories(choice: Choice, sources: Sequence[Source]) -> Iterator[Iterator[tuple[str, Record]]]:
    """Yield (message, record) of all messages of which a record is wanted, and the refusals.

    Raises:
        SourceError: in the midst of it.
    """
    with messages() as found, wanted(choice, sources, joint=True) as taken:
        for record in taken:
            found.add(record.ident)
        for record in records(sources):
            if record.ident in found and (record.code or choice.takes(record, None)):
                found.keep(record)
        yield _parsed(found)


def _parsed(found: Messages) -> Iterator[tuple[str, Record]]:
    for ident, text in found.grouped():
        if (record := parse(text)) is not None:
            yield ident, record


def counted(choice: Choice, sources: Sequence[Source]) -> Counter[str]:
    """Return how many records there are of each code. Raises SourceError."""
    with wanted(choice, sources, joint=True) as taken:
        return Counter(record.code for record in taken)
