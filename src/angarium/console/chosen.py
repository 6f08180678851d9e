"""The words of a command by which mail is chosen, and what such a command says it did or would do.

    fail domain --dry-run --header X-Kind bulk example.com wrong price

Options may stand anywhere; what they take away is not part of the rest.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from angarium.console.errors import CommandError
from angarium.console.question import Answers, Asking
from angarium.console.questions import mail
from angarium.console.result import Said
from angarium.console.session import Session
from angarium.core.ident import parse, printed
from angarium.core.reply import Reply
from angarium.queue.choice import Choice, ChoiceError

PURGED: Final = "Message manually purged."
LISTED: Final = 25  # messages shown of a preview
ALL: Final = "all"
SYNTAX: Final = "[--dry-run] [filter ...]"
_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_AGE: Final = re.compile(r"([0-9]{1,9})([smhd]?)")
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_REPLY: Final = re.compile(r"([45][0-9][0-9])[ -](.+)", re.DOTALL)
_WORDS: Final = ("sender", "recipient", "domain", "binding", "campaign", "group")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a command says: which mail, whether it is only asked what would be, other words."""

    choice: Choice
    dry_run: bool
    rest: list[str]

    def word(self, what: str) -> str:
        """Take the next word. Raises CommandError."""
        if not self.rest:
            raise CommandError(f"{what} is missing")
        return self.rest.pop(0)

    def end(self) -> None:
        if self.rest:
            raise CommandError(f"{self.rest[0]} is one word too many")

    def of(self, *, domain: str = "", binding: str = "") -> Choice:
        """Return the choice within queues which the command names by place, not by option."""
        choice = self.choice
        for option, word in (("--domain", choice.domain), ("--binding", choice.binding)):
            if word and (domain if option == "--domain" else binding):
                raise CommandError(f"{option} {word} is said twice")
        return _checked(choice, domain or choice.domain, binding or choice.binding)


def asked(words: Sequence[str]) -> Asked:
    """Return what the words of a command say. Raises CommandError."""
    left, fields, rest, dry_run = list(words), dict[str, Any](), list[str](), False
    while left:
        word = left.pop(0)
        name = word[2:]
        if not word.startswith("--"):
            rest.append(word)
        elif word == "--dry-run":
            dry_run = True
        elif name in fields or {name, *fields} >= {"meta", "header"}:
            raise CommandError(f"{word} is one filter too many")
        elif name in {"meta", "header"}:
            fields[name] = (_value(word, left), _value(word, left))
        elif name in _WORDS:
            fields[name] = _value(word, left)
        elif name == "age":
            fields[name] = _age(_value(word, left))
        elif name == "attempts":
            fields[name] = _number(word, _value(word, left))
        else:
            raise CommandError(f"there is no filter {word}")
    return Asked(Choice(**fields), dry_run, rest)


def _value(word: str, left: list[str]) -> str:
    if not left:
        raise CommandError(f"{word} has no value")
    return left.pop(0)


def _age(text: str) -> int:
    found = _AGE.fullmatch(text)
    if found is None:
        raise CommandError(f"{text} is no age: seconds, or 5m, 2h, 3d")
    return int(found[1]) * _UNITS[found[2]]


def _number(word: str, text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise CommandError(f"{word}: {text} is no number")
    return int(text)


def _checked(choice: Choice, domain: str, binding: str) -> Choice:
    made = Choice(
        domain, binding, choice.group, choice.sender, choice.recipient, choice.campaign,
        choice.meta, choice.header, choice.age, choice.attempts, choice.idents,
    )  # fmt: skip
    try:
        made.queues()
        made.messages()
    except ChoiceError as error:
        raise CommandError(str(error)) from None
    return made


def unless_all(word: str) -> str:
    """Return a word, or nothing for `all`."""
    return "" if word.lower() == ALL else word


def known_binding(session: Session, word: str) -> str:
    """Return the name of a binding, or a pattern, as it is asked for. Raises CommandError."""
    if not word or any(each in word for each in "*?/"):
        return word
    bindings = {name.lower() for _, name in session.server.live.configuration.bindings()}
    if word.lower() not in bindings:
        raise CommandError(f"there is no binding {word}")
    return word


def ident_of(text: str) -> int:
    """Return the id which is printed so in logs. Raises CommandError."""
    ident = parse(text)
    if ident is None:
        raise CommandError(f"{text} is no id of a message, as 91/6D-07914-E67BC044")
    return ident


def reply_of(note: Sequence[str], text: str) -> tuple[int, str]:
    """Return code and text of the reply with which mail ends. Raises CommandError."""
    said = " ".join(note) or text
    found = _REPLY.fullmatch(said)
    code, said = (int(found[1]), found[2]) if found else (554, said)
    try:
        Reply(code, said)
    except ValueError as error:
        raise CommandError(str(error)) from None
    return code, said


async def done(
    session: Session, asking: Asking[mail.Done], said: Callable[[mail.Done], str]
) -> Said:
    """Do it in all workers; return what is said of it. Raises CommandError."""
    answers = await session.node.ask(asking, tell=session.note)
    total = total_of(answers)
    lines = [said(total)] if said(total) else []
    if total.unread:
        lines.append(f"{total.unread} messages cannot be read, and were left alone")
    plain = {
        "messages": total.entries,
        "moved": total.moved,
        "unread": total.unread,
        "missing": answers.missing,
    }
    return Said("\n".join([*lines, *answers.missing]), plain)


def total_of(answers: Answers[Any]) -> Any:
    """Return all answers added up. Raises CommandError if there is none."""
    if answers.total is None:
        raise CommandError("no worker answers: " + "; ".join(answers.missing))
    return answers.total


async def preview(session: Session, choice: Choice, name: str, verb: str, part: str = "") -> Said:
    """Say what a command would do, and do nothing."""
    asking = mail.listed(choice, LISTED, part)
    answers = await session.node.ask(asking, tell=session.note)
    page = total_of(answers)
    lines = [
        f"  {printed(each.ident)}  domain={each.domain} from=<{each.sender}> to=<{each.recipient}>"
        for each in page.items
    ]
    more = ""
    if page.more:
        more = f" (Showing first {len(page.items)}; {page.more} more not listed.)"
    lines.append(f"[dry-run] {name}: {page.total} messages would be {verb}.{more}")
    plain = {
        "dry_run": True,
        "messages": page.total,
        "listed": [plain_of(each) for each in page.items],
        "missing": answers.missing,
    }
    return Said("\n".join([*lines, *answers.missing]), plain)


def plain_of(each: mail.Listed) -> dict[str, Any]:
    return {
        "id": printed(each.ident),
        "received": each.ident >> 32,
        "binding": each.binding,
        "domain": each.domain,
        "sender": each.sender,
        "recipient": each.recipient,
        "due": each.due or None,
    }
