"""What a receiver of alerts reads: one notice about all that is to be told, as mail and as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from angarium.modules.monitor.incidents import Incident, Key

MOST: Final = 25  # incidents told one by one; of the rest how many there are
MAX_SUBJECT: Final = 120  # characters


@dataclass(frozen=True, slots=True)
class Notice:
    """All that one receiver is told at once.

    Attributes:
        host: name of the server.
        incidents: oldest first.
        test: somebody only wants to know whether it arrives.
    """

    host: str
    at: float
    incidents: tuple[Incident, ...]
    test: bool = False

    @property
    def states(self) -> Mapping[Key, int]:
        """Return what a receiver knows who has read it."""
        return {each.key: each.state for each in self.incidents}

    @property
    def word(self) -> str:
        """Return raised, over or test."""
        if self.test:
            return "test"
        return "over" if all(each.over for each in self.incidents) else "raised"

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset(each.kind for each in self.incidents)


def trial(host: str, at: float) -> Notice:
    """Return a notice about nothing."""
    text = "this is a test: nothing is wrong"
    return Notice(host, at, (Incident("test", "", text, False, at, at),), test=True)


def subject(notice: Notice) -> str:
    """Return all of it in one line."""
    first = next((each for each in notice.incidents if not each.over), notice.incidents[0])
    more = len(notice.incidents) - 1
    said = f"{'OVER' if first.over else first.kind}: {first.text}"
    tail = f" (and {more} more)" if more else ""
    text = f"[{notice.host}] {said}"
    room = MAX_SUBJECT - len(tail)
    return (text if len(text) <= room else text[: room - 3] + "...") + tail


def body(notice: Notice) -> str:
    """Return it for people."""
    raised = [each for each in notice.incidents if not each.over]
    over = [each for each in notice.incidents if each.over]
    parts = [f"{notice.host}, {_time(notice.at)}", ""]
    for title, incidents in (("Wrong:", raised), ("Over:", over)):
        if incidents:
            parts += [title, *(f"  {line(each)}" for each in incidents[:MOST])]
            if len(incidents) > MOST:
                parts.append(f"  and {len(incidents) - MOST} more")
            parts.append("")
    if raised and not notice.test:
        parts.append("angarium console and the paniclog have more.")
    return "\n".join(parts).rstrip() + "\n"


def line(incident: Incident) -> str:
    """Return one in one line, for people."""
    about = f" {incident.about}" if incident.about else ""
    times = f", {incident.count} times" if incident.count > 1 else ""
    if incident.over:
        lasted = _duration(round(incident.over_at - incident.since))
        return f"{incident.kind}{about}: over, lasted {lasted}{times}; it was: {incident.text}"
    return f"{incident.kind}{about}: {incident.text} (since {_time(incident.since)}{times})"


def _duration(seconds: int) -> str:
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{seconds} s"


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def as_json(notice: Notice) -> bytes:
    """Return it for programs."""
    return json.dumps(
        {
            "version": 1,
            "host": notice.host,
            "time": round(notice.at, 3),
            "state": notice.word,
            "summary": subject(notice),
            "alerts": [
                {
                    "kind": each.kind,
                    "about": each.about,
                    "state": "over" if each.over else "raised",
                    "text": each.text,
                    "since": round(each.since, 3),
                    "last": round(each.last, 3),
                    "over": round(each.over_at, 3) if each.over else None,
                    "count": each.count,
                }
                for each in notice.incidents[:MOST]
            ],
            "left_out": max(0, len(notice.incidents) - MOST),
        }
    ).encode()


def as_mail(notice: Notice, sender: str, to: Sequence[str]) -> bytes:
    """Return it as a message, ASCII with CRLF, whatever is in it."""
    mail = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    mail["From"] = Address("Angarium", addr_spec=sender)
    mail["To"] = ", ".join(to)
    mail["Subject"] = subject(notice)
    mail["Date"] = format_datetime(datetime.fromtimestamp(notice.at, UTC))
    domain = sender.rpartition("@")[2]
    mail["Message-ID"] = f"<{notice.at:.6f}.{sum(notice.states.values())}.alert@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday answers it.
    mail["X-Angarium-Alert"] = notice.word
    text = body(notice)
    mail.set_content(text, cte="7bit" if text.isascii() and _short(text) else "quoted-printable")
    return bytes(mail)


def _short(text: str) -> bool:
    return max(map(len, text.split("\n"))) <= 78
