"""`config`, changing: by single commands, or many of them in a transaction.

    config set retry_interval 60          in force at once

    config begin                          nothing is in force ...
    config set ...
    config commit                         ... before this, and then all of it or nothing

What is begun belongs to one session. Of two who commit the first one wins; the other is told what
has changed meanwhile, keeps what he has, and may bring it onto what is in force (`config rebase`).
"""

from collections.abc import Iterable
from typing import Annotated, Any, Final, TypeAlias

from angarium.config import spelling
from angarium.config.difference import Change, differences
from angarium.config.load import load_snapshot
from angarium.config.path import PathError, Place, assignment, find, option_in, parse
from angarium.config.resolve import Configuration
from angarium.config.workspace import Workspace
from angarium.console.access import Rank
from angarium.console.command import Line, Words, command
from angarium.console.commands.config import NESTED, Listed, chain_at, said, seen, setting
from angarium.console.errors import CommandError, ConflictError
from angarium.console.result import Result, Said
from angarium.console.server import Applied
from angarium.console.session import Edit, Session, Transaction

_Assignment: TypeAlias = Annotated[Line, "[scope ...] <option> [=] <value>"]
_What: TypeAlias = Annotated[Words, "[scope ...] [option]"]


MAX_HOW: Final = 200  # characters of a command in the history


def masked(rest: str) -> str:
    """Return an assignment as it may be logged."""
    try:
        place, value = assignment(rest)
    except PathError:
        # It may be a slip in an option with a secret.
        return f"{rest.split(maxsplit=1)[0]} {spelling.HIDDEN}"
    name = place.rest[0]
    hidden = spelling.secret(option_in(place.kind, name), name.lower())
    shown = spelling.HIDDEN if hidden else " ".join(value.split())
    return f"{said(place)} {name} = {shown}".strip()


@command("config begin", who=Rank.OPERATOR)
async def begin(session: Session) -> Result:
    """Begin a transaction: what is set from now on is in force with config commit, all at once."""
    return await _begun(session, scratch=False)


@command("config begin from scratch", who=Rank.OPERATOR)
async def begin_from_scratch(session: Session) -> Result:
    """Begin a transaction with an empty configuration."""
    return await _begun(session, scratch=True)


async def _begun(session: Session, *, scratch: bool) -> Result:
    if session.transaction is not None:
        raise CommandError("a transaction is open; config commit or config rollback ends it")
    made = Workspace.from_scratch if scratch else Workspace
    workspace = await session.server.aside(made, session.server.live.snapshot)
    session.transaction = Transaction(workspace, scratch)
    return Said()


@command("config set", who=Rank.OPERATOR, mask=masked)
async def set_(session: Session, assigned: _Assignment) -> Result:
    """Set an option in a scope. Outside of a transaction it is in force at once."""
    conf = await seen(session)
    place, value = assignment(assigned, conf.root)
    name = place.rest[0].lower()
    applied = await _edited(session, lambda space: space.set(Place(place.steps), name, value))
    conf = await seen(session)
    declared = option_in(place.kind, name)
    section = find(conf.root, place.steps)
    text = setting(name, declared, section.values[name]) if section is not None else ""
    return _with(text, applied, {"option": name})


@command("config unset", who=Rank.OPERATOR)
async def unset(session: Session, what: _What) -> Result:
    """Unset an option in a scope, or everything in a scope and in those inside it.

    The whole configuration cannot be unset. Outside of a transaction it is in force at once.
    """
    conf = await seen(session)
    place = parse(what, conf.root)
    if not place.rest and not place.steps:
        raise CommandError("the whole configuration cannot be unset; name a scope or an option")
    if len(place.rest) > 1:
        raise CommandError(f"{place.rest[1]} is one word too many")
    name = place.rest[0].lower() if place.rest else None
    section = find(conf.root, place.steps)
    if section is None or (name is not None and name not in section.values):
        raise CommandError(f"{name or said(place)} is not set there")
    applied = await _edited(session, lambda space: space.unset(Place(place.steps), name))
    if name is None:
        return _with(f'"{said(place)}" has been unset.', applied, {"scope": said(place)})
    text = f'"{name}" has been unset.'
    declared = option_in(place.kind, name)
    if declared is not None:
        value = chain_at(await seen(session), place).value(declared)
        text += f" Effective value is now:\n{setting(name, declared, value, NESTED)}"
    return _with(text, applied, {"option": name})


@command("config commit", who=Rank.OPERATOR)
async def commit(session: Session) -> Result:
    """Bring the transaction into force, whole or not at all. Nothing is written to files.

    If it is refused it stays open.
    """
    transaction = _open(session)
    new = await session.server.aside(transaction.workspace.snapshot)
    if new == transaction.base:
        session.transaction = None
        return Said("nothing was changed", {"changes": []})
    try:
        applied = await session.server.apply(
            new, transaction.base, session.peer.user, "config commit"
        )
    except ConflictError as error:
        raise ConflictError(await _conflict(session, transaction)) from error
    session.transaction = None
    return _with(str(Listed(applied.changes)), applied, {})


@command("config rollback", who=Rank.OPERATOR)
async def rollback(session: Session, revision: int = 0) -> Result:
    """Drop the transaction; with a number go back to that revision, as config restore does."""
    return await _restored(session, revision) if revision else _dropped(session)


@command("config revert", who=Rank.OPERATOR)
def revert(session: Session) -> Result:
    """Drop the transaction, as config rollback does."""
    return _dropped(session)


@command("config rebase", who=Rank.OPERATOR)
async def rebase(session: Session) -> Result:
    """Bring the changes of the transaction onto what is in force now, so that it can be committed.

    Changes of one option by two people are not told apart: the transaction's counts.
    """
    transaction = _open(session)
    if transaction.scratch:
        raise CommandError("it was begun from scratch: it replaces whatever is in force")
    workspace = await session.server.aside(_again, session.server.live.snapshot, transaction.edits)
    session.transaction = Transaction(workspace, edits=transaction.edits)
    lines = workspace.replay()
    return Said("\n".join(lines), lines)


@command("config reload", who=Rank.OPERATOR)
async def reload(session: Session, path: str = "") -> Result:
    """Read the configuration files again, or another one, and bring that into force.

    Changes which were made here and not written with config writeback are gone then; they are
    listed. Sessions which send us mail are told 421 at their next message (reconfig_message).
    """
    if session.transaction is not None:
        raise CommandError("a transaction is open; config commit or config rollback ends it")
    applied = await session.server.reload_from(path, session.peer.user)
    others = [each for each in applied.changes if each not in applied.lost]
    lost = [f"not written, and gone: {each}" for each in Listed(applied.lost).lines]
    text = "\n".join([*Listed(others).lines, *lost])
    return _with(text, applied, {"lost": [each.plain() for each in applied.lost]})


@command("config writeback", who=Rank.OPERATOR)
async def writeback(session: Session, path: str = "") -> Result:
    """Write what is in force to the files it came from, or all of it to another file.

    Comments and layout stay. A file which was changed since it was read is not written over.
    """
    written = await session.server.write_back(path)
    return Said("\n".join(f"written: {each}" for each in written), list(written))


@command("config restore", who=Rank.OPERATOR)
async def restore(session: Session, revision: int) -> Result:
    """Bring an earlier configuration into force: a number of config history.

    Nothing is written to files before config writeback.
    """
    return await _restored(session, revision)


# What the commands have in common.


async def _restored(session: Session, revision: int) -> Result:
    if session.transaction is not None:
        raise CommandError("a transaction is open; config commit or config rollback ends it")
    server = session.server
    base = server.live.snapshot
    earlier = await server.aside(server.history.snapshot, revision)
    if earlier == base:
        return Said(f"revision {revision} is in force", {"changes": []})
    applied = await server.apply(earlier, base, session.peer.user, f"config restore {revision}")
    return _with(str(Listed(applied.changes)), applied, {})


def _dropped(session: Session) -> Result:
    _open(session)
    session.transaction = None
    return Said()


def _open(session: Session) -> Transaction:
    if session.transaction is None:
        raise CommandError("no transaction is open; config begin opens one")
    return session.transaction


async def _edited(session: Session, edit: Edit) -> Applied | None:
    """Edit the transaction, or what is in force; then it is applied and returned."""
    server, transaction = session.server, session.transaction
    if transaction is not None:
        await server.aside(edit, transaction.workspace)
        transaction.edits.append(edit)
        return None
    while True:
        base = server.live.snapshot
        workspace = await server.aside(_again, base, [edit])
        new = await server.aside(workspace.snapshot)
        if new == base:
            return None
        command = workspace.replay()[0][:MAX_HOW]
        try:
            return await server.apply(new, base, session.peer.user, command)
        except ConflictError:
            continue  # Somebody was faster: this is one change, and may as well come after his.


def _again(base: bytes, edits: Iterable[Edit]) -> Workspace:
    """Return a workspace in which all this is done."""
    workspace = Workspace(base)
    for each in edits:
        each(workspace)
    return workspace


async def _conflict(session: Session, transaction: Transaction) -> str:
    """Say what others have changed since a transaction began, and what can be done."""
    server = session.server
    now = server.live
    changes = await server.aside(_since, transaction.base, now.configuration)
    last = server.history.revisions()[-1:]
    by = f" by {last[0].who} ({last[0].how})" if last else ""
    return "\n".join(
        [
            f"the configuration was changed meanwhile, the last time{by}:",
            *Listed(changes).lines,
            "the transaction stays open: config rebase brings it onto this,"
            " config rollback drops it",
        ]
    )


def _since(base: bytes, now: Configuration) -> list[Change]:
    return differences(load_snapshot(base, files=False).root, now.root)


def _with(text: str, applied: Applied | None, fields: dict[str, Any]) -> Said:
    """Return what a command says, with what came into force and what did not."""
    if applied is None:
        return Said(text, fields)
    lines = [text] if text else []
    waiting = {
        name: remedy for name, remedy in applied.waiting.items()
        if name not in applied.waited
    }  # fmt: skip
    lines += [f"{name} is in force after {remedy}" for name, remedy in waiting.items()]
    lines += [str(each) for each in applied.notes]
    changes = [each.plain() for each in applied.changes]
    fields |= {"generation": applied.number, "changes": changes, "waiting": waiting}
    fields["notes"] = [str(each) for each in applied.notes]
    return Said("\n".join(lines), fields)
