"""Suspending delivery, and resuming it: of a binding, a domain, both, or everything."""

import time
from collections.abc import Sequence
from typing import Annotated

from angarium.console.access import Rank
from angarium.console.chosen import ALL, known_binding
from angarium.console.command import Words, command
from angarium.console.errors import CommandError
from angarium.console.one import first
from angarium.console.questions import suspended
from angarium.console.result import Result, Said
from angarium.console.session import Session
from angarium.queue.choice import ChoiceError, word
from angarium.queue.suspended import Place

_Where = Annotated[Words, "<all | [binding <name>] [domain <name>]>"]


@command("suspend", who=Rank.OPERATOR)
async def suspend(session: Session, words: _Where) -> Result:
    """Deliver nothing of a binding, of a domain, of a domain on a binding, or nothing at all.

        suspend all                          all delivery pauses; mail is taken in
        suspend domain *.example.com
        suspend binding b1 domain example.com

    Names may be patterns. What is in an attempt ends by itself. It lasts until resume, over
    reloads, upgrades and restarts: it stands in `DIR/suspended`, with who did it.
    """
    place = await _place(session, words, since=int(time.time()))
    changed = await _changed(session, [place], [])
    return _said(f"{place} is suspended" + ("" if changed else " already"), [place], changed)


@command("resume", who=Rank.OPERATOR)
async def resume(session: Session, words: _Where) -> Result:
    """End a suspension, in the words it was made with; `resume all` ends all of them.

    What is configured as suspended (suspend_delivery) stays so.
    """
    place = await _place(session, words)
    here = await _listed(session)
    gone = here if not place.binding and not place.domain else [place]
    changed = await _changed(session, [], gone)
    if not changed:
        left = ", ".join(map(str, here)) or "nothing"
        raise CommandError(f"{place} is not suspended by a command; {left} is")
    return _said("\n".join(f"{each} is resumed" for each in changed), changed, changed)


@command("suspend list", who=Rank.VIEWER)
async def listed(session: Session) -> Result:
    """List what is suspended by commands, with who did it and when."""
    places = await _listed(session)
    lines = [f"{each}  by {each.who} at {_time(each.since)}" for each in places]
    return Said("\n".join(lines or ["nothing is suspended"]), [_plain(each) for each in places])


async def _place(session: Session, words: Sequence[str], since: int = 0) -> Place:
    left = [*words]
    named: dict[str, str] = {}
    if [each.lower() for each in left] == [ALL]:
        left = []
    elif not left:
        raise CommandError("write all, or binding and its name, or domain and its name")
    while left:
        what = left.pop(0).lower()
        if what not in {"binding", "domain"} or what in named or not left:
            raise CommandError("write all, or binding and its name, or domain and its name")
        named[what] = left.pop(0)
    for each in named.values():
        try:
            word(each)
        except ChoiceError as error:
            raise CommandError(str(error)) from None
    if since and "binding" in named:
        known_binding(session, named["binding"])
    return Place(**named, who=session.peer.user, since=since)


async def _changed(session: Session, add: list[Place], remove: list[Place]) -> list[Place]:
    """Change the file by one worker, and let all go by it."""
    one = first(session).name
    answers = await session.node.ask(suspended.changed(add, remove), only=[one])
    for changed in answers.each.values():
        told = await session.node.ask(suspended.look())
        for line in told.missing:
            session.note(f"{line}; it goes by it as soon as it runs")
        return changed
    raise CommandError("; ".join(answers.missing))


async def _listed(session: Session) -> list[Place]:
    answers = await session.node.ask(suspended.listed(), only=[first(session).name])
    for places in answers.each.values():
        return places
    raise CommandError("; ".join(answers.missing))


def _said(text: str, places: Sequence[Place], changed: Sequence[Place]) -> Said:
    fields = {"places": [_plain(each) for each in places], "changed": bool(changed)}
    return Said(text, fields)


def _plain(place: Place) -> dict[str, object]:
    return {
        "binding": place.binding or None,
        "domain": place.domain or None,
        "who": place.who,
        "since": place.since,
    }


def _time(seconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
