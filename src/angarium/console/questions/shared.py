"""What policy shares on the node. Each worker knows all of it: one is asked, one changes it."""

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from angarium.console.question import QuestionError, question
from angarium.core.errors import Error
from angarium.policy.shared import series_file
from angarium.policy.shared.blocks import block, packed, shown
from angarium.policy.shared.counters import SEMANTICS
from angarium.policy.shared.monitors import KINDS, monitored, monitors, series_of
from angarium.policy.shared.presence import SMTP
from angarium.policy.shared.series import STRING, Series
from angarium.policy.shared.told import Number, Plain, octets, text

if TYPE_CHECKING:
    from angarium.console.parts import Parts

Shown = bool | int | float | str | None

DEFAULT_FOLDER = "/var/log/ecelerity/audit_series_persist"


class CounterRow(msgspec.Struct, frozen=True):
    """A generic counter; `since`: Unix time from which it counts."""

    name: str
    value: Number
    semantics: str
    since: float


class SeriesRow(msgspec.Struct, frozen=True):
    """An audit series; `total`: of all its keys in all its windows."""

    name: str
    type: str
    interval: int
    windows: int
    keys: int
    total: Number
    refused: int


class KeyRow(msgspec.Struct, frozen=True):
    """A key of a series: its counts by window, that of now first."""

    key: str
    counts: list[Number]


class CacheRow(msgspec.Struct, frozen=True):
    """A gauge cache, or a map of values (`ttl` is 0)."""

    name: str
    kind: str
    entries: int
    most: int
    ttl: int
    evicted: int


class AddressRow(msgspec.Struct, frozen=True):
    """What inbound_audit has counted of an address in a window of a monitor."""

    address: str
    monitor: str
    window: int
    connections: Number
    receptions: Number
    rejections: Number


@question("shared counters")
def counters(worker: "Parts") -> list[CounterRow]:
    """Return all counters."""
    if not worker.shared.has("counters"):
        return []
    found = worker.shared.counters.items()
    return [CounterRow(text(n), v, SEMANTICS[c.semantics], c.since) for n, v, c in found]


@question("shared counter")
def count(worker: "Parts", name: str, act: Literal["add", "reset", "unlink"], delta: int) -> Number:
    """Change a counter; return what it is then."""
    kept, key = worker.shared.counters, octets(name)
    if act != "add" and key not in kept:
        raise QuestionError(f"there is no counter {name}; counter list shows those there are")
    try:
        if act == "unlink":
            kept.unlink(key)
        elif act == "reset":
            kept.reset(key)
        else:
            kept.add(key, delta)
    except Error as error:
        raise QuestionError(error.message) from error
    return kept.read(key)


@question("shared series")
def series(worker: "Parts") -> list[SeriesRow]:
    """Return all series."""
    return [
        SeriesRow(
            each.name, each.kind, each.interval, each.windows, len(each.keys()),
            each.total(0, each.windows), each.refused,
        )
        for each in sorted(worker.shared.all_series(), key=lambda each: each.name)
    ]  # fmt: skip


@question("shared series keys")
def keys(worker: "Parts", name: str, key: str, limit: int) -> list[KeyRow]:
    """Return the counts of a key, or a block; with key "" of those which are counted most."""
    try:
        found = worker.shared.series(name)
        if key:
            counted, bits = _key(found, key)
            return [KeyRow(key, _windows(found, counted, bits))]
    except Error as error:
        raise QuestionError(error.message) from error
    totals: dict[bytes, Number] = {}
    for kept in found.snapshot().values():
        for each, value in kept.items():
            totals[each] = totals.get(each, 0) + value
    most = sorted(totals, key=lambda each: (-totals[each], each))[:limit]
    return [KeyRow(_shown(found, each), _windows(found, each, -1)) for each in most]


@question("shared series change")
def change(
    worker: "Parts", name: str, parameters: str, key: str, act: Literal["add", "remove"], by: int
) -> str:
    """Add to a key of a series, or remove it; return the name of the series."""
    try:
        found = series_of(worker.shared, name, parameters)
        counted = octets(key) if found.kind == STRING else packed(key)
    except Error as error:
        raise QuestionError(error.message) from error
    if found.kind != STRING and not found.fits(counted):
        raise QuestionError(f"a series of type {found.kind} does not count {key}")
    if act == "add":
        found.add(counted, by)
    else:
        found.remove(counted)
    return found.name


@question("shared series forget")
def forget(worker: "Parts", name: str, key: str) -> str:
    """Forget a key of a series in all windows; return the name of the series."""
    try:
        found = worker.shared.series(name)
        found.remove(_key(found, key)[0])
    except Error as error:
        raise QuestionError(error.message) from error
    return found.name


@question("shared series count")
def count_block(
    worker: "Parts", key: str, name: str, parameters: str, start: int, end: int
) -> Number:
    """Return the count of a block in windows of a series."""
    try:
        found = series_of(worker.shared, name, parameters)
        counted, bits = _key(found, key)
    except Error as error:
        raise QuestionError(error.message) from error
    return found.count(counted, start, end, bits)


@question("shared series load")
def load(worker: "Parts", name: str, file: str) -> int:
    """Add what a file has to a series; return how many counts it took."""
    folder = DEFAULT_FOLDER
    for _, options in worker.configuration.instances("inbound_audit"):
        folder = getattr(options, "serialize_dir", folder)  # of a room above this one
    place = Path(file) if file else series_file.path_of(Path(), name)
    try:
        found = worker.shared.series(name)
        saved = series_file.read(worker.state / folder / place)
    except Error as error:
        raise QuestionError(str(error)) from error
    except OSError as error:
        raise QuestionError(f"{place}: {error.strerror}") from error
    if (saved.kind, saved.interval) != (found.kind, found.interval):
        raise QuestionError(
            f"the file has a series of type {saved.kind} with windows of {saved.interval} s,"
            f" {name} is of type {found.kind} with windows of {found.interval} s"
        )
    return found.take_in(saved.kept)


@question("inbound audit of a block")
def audited(worker: "Parts", key: str) -> list[KeyRow]:
    """Return what inbound_audit has counted of a block: a row by kind and monitor."""
    rows = []
    try:
        counted, bits = block(key)
        for kind in KINDS:
            for monitor in monitors(worker.shared):
                found = monitored(worker.shared, kind, monitor)
                rows.append(KeyRow(f"{kind} {found.interval}", _windows(found, counted, bits)))
    except Error as error:
        raise QuestionError(error.message) from error
    return rows


@question("inbound audit of all")
def audited_all(worker: "Parts", limit: int) -> list[AddressRow]:
    """Return what inbound_audit has counted, in the windows in which there was something."""
    rows: list[AddressRow] = []
    for monitor in monitors(worker.shared):
        several = [monitored(worker.shared, kind, monitor) for kind in KINDS]
        known = sorted(set().union(*(each.keys() for each in several)))
        for key in islice(known, limit):
            counts = zip(*(_windows(each, key, -1) for each in several), strict=True)
            rows += [
                AddressRow(shown(key), monitor, window, *found)
                for window, found in enumerate(counts)
                if any(found)
            ]
    return rows


@question("shared caches")
def caches(worker: "Parts") -> list[CacheRow]:
    """Return all gauge caches and maps of values."""
    shared = worker.shared
    return [
        *(
            CacheRow(each.name, "gauge cache", len(each), each.most, each.ttl, each.evicted)
            for each in shared.all_gauges()
        ),
        *(
            CacheRow(each.name, "values", len(each), each.most, 0, each.evicted)
            for each in shared.all_values()
        ),
    ]


@question("shared gauge")
def gauge(
    worker: "Parts", name: str, key: str, act: Literal["add", "show", "delete"], by: int
) -> Number:
    """Change an entry of a gauge cache; return what it is then."""
    try:
        found = worker.shared.gauge(name)
    except Error as error:
        raise QuestionError(error.message) from error
    if act == "delete":
        found.remove(octets(key))
    elif act == "add":
        found.add(octets(key), by)
    return found.get(octets(key))


@question("shared values")
def values(worker: "Parts", name: str, key: str, limit: int) -> dict[str, Shown]:
    """Return entries of a map of values or of a gauge cache; with key "" the first of all."""
    found: dict[str, Shown] = {}
    for cache in worker.shared.all_gauges():
        if cache.name == name:
            entries = ((k, v) for k, v in cache.items().items() if key in ("", text(k)))
            found |= {text(k): v for k, v in islice(entries, limit)}
    for each in worker.shared.all_values():
        if each.name == name:
            kept = (one for one in each.items() if key in ("", text(one.key)))
            found |= {text(one.key): _plain(one.value) for one in islice(kept, limit)}
    return found


def _plain(value: Plain) -> Shown:
    return text(value) if isinstance(value, bytes) else value


def _key(found: Series, key: str) -> tuple[bytes, int]:
    return (octets(key), -1) if found.kind == STRING else block(key)


def _shown(found: Series, key: bytes) -> str:
    return text(key) if found.kind == STRING else shown(key)


def _windows(found: Series, key: bytes, bits: int) -> list[Number]:
    return [found.count(key, each, each, bits) for each in range(found.windows)]


@question("shared sessions")
def sessions(worker: "Parts", key: str) -> Number:
    """Return how many sessions are open from a block; they are counted once somebody asks."""
    try:
        counted, bits = block(key)
    except Error as error:
        raise QuestionError(error.message) from error
    return worker.shared.define_presence(SMTP).count(counted, bits)
