"""What policy counts over time, and keeps by key: series, gauge caches, shared variables."""

import csv
import io
from typing import Annotated, Any, Final

from angarium.console.access import Rank
from angarium.console.command import Words, command
from angarium.console.errors import CommandError
from angarium.console.one import whole
from angarium.console.questions import shared
from angarium.console.result import Result, Said
from angarium.console.session import Session

LISTED: Final = 50  # keys shown of a series, entries of a map
ALL: Final = 10_000  # addresses of `inbound_audit show all`
_KINDS: Final = ("connections", "receptions", "rejections")
_HELP: Final = """inbound_audit show ip IP[/MASK]
    what was counted of an address or a block, by monitor and window
inbound_audit show all
    what was counted of all addresses, as CSV
inbound_audit count_cidr IP[/MASK] SERIES WINDOWS START END
    the count of a block in a series; 0 is the window of now
inbound_audit add SERIES WINDOWS IP NUMBER
inbound_audit subtract SERIES WINDOWS IP NUMBER
    add to an address in the window of now, or subtract
inbound_audit delete_ip IP SERIES WINDOWS
    forget an address
inbound_audit load SERIES [FILE]
    add the counts of a file

SERIES is a series of a script, or connections, receptions or rejections; WINDOWS are its seconds
and number, such as 300,6."""


@command("inbound_audit help", who=Rank.VIEWER)
def help_inbound(session: Session) -> Result:
    """Say what the commands of inbound_audit do."""
    return Said(_HELP, {"help": _HELP})


@command("inbound_audit show ip", who=Rank.VIEWER)
async def show_ip(session: Session, block: Annotated[str, "<ip[/mask]>"]) -> Result:
    """Print what inbound_audit has counted of an address or a block of addresses."""
    rows = await whole(session, shared.audited(block))
    if not rows:
        raise CommandError("inbound_audit has no monitors")
    lines = [
        f"{row.key.capitalize()}/{window}: {count}"
        for row in rows
        for window, count in enumerate(row.counts)
    ]
    plain = {row.key: row.counts for row in rows}
    return Said("\n".join(lines), {"block": block, "counts": plain})


@command("inbound_audit show all", who=Rank.VIEWER)
async def show_all(session: Session) -> Result:
    """Print what inbound_audit has counted of all addresses, as CSV."""
    rows = await whole(session, shared.audited_all(ALL))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("address", "window", *_KINDS))
    plain = []
    for each in rows:
        window = f"{each.monitor.partition(',')[0]}/{each.window}"
        found: dict[str, Any] = {"address": each.address, "window": window}
        found |= {kind: getattr(each, kind) for kind in _KINDS}
        writer.writerow(found.values())
        plain.append(found)
    return Said(out.getvalue().rstrip("\n"), plain)


@command("inbound_audit count_cidr", who=Rank.VIEWER)
async def count_cidr(
    session: Session,
    block: Annotated[str, "<ip[/mask]>"],
    series: str,
    windows: str,
    start: int,
    end: int,
) -> Result:
    """Count an address or a block in windows of a series; 0 is the window of now."""
    found = await whole(session, shared.count_block(block, series, windows, start, end))
    return Said(str(found), {"block": block, "series": series, "count": found})


@command("inbound_audit add", who=Rank.OPERATOR)
async def add(session: Session, series: str, windows: str, ip: str, number: int) -> Result:
    """Add to an address in the window of now."""
    await whole(session, shared.change(series, windows, ip, "add", number))
    return Said("", {"series": series, "ip": ip, "added": number})


@command("inbound_audit subtract", who=Rank.OPERATOR)
async def subtract(session: Session, series: str, windows: str, ip: str, number: int) -> Result:
    """Subtract from an address in the window of now."""
    await whole(session, shared.change(series, windows, ip, "add", -number))
    return Said("", {"series": series, "ip": ip, "added": -number})


@command("inbound_audit delete_ip", who=Rank.OPERATOR)
async def delete_ip(session: Session, ip: str, series: str, windows: str) -> Result:
    """Forget an address in all windows of a series."""
    await whole(session, shared.change(series, windows, ip, "remove", 0))
    return Said("", {"series": series, "ip": ip, "removed": True})


@command("inbound_audit load", who=Rank.OPERATOR)
async def load(session: Session, series: str, file: str = "") -> Result:
    """Add the counts of a file to a series; a file without a folder lies in serialize_dir."""
    taken = await whole(session, shared.load(series, file))
    return Said(f"{taken} counts were added", {"series": series, "counts": taken})


@command("audit_series list", who=Rank.VIEWER)
async def list_series(session: Session) -> Result:
    """List the series which scripts and modules keep."""
    rows = await whole(session, shared.series())
    lines = [f"{'NAME':30} {'TYPE':10} {'WINDOWS':>10} {'KEYS':>8} {'COUNT':>10} {'REFUSED':>8}"]
    plain: list[dict[str, Any]] = []
    for each in rows:
        windows = f"{each.interval},{each.windows}"
        lines.append(
            f"{each.name:30} {each.type:10} {windows:>10} {each.keys:>8} {each.total:>10}"
            f" {each.refused:>8}"
        )
        plain.append(
            {"series": each.name, "type": each.type, "windows": windows, "keys": each.keys,
             "count": each.total, "refused": each.refused}
        )  # fmt: skip
    return Said("\n".join(lines) if rows else "there are no series", plain)


@command("audit_series show", who=Rank.VIEWER)
async def show_series(session: Session, words: Annotated[Words, "<name> [key]"]) -> Result:
    """Print the counts of a key by window, or those of the keys which are counted most."""
    if not 1 <= len(words) <= 2:
        raise CommandError("write audit_series show <name> [key]")
    rows = await whole(session, shared.keys(words[0], "".join(words[1:]), LISTED))
    lines = [f"{each.key}: {' '.join(map(str, each.counts))}" for each in rows]
    plain = {each.key: each.counts for each in rows}
    return Said("\n".join(lines) or "nothing was counted", {"series": words[0], "counts": plain})


@command("audit_series forget", who=Rank.OPERATOR)
async def forget_key(session: Session, name: str, key: str) -> Result:
    """Forget a key of a series in all windows, such as an address which was shut out."""
    await whole(session, shared.forget(name, key))
    return Said("", {"series": name, "key": key, "removed": True})


@command("shared list", who=Rank.VIEWER)
async def list_shared(session: Session) -> Result:
    """List gauge caches, and maps of values such as the variables which scripts share."""
    rows = await whole(session, shared.caches())
    lines = [f"{'NAME':30} {'KIND':12} {'ENTRIES':>8} {'MOST':>8} {'TTL':>6} {'EVICTED':>8}"]
    plain: list[dict[str, Any]] = []
    for each in rows:
        lines.append(
            f"{each.name:30} {each.kind:12} {each.entries:>8} {each.most:>8} {each.ttl:>6}"
            f" {each.evicted:>8}"
        )
        plain.append(
            {"name": each.name, "kind": each.kind, "entries": each.entries, "most": each.most,
             "ttl": each.ttl, "evicted": each.evicted}
        )  # fmt: skip
    return Said("\n".join(lines) if rows else "nothing is shared", plain)


@command("shared show", who=Rank.VIEWER)
async def show_shared(session: Session, words: Annotated[Words, "<name> [key]"]) -> Result:
    """Print an entry of a gauge cache or of a map of values, or the first of them."""
    if not 1 <= len(words) <= 2:
        raise CommandError("write shared show <name> [key]")
    found = await whole(session, shared.values(words[0], "".join(words[1:]), LISTED))
    lines = [f"{key}: {value}" for key, value in found.items()]
    return Said("\n".join(lines) or "there is nothing", {"name": words[0], "entries": found})


@command("sievelib gauge_cache add", who=Rank.OPERATOR)
async def gauge_add(session: Session, cache: str, key: str, number: int) -> Result:
    """Add to an entry of a gauge cache."""
    value = await whole(session, shared.gauge(cache, key, "add", number))
    return Said("", {"cache": cache, "key": key, "value": value})


@command("sievelib gauge_cache sub", who=Rank.OPERATOR)
async def gauge_sub(session: Session, cache: str, key: str, number: int) -> Result:
    """Subtract from an entry of a gauge cache."""
    value = await whole(session, shared.gauge(cache, key, "add", -number))
    return Said("", {"cache": cache, "key": key, "value": value})


@command("sievelib gauge_cache show", who=Rank.VIEWER)
async def gauge_show(session: Session, cache: str, key: str) -> Result:
    """Print an entry of a gauge cache."""
    value = await whole(session, shared.gauge(cache, key, "show", 0))
    return Said(str(value), {"cache": cache, "key": key, "value": value})


@command("sievelib gauge_cache delete", who=Rank.OPERATOR)
async def gauge_delete(session: Session, cache: str, key: str) -> Result:
    """Forget an entry of a gauge cache."""
    await whole(session, shared.gauge(cache, key, "delete", 0))
    return Said("", {"cache": cache, "key": key, "deleted": True})


@command("shared sessions", who=Rank.VIEWER)
async def show_sessions(session: Session, block: Annotated[str, "<ip[/mask]>"]) -> Result:
    """Count the sessions of reception which are open from an address or a block of addresses."""
    found = await whole(session, shared.sessions(block))
    return Said(str(found), {"block": block, "sessions": found})
