"""`summary`: the figures of the node at a glance, and `summary reset`."""

import asyncio
import os
import platform
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from angarium.console.access import Rank
from angarium.console.command import command
from angarium.console.errors import CommandError
from angarium.console.questions import numbers
from angarium.console.result import Result, Said
from angarium.console.session import Session
from angarium.console.statistics import Reset
from angarium.console.sums import Counts

Value = float | str
# What is counted since the last reset: name here, its metric.
_COUNTED: Final = {
    "Successfully Delivered Messages": "deliveries",
    "Failed Messages": "failures",
    "Rejected Messages": "refusals",
    "Received Messages": "receptions",
}
_QUERIES: Final = ("A", "AAAA", "MX", "TXT")
_WIDTH: Final = 8


def total(values: Mapping[str, float | list[int]], name: str) -> float:
    """Return a value, of all its labels together; 0 for what nobody has counted."""
    value = values.get(name)
    if isinstance(value, int | float):
        return value
    start = f"{name}|"
    return sum(
        each for key, each in values.items() if key.startswith(start) and not isinstance(each, list)
    )


@command("summary", who=Rank.VIEWER)
async def summary(session: Session, what: str = "") -> Result:
    """Print the figures of the whole server: queues, connections, mail, DNS.

    Counts are since the start or the last `summary reset`, rates those of this moment.
    `with-mobile` would add the counts of text messages, which no module sends here.
    """
    if what not in ("", "with-mobile"):
        raise CommandError(f"{what}: write summary, summary with-mobile or summary reset")
    counted, rates, domains, dns = await asyncio.gather(
        session.node.ask(numbers.numbers()),
        session.node.ask(numbers.rates()),
        session.node.ask(numbers.domains()),
        session.node.ask(numbers.resolver()),
    )
    if counted.total is None or rates.total is None or dns.total is None:
        raise CommandError("no worker answers: " + "; ".join(counted.missing))
    values, now = counted.total.values, time.time()
    kept = session.node.statistics
    reset = kept.reset
    names = (dns.total + Counts(kept.gone.names)).values
    peak = max(each.values.get("peak_us", 0) for each in dns.each.values())
    fields: dict[str, Value] = {
        **_queues(values, len(domains.total.digests) if domains.total else 0),
        **_names(names, peak, reset),
        "Query Rate": rates.total.values["asked"],
        **{
            name: total(values, metric) - reset.counts.get(metric, 0)
            for name, metric in _COUNTED.items()
        },
        "Delivery Rate": rates.total.values["delivered"],
        "Reception Rate": rates.total.values["received"],
        "Statistics Last Reset": now - (reset.at or session.node.started),
        "Uptime": now - session.node.started,
    }
    lines = ["Summary Statistics", *(_line(name, value) for name, value in fields.items())]
    if what:
        lines.append("        Mobile messages: no module here sends any")
    plain = {name.lower().replace(" ", "_"): value for name, value in fields.items()}
    return Said("\n".join([*lines, *counted.missing]), {**plain, "missing": counted.missing})


def _queues(values: Mapping[str, float | list[int]], domains: int) -> dict[str, Value]:
    queued, delayed = total(values, "queued"), total(values, "delayed")
    return {
        "Outbound Concurrency": total(values, "connections_out"),
        "Inbound Concurrency": total(values, "sessions_in"),
        "Active Domains": domains,
        "Active Queue Size": queued - delayed,
        "Delayed Queue Size": delayed,
        "Total Queue Size": queued,
    }


def _names(counts: Mapping[str, float], peak: float, reset: Reset) -> dict[str, Value]:
    def since(name: str) -> float:
        # Those of a worker which has died, and did not leave, are gone with it.
        return max(0.0, counts.get(name, 0) - reset.counts.get(f"dns.{name}", 0))

    found: dict[str, Value] = {"DNS Resolver": "angarium"}
    for kind in _QUERIES:
        found[f"DNS {kind} Queries"] = since(f"queries.{kind}")
        found[f"DNS {kind} Timeouts"] = since(f"timeouts.{kind}")
    found["DNS Response Time Peak (ms)"] = peak / 1000
    answered = counts.get("responses", 0)
    found["DNS Response Time Average (ms)"] = (
        counts.get("time_us", 0) / answered / 1000 if answered else 0.0
    )
    found["Pending DNS Queries"] = counts.get("pending", 0)
    found["DNS Rate Limiter"] = "enabled" if counts.get("pacer.limited") else "disabled"
    return found


_UNITS: Final = {
    "Query Rate": "queries/second",
    "Delivery Rate": "messages/second",
    "Reception Rate": "messages/second",
    "Statistics Last Reset": "seconds",
    "Uptime": "seconds",
}


def _line(name: str, value: Value) -> str:
    if isinstance(value, str):
        return f"        {name}: {value}"
    unit = _UNITS.get(name, "")
    decimals = 2 if unit.endswith("/second") or name.endswith("(ms)") else 0
    return f"        {name}: {value:6.{decimals}f} {unit}".rstrip()


@command("summary reset", who=Rank.OPERATOR)
async def reset_summary(session: Session) -> Result:
    """Count from now on: `summary` shows what has come since. Metrics go on rising."""
    counted = await session.node.ask(numbers.numbers())
    dns = await session.node.ask(numbers.resolver())
    if counted.total is None or dns.total is None:
        raise CommandError("no worker answers: " + "; ".join(counted.missing))
    values = counted.total.values
    counts = {metric: total(values, metric) for metric in _COUNTED.values()}
    names = dns.total + Counts(session.node.statistics.gone.names)
    counts |= {f"dns.{name}": count for name, count in names.values.items()}
    session.node.statistics.reset = Reset(time.time(), counts)
    return Said("statistics cleared.", {"reset": True})


@command("sysinfo", who=Rank.VIEWER)
def sysinfo(session: Session) -> Result:
    """Print which program runs, on which system."""
    try:
        system = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        system = ""
    built = time.strftime("%b %d %Y", time.localtime(Path(__file__).stat().st_mtime))
    kernel = " ".join(os.uname())
    fields = {
        "version": session.node.release,
        "installed": built,
        "product": "Angarium",
        "python": platform.python_version(),
        "system": system,
        "kernel": kernel,
        "processors": os.cpu_count(),
    }
    lines = [
        f"Angarium Version: {session.node.release} ({64 if sys.maxsize > 2**32 else 32}-bit)",
        f"build date: {built}",
        "product name: Angarium",
        *([system] if system else []),
        kernel,
        f"Python {fields['python']}, {fields['processors']} processors",
    ]
    return Said("\n".join(lines), fields)
