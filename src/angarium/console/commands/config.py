"""`config`, looking: what is set, what holds, where something is, what differs, what was.

In a transaction all of it is about that; else about what is in force.
"""

import re
import time
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final, TypeAlias

from angarium.config import spelling
from angarium.config.difference import Change, differences
from angarium.config.history import Entry
from angarium.config.load import load_snapshot
from angarium.config.option import Option
from angarium.config.path import Place, find, located, option_in, parse, unknown
from angarium.config.resolve import Configuration
from angarium.config.scope import LISTENERS
from angarium.config.section import Section
from angarium.config.show import Show, head
from angarium.config.where import Chain, around, where
from angarium.console.access import Rank
from angarium.console.command import Words, command
from angarium.console.errors import CommandError
from angarium.console.result import Result, Said
from angarium.console.session import Session

NESTED: Final = " " * 8  # before a value of an inner scope
MAX_SHOWN: Final = 1000  # changes in one answer
_Scope: TypeAlias = Annotated[Words, "[scope ...]"]
_Option: TypeAlias = Annotated[Words, "[scope ...] <option>"]


async def seen(session: Session) -> Configuration:
    """Return the configuration a session works on."""
    if session.transaction is None:
        return session.server.live.configuration
    checked = await session.server.aside(session.transaction.workspace.checked)
    return Configuration(checked.root)


@command("config get", who=Rank.VIEWER)
async def get(session: Session, option: _Option) -> Result:
    """Print the value of an option in exactly this scope, if it is set there."""
    return await _got(session, option)


async def _got(session: Session, option: Words) -> Result:
    root = (await seen(session)).root
    place, declared, name = _option(option, root)
    section = find(root, place.steps)
    if section is None or name not in section.values:
        text = f"Option '{name}' is not set in scope '{said(place)}'."
        return Said(text, _value(name, None, None))
    value = section.values[name]
    indent = NESTED if place.steps else ""
    return Said(setting(name, declared, value, indent), _value(name, declared, value))


@command("config eval", who=Rank.VIEWER)
async def evaluate(session: Session, option: _Option) -> Result:
    """Print the value which holds in a scope: its own, or what it falls back to, or the default.

    An option which needs a restart has the value that was configured; a line below says which one
    is in force until then.
    """
    conf = await seen(session)
    place, declared, name = _option(option, conf.root)
    if declared is None:
        raise CommandError(f"{name} falls back to nothing; see config get")
    value = chain_at(conf, place).value(declared)
    text = setting(name, declared, value)
    fields = _value(name, declared, value)
    remedy = session.server.waiting.get(declared.key)
    if remedy is not None:
        old = chain_at(session.server.started, place).value(declared)
        text += f"\n# in force after {remedy}; until then {setting(name, declared, old)}"
        fields |= {"after": remedy, "until_then": spelling.plain_value(declared, old)}
    return Said(text, fields)


@command("config show", who=Rank.VIEWER)
async def show(session: Session, scope: Annotated[Words, "[scope ...] [option]"]) -> Result:
    """Print what is set in a scope, or one option of it; scopes inside are named only."""
    conf = await seen(session)
    place = parse(scope, conf.root)
    if place.rest:
        return await _got(session, scope)
    return await _shown(session, conf, place, recurse=False)


@command("config showrecurse", who=Rank.VIEWER)
async def show_recurse(session: Session, scope: _Scope) -> Result:
    """Print what is set in a scope and in the scopes inside it."""
    conf = await seen(session)
    place = parse(scope, conf.root)
    if place.rest:
        raise CommandError(f"{place.rest[0]} is an option, not a scope; see config show")
    return await _shown(session, conf, place, recurse=True)


@command("config locate", who=Rank.VIEWER)
async def locate(session: Session, scope: str, regex: str = "") -> Result:
    """Print where scopes of a name are; with a regular expression those it is found in."""
    conf = await seen(session)
    try:
        pattern = re.compile(regex)
    except (re.error, RecursionError, OverflowError) as error:
        raise CommandError(f"{regex!r} is no regular expression: {error}") from None
    found = await session.server.aside(_named, conf.root, scope.lower(), pattern)
    text = "\n".join(f"{head(each)}\n  is at {located(each)}" for each in found)
    return Said(text, [{"scope": head(each), "at": located(each)} for each in found])


@command("config diff", who=Rank.VIEWER)
async def diff(session: Session, revision: int = 0) -> Result:
    """Print what differs.

    In a transaction: between it and what is in force. Else: between the files on the disk and what
    is in force, or with a number between that revision (config history) and what is in force.
    """
    server = session.server
    now = server.live.configuration.root
    if revision:
        old = await server.aside(load_snapshot, server.history.snapshot(revision))
        return Listed(await server.aside(differences, old.root, now))
    if session.transaction is not None:
        return Listed(await server.aside(differences, now, (await seen(session)).root))
    files = await server.aside(load_snapshot, await server.read())
    return Listed(await server.aside(differences, files.root, now))


@command("config history", who=Rank.VIEWER)
async def history(session: Session, revision: int = 0) -> Result:
    """List the configurations which were in force, newest first: who brought them, when and how.

    With a number: what that one changed.
    """
    server = session.server
    if revision:
        entry = await server.aside(server.history.entry, revision)
        return Said("\n".join([_line(entry), *entry.changes]), _entry(entry))
    found = (await server.aside(server.history.revisions))[::-1]
    return Said("\n".join(map(_line, found)), [_entry(each) for each in found])


@command("config replay", who=Rank.VIEWER)
async def replay(session: Session) -> Result:
    """Print the changes made since the transaction began, as commands."""
    if session.transaction is None:
        raise CommandError("no transaction is open")
    lines = session.transaction.workspace.replay()
    return Said("\n".join(lines), lines)


# What is printed.


def setting(name: str, declared: Option[Any] | None, value: object, indent: str = "") -> str:
    """Return a value as the console prints it: `name = value`, lists over lines."""
    if spelling.secret(declared, name) and value is not None:
        return f"{indent}{name} = {spelling.HIDDEN}"
    raw = spelling.raw(None if declared is None else declared.kind, value)
    first, *rest = spelling.lines(raw, quoted=spelling.quotes(declared))
    if not rest:
        return f"{indent}{name} = {first}"
    between = [f"{indent}  {each}" for each in rest[:-1]]
    return "\n".join([f"{indent}{name} = {first}", *between, f"{indent}{rest[-1]}"])


class Listed:
    """Changes, a line each; of very many only the first ones as text."""

    __slots__ = ("_changes", "lines")

    def __init__(self, changes: Sequence[Change]) -> None:
        self._changes = changes
        self.lines = [str(each) for each in changes[:MAX_SHOWN]]
        if len(changes) > MAX_SHOWN:
            self.lines.append(f"and {len(changes) - MAX_SHOWN} more")

    def __str__(self) -> str:
        return "\n".join(self.lines)

    def plain(self) -> list[dict[str, Any]]:
        return [each.plain() for each in self._changes]


def chain_at(conf: Configuration, place: Place) -> Chain:
    """Return who is asked at a place, whether the file has a stanza there or not."""
    section = find(conf.root, place.steps)
    if section is not None:
        return around(conf, section)
    names = {_KEYS.get(kind.key, kind.key): instance for kind, instance in place.steps}
    for listener in LISTENERS:
        if names.pop(listener, None) is not None:
            names["listener"] = listener
    names["peer"] = names.get("peer", "").removesuffix("/32").removesuffix("/128")
    if not names.keys() <= _SAID or "/" in names["peer"]:
        raise CommandError(f"there is no {said(place)}")
    return where(conf, **names).chain(conf)


_KEYS: Final = {"binding_group": "group"}
_SAID: Final = {"group", "binding", "domain", "host", "listener", "listen", "peer", "pathway"}


async def _shown(session: Session, conf: Configuration, place: Place, *, recurse: bool) -> Said:
    section = find(conf.root, place.steps)
    if section is None:
        raise CommandError(f"there is no {said(place)}")
    shown = Show(conf)
    text = await session.server.aside(lambda: shown.text(section, recurse=recurse))
    plain = await session.server.aside(shown.plain, section)
    return Said(text.removesuffix("\n"), plain)


def _option(words: Words, root: Section) -> tuple[Place, Option[Any] | None, str]:
    """Return the place, the option and its name. Raises PathError."""
    place = parse(words, root)
    if not place.rest:
        raise CommandError("an option is missing")
    if len(place.rest) > 1:
        raise CommandError(f"{place.rest[1]} is one word too many")
    name = place.rest[0].lower()
    declared = option_in(place.kind, name)
    if declared is None and not place.kind.free:
        raise unknown(place.kind, name)
    return place, declared, name


def said(place: Place) -> str:
    return " ".join(f"{kind.name} {instance}".strip() for kind, instance in place.steps)


def _value(name: str, declared: Option[Any] | None, value: object) -> dict[str, Any]:
    hidden = value is not None and spelling.secret(declared, name)
    plain = spelling.HIDDEN if hidden else spelling.plain_value(declared, value)
    return {"option": name, "value": plain}


def _line(entry: Entry) -> str:
    at = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(entry.when))
    changes = "1 change" if entry.total == 1 else f"{entry.total} changes"
    return f"{entry.revision:4}  {at}  {changes}  {entry.who}: {entry.how}"


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "revision": entry.revision,
        "when": entry.when,
        "who": entry.who,
        "how": entry.how,
        "changes": list(entry.changes),
        "total": entry.total,
    }


def _named(root: Section, name: str, pattern: re.Pattern[str]) -> list[Section]:
    return list(_matching(root.walk(), name, pattern))


def _matching(
    sections: Iterator[Section], name: str, pattern: re.Pattern[str]
) -> Iterator[Section]:
    for each in sections:
        if each.kind.name == name and pattern.search(each.instance):
            yield each
