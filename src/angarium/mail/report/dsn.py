"""Delivery status notifications: what a sender is told of its mail (RFC 3464, 6533, 3834).

A pure builder: times, boundary and ids come from outside, so the same report gives the same
octets. Whether one is sent at all is decided in `outbound/bounce`.
"""

import enum
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final

from angarium.core.reply import Reply

# RFC 5322 section 2.1.1 allows 998 octets a line; 78 are readable.
_READABLE: Final = 76
_XTEXT: Final = re.compile(r"\+([0-9A-F]{2})")


class Action(enum.Enum):
    """What became of the mail (RFC 3464 section 2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is told of one recipient.

    Attributes:
        orcpt: ORCPT as the sender gave it, in xtext; "" if it gave none.
        remote: endpoint of the host which answered, "192.0.2.1:25"; "" if none did.
        until: Unix time up to which delivery is tried; 0.0: not, or no longer.
    """

    address: str
    action: Action
    reply: Reply
    orcpt: str = ""
    remote: str = ""
    attempted_at: float = 0.0
    until: float = 0.0


@dataclass(frozen=True, slots=True)
class Notice:
    """All that a report is made of.

    Attributes:
        host: our name, as which we report.
        daemon: the address it comes from.
        sender: whom it is for, the envelope sender of the original.
        envid: ENVID as the sender gave it, in xtext.
        original: header or whole of the original; b"" to return nothing.
        whole: whether `original` has the body too.
        token: letters and digits which make boundary and Message-ID unique.
        international: the original was one of RFC 6532, with UTF-8 in its header.
    """

    host: str
    daemon: str
    sender: str
    outcomes: Sequence[Outcome]
    date: float
    arrived: float
    token: str
    envid: str = ""
    original: bytes = b""
    whole: bool = False
    international: bool = False


_SUBJECTS: Final = {
    Action.FAILED: "Mail could not be delivered",
    Action.DELAYED: "Mail is delayed",
    Action.DELIVERED: "Mail was delivered",
    Action.RELAYED: "Mail was passed on",
    Action.EXPANDED: "Mail was sent to a list",
    Action.EXPANDED: "Mail was passed on to several",
}
_LEAD: Final = {
    Action.FAILED: "Your message could not be delivered to:",
    Action.DELAYED: "Your message has not been delivered yet to the following recipients. You"
    " need not send it again; it is tried further:",
    Action.DELIVERED: "Your message was delivered to:",
    Action.RELAYED: "Your message was passed on, to a host which may not report further, for:",
    Action.EXPANDED: "Your message was delivered, and sent on to all who are behind:",
    Action.EXPANDED: "Your message was delivered, and passed on to several others, for:",
}


def build(notice: Notice) -> bytes:
    """Return the report, header and body, with CRLF line ends."""
    utf8 = (
        notice.international
        or not "".join([notice.sender, *(each.address for each in notice.outcomes)]).isascii()
    )
    boundary = f"report-{notice.token}"
    while boundary.encode() in notice.original:
        boundary += "-"
    charset = "utf-8" if utf8 else "us-ascii"
    encoding = "8bit" if utf8 else "7bit"
    kind = "global-delivery-status" if utf8 else "delivery-status"
    rows = [
        *_header(notice, boundary),
        "",
        "This is a report in the form of RFC 3464.",
        "",
        f"--{boundary}",
        f"Content-Type: text/plain; charset={charset}",
        f"Content-Transfer-Encoding: {encoding}",
        "",
        *_explained(notice),
        "",
        f"--{boundary}",
        f"Content-Type: message/{kind}",
        f"Content-Transfer-Encoding: {encoding}",
        "",
        *_status(notice),
        "",
    ]
    parts = ["\r\n".join(rows).encode("utf-8" if utf8 else "ascii", "replace"), b"\r\n"]
    if notice.original:
        parts += [
            f"--{boundary}\r\n".encode(),
            _returned(notice, utf8=utf8),
            notice.original,
            b"\r\n",
        ]
    parts.append(f"--{boundary}--\r\n".encode())
    return b"".join(parts)


def _header(notice: Notice, boundary: str) -> Iterator[str]:
    action = notice.outcomes[0].action
    yield f"From: Mail Delivery System <{notice.daemon}>"
    yield f"To: <{notice.sender}>"
    yield f"Subject: {_SUBJECTS[action]}"
    yield f"Date: {_date(notice.date)}"
    yield f"Message-ID: <{notice.token}@{notice.host}>"
    # Says to every other machine that it must not answer (RFC 3834 section 5).
    yield "Auto-Submitted: auto-replied"
    yield "MIME-Version: 1.0"
    yield f'Content-Type: multipart/report; report-type=delivery-status;\r\n boundary="{boundary}"'


def _explained(notice: Notice) -> Iterator[str]:
    """The part for people."""
    yield f"This is the mail server {notice.host}."
    yield ""
    yield from textwrap.wrap(_LEAD[notice.outcomes[0].action], _READABLE)
    for each in notice.outcomes:
        yield ""
        yield f"  <{each.address}>"
        said = "The host answered" if each.remote else "Reason"
        text = str(each.reply).replace("[internal] ", "")
        yield from textwrap.wrap(
            f"{said}: {text}", _READABLE, initial_indent="  ", subsequent_indent="    "
        )
        if each.until:
            yield f"  Tried until: {_date(each.until)}"
    if notice.original:
        what = "message" if notice.whole else "header of your message"
        yield ""
        yield f"The {what} follows below."


def status_fields(notice: Notice) -> Iterator[list[tuple[str, str]]]:
    """Yield the fields of the part for machines: those of the message, then of each recipient."""
    about = [("Original-Envelope-Id", _line(_from_xtext(notice.envid)))] if notice.envid else []
    about.append(("Reporting-MTA", f"dns; {notice.host}"))
    about.append(("Arrival-Date", _date(notice.arrived)))
    yield about
    for each in notice.outcomes:
        fields = []
        kind, _, original = each.orcpt.partition(";")
        if original:
            fields.append(("Original-Recipient", f"{_line(kind)}; {_line(_from_xtext(original))}"))
        # utf-8 is the address type of an address which needs it (RFC 6533 section 3).
        named = "rfc822" if each.address.isascii() else "utf-8"
        fields.append(("Final-Recipient", f"{named}; {each.address}"))
        fields.append(("Action", each.action.value))
        fields.append(("Status", status_of(each.reply, each.action)))
        if each.remote:
            fields.append(("Remote-MTA", f"dns; [{each.remote.rpartition(':')[0].strip('[]')}]"))
        # Only what a host said is of type smtp; the rest is ours (RFC 3464 section 2.3.6).
        said = "smtp" if each.remote else "x-angarium"
        fields.append(("Diagnostic-Code", f"{said}; {_line(str(each.reply))}"))
        if each.attempted_at:
            fields.append(("Last-Attempt-Date", _date(each.attempted_at)))
        if each.until:
            fields.append(("Will-Retry-Until", _date(each.until)))
        yield fields


def _status(notice: Notice) -> Iterator[str]:
    for number, fields in enumerate(status_fields(notice)):
        if number:
            yield ""
        for name, value in fields:
            if name == "Diagnostic-Code":
                yield from _folded(f"{name}: {value}")
            else:
                yield f"{name}: {value}"


def status_of(reply: Reply, action: Action) -> str:
    """Return the enhanced code for a Status field, of the class which the action demands."""
    digit = {Action.FAILED: "5", Action.DELAYED: "4"}.get(action, "2")
    if reply.enhanced:
        # A temporary reply which lasted too long makes a permanent failure (RFC 3464 2.3.4).
        return reply.enhanced if action is Action.FAILED else digit + reply.enhanced[1:]
    return f"{reply.code // 100 if action is Action.FAILED else digit}.0.0"


def _returned(notice: Notice, *, utf8: bool) -> bytes:
    eight = not notice.original.isascii()
    kind = "message/rfc822" if notice.whole else "text/rfc822-headers"
    if utf8:
        kind = "message/global" if notice.whole else "message/global-headers"
    return (
        f"Content-Type: {kind}\r\nContent-Transfer-Encoding: {'8bit' if eight else '7bit'}\r\n\r\n"
    ).encode()


def _from_xtext(text: str) -> str:
    return _XTEXT.sub(lambda found: chr(int(found[1], 16)), text)


def _line(text: str) -> str:
    """Keep a value from outside on its line."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def _folded(field: str) -> Iterator[str]:
    yield from textwrap.wrap(_line(field), _READABLE, subsequent_indent="  ") or [field]


def _date(at: float) -> str:
    return format_datetime(datetime.fromtimestamp(at, UTC))
