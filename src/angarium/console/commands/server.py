"""The server as a whole: its modules, its logs, its configuration as it runs, its end."""

from collections.abc import Iterator
from typing import Any, Final

from angarium.config.option import CLASSES
from angarium.config.scope import STANZAS, Naming, StanzaKind, State
from angarium.config.section import Section
from angarium.config.show import Show
from angarium.console.access import Rank
from angarium.console.command import command
from angarium.console.errors import CommandError
from angarium.console.questions import logs
from angarium.console.result import Result, Said
from angarium.console.session import Session
from angarium.policy.hooks import ABSENT, HOOKS

PANICS: Final = 10  # lines of paniclog
_SHOWN: Final = ("Scope_Name", "Instance_Name", "Enabled", "API", "Name", "Description")
_ROOM: Final = "angarium.modules."


@command("paniclog", who=Rank.VIEWER)
async def paniclog(session: Session) -> Result:
    """Print the last lines of paniclog: what an operator must see."""
    answers = await session.node.ask(logs.panics(PANICS))
    found = dict(answers.total.rows) if answers.total else {}
    if not found and not answers.missing:
        raise CommandError("no ec_logger has a paniclog")
    lines = []
    for path, each in sorted(found.items()):
        lines += [f"{path}:"] if len(found) > 1 or each.reason else []
        lines += each.lines or ([each.reason] if each.reason else [])
    plain = {path: {"lines": each.lines, "reason": each.reason} for path, each in found.items()}
    return Said("\n".join([*lines, *answers.missing]), plain)


@command("reopen logs", who=Rank.OPERATOR)
def reopen(session: Session) -> Result:
    """Let all logs be closed and opened: they have been renamed. As SIGUSR1 does it."""
    session.node.reopen()
    return Said("", {"reopened": True})


@command("shutdown", who=Rank.OPERATOR)
def shutdown(session: Session) -> Result:
    """End the server in order: nothing new is taken, what is under way ends. As SIGTERM does it.

    `shutdown_timeout` says how long that may take. What is queued is there at the next start.
    """
    session.node.stop()
    return Said("", {"stopping": True})


@command("write config", who=Rank.OPERATOR)
async def write_config(session: Session, path: str = "") -> Result:
    """Print the configuration in force, or write it to a file on the server, without includes."""
    live = session.server.live
    if path:
        written = await session.server.write_back(path)
        return Said("\n".join(f"written: {each}" for each in written), {"written": list(written)})
    shown, root = Show(live.configuration), live.configuration.root
    text = await session.server.aside(lambda: shown.text(root, recurse=True))
    plain = await session.server.aside(shown.plain, root)
    return Said(text.removesuffix("\n"), plain)


@command("module list", who=Rank.VIEWER)
def modules(session: Session) -> Result:
    """List the modules of the configuration, and whether each one works here."""
    rows = list(_modules(session.server.live.configuration.root))
    lines = []
    for each in rows:
        lines.append(f"Module: {each['module']}")
        lines += [f"  {name}: {each[name.lower()]}" for name in _SHOWN if each[name.lower()]]
        if each["state"] != State.WORKS.value:
            lines.append(f"  State: {each['state']}. {each['reason']}")
    return Said("\n".join(lines) or "no module is configured", rows)


def _modules(root: Section) -> Iterator[dict[str, Any]]:
    for key, made in sorted(CLASSES.items()):
        kind = STANZAS.get(key)
        if kind is None or not made.__module__.startswith(_ROOM) or "" not in kind.parents:
            continue
        for section in root.all(key).values():
            yield _module(kind, made.__module__, section)


def _module(kind: StanzaKind, made: str, section: Section) -> dict[str, Any]:
    single = kind.naming is Naming.NEVER
    enabled = section.values.get("enabled", True)
    logger = made.startswith(f"{_ROOM}loggers")
    return {
        "module": kind.name if single else f"{kind.name}:{section.instance or kind.name}",
        "scope_name": kind.name,
        "instance_name": "" if single else section.instance or kind.name,
        "enabled": "enabled" if enabled else "disabled",
        "api": "Logger" if logger else "Singleton" if single else "Module",
        "name": f"{kind.name}.py",
        "description": kind.doc,
        "state": kind.standing.state.value,
        "reason": kind.standing.reason,
    }


@command("module hooks", who=Rank.VIEWER)
def hooks(session: Session) -> Result:
    """List the hooks at which policy is asked, in the order in which a message meets them.

    Each with what scripts are called with, by what it is asked, and what it is for. `policy` prints
    who handles them.
    """
    rows = [
        {
            "hook": name,
            "arguments": list(hook.arguments),
            "asked": hook.asked,
            "waits": hook.waits,
            "doc": " ".join((hook.__doc__ or "").split()),
        }
        for name, hook in HOOKS.items()
    ]
    lines = []
    for row, hook in zip(rows, HOOKS.values(), strict=True):
        lines += [
            f"{row['hook']}({', '.join(hook.arguments)})",
            f"    {row['asked']}: {row['doc']}",
        ]
    lines += [f"{name}\n    not asked yet: {missing}" for name, missing in ABSENT.items()]
    return Said("\n".join(lines), rows)
