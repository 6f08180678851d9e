"""The overview on a terminal: what `angarium top` shows, in the room there is.

Rule: **what matters most is drawn first, and what has no room is left out**; so it is whole on 80
by 24, and shows more queues on more.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from angarium.mail.report.codes import CLASSES
from angarium.web.page import size, span

# By the key which asks for it: a name, and what queues are ordered by.
SORTS: Final[Mapping[str, tuple[str, Callable[[Mapping[str, Any]], Any]]]] = {
    "w": ("waiting", lambda each: -_waiting(each)),
    "a": ("active", lambda each: -each["active"]),
    "d": ("delayed", lambda each: -each["delayed"]),
    "c": ("connections", lambda each: -each["connections"]),
    "n": ("name", lambda each: (each["domain"], each["binding"])),
}
KEYS: Final = "sort: w waiting  a active  d delayed  c connections  n name    p pause  q quit"
_PROBLEMS: Final = 4
_FIXED: Final = 16  # lines which are there always: head, stages, heads of tables, keys


def screen(seen: Mapping[str, Any], height: int, sort: str = "w", *, paused: bool = False) -> Group:
    """Return what to draw in so many lines."""
    problems = _problems(seen["problems"])
    workers = [each for each in seen["processes"] if each["name"] != "past"]
    room = max(2, height - _FIXED - len(problems))
    shown = workers[: max(1, min(len(workers), room // 2))]
    parts: list[RenderableType] = [_head(seen, paused=paused), *_rates(seen), *problems]
    parts.append(_middle(seen))
    parts.append(_queues(seen, room - len(shown), sort))
    parts.append(_processes(shown, len(workers) - len(shown)))
    parts.append(Text(KEYS, style="dim", no_wrap=True))
    return Group(*parts)


def plain(text: object) -> str:
    """Return a text from outside as it may be put on a terminal."""
    return "".join(each if each.isprintable() else "?" for each in str(text))


def _line(*parts: tuple[str, str]) -> Text:
    made = Text(no_wrap=True, overflow="ellipsis")
    for words, style in parts:
        made.append(words, style)
    return made


def _head(seen: Mapping[str, Any], *, paused: bool) -> Text:
    at = time.strftime("%H:%M:%S UTC", time.gmtime(seen["at"]))
    state = ("ready", "bold green") if seen["ready"] else ("NOT READY", "bold red")
    about = (
        f"  {seen['version']}, generation {seen['generation']}, "
        f"up {span(seen['up_seconds'])}  {at}{'  paused' * paused}"
    )
    return _line((f"{plain(seen['node'])}  ", "bold"), state, (about, "dim"))


def _rates(seen: Mapping[str, Any]) -> list[Text]:
    rates, queue, connections = seen["per_second"], seen["queue"], seen["connections"]
    memory, disk, logs = seen["memory"], seen["disk"], seen["logs"]
    written = "cannot be written" if logs["held"] else f"{span(logs['lag_seconds'])} behind"
    free = f"{disk['free'] / disk['size']:.0%}" if disk["size"] else "?"
    failed = "red" if rates["failures"] else ""
    deferred = "yellow" if rates["deferrals"] else ""
    return [
        _line(
            (f"per second   in {rates['receptions']:,.1f}   ", ""),
            (f"delivered {rates['deliveries']:,.1f}   ", ""),
            (f"put off {rates['deferrals']:,.1f}   ", deferred),
            (f"failed {rates['failures']:,.1f}   ", failed),
            (f"refused {rates['refusals']:,.1f}", ""),
        ),
        _line(
            (f"queue {queue['queued']:,}   delayed {queue['delayed']:,}   ", ""),
            (f"at work {queue['in_flight']:,}   queues {queue['lines']:,}   ", ""),
            (f"connections in {connections['in']:,} out {connections['out']:,}", ""),
        ),
        _line(
            (f"memory {size(memory['used'])} of {size(memory['limit'])}   ", ""),
            (f"disk {free} free   logs {written}   ", ""),
            (f"names {seen['dns']['lookups_per_second']:,.1f}/s", ""),
        ),
    ]


def _problems(problems: Sequence[Mapping[str, Any]]) -> list[Text]:
    return [
        _line(
            (f"! {each['text']}", "bold red" if each["blocks"] else "yellow"),
            (f"   look at: {each['look']}" if each["look"] else "", "dim"),
        )
        for each in problems[:_PROBLEMS]
    ]


def _table(*heads: str, right: Sequence[int] = ()) -> Table:
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", expand=True)
    for at, head in enumerate(heads):
        made.add_column(
            head,
            justify="right" if at in right else "left",
            no_wrap=True,
            overflow="ellipsis",
            ratio=1 if at == 0 else None,
        )
    return made


def _middle(seen: Mapping[str, Any]) -> Table:
    """Draw where time goes, and beside it what stood in the way."""
    stages = _table(seen["lately"], "times", "p50", "p95", "p99", right=(1, 2, 3, 4))
    for each in seen["stages"]:
        shares = (span(each[share]) if each["count"] else "" for share in ("p50", "p95", "p99"))
        stages.add_row(each["stage"], f"{each['count']:,}", *shares)
    way = _table("in the way", "times", right=(1,))
    for words, count in in_the_way(seen)[: len(seen["stages"])]:
        way.add_row(Text(words), f"{count:,.0f}")
    both = Table.grid(expand=True, padding=(0, 2, 0, 0))
    both.add_column(ratio=5)
    both.add_column(ratio=3)
    both.add_row(stages, way)
    return both


def in_the_way(seen: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Return what stopped mail in the last minute, the most frequent first."""
    dials = seen["connections"]["dials"]
    found = [
        *((f"limit {name.replace('_', ' ')}", n) for name, n in seen["limits"].items()),
        *((f"refused at {name}", n) for name, n in seen["refusals"].items()),
        *((f"connection {name}", n) for name, n in dials.items() if name != "opened"),
        *((_bounce(code), n) for code, n in seen["failures"].items()),
    ]
    return sorted(found, key=lambda each: -each[1])


def _bounce(code: str) -> str:
    known = CLASSES.get(int(code))
    return f"bounce {known.name if known is not None else code}"


def _waiting(each: Mapping[str, Any]) -> int:
    return int(each["active"] + each["delayed"] + each["in_flight"])


def _queues(seen: Mapping[str, Any], room: int, sort: str) -> Table:
    name, key = SORTS.get(sort, SORTS["w"])
    heads = (f"queues by {name}", "binding", "active", "delayed", "work", "conn", "stands as")
    table = _table(*heads, right=(2, 3, 4, 5))
    every = sorted(seen["destinations"], key=key)
    shown = every[: max(1, room - 1)] if len(every) >= room else every
    for each in shown:
        table.add_row(
            Text(plain(each["domain"])),
            Text(plain(each["binding"])),
            *(f"{each[part]:,}" for part in ("active", "delayed", "in_flight", "connections")),
            Text(plain(each["why"]), style="yellow"),
        )
    rest = seen["other_destinations"] + sum(map(_waiting, every[len(shown) :]))
    if rest:
        table.add_row(Text("all others", style="dim"), "", f"{rest:,}", "", "", "", "")
    elif not shown:
        table.add_row(Text("no mail waits", style="dim"), *[""] * 6)
    return table


def _processes(shown: Sequence[Mapping[str, Any]], more: int) -> Table:
    table = _table("process", "CPU", "memory", "files", "queue", "in", "out", right=range(1, 7))
    for each in shown:
        works = each["name"].startswith("worker")
        counts = ("queued", "sessions_in", "connections_out")
        table.add_row(
            each["name"] + (f" (and {more} more)" if more and each is shown[-1] else ""),
            f"{each['cpu']:.0%}",
            size(each["memory"]),
            f"{each['descriptors']:,}",
            *(f"{each[count]:,}" if works else "" for count in counts),
        )
    return table
