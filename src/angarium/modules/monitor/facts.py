"""What the agent serves, out of what the processes have measured and counted."""

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from time import gmtime, strftime
from typing import Final

from angarium.core.message import DEFAULT_BINDING_GROUP
from angarium.modules.monitor import tally
from angarium.modules.monitor.mib import ALL, Line, Row, Waiting

MOST_LINES: Final = 1000  # pairs of domain and binding which are served; those with the most mail
NO_GROUP: Final = "none"  # as Momentum calls it

Key = tuple[str, str, str]  # group, binding, domain; the domain "" is all of the binding


def release() -> tuple[str, str]:
    """Return our version, and the day on which it was installed."""
    try:
        ours = distribution("angarium")
    except PackageNotFoundError:
        return "", ""
    metadata = Path(str(ours.locate_file("."))) / f"angarium-{ours.version}.dist-info" / "METADATA"
    try:
        return ours.version, strftime("%b %d %Y", gmtime(metadata.stat().st_mtime))
    except OSError:
        return ours.version, ""


def total(values: Mapping[str, float]) -> Waiting:
    """Return the counts of the whole server."""
    delayed = int(values.get("delayed", 0))
    failures = sum(each for name, each in values.items() if name.startswith("failures|"))
    return Waiting(
        active=max(0, int(values.get("queued", 0)) - delayed),
        delayed=delayed,
        connections=int(values.get("connections_out", 0)),
        received=int(values.get("account|created", 0)),
        failed=int(failures),
        delivered=int(values.get("deliveries", 0)),
        deferred=int(values.get("deferrals", 0)),
    )


def _counts(waiting: Sequence[int], counted: Sequence[int]) -> Waiting:
    active, delayed, connections = waiting
    return Waiting(
        active,
        delayed,
        connections,
        received=counted[tally.RECEIVED],
        failed=counted[tally.FAILED],
        delivered=counted[tally.DELIVERED],
        deferred=counted[tally.DEFERRED],
    )


def rows_of(
    everything: Waiting,
    bindings: Iterable[tuple[str, str]],
    census: Mapping[Key, Sequence[int]],
    counts: Mapping[Key, Sequence[int]],
) -> list[Row]:
    """Return the rows of bindings: all, the default one, and the others as they are configured.

    Args:
        bindings: (group, binding), the default one first.
        census: what waits.
        counts: what has been.
    """
    rows = [Row(ALL, everything)]
    for group, binding in bindings:
        key = (group, binding, "")
        waiting, counted = census.get(key, (0, 0, 0)), counts.get(key, (0, 0, 0, 0))
        shown = NO_GROUP if group == DEFAULT_BINDING_GROUP else group
        rows.append(Row(f"{shown}/{binding}", _counts(waiting, counted)))
    return rows


def lines_of(
    bindings: Sequence[tuple[str, str]],
    census: Mapping[Key, Sequence[int]],
    counts: Mapping[Key, Sequence[int]],
) -> list[Line]:
    """Return the lines of domains, those with the most mail where there are too many."""
    number = {binding: index for index, binding in enumerate(bindings, 1)}
    lines = []
    for key in census.keys() | counts.keys():
        group = number.get(key[:2])
        if key[2] and group is not None:
            found = _counts(census.get(key, (0, 0, 0)), counts.get(key, (0, 0, 0, 0)))
            lines.append(Line(key[2], group, found))
    lines.sort(key=lambda line: (-_weight(line.counts), line.domain))
    return lines[:MOST_LINES]


def _weight(counts: Waiting) -> int:
    return counts.active + counts.delayed + counts.received + counts.delivered + counts.failed
