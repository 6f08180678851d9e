"""What a message that came back says of the one which was sent: why it failed, and for whom.

By the part for machines, if it has one; else by its header and by what its text says, as well as
that goes: those who write no such part agree on nothing.
"""

import re
from dataclasses import dataclass
from typing import Final

from angarium.core.reply import from_text
from angarium.mail.format.addresses import mailboxes
from angarium.mail.format.text import text_of, text_parts
from angarium.mail.format.tree import Part
from angarium.mail.report import codes, phrases, status
from angarium.mail.report.classify import classify, classify_text
from angarium.mail.report.status import Group, Status

_LOOKED_AT: Final = 65536  # characters of text
_LINES: Final = 200  # which are looked at for words
_SYSTEM: Final = re.compile(r"mailer-?daemon|postmaster|mail delivery|mdaemon|<>", re.IGNORECASE)
_FAILURE: Final = re.compile(
    r"undeliver|returned mail|delivery (?:status|failure|has failed|report|problem|incomplete)"
    r"|failure notice|mail (?:delivery )?failed|message (?:not |could not be )delivered|non.?remis"
    r"|unzustellbar|rejected mail|mail system error|could not send",
    re.IGNORECASE,
)
_AWAY: Final = re.compile(
    r"out of (?:the )?office|auto(?:matic|mated)?[- ]?(?:reply|response)|autorepl|vacation"
    r"|abwesen|away from (?:my|the)|absence|\bauto:",
    re.IGNORECASE,
)
_CHALLENGE: Final = re.compile(
    r"(?:confirm|verify) your (?:e-?mail|message|address)|sender verification|challenge"
    r"|awaiting (?:your )?(?:verification|confirmation)",
    re.IGNORECASE,
)
_WORD: Final = re.compile(r"\s*(?:re:\s*)?(un)?subscribe\s*\Z", re.IGNORECASE)
# A reply of SMTP, quoted somewhere in a line.
_REPLY: Final = re.compile(r"(?<![\d.:/-])([45]\d\d)[ -](?:#?([45]\.\d{1,3}\.\d{1,3})\b)?")
_ADDRESS: Final = re.compile(
    r"[^\s<>()\[\]\"',;:@]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+"
)


@dataclass(frozen=True, slots=True)
class Bounce:
    """What became of a message.

    Attributes:
        code: a bounce class, see `codes`.
        recipient: for whom it was; "" if nobody is named.
        reason: what the host said.
    """

    code: int
    recipient: str = ""
    reason: str = ""


def bounce_of(top: Part) -> Bounce:
    """Return what a message that came back says."""
    report = status.read(top)
    if report is not None:
        return _by_report(report)
    return _by_text(top)


def _by_report(report: Status) -> Bounce:
    # The first which failed, else the first.
    each = next(
        (one for one in report.recipients if one.get("action").lower() == "failed"),
        report.recipients[0],
    )
    reason = each.typed("diagnostic-code") or each.get("status")
    action = each.get("action").lower()
    if action == "delayed":
        return Bounce(codes.TRANSIENT, each.address, reason)
    if action in ("delivered", "relayed", "expanded"):
        return Bounce(codes.UNDETERMINED, each.address, reason)
    return Bounce(_class_of(each, reason), each.address, reason)


def _class_of(each: Group, reason: str) -> int:
    """The class of a failure, by what the host said and by the status beside it."""
    said = each.get("status").split()[:1]
    enhanced = said[0] if said else ""
    known = classify_text(reason)
    if not re.fullmatch(r"[245]\.\d{1,3}\.\d{1,3}", enhanced):
        return known
    by_status = classify(from_text(f"{enhanced[0]}99 {enhanced} {reason}"))
    # A status such as 5.0.0 says nothing, and one that is not the host's own may be wrong.
    return by_status if known in (codes.UNDETERMINED, codes.GENERIC) else known


def _by_text(top: Part) -> Bounce:
    header = top.header
    subject = (header.text("subject") or "")[:1000]
    sender = (header.text("from") or "")[:1000]
    failed = header.value("x-failed-recipients")
    bounced = bool(failed or _SYSTEM.search(sender) or _FAILURE.search(subject))
    text = "\n".join([text_of(part) for part in text_parts(top)])[:_LOOKED_AT]
    if not bounced:
        return Bounce(_unasked(top, subject, text))
    code, reason = _said(text)
    recipient = _recipient(top, failed, text)
    if code == codes.UNDETERMINED:
        code = codes.GENERIC if recipient else codes.NO_RCPT
    return Bounce(code, recipient, reason)


def _unasked(top: Part, subject: str, text: str) -> int:
    """The class of a message which is no report."""
    header = top.header
    wish = _WORD.match(subject) or (None if subject.strip() else _WORD.match(text[:200]))
    if wish:
        return codes.UNSUBSCRIBE if wish[1] else codes.SUBSCRIBE
    if _CHALLENGE.search(subject):
        return codes.CHALLENGE
    submitted = (header.value("auto-submitted") or b"no").lower()
    answers = submitted.startswith(b"auto-replied") or any(
        header.value(name) is not None
        for name in ("x-autoreply", "x-autorespond", "x-autoresponse")
    )
    precedence = (header.value("precedence") or b"").lower()
    if answers or precedence == b"auto_reply" or _AWAY.search(subject):
        return codes.AUTO_REPLY
    return codes.UNDETERMINED


def _said(text: str) -> tuple[int, str]:
    """Find what the host said: a line with its reply, else one whose words tell something."""
    lines = [line.strip() for line in text.splitlines()]
    for number, line in enumerate(lines):
        if found := _REPLY.search(line):
            # The rest may stand in the lines which follow.
            reason = " ".join([line[found.start() :], *lines[number + 1 : number + 3]])
            return classify_text(reason), reason[:1000].strip()
    for line in lines[:_LINES]:
        code = phrases.classify(line) if line else None
        if code not in (None, codes.MAIL_BLOCK):
            return code or codes.UNDETERMINED, line[:1000]
    return codes.UNDETERMINED, ""


def _recipient(top: Part, failed: bytes | None, text: str) -> str:
    """Find for whom it was: as the header says, as the returned message does, as the text does."""
    if failed and (named := mailboxes(failed)):
        return named[0].address
    ours = {
        each.address.lower()
        for name in ("from", "to", "cc")
        for value in top.header.values(name)
        for each in mailboxes(value)
    }
    for found in _ADDRESS.finditer(text):
        if found[0].lower() not in ours:
            return found[0]
    header = status.returned(top)
    value = None if header is None else header.value(b"to")
    named = mailboxes(value) if value else []
    return named[0].address if named else ""
