"""What a tree of processes costs: processor time and memory, from /proc."""

import os
import re
from pathlib import Path
from typing import Final

TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")


def tree(roots: set[int]) -> dict[int, list[str]]:
    """Return pid to the fields of /proc/PID/stat after the name, for the roots and all below."""
    stats: dict[int, list[str]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stat = Path(f"/proc/{entry}/stat").read_text(encoding="ascii", errors="replace")
            except OSError:
                continue  # It ended while we looked.
            stats[int(entry)] = stat.rpartition(")")[2].split()
    members = roots & stats.keys()
    while more := {pid for pid, fields in stats.items() if int(fields[1]) in members} - members:
        members |= more
    return {pid: stats[pid] for pid in members}


def cpu_seconds(roots: set[int]) -> float:
    """User and system time of the tree, children which have ended included."""
    ticks = sum(int(tick) for fields in tree(roots).values() for tick in fields[11:15])
    return ticks / TICKS_PER_SECOND


def pss_octets(roots: set[int]) -> int:
    """Proportional set size: shared pages are counted once over all who share them."""
    total = 0
    for pid in tree(roots):
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        except OSError:
            continue
        found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
        total += int(found[1]) * 1024 if found else 0
    return total
