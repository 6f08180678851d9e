"""`ds_core` and `ds_ldap`: what queries to databases found, and the connections they go by."""

from collections.abc import Mapping
from typing import Any

import msgspec

from angarium.console.access import Rank
from angarium.console.command import Line, command
from angarium.console.commands.caches import table
from angarium.console.errors import CommandError
from angarium.console.questions.datasources import (
    Database,
    Source,
    datasources,
    directories,
    directories_flushed,
    flushed,
)
from angarium.console.result import Result, Said
from angarium.console.session import Session


@command("ds_core stats", who=Rank.VIEWER)
async def stats(session: Session) -> Result:
    """Print for each datasource what its cache is worth, what asking has cost, and whom it asks."""
    answers = await session.node.ask(datasources())
    rows: Mapping[str, Source] = answers.total.rows if answers.total else {}
    lines = table({name: each.cache for name, each in rows.items()})
    plain: dict[str, Any] = {}
    for name, each in sorted(rows.items()):
        mean = 1000 * each.seconds / each.statements if each.statements else 0.0
        lines += [
            "",
            f"{name}: {each.statements} statements, {each.errors} failed, {mean:.1f} ms each, "
            f"{each.octets} octets kept",
        ]
        lines += _databases(each.databases)
        plain[name] = msgspec.to_builtins(each)
    return Said("\n".join([*lines, *answers.missing]), plain)


def _databases(rows: Mapping[str, Database]) -> list[str]:
    lines = []
    for label, each in sorted(rows.items()):
        lines.append(
            f"    {label}: {each.connections} connections, {each.idle} idle, {each.waiting} wait;"
            f" {each.opened} opened, {each.reused} used again, {each.expired} expired"
        )
        if each.resting:
            lines.append(f"        left alone by {each.resting} workers: {each.reason}")
    return lines


@command("ds_core flush", who=Rank.OPERATOR)
async def flush(session: Session, cache: Line) -> Result:
    """Forget what a datasource has found."""
    answers = await session.node.ask(flushed(cache))
    if answers.total is None:
        raise CommandError("; ".join(sorted(set(answers.failed.values()))) or "nobody answers")
    count = int(answers.total.values["flushed"])
    said = [f"flushed {count} entries from cache '{cache}'", *answers.missing]
    return Said("\n".join(said), {"cache": str(cache), "flushed": count})


@command("ds_ldap show connection cache stats", who=Rank.VIEWER)
async def show_directories(session: Session) -> Result:
    """Print the connections to directories, and how often they were used again."""
    answers = await session.node.ask(directories())
    rows: Mapping[str, Database] = answers.total.rows if answers.total else {}
    lines = [each.strip() for each in _databases(rows)] or ["no datasource is a directory"]
    plain = {label: msgspec.to_builtins(each) for label, each in rows.items()}
    return Said("\n".join([*lines, *answers.missing]), plain)


@command("ds_ldap flush connection cache", who=Rank.OPERATOR)
async def flush_directories(session: Session) -> Result:
    """Close the connections to directories which nobody uses."""
    answers = await session.node.ask(directories_flushed())
    count = int(answers.total.values["closed"]) if answers.total else 0
    said = [f"{count} connections closed", *answers.missing]
    return Said("\n".join(said), {"closed": count})
