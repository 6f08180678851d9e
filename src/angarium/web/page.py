"""The page /status: the overview for people, in one piece of HTML.

Rule: **nothing is loaded and nothing runs**: no script, one style which stands in the page and is
named by its digest in the policy, so that a domain with an odd name can do nothing but be read.
"""

import base64
import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final

from angarium.mail.report.codes import CLASSES

REFRESH_SECONDS: Final = 5
STYLE: Final = """
:root{color-scheme:light dark;--back:#f6f7f9;--card:#fff;--ink:#1b2330;--dim:#5d6878;
--line:#dde2e9;--good:#12733a;--bad:#b3261e;--warn:#8a5300;--bar:#3b6fd4}
@media (prefers-color-scheme:dark){:root{--back:#12161c;--card:#1b212a;--ink:#e6eaf0;--dim:#9aa6b5;
--line:#2c3542;--good:#5ed08a;--bad:#ff8a80;--warn:#f0b45a;--bar:#6f9cf0}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);
font:15px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:1180px;margin:0 auto;padding:20px}
header{display:flex;flex-wrap:wrap;gap:6px 18px;align-items:baseline;margin-bottom:14px}
h1{font-size:22px;margin:0}h2{font-size:15px;margin:0 0 8px}
.dim{color:var(--dim)}.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}
.state{font-weight:600;font-size:14px;padding:1px 10px;border-radius:10px;
border:1px solid currentColor}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(124px,1fr));gap:10px;
margin-bottom:14px}
.card,section{background:var(--card);border:1px solid var(--line);border-radius:8px;
padding:12px 14px}
.card b{display:block;font-size:23px;font-weight:600;font-variant-numeric:tabular-nums}
.card svg{display:block;width:100%;height:22px;margin-top:4px}
polyline{fill:none;stroke:var(--bar);stroke-width:1.5;vector-effect:non-scaling-stroke;
stroke-linejoin:round}
section{margin-bottom:14px;overflow-x:auto}
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(420px,1fr));gap:0 14px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th{font-weight:500;color:var(--dim);text-align:right;padding:3px 8px;border-bottom:1px solid
var(--line);white-space:nowrap}
td{text-align:right;padding:3px 8px;white-space:nowrap}
th:first-child,td:first-child,.left{text-align:left}
td.name{white-space:normal;overflow-wrap:break-word;min-width:6.5em;max-width:34em}
tr+tr td{border-top:1px solid var(--line)}
meter{width:90px;height:8px;vertical-align:middle;background:var(--line);border:0;
border-radius:4px}
meter::-webkit-meter-bar{background:var(--line);border:0;border-radius:4px}
meter::-webkit-meter-optimum-value{background:var(--bar);border-radius:4px}
meter::-moz-meter-bar{background:var(--bar);border-radius:4px}
ul{margin:0;padding-left:18px}footer{color:var(--dim);font-size:13px}
a{color:inherit}
@media (max-width:520px){main{padding:12px}.two{grid-template-columns:1fr}
.cards{grid-template-columns:1fr 1fr}section{padding:10px 8px}h2{margin-left:4px}
table{font-size:13px}th,td{padding:3px 4px}td.name{min-width:0}}
"""
_DIGEST: Final = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_SHOWN: Final = 20  # queues; /status.json has all we know by name


def page(seen: Mapping[str, Any]) -> str:
    """Return the page of an overview."""
    parts = (
        _head(seen),
        _problems(seen["problems"]),
        _cards(seen),
        f'<div class="two">{_stages(seen["stages"])}{_lately(seen)}</div>',
        _queues(seen),
        f'<div class="two">{_processes(seen)}{_rest(seen)}</div>',
        f"<footer>This page is read anew every {REFRESH_SECONDS} s. "
        '<a href="/status.json">/status.json</a> <a href="/metrics">/metrics</a></footer>',
    )
    title = f"{seen['node']}: {'ready' if seen['ready'] else 'NOT ready'}"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta http-equiv="refresh" content="{REFRESH_SECONDS}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{STYLE}</style></head><body><main>{''.join(parts)}</main></body></html>"
    )


def _head(seen: Mapping[str, Any]) -> str:
    state = '<span class="state good">ready</span>'
    if not seen["ready"]:
        state = '<span class="state bad">not ready</span>'
    at = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seen["at"]))
    return (
        f"<header><h1>{escape(seen['node'])}</h1>{state}"
        f'<span class="dim">Angarium {escape(seen["version"])}, generation {seen["generation"]}, '
        f"up {span(seen['up_seconds'])}, {at}</span></header>"
    )


def _problems(problems: Sequence[Mapping[str, Any]]) -> str:
    if not problems:
        return ""
    rows = "".join(
        f'<li class="{"bad" if each["blocks"] else "warn"}">{escape(each["text"])}'
        + (
            f' <span class="dim">look at: {escape(each["look"].replace("`", ""))}</span>'
            if each["look"]
            else ""
        )
        + "</li>"
        for each in problems
    )
    return f"<section><h2>What is wrong</h2><ul>{rows}</ul></section>"


def _cards(seen: Mapping[str, Any]) -> str:
    rates, queue, connections = seen["per_second"], seen["queue"], seen["connections"]
    curves = seen["last_minute"]
    cards = (
        ("taken in /s", f"{rates['receptions']:,.1f}", curves["receptions"]),
        ("delivered /s", f"{rates['deliveries']:,.1f}", curves["deliveries"]),
        ("put off /s", f"{rates['deferrals']:,.1f}", curves["deferrals"]),
        ("failed /s", f"{rates['failures']:,.1f}", curves["failures"]),
        ("in the queue", f"{queue['queued']:,}", curves["queued"]),
        ("delayed", f"{queue['delayed']:,}", ()),
        ("clients", f"{connections['in']:,}", ()),
        ("to hosts", f"{connections['out']:,}", ()),
    )
    made = "".join(
        f'<div class="card"><span class="dim">{name}</span><b>{value}</b>{_curve(course)}</div>'
        for name, value, course in cards
    )
    return f'<div class="cards">{made}</div>'


def _curve(values: Sequence[float]) -> str:
    """Return how something went in the last minute, without numbers: the highest is its top."""
    if len(values) < 2:
        return ""
    top, width = max(*values, 1e-9), len(values) - 1
    points = " ".join(
        f"{at * 100 / width:.1f},{21 - 20 * each / top:.1f}" for at, each in enumerate(values)
    )
    return (
        '<svg viewBox="0 0 100 22" preserveAspectRatio="none" aria-hidden="true">'
        f'<polyline points="{points}"></polyline></svg>'
    )


def _stages(stages: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (each["stage"], f"{each['count']:,}", *(
            span(each[share]) if each["count"] else "" for share in ("p50", "p95", "p99")
        ))
        for each in stages
    ]  # fmt: skip
    return _table(
        "Time spent at each stage, last minute",
        ("stage", "times", "half within", "95 %", "99 %"),
        rows,
    )


def _lately(seen: Mapping[str, Any]) -> str:
    rows = [
        *_counted("limit", seen["limits"]),
        *_counted("refused at", seen["refusals"]),
        *_counted("connection", seen["connections"]["dials"], leave_out="opened"),
        *(
            (f"bounced: {_bounce(code)}", f"{count:,.0f}")
            for code, count in seen["failures"].items()
        ),
    ]
    rows.sort(key=lambda row: -int(row[1].replace(",", "")))
    return _table("What stood in the way, last minute", ("what", "times"), rows, "nothing")


def _counted(what: str, counts: Mapping[str, float], leave_out: str = "") -> list[tuple[str, str]]:
    return [
        (f"{what}: {name.replace('_', ' ')}", f"{count:,.0f}")
        for name, count in counts.items()
        if name != leave_out
    ]


def _bounce(code: str) -> str:
    known = CLASSES.get(int(code))
    return known.name if known is not None else code


def _queues(seen: Mapping[str, Any]) -> str:
    shown = seen["destinations"][:_SHOWN]
    most = max((_waiting(each) for each in shown), default=0)
    rows = [
        (
            f"{each['domain']}",
            _place(each),
            f"{each['active']:,}",
            f"{each['delayed']:,}",
            f"{each['in_flight']:,}",
            f"{each['connections']:,}",
            each["why"],
            _meter(_waiting(each), most),
        )
        for each in shown
    ]
    rest = seen["other_destinations"] + sum(map(_waiting, seen["destinations"][_SHOWN:]))
    if rest:
        rows.append(("all others", "", f"{rest:,}", "", "", "", "", ""))
    heads = ("domain", "binding", "active", "delayed", "at work", "connections", "stands as", "")
    return _table("The longest queues", heads, rows, "no mail waits", raw=7)


def _place(each: Mapping[str, Any]) -> str:
    group = each["group"]
    return each["binding"] if group in ("", "default") else f"{group}/{each['binding']}"


def _waiting(each: Mapping[str, Any]) -> int:
    return int(each["active"] + each["delayed"] + each["in_flight"])


def _meter(value: int, most: int) -> str:
    return f'<meter min="0" max="{most}" value="{value}">{value}</meter>' if most else ""


def _processes(seen: Mapping[str, Any]) -> str:
    rows = [
        (
            each["name"],
            f"{each['cpu']:.0%}",
            size(each["memory"]),
            f"{each['descriptors']:,}",
            f"{each['queued']:,}" if each["name"].startswith("worker") else "",
        )
        for each in seen["processes"]
    ]
    return _table("Processes", ("process", "CPU", "memory", "files", "queue"), rows)


def _rest(seen: Mapping[str, Any]) -> str:
    memory, disk, logs, names = seen["memory"], seen["disk"], seen["logs"], seen["dns"]
    cached = "" if names["from_cache"] is None else f", {names['from_cache']:.0%} from the cache"
    written = "cannot be written" if logs["held"] else f"{span(logs['lag_seconds'])} behind"
    rows = [
        ("memory of the workers", f"{size(memory['used'])} of {size(memory['limit'])}"),
        ("disk of the spool", f"{size(disk['free'])} free of {size(disk['size'])}"),
        ("text logs", written),
        ("DNS", f"{names['lookups_per_second']:,.1f} names/s{cached}"),
        ("DNS time-outs, last minute", f"{names['timeouts_last_minute']:,}"),
        ("workers which died", f"{seen['worker_deaths']:,}"),
        ("put aside", f"{seen['queue']['isolated']:,}"),
    ]  # fmt: skip
    return _table("The machine", ("", ""), rows)


def _table(
    title: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    nothing: str = "",
    raw: int = -1,
) -> str:
    """Return a section with a table; the column `raw` is markup of ours."""
    made = "".join(
        "<tr>"
        + "".join(
            f"<td{_name(at)}>{each if at == raw else escape(each)}</td>"
            for at, each in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    if not made:
        return f'<section><h2>{title}</h2><span class="dim">{nothing}</span></section>'
    top = "".join(f"<th>{head}</th>" for head in heads)
    top = f"<tr>{top}</tr>" if any(heads) else ""
    return f"<section><h2>{title}</h2><table>{top}{made}</table></section>"


def _name(at: int) -> str:
    return ' class="name"' if at == 0 else ""


def span(seconds: float) -> str:
    """Return a time in the unit which suits it."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 1.0:
        return f"{seconds * 1e3:.3g} ms"
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.3g} s"


def size(octets: float) -> str:
    """Return an amount of octets in the unit which suits it."""
    for unit, length in (("TB", 1 << 40), ("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10)):
        if octets >= length:
            return f"{octets / length:.1f} {unit}"
    return f"{octets:.0f} B"
