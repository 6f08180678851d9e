"""Reports of abuse: a recipient has called a message spam (RFC 5965).

complaint = read(tree(draft))           None: the message is no such report
complaint.group.get("Feedback-Type"), complaint.recipient
"""

from dataclasses import dataclass
from typing import Final

from angarium.mail.format.addresses import mailboxes
from angarium.mail.format.fields import Fields
from angarium.mail.format.header import limits
from angarium.mail.format.text import content_of
from angarium.mail.format.tree import Part
from angarium.mail.format.words import decoded
from angarium.mail.report.status import Group, returned

_KIND: Final = "message/feedback-report"


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a report says.

    Attributes:
        group: its fields.
        header: that of the message it is about; None if it did not come with it.
    """

    group: Group
    header: Fields | None

    @property
    def kind(self) -> str:
        """What is complained of: abuse, fraud, virus, not-spam, other ...; in lower case."""
        return self.group.get("feedback-type").strip().lower()

    @property
    def recipient(self) -> str:
        """Who complains: as the report says, else to whom the message was; "" if nobody is named.

        Some who report hide it, in the message too.
        """
        value = self.group.get("original-rcpt-to").encode("utf-8", "surrogateescape")
        if not value and self.header is not None:
            value = self.header.value(b"to") or b""
        found = mailboxes(value)
        return found[0].address if found else ""


def read(top: Part) -> Complaint | None:
    """Return what a report says; None if the message is none, or does not say of what kind."""
    for part in top.walk():
        if part.kind.mimetype == _KIND:
            body = content_of(part)
            rows = Fields(body[: limits(body)[0]]).items()
            group = Group(tuple((name.decode("ascii"), decoded(value)) for name, value in rows))
            if group.get("feedback-type"):
                return Complaint(group, returned(top))
    return None
