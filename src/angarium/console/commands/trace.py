"""`trace smtp`: what is said on connections, to a file or to the console, without secrets.

A trace takes new connections only, and ends by itself.
"""

import ipaddress
from typing import Annotated, Final

from angarium.console.access import Rank
from angarium.console.command import Words, command
from angarium.console.errors import CommandError
from angarium.console.questions import reasons, tracing
from angarium.console.questions.tracing import Filter
from angarium.console.result import Result, Said
from angarium.console.session import Session
from angarium.core import ident as idents

SECONDS: Final = 600.0
LONGEST: Final = 86400
_WAYS: Final = ("in", "out")
_FILTERS: Final = ("binding", "domain", "address", "message", "for")


@command("trace smtp add", who=Rank.OPERATOR)
async def add(session: Session, binding: str, domain: str, file: str) -> Result:
    """Write what is said on new connections to hosts to a file on the server.

    `*` is any binding, or any domain. Contents are told by their size, what follows AUTH is
    hidden. A trace ends after an hour, or when a worker has written 64 MiB.
    """
    if not file.startswith("/"):
        raise CommandError(f"{file}: write the whole path of a file on the server")
    kept = session.node.statistics
    kept.traces += 1
    chosen = Filter("out", binding, domain.lower())
    answers = await session.node.ask(tracing.to_file(kept.traces, chosen, file))
    if not answers.each:
        raise CommandError("; ".join(answers.missing) or "no worker answers")
    text = f"Registered smtp tracer #{kept.traces}"
    plain = {"tracer": kept.traces, "missing": answers.missing}
    return Said("\n".join([text, *answers.missing]), plain)


@command("trace smtp list", who=Rank.VIEWER)
async def list_traces(session: Session) -> Result:
    """List the traces which are written."""
    answers = await session.node.ask(tracing.traces())
    rows = sorted((int(n), e) for n, e in (answers.total.rows if answers.total else {}).items())
    lines = []
    for number, each in rows:
        lines += [
            f"[{number:6}]  binding: {each.binding}",
            f"           domain: {each.domain}",
            f"             file: {each.file} @ {each.workers} workers, {each.left:.0f} s left",
        ]
    plain = [
        {"tracer": n, "binding": e.binding, "domain": e.domain, "file": e.file, "left": e.left}
        for n, e in rows
    ]
    return Said("\n".join([*lines, *answers.missing]), plain)


@command("trace smtp remove", who=Rank.OPERATOR)
async def remove(session: Session, id: int) -> Result:
    """End a trace before its time."""
    answers = await session.node.ask(tracing.ended(id))
    if not answers.total or not answers.total.values["ended"]:
        raise CommandError(f"there is no smtp tracer #{id}; trace smtp list shows those there are")
    return Said("\n".join([f"Removed smtp tracer #{id}", *answers.missing]), {"removed": id})


@command("trace smtp live", who=Rank.OPERATOR)
async def live(session: Session, words: Annotated[Words, "[in|out] [filter ...]"]) -> Result:
    """Print what is said on new connections, until it is stopped or for ten minutes.

    Of clients (`in`), to hosts (`out`), or both. Filters: `binding B` and `domain D` (to hosts),
    `address A` (an address or a network, of the other side), `message ID` (the queue in which it
    waits), `for N` seconds.
    """
    said, way = _said(words)
    chosen = Filter(
        way, said.get("binding", "*"), said.get("domain", "*").lower(), said.get("address", "")
    )
    if "message" in said:
        chosen = await _of_message(session, said["message"])
    seconds = float(said.get("for", SECONDS))
    answers = await session.node.ask(tracing.live(chosen, seconds), tell=session.say)
    text = "\n".join([f"(that were {seconds:g} s)", *answers.missing])
    return Said(text, {"missing": answers.missing})


def _said(words: Words) -> tuple[dict[str, str], str]:
    """Return the filters and the way. Raises CommandError."""
    left, said, way = list(words), dict[str, str](), "*"
    while left:
        word = left.pop(0).lower()
        if word in _WAYS:
            way = word
        elif word not in _FILTERS:
            known = ", ".join((*_WAYS, *_FILTERS))
            raise CommandError(f"{word}: a filter begins with one of {known}")
        elif not left:
            raise CommandError(f"{word} what? A value is missing")
        else:
            said[word] = left.pop(0)
    seconds = said.get("for", "1")
    if not seconds.isdecimal() or not 0 < int(seconds[:9]) <= LONGEST:
        raise CommandError(f"{seconds} is no number of seconds from 1 to {LONGEST}")
    if "address" in said:
        try:
            ipaddress.ip_network(said["address"], strict=False)
        except ValueError as error:
            raise CommandError(f"{said['address']} is no address or network: {error}") from error
    return said, way


async def _of_message(session: Session, text: str) -> Filter:
    """Return what traces the queue of a message."""
    ident = idents.parse(text)
    if ident is None:
        raise CommandError(f"{text} is no id of a message")
    answers = await session.node.ask(reasons.letter([ident]))
    found = answers.total.found if answers.total else []
    if not found:
        raise CommandError(f"{text} is in no queue; explain message {text} says what it was")
    return Filter("out", found[0].binding, found[0].domain)
