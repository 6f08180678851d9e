"""Which records are wanted: about their message, about an attempt, about a refusal."""

import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from typing import Final

from angarium.run.trace.records import Record

Test = Callable[[str], object]
ATTEMPTS: Final = frozenset("DXTP")


@dataclass(slots=True)
class Choice:
    """All of it must hold; of several tests of one thing, any.

    Attributes:
        message: by the name of a field of a reception, or "sender" and "recipient".
        attempt: by the name of a field of deliveries and failures.
        domains: of the recipient, in any record.
        kinds: codes of records; none for all.
        conn, mess: by the name of a variable of a refusal; its value, or None for any.
    """

    message: dict[str, list[Test]] = field(default_factory=dict)
    attempt: dict[str, list[Test]] = field(default_factory=dict)
    domains: list[Test] = field(default_factory=list)
    kinds: frozenset[str] = frozenset()
    idents: frozenset[str] = frozenset()
    start: float = float("-inf")
    end: float = float("inf")
    conn: list[tuple[str, Test | None]] = field(default_factory=list)
    mess: list[tuple[str, Test | None]] = field(default_factory=list)
    main_only: bool = False

    @property
    def of_rejections(self) -> bool:
        """Say whether only refusals can be meant."""
        return bool(self.conn or self.mess)

    @property
    def of_mainlog(self) -> bool:
        """Say whether only records of mainlog can be meant."""
        return bool(
            self.main_only or self.message or self.attempt or self.domains or self.kinds
            or self.idents
        )  # fmt: skip

    def begins(self, record: Record) -> bool:
        """Say whether a record is the reception of a message that is wanted."""
        return record.code == "R" and _all(self.message, record)

    def takes(self, record: Record, chosen: Container[str] | None) -> bool:
        """Say whether a record is wanted.

        Args:
            chosen: the messages that are, where that was found before; else only their receptions
                are told.
        """
        if not self.start <= record.at <= self.end:
            return False
        if not record.code:
            return not self.of_mainlog and self._refused(record)
        if self.of_rejections:
            return False
        if self.kinds and record.code not in self.kinds:
            return False
        if self.idents and record.ident not in self.idents:
            return False
        if self.domains and not _any(self.domains, record.fields.get("domain", "")):
            return False
        if self.message and not (self.begins(record) if chosen is None else record.ident in chosen):
            return False
        return not self.attempt or (record.code in ATTEMPTS and _all(self.attempt, record))

    def _refused(self, record: Record) -> bool:
        return _variables(self.conn, record.conn) and _variables(self.mess, record.mess)


def _all(tests: Mapping[str, list[Test]], record: Record) -> bool:
    for name, any_of in tests.items():
        if name in ("sender", "recipient"):
            value = record.sender if name == "sender" else record.recipient
        else:
            value = record.fields.get(name, "")
        if not _any(any_of, value):
            return False
    return True


def _any(tests: list[Test], value: str) -> bool:
    return any(test(value) for test in tests)


def _variables(wanted: list[tuple[str, Test | None]], there: Mapping[str, str]) -> bool:
    return all(name in there and (test is None or bool(test(there[name]))) for name, test in wanted)


def equal(text: str) -> Test:
    """Return a test for a value, whatever the case of its letters; "<>" is none."""
    wanted = re.sub(r"^<(.*)>$", r"\1", text).lower()
    return lambda value: value.lower() == wanted
