"""What is wrong, and whom that was told: the memory of the alerts.

An incident is what is wrong with one thing: a kind, and what it is about. Nothing is queued for a
receiver: of each incident stands here what it is like, and what each receiver was told last; what
differs is to be told. So a receiver which cannot be reached for hours gets one message about how
things are, and no storm.

    state = 2 x announcement + (1 if it is over)

An announcement is due when an incident begins, and again when it lasts or comes back after a time
(`Limits.again`). A receiver is told while its number is less than the state, so an incident that
comes and goes within that time is told once, with its end.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

MAX_TEXT: Final = 500  # characters of what is said about one
OVERHEAD: Final = 400  # octets of an incident beside its texts, about

Key = tuple[str, str]


@dataclass(slots=True)
class Incident:
    """Something that is wrong, or was.

    Attributes:
        kind: such as "disk"; receivers are chosen by it.
        about: which one of its kind: a path, a worker; "" where there is only one.
        lasting: somebody will say that it is over; else it is when nothing more comes.
        since, last: Unix times of its begin, and when it was seen last.
        count: how often it was seen.
        changed: Unix time of the last change of `state`.
        announced: Unix time of the last announcement.
        over_at: Unix time of its end; 0.0 while it is not over.
        told: receiver to the state it was told last.
    """

    kind: str
    about: str
    text: str
    lasting: bool
    since: float
    last: float
    count: int = 1
    announcement: int = 1
    changed: float = 0.0
    announced: float = 0.0
    over_at: float = 0.0
    told: dict[str, int] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        return self.kind, self.about

    @property
    def over(self) -> bool:
        return self.over_at > 0.0

    @property
    def state(self) -> int:
        return 2 * self.announcement + self.over

    @property
    def size(self) -> int:
        """Return the octets it takes, about."""
        return OVERHEAD + 4 * (len(self.text) + len(self.about))


@dataclass(frozen=True, slots=True)
class Limits:
    """How often something is told; times in seconds.

    Attributes:
        again: an incident is announced again after so long (option alerting_cache_ttl).
        quiet: one without an end of its own is over after so long.
        gather: for so long others are waited for before it is told.
        octets: for all incidents (option alerting_cache_size).
    """

    again: float = 3600.0
    quiet: float = 600.0
    gather: float = 5.0
    octets: int = 1048576


class Incidents:
    """All incidents which are not over, not told everywhere, or told not long ago.

    Attributes:
        changed: something is to be kept on disk.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.changed = False
        self._all: dict[Key, Incident] = {}

    def __iter__(self) -> Iterator[Incident]:
        return iter(self._all.values())

    def __len__(self) -> int:
        return len(self._all)

    def begin(self, kind: str, about: str, text: str, now: float, *, lasting: bool = False) -> None:
        """Something is wrong, now or still."""
        text, about = _plain(text), _plain(about)
        self.changed = True
        found = self._all.get((kind, about))
        if found is None:
            self._all[kind, about] = Incident(
                kind, about, text, lasting, now, now, changed=now, announced=now
            )
            self._fit()
            return
        found.text, found.last, found.lasting = text, now, lasting
        found.count += 1
        if found.over and now - found.announced >= self.limits.again:
            found.since, found.count = now, 1
            self._announce(found, now)
        found.over_at = 0.0

    def end(self, kind: str, about: str, now: float) -> None:
        """It is over, if it was there."""
        found = self._all.get((kind, _plain(about)))
        if found is not None and not found.over:
            self._over(found, now)

    def end_all(self, kind: str, now: float) -> None:
        """All of a kind which last are over."""
        for each in self._all.values():
            if each.kind == kind and each.lasting and not each.over:
                self._over(each, now)

    def open(self, kind: str) -> list[Incident]:
        """Return those of a kind which are not over."""
        return [each for each in self._all.values() if each.kind == kind and not each.over]

    def tick(self, now: float, receivers: Iterable[str]) -> None:
        """Let time pass: what is quiet is over, what lasts is told again, what is told is gone."""
        names = set(receivers)
        for each in list(self._all.values()):
            old = now - each.announced >= self.limits.again
            if each.over:
                if old and all(each.told.get(name, 0) >= each.state for name in names):
                    del self._all[each.key]
                    self.changed = True
            elif not each.lasting and now - each.last >= self.limits.quiet:
                self._over(each, now)
            elif old and (each.lasting or each.last > each.announced):
                self._announce(each, now)

    def due(self, receiver: str, wanted: Callable[[str], bool], now: float) -> list[Incident]:
        """Return what a receiver is to be told now, oldest first; [] while more may come."""
        found = [
            each
            for each in self._all.values()
            if each.told.get(receiver, 0) < each.state and wanted(each.kind)
        ]
        if found and now - min(each.changed for each in found) < self.limits.gather:
            return []
        return sorted(found, key=lambda each: each.since)

    def told(self, receiver: str, states: Mapping[Key, int]) -> None:
        """A receiver knows these states."""
        for key, state in states.items():
            if key in self._all:
                self._all[key].told[receiver] = state
                self.changed = True

    def dump(self) -> bytes:
        """Return all as text, for the disk."""
        return json.dumps([asdict(each) for each in self._all.values()]).encode()

    def load(self, octets: bytes) -> None:
        """Take what `dump` gave; what is no such text is passed over.

        Raises:
            ValueError: it is none; nothing is taken.
        """
        try:
            found = [_checked(each) for each in json.loads(octets)]
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"not what was kept: {error}") from error
        self._all = {each.key: each for each in found}
        self._fit()

    def _announce(self, incident: Incident, now: float) -> None:
        incident.announcement += 1
        incident.announced = incident.changed = now
        self.changed = True

    def _over(self, incident: Incident, now: float) -> None:
        incident.over_at = incident.changed = now
        self.changed = True

    def _fit(self) -> None:
        """Forget the oldest where there are too many; what is over goes first."""
        size = sum(each.size for each in self._all.values())
        if size <= self.limits.octets:
            return
        for each in sorted(self._all.values(), key=lambda each: (not each.over, each.last)):
            if size <= self.limits.octets:
                break
            del self._all[each.key]
            size -= each.size


def _plain(text: str) -> str:
    """Return a text as one line of printable characters: it goes into headers, and to terminals."""
    return "".join(each if each.isprintable() else "?" for each in text[:MAX_TEXT])


def _checked(raw: dict[str, Any]) -> Incident:
    incident = Incident(**raw)
    numbers = (
        incident.since, incident.last, incident.count, incident.announcement, incident.changed,
        incident.announced, incident.over_at, *incident.told.values(),
    )  # fmt: skip
    if not all(isinstance(each, int | float) for each in numbers):
        raise TypeError("a number is none")
    if not all(isinstance(each, str) for each in (incident.kind, incident.about, incident.text)):
        raise TypeError("a text is none")
    return incident
