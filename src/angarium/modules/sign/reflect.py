"""Mail back to somebody who tries out signatures: what became of the message he sent.

wanted(session, Reflection("postmaster@example.com", ("joe@example.net",)))     before the content
for each in due(session): send(means, each, mail, verdicts)                     after the check

Scripts ask for it; dkim_validate sends it, as it knows the outcome. A reflection is about one
message, and none is sent about another one.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from angarium.core.body import MemoryBody
from angarium.core.message import Message, Notify, Recipient
from angarium.journal.errors import SpoolError
from angarium.mail.auth import dkim, results
from angarium.mail.auth.dkim import Verdict
from angarium.mail.format import build
from angarium.modules.means import Means
from angarium.policy.context import Session
from angarium.policy.hooks import Hook
from angarium.policy.injected import note_depth
from angarium.policy.mail import Mail, traits_of

_PLACE: Final = "dkim_reflect"  # in the tables of a session
INTERNAL: Final = "internal"
SUBJECT: Final = "What was found about the signatures of your message"
NOTE: Final = "These are the results of DKIM for the message below, as this host received it."
MAX_PENDING: Final = 10


@dataclass(frozen=True, slots=True)
class Reflection:
    """To whom the outcome is sent: the first recipient is named in To, the others are not."""

    sender: str
    to: tuple[str, ...]
    subject: str = ""
    note: str = ""


def wanted(session: Session, reflection: Reflection) -> None:
    """Note that the outcome for the message under way is to be sent."""
    pending = session.tables.setdefault(_PLACE, [])
    # Those of a message which did not come are about none that comes after it.
    pending[:] = [each for each in pending if each[0] is session.mail][: MAX_PENDING - 1]
    pending.append((session.mail, reflection))


def due(session: Session) -> list[Reflection]:
    """Return what is to be sent about the message under way; it is forgotten then."""
    pending = session.tables.pop(_PLACE, [])
    return [each for mail, each in pending if mail is session.mail]


def send(
    means: Means, reflection: Reflection, mail: Mail, verdicts: Sequence[Verdict], about: Hook
) -> None:
    """Send the outcome, with the message.

    Args:
        about: the event it is sent in; mail about mail which was sent this way ends there.

    Raises:
        TooDeepError: scripts send mail about mail which they have sent, again and again.
    """
    found = results.clauses(dkim.reported(verdicts))
    text = f"{reflection.note or NOTE}\r\n\r\n".encode() + found + b"\r\n"
    fields: list[tuple[str, str | bytes]] = [
        ("From", reflection.sender),
        ("To", reflection.to[0]),
        ("Subject", reflection.subject or SUBJECT),
        ("Auto-Submitted", "auto-replied"),
    ]
    charset = "" if text.isascii() else "utf-8"
    content = build.forward(fields, text, charset, mail.draft.whole(), secrets.token_hex(8))
    body = MemoryBody(content)
    now = means.clock.time()
    message = Message(
        "", body, traits=traits_of(body, 0), received_at=now, protocol=INTERNAL
    )  # To the null sender nobody replies.
    message.batch = means.next_id(now)
    note_depth(message, about)
    recipients = [Recipient(each, "", notify=Notify.NEVER) for each in reflection.to]

    def stored(error: SpoolError | None) -> None:
        if error is not None:
            means.tell("WARNING", f"a reflection was not taken: {error}")

    means.admit.inject(message, recipients, stored)
