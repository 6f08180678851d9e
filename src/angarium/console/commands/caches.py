"""`cache`: what is kept in memory to be found again, and whether it is."""

import time
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

from angarium.console.access import Rank
from angarium.console.command import Line, Words, command
from angarium.console.errors import CommandError
from angarium.console.questions.caches import Cache, caches
from angarium.console.result import Result, Said
from angarium.console.session import Session


def _share(part: float, whole: float) -> float:
    return 100.0 * part / whole if whole else 0.0


def _rate(each: Cache, seconds: float) -> float:
    return each.loads / seconds if seconds else 0.0


# By the words one asks with. Older words and newer ones for the same thing both do.
ATTRIBUTES: Final[Mapping[str, Callable[[Cache, float], float]]] = {
    "capacity": lambda each, _: each.capacity,
    "entries": lambda each, _: each.entries,
    "utilization": lambda each, _: _share(each.entries, each.capacity),
    "used": lambda each, _: _share(each.entries, each.capacity),
    "loads": lambda each, _: each.loads,
    "stores": lambda each, _: each.stores,
    "hits": lambda each, _: each.hits,
    "misses": lambda each, _: each.misses,
    "forced": lambda each, _: each.forced,
    "expired": lambda each, _: each.expired,
    "lru": lambda each, _: each.lru,
    "replaced": lambda each, _: 0,
    "hit-rate": lambda each, _: _share(each.hits, each.loads),
    "hitratio": lambda each, _: _share(each.hits, each.loads),
    "workload": lambda each, _: _share(each.loads, each.loads + each.stores),
    "query-rate": _rate,
    "queryrate": _rate,
}
# As Momentum heads them: hits of all look-ups, reads of all reads and writes.
_HEADS: Final = {"hitratio": "HT/TL", "workload": "RD/WR"}
_PERCENT: Final = frozenset({"utilization", "used", "hit-rate", "hitratio", "workload"})
_ALL: Final = tuple(
    each for each in ATTRIBUTES if each not in ("utilization", "hit-rate", "query-rate")
)
_SUMMARY: Final = ("capacity", "entries", "used", "hitratio", "workload")


@command("cache list", who=Rank.VIEWER)
async def list_caches(session: Session, words: Annotated[Words, "[attribute ...]"]) -> Result:
    """List the caches; with words also these figures of each; `all` and `summary` are several."""
    wanted = [each.lower() for each in words]
    if wanted == ["all"]:
        wanted = list(_ALL)
    elif wanted == ["summary"]:
        wanted = list(_SUMMARY)
    if unknown := [each for each in wanted if each not in ATTRIBUTES]:
        known = ",".join(["all", "summary", *ATTRIBUTES])
        raise CommandError(f"{unknown[0]}: Valid attributes are [{known}]")
    rows, missing, age = await _rows(session)
    lines = []
    if words and words[0].lower() in ("all", "summary"):
        heads = (_HEADS.get(each, each.upper()) for each in wanted)
        lines.append(" ".join([*(f"{each:>11}" for each in heads), "CACHE"]))
    plain: list[dict[str, Any]] = []
    for name, each in sorted(rows.items()):
        values = {one: ATTRIBUTES[one](each, age) for one in wanted}
        lines.append(" ".join([*(_cell(one, value) for one, value in values.items()), name]))
        plain.append({"cache": name, **values})
    lines += ["", f"{len(rows)} caches listed."]
    return Said("\n".join([*lines, *missing]), plain)


def _cell(name: str, value: float) -> str:
    return f"{value:10.2f}%" if name in _PERCENT else f"{value:11.0f}"


@command("cache stat", who=Rank.VIEWER)
async def one_cache(session: Session, cache: Line) -> Result:
    """Print all figures of one cache."""
    rows, missing, age = await _rows(session)
    each = _named(rows, cache)
    lines = [
        f"Name          : {cache}",
        f"Capacity      : {each.capacity}",
        f"Entries       : {each.entries}",
        f"Utilization   : {_share(each.entries, each.capacity):6.2f}%",
        f"Query Rate    : {_rate(each, age):.0f} q/s",
        f"Loads         : {each.loads}",
        f"  Hits        : {each.hits}",
        f"  Misses      : {each.misses}",
        f"  Pending     : {each.joined}",
        f"Stores        : {each.stores}",
        f"Invalidations : {each.expired + each.lru + each.forced}",
        f"  Forced      : {each.forced}",
        f"  Expired     : {each.expired}",
        f"  Capacity    : {each.lru}",
        f"Hit Rate      : {_share(each.hits, each.loads):6.2f}%",
        f"Workload (R/W): {_share(each.loads, each.loads + each.stores):6.2f}%",
        f"  Reads       : {each.loads}",
        f"  Writes      : {each.stores}",
    ]
    plain = {name: read(each, age) for name, read in ATTRIBUTES.items()}
    return Said("\n".join([*lines, *missing]), {"cache": cache, **plain})


@command("cache stats", who=Rank.VIEWER)
async def stats(session: Session, cache: Line = Line("")) -> Result:  # noqa: B008 - a text
    """Print figures of all caches, or of one, in a table."""
    rows, missing, age = await _rows(session)
    shown: dict[str, Cache] = {str(cache): _named(rows, cache)} if cache else rows
    plain = {
        name: {one: read(each, age) for one, read in ATTRIBUTES.items()}
        for name, each in sorted(shown.items())
    }
    return Said("\n".join([*table(shown), *missing]), plain)


def table(shown: Mapping[str, Cache]) -> list[str]:
    """Return figures of caches as lines of a table."""
    lines = [
        f"{'cache name':22} {'':5} {'lookups %':^20} {'':8} {'deletions %':^18}",
        f"{'':22} elts   hit miss pend  total  inserts man ttl lru  total",
    ]
    lines.append(f"{'-' * 22} ----- -------------------- -------- ------------------")
    for name, each in sorted(shown.items()):
        gone = each.expired + each.lru + each.forced
        lines.append(
            f"{name:22} {each.entries:5} {_share(each.hits, each.loads):4.0f}"
            f" {_share(each.misses, each.loads):4.0f} {_share(each.joined, each.loads):3.0f}"
            f" {each.loads:8} {each.stores:8} {_share(each.forced, gone):3.0f}"
            f" {_share(each.expired, gone):3.0f} {_share(each.lru, gone):3.0f} {gone:6}"
        )
    return lines


def _named(rows: Mapping[str, Cache], name: str) -> Cache:
    if name not in rows:
        raise CommandError(f"there is no cache {name}; there are {', '.join(sorted(rows))}")
    return rows[name]


async def _rows(session: Session) -> tuple[dict[str, Cache], list[str], float]:
    """Return the caches, whose are missing, and how long the server runs."""
    answers = await session.node.ask(caches())
    rows = dict(answers.total.rows) if answers.total else {}
    return rows, answers.missing, time.time() - session.node.started
