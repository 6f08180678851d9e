"""Event streams as a shard writes them, and events to write."""

from collections.abc import Mapping
from itertools import count
from pathlib import Path
from random import Random
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from angarium.events.schema import (
    Delivery,
    Event,
    PermanentFailure,
    Reception,
    Rejection,
    TransientFailure,
    encode,
)
from angarium.events.stream import DATA, KINDS, MESSAGES, NOWHERE, STATE, frame
from angarium.journal.disk import Disk, FileDisk
from angarium.journal.log import Log, Manner
from angarium.journal.segment import survey

E = TypeVar("E", bound=Struct)

EVENT = 64
_SEEDS = count(1)  # two streams have never the same nonces, even in one place
WHO = ("bob@example.com", "info@example.org", "example.com")
BOUND = ("default", "default")


class StreamWriter:
    """One stream, written at once, record by record.

    Sources rise by themselves: receptions come from the data log, all else from the state log.
    """

    def __init__(
        self, owner: Path, name: str = MESSAGES, limit: int = 1 << 20, disk: Disk | None = None
    ) -> None:
        self.directory = owner / name
        self.directory.mkdir(parents=True, exist_ok=True)
        self._disk = disk or FileDisk()
        self._name = name
        self._source = 0
        self.log = Log(
            self._disk,
            str(self.directory),
            Manner(KINDS[name], limit, allocate=False),
            random=Random(next(_SEEDS)),
            clock=lambda: 0.0,
        )
        found = survey(self._disk, str(self.directory), KINDS[name])
        if found.segments:
            self.log.resume(found)
        else:
            self.log.restart(1)

    def put(self, *events: Event, source: int = 0, sync: bool = True) -> int:
        """Write events, a record each; return the source number of the last one."""
        for event in events:
            self._source = source or self._source + 1
            log = DATA if isinstance(event, Reception) else STATE
            if self._name != MESSAGES:
                log = NOWHERE
            self.raw(frame(log, self._source, encode(event)), sync=sync)
        return self._source

    def raw(self, payload: bytes, *, sync: bool = True) -> None:
        self.log.append(EVENT, payload)
        self._write(sync)

    def close(self) -> None:
        """End the segment, as an owner does which goes in order."""
        self.log.close_segment()
        self._write(True)

    def _write(self, sync: bool) -> None:
        landed = self.log.write(self.log.take(), sync=sync)
        assert landed.error is None
        self.log.landed(landed)


def reception(ident: int, at: float = 100.0, **changes: object) -> Reception:
    return _made(Reception(at, ident, ident, 7, *WHO, "", 10, "esmtp", "default", *BOUND), changes)


def delivery(ident: int, at: float = 101.0, attempt: int = 0, **changes: object) -> Delivery:
    event = Delivery(at, ident, ident, 8, attempt, *WHO, 10, *BOUND, 100.0, "192.0.2.1:25", "250")
    return _made(event, changes)


def transient(
    ident: int, at: float = 101.0, attempt: int = 0, **changes: object
) -> TransientFailure:
    event = TransientFailure(
        *(at, ident, ident, 8, attempt, *WHO, 0, 10, *BOUND, 100.0, "192.0.2.1:25"),
        stage=4,
        reason="451 later",
        due=at + 1200.0,
    )
    return _made(event, changes)


def permanent(
    ident: int, at: float = 101.0, attempt: int = 0, **changes: object
) -> PermanentFailure:
    event = PermanentFailure(
        *(at, ident, ident, 8, attempt, *WHO, 0, 10, *BOUND, 100.0, "192.0.2.1:25"),
        stage=5,
        reason="550 no",
        classification=10,
    )
    return _made(event, changes)


def rejection(at: float = 101.0, text: str = "relaying denied") -> Rejection:
    return Rejection(
        *(at, "192.0.2.9:4000", "192.0.2.1:25", 7, "default", "default"),
        *(6, 550, "core", {}, {}),
        text,
    )


def _made(event: E, changes: Mapping[str, object]) -> E:
    return replace(event, **changes) if changes else event
