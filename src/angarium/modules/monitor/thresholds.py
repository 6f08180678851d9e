"""What is looked at again and again: is a number beyond its limit, or back within it?

Each look says of everything whether it is wrong, so what was missed once is found by the next one.
What is beyond a limit has to come back a little further, else it would come and go with each look.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from angarium.modules.monitor.incidents import Incidents
from angarium.modules.monitor.options.alerts import Alerting

MEMINFO: Final = Path("/proc/meminfo")
SLACK: Final = 1.2  # by how much a limit has to be cleared for an alert to be over
_MB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Found:
    """What a look says of one thing; `text` is "" where nothing is wrong."""

    kind: str
    about: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Measures:
    """What there is to look at.

    Attributes:
        disks: folder to (free, all) octets of its disk.
        memory: (available, all) octets of the machine; (0, 0) where that is not known.
        queued: recipients in the queues; None where no worker says it.
        lag: seconds which the logs are behind; None where nobody says it.
    """

    disks: Mapping[str, tuple[int, int]]
    memory: tuple[int, int] = (0, 0)
    queued: int | None = None
    lag: float | None = None


def look(measures: Measures, limits: Alerting, incidents: Incidents, now: float) -> None:
    """Begin and end incidents as the measures say."""
    wrong = {(each.kind, each.about) for kind in KINDS for each in incidents.open(kind)}
    for found in _found(measures, limits, wrong):
        if found.text:
            incidents.begin(found.kind, found.about, found.text, now, lasting=True)
        else:
            incidents.end(found.kind, found.about, now)


KINDS: Final = ("disk", "machine", "queue", "lag")


def _found(
    measures: Measures, limits: Alerting, wrong: Iterable[tuple[str, str]]
) -> Iterator[Found]:
    for folder, (free, size) in measures.disks.items():
        least = limits.disk_free * (SLACK if ("disk", folder) in wrong else 1.0)
        percent = 100.0 * free / size if size else 100.0
        text = f"{percent:.1f} % of the disk of {folder} is free, {free // _MB} MB"
        yield Found("disk", folder, text if percent < least else "")
    available, size = measures.memory
    if size:
        least = limits.memory_free * (SLACK if ("machine", "") in wrong else 1.0)
        percent = 100.0 * available / size
        text = f"{percent:.1f} % of the memory of the machine is available, {available // _MB} MB"
        yield Found("machine", "", text if percent < least else "")
    if measures.queued is not None:
        most = limits.queue_size
        if most is not None and ("queue", "") in wrong:
            most = int(most / SLACK)
        text = f"{measures.queued} recipients are in the queues"
        yield Found("queue", "", text if most is not None and measures.queued >= most else "")
    if measures.lag is not None:
        text = f"the logs are {measures.lag:.0f} s behind"
        yield Found("lag", "", text if measures.lag >= limits.log_lag else "")


def disks(folders: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Return what is free, as we may use it, of each disk once, by the first folder on it."""
    found: dict[int, tuple[str, tuple[int, int]]] = {}
    for folder in folders:
        try:
            device, space = os.stat(folder).st_dev, os.statvfs(folder)
        except OSError:
            continue  # It is not there yet; whoever writes there tells what is wrong.
        sizes = space.f_bavail * space.f_frsize, space.f_blocks * space.f_frsize
        found.setdefault(device, (folder, sizes))
    return dict(found.values())


def memory(text: str) -> tuple[int, int]:
    """Return (available, all) octets, of what /proc/meminfo says."""
    lines = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    try:
        values = [int(lines[name].split()[0]) * 1024 for name in ("MemAvailable", "MemTotal")]
    except (KeyError, ValueError, IndexError):
        return 0, 0
    return values[0], values[1]
