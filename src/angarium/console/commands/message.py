"""One message, by its id as the logs have it: looked at, ended, tried now, taken back."""

import time
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

from angarium.console.access import Rank
from angarium.console.chosen import ident_of, reply_of
from angarium.console.command import Words, command
from angarium.console.errors import CommandError
from angarium.console.questions import history, mail, messages
from angarium.console.result import Result, Said
from angarium.console.session import Session
from angarium.core.ident import printed
from angarium.queue.choice import Choice

_FAILED = "manually failed."
_Id = Annotated[Words, "<id>"]
_Noted = Annotated[Words, "<id> [note ...]"]


@command("message details", who=Rank.VIEWER)
async def details(session: Session, words: Annotated[Words, "[full | body] <id>"]) -> Result:
    """Print what is known of a queued message; with `body` its content, with `full` both.

    Code is the reply with which it was put off last; it is looked for in the event streams, for 3
    seconds. Of a content over 4 MB the first 4 are shown.
    """
    which = words[0].lower() if len(words) > 1 else ""
    if which not in {"", "full", "body"} or not 1 <= len(words) <= 2:
        raise CommandError("write message details [full | body] <id>")
    found = await _found(session, words[-1], content=bool(which))
    if found.error:
        raise CommandError(f"the message cannot be read: {found.error}")
    content = found.content[: messages.MOST].decode("utf-8", "replace").replace("\r\n", "\n")
    if len(found.content) > messages.MOST:
        content += f"\n({found.size - messages.MOST} octets more)"
    reply = ""
    if found.attempts and which != "body":
        said = await session.node.ask(history.last_reply(found.ident))
        reply = said.total.text if said.total is not None else ""
    text = "" if which == "body" else _described(found, reply)
    parts = [each for each in (text, content.removesuffix("\n")) if each]
    plain: dict[str, Any] = msgspec.structs.asdict(found)
    del plain["content"], plain["error"], plain["ident"]
    plain |= {"id": words[-1], "batch": printed(found.batch), "code": reply}
    if which:
        plain["content"] = content
    return Said("\n".join(parts), plain)


def _described(found: messages.Details, reply: str) -> str:
    rows = [
        ("Created", _time(found.received_at)),
        ("Next Attempt", _time(found.due) if found.state == "delayed" else found.state),
        ("Retries", str(found.attempts)),
        ("Received Via", f"{found.protocol.upper()} {found.source}".strip()),
        ("Sender", found.sender),
        ("Recipient", found.recipient),
        *([("Code", reply)] if reply else []),
        ("Binding", f"{found.group}/{found.binding}"),
        ("Domain", found.domain),
        ("Size", str(found.size)),
    ]
    rows += [("Priority", str(found.priority))] if found.priority else []
    rows += [("Fairness Key", found.fairness_key)] if found.fairness_key else []
    rows += [("Context", f"{key}={value}") for key, value in sorted(found.context.items())]
    head = [f"Message: {printed(found.ident)}", "Message Type: full message"]
    return "\n".join([*head, *(f"{name:>22}: {value}" for name, value in rows)])


def _time(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


@command("message fail", who=Rank.OPERATOR)
async def fail(session: Session, words: _Noted) -> Result:
    """End a message; its sender gets a report. A note is the reason which that gives."""
    return await _failed(session, words, report=True)


@command("message fail quiet", who=Rank.OPERATOR)
async def fail_quiet(session: Session, words: _Noted) -> Result:
    """End a message; its sender gets no report."""
    return await _failed(session, words, report=False)


async def _failed(session: Session, words: Sequence[str], *, report: bool) -> Result:
    ident, note = _first(words)
    code, text = reply_of(note, _FAILED)
    asking = mail.fail(Choice(idents=[ident]), code, text, report, "failed")
    return await _one(session, ident, await session.node.ask(asking), "Message failed")


@command("message delete", who=Rank.OPERATOR)
async def delete(session: Session, words: _Noted) -> Result:
    """Discard a message: it has its line in the log, and its sender gets no report."""
    ident, note = _first(words)
    code, text = reply_of(note, "manually deleted.")
    asking = mail.fail(Choice(idents=[ident]), code, text, False, "discarded")
    return await _one(session, ident, await session.node.ask(asking), "Message deleted")


@command("message retry", who=Rank.OPERATOR)
async def retry(session: Session, words: _Id) -> Result:
    """Try a delayed message now."""
    ident, rest = _first(words)
    if rest:
        raise CommandError(f"{rest[0]} is one word too many")
    answers = await session.node.ask(mail.flush(Choice(idents=[ident])))
    if answers.total is not None and not answers.total.entries:
        found = await _found(session, words[0], content=False)
        if found.state == "active":
            return Said("Message is active already", {"state": found.state})
    return await _one(session, ident, answers, "Message requeued for delivery")


@command("spool_in", who=Rank.OPERATOR)
async def spool_in(session: Session, words: _Id) -> Result:
    """Take a message back into its queue which was put aside: for damage, or as workers died on it.

    Look at it with message details first. One that is queued already stays where it is.
    """
    ident, rest = _first(words)
    if rest:
        raise CommandError(f"{rest[0]} is one word too many")
    answers = await session.node.ask(messages.restore(ident))
    said = [each for found in answers.each.values() for each in found]
    if not said:
        raise _nowhere(words[0], answers.missing)
    if said[0] == "queued":
        return Said("Message is in the queue already", {"restored": False})
    return Said("Message is in the queue again", {"restored": True})


def _first(words: Sequence[str]) -> tuple[int, Sequence[str]]:
    if not words:
        raise CommandError("the id of the message is missing")
    return ident_of(words[0]), words[1:]


async def _one(session: Session, ident: int, answers: Any, said: str) -> Result:
    """Say that it was done, or why not."""
    if answers.total is None or not answers.total.entries:
        found = await _found(session, printed(ident), content=False)
        raise CommandError(f"the message is {found.state}: nothing has changed")
    return Said(said, {"id": printed(ident), "done": True})


async def _found(session: Session, text: str, *, content: bool) -> messages.Details:
    answers = await session.node.ask(messages.details(ident_of(text), content))
    found = [each for rows in answers.each.values() for each in rows]
    if not found:
        raise _nowhere(text, answers.missing)
    return found[0]


def _nowhere(text: str, missing: Sequence[str]) -> CommandError:
    return CommandError("\n".join([f"there is no message {text} in the queue", *missing]))
