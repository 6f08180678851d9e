"""What an operator looks at first, out of what the processes measure: rates, queues, problems.

    history.add(sample)             once a second
    overview(history, ...)          as /status.json, /status and `angarium top` show it

Rule: **it is derived, and keeps nothing but a minute of samples**; a problem is a row of PROBLEMS,
and says what to do next.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import msgspec

from angarium.events.metrics import Value, merged, percentile

MOST: Final = 50  # queues which are shown by name; the others are added up
KEPT: Final = 61  # samples, one a second
STAGES: Final = (
    ("stage_reception", "reception"),
    ("stage_commit", "on disk"),
    ("stage_wait", "wait for turn"),
    ("stage_connect", "connect"),
    ("stage_delivery", "delivery"),
    ("stage_end_to_end", "end to end"),
)
RATES: Final = ("receptions", "refusals", "deliveries", "deferrals", "failures")
STEP_SECONDS: Final = 3  # of a curve of the last minute


class Queue(msgspec.Struct, frozen=True, array_like=True):
    """A queue: mail of one binding for one domain."""

    group: str
    binding: str
    domain: str
    active: int
    delayed: int
    in_flight: int
    connections: int
    why: str = ""  # nothing moves; "" if it may

    @property
    def waiting(self) -> int:
        return self.active + self.delayed + self.in_flight


@dataclass(frozen=True, slots=True)
class Sample:
    """What all processes had measured at one time.

    Attributes:
        rows: by process: "worker 0", "hose", "supervisor".
    """

    at: float
    rows: Mapping[str, Mapping[str, Value]]
    total: Mapping[str, Value]

    @classmethod
    def of(cls, at: float, rows: Mapping[str, Mapping[str, Value]]) -> "Sample":
        return cls(at, rows, merged(rows.values()))

    def number(self, name: str) -> float:
        """Return a value, of all its labels together; 0 for what nobody measures."""
        value = self.total.get(name)
        if isinstance(value, int | float):
            return value
        start = f"{name}|"
        return sum(
            each
            for key, each in self.total.items()
            if key.startswith(start) and not isinstance(each, list)
        )

    def labelled(self, name: str) -> dict[str, float]:
        """Return the values of a metric by those of its label."""
        start = f"{name}|"
        return {
            key[len(start) :]: each
            for key, each in self.total.items()
            if key.startswith(start) and not isinstance(each, list)
        }

    @property
    def workers(self) -> list[str]:
        return [name for name in self.rows if name.startswith("worker")]


class History:
    """The samples of the last minute.

    Args:
        whole: what rose is told since the start of the server, by who has not looked for a minute.
    """

    __slots__ = ("_samples", "whole")

    def __init__(self, *, whole: bool = False) -> None:
        self.whole = whole
        self._samples: deque[Sample] = deque(maxlen=KEPT)

    def add(self, sample: Sample) -> None:
        """Append; what is before a clock that was set back is forgotten."""
        if self._samples and sample.at < self._samples[-1].at:
            self._samples.clear()
        self._samples.append(sample)

    @property
    def last(self) -> Sample:
        return self._samples[-1]

    def before(self, seconds: float) -> Sample:
        """Return the sample of so long ago, or the oldest there is."""
        since = self.last.at - seconds
        return next((each for each in self._samples if each.at >= since), self.last)

    def rate(self, name: str, seconds: float = 10.0) -> float:
        """Return how much a counter rose in a second, of late."""
        before, last = self.before(seconds), self.last
        if last.at <= before.at:
            return 0.0
        return max(0.0, last.number(name) - before.number(name)) / (last.at - before.at)

    def course(self, name: str) -> list[float]:
        """Return how a gauge went in the last minute, a value for each step, the latest last."""
        return [each.number(name) for each in self._steps()]

    def rates(self, name: str) -> list[float]:
        """Return how much a counter rose in a second, for each step of the last minute."""
        steps = [(each.at, each.number(name)) for each in self._steps()]
        return [
            round(max(0.0, late - early) / (now - then), 2)
            for (then, early), (now, late) in pairwise(steps)
        ]

    def _steps(self) -> list[Sample]:
        found = [self.before(seconds) for seconds in range(60, -1, -STEP_SECONDS)]
        return list({each.at: each for each in found}.values())

    def risen(self, name: str, seconds: float = 60.0) -> dict[str, float]:
        """Return what rose of a metric with a label, by its values."""
        last = self.last.labelled(name)
        before = {} if self.whole else self.before(seconds).labelled(name)
        risen = {value: count - before.get(value, 0.0) for value, count in last.items()}
        return {value: count for value, count in risen.items() if count > 0}

    def durations(self, name: str) -> list[int]:
        """Return a histogram of the last minute."""
        now, before = self.last.total.get(name), self.before(60.0).total.get(name)
        if not isinstance(now, list):
            return []
        if self.whole or not isinstance(before, list):
            return now
        return [max(0, late - early) for late, early in zip(now, before, strict=True)]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something an operator should know.

    Attributes:
        blocks: mail is not taken in, or not delivered.
        look: what to look at next.
    """

    text: str
    look: str
    blocks: bool = False


def _no_answer(sample: Sample) -> str:
    wanted, there = int(sample.number("workers")), len(sample.workers)
    if "supervisor" not in sample.rows:
        return "the server does not run, or does not answer"
    return f"{there} of {wanted} workers answer" if there < wanted else ""


def _no_hose(sample: Sample) -> str:
    if "supervisor" in sample.rows and "hose" not in sample.rows:
        return "the hose does not run, or does not answer: no text logs are written"
    return ""


def _count(name: str, words: str, least: float = 1.0) -> Callable[[Sample], str]:
    """Return a test for a gauge, which is named in the words as {n}."""

    def test(sample: Sample) -> str:
        value = sample.number(name)
        return words.format(n=f"{value:,.0f}") if value >= least else ""

    return test


def _disk(sample: Sample) -> str:
    size, free = sample.number("disk_size"), sample.number("disk_free")
    if not size or free / size >= 0.1:
        return ""
    return f"{free / size:.0%} of the disk of the spool is free"


# What is looked for; the text, "" if all is well, what to look at next, and whether mail stands.
PROBLEMS: Final[Sequence[tuple[Callable[[Sample], str], str, bool]]] = (
    (_no_answer, "the service log, `journalctl -u angarium`", True),
    (_count("stopping", "the server stops"), "", True),
    (_count("leaving", "{n} workers are to end and take nothing new"), "", False),
    (_count("intake_stopped", "{n} workers take no mail"), "paniclog; disk space; memory", True),
    (_count("delivery_stopped", "{n} workers deliver nothing"), "paniclog; disk space", True),
    (
        _count("memory_stage", "memory is short: new sessions are refused", 2),
        "memory_hwm, memory_goal; what is resident",
        True,
    ),
    (
        _count("not_durable", "{n} workers say 250 before mail is on disk: a crash loses it"),
        "force_fsync, _unsafe_spool",
        False,
    ),
    (
        _count("recovering", "{n} shards are being read, their mail is not all known yet"),
        "it passes",
        False,
    ),
    (_no_hose, "the service log: it is started again and again", False),
    (_count("hose_held", "text logs cannot be written"), "paniclog; the disk of the logs", False),
    (
        _count("hose_lag_seconds", "text logs are {n} s behind", 60),
        "the disk of the logs; the CPU of the hose",
        False,
    ),
    (
        _count("suspended_bindings", "{n} bindings have no address on this machine"),
        "`angarium doctor`; bind_address",
        False,
    ),
    (_count("isolated", "{n} recipients are put aside"), "`angarium spool verify`", False),
    (_disk, "retention of logs; `angarium spool`", False),
    (_count("loop_pause", "a worker did nothing for {n} s", 1.0), "CPU of the machine", False),
)


def problems(sample: Sample) -> list[Problem]:
    """Return what is wrong, the worst first."""
    found = [
        Problem(text, look, blocks) for test, look, blocks in PROBLEMS if (text := test(sample))
    ]
    return sorted(found, key=lambda each: not each.blocks)


def together(queues: Iterable[Queue]) -> list[Queue]:
    """Return the busiest queues of all workers, those of one name added up."""
    sums: dict[tuple[str, str, str], Queue] = {}
    for each in queues:
        key = (each.group, each.binding, each.domain)
        before = sums.get(key)
        sums[key] = each if before is None else _sum(before, each)
    return sorted(sums.values(), key=lambda each: each.waiting, reverse=True)[:MOST]


def _sum(one: Queue, other: Queue) -> Queue:
    return Queue(
        one.group, one.binding, one.domain,
        one.active + other.active, one.delayed + other.delayed, one.in_flight + other.in_flight,
        one.connections + other.connections, one.why or other.why,
    )  # fmt: skip


def overview(history: History, queues: Sequence[Queue], about: Mapping[str, Any]) -> dict[str, Any]:
    """Return everything, for people and programs.

    Args:
        queues: the busiest, as `together` gives them.
        about: what does not change: name of the node, version.
    """
    sample = history.last
    number = sample.number
    found = problems(sample)
    shown = sum(each.waiting for each in queues)
    return {
        **about,
        "at": sample.at,
        "ready": not any(each.blocks for each in found),
        "problems": [
            {"text": each.text, "look": each.look, "blocks": each.blocks} for each in found
        ],
        "generation": int(number("generation")),
        "lately": "since start" if history.whole else "last minute",
        "up_seconds": max(0.0, sample.at - number("started")) if number("started") else 0.0,
        "per_second": {name: round(history.rate(name), 2) for name in RATES},
        "last_minute": {
            **{name: history.rates(name) for name in RATES},
            "queued": history.course("queued"),
        },
        "queue": {
            name: int(number(name))
            for name in ("queued", "delayed", "in_flight", "lines", "isolated", "recovering")
        },
        "connections": {
            "in": int(number("sessions_in")),
            "out": int(number("connections_out")),
            "dials": history.risen("dials"),
        },
        "limits": history.risen("limits_hit"),
        "refusals": history.risen("refusals"),
        "failures": history.risen("failures"),
        "stages": [_stage(history, name, words) for name, words in STAGES],
        "dns": _names(history),
        "memory": {
            name: int(number(f"memory_{name}")) for name in ("used", "limit", "hollow", "stage")
        },
        "disk": {"size": int(number("disk_size")), "free": int(number("disk_free"))},
        "logs": {
            "lag_seconds": round(number("hose_lag_seconds"), 3),
            "held": number("hose_held") > 0,
        },
        "processes": [_process(history, name) for name in sample.rows if name != "past"],
        "worker_deaths": int(number("worker_deaths")),
        "destinations": [_destination(each) for each in queues],
        "other_destinations": max(0, int(number("queued")) - shown),
    }


def _stage(history: History, name: str, words: str) -> dict[str, Any]:
    counts = history.durations(name)
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    return {"stage": words, "count": sum(counts)} | {
        label: percentile(counts, share) for label, share in shares.items()
    }


def _names(history: History) -> dict[str, Any]:
    asked = history.rate("dns_lookups", 60.0)
    return {
        "lookups_per_second": round(asked, 2),
        "from_cache": round(history.rate("dns_hits", 60.0) / asked, 3) if asked else None,
        "timeouts_last_minute": round(history.rate("dns_timeouts", 60.0) * 60),
        "entries": int(history.last.number("dns_entries")),
        "pending": int(history.last.number("dns_pending")),
    }


def _process(history: History, name: str) -> dict[str, Any]:
    before, last = history.before(10.0), history.last

    def value(sample: Sample, metric: str) -> float:
        found = sample.rows.get(name, {}).get(metric, 0.0)
        return found if not isinstance(found, list) else 0.0

    seconds = last.at - before.at
    used = value(last, "process_cpu") - value(before, "process_cpu")
    return {
        "name": name,
        "cpu": round(max(0.0, used) / seconds, 3) if seconds > 0 and name in before.rows else 0.0,
        "memory": int(value(last, "process_resident")),
        "descriptors": int(value(last, "process_descriptors")),
        "queued": int(value(last, "queued")),
        "sessions_in": int(value(last, "sessions_in")),
        "connections_out": int(value(last, "connections_out")),
    }


def _destination(queue: Queue) -> dict[str, Any]:
    return {
        "binding": queue.binding,
        "group": queue.group,
        "domain": queue.domain,
        "active": queue.active,
        "delayed": queue.delayed,
        "in_flight": queue.in_flight,
        "connections": queue.connections,
        "why": queue.why,
    }
