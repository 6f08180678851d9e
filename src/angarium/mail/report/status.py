"""Reports of delivery which came by mail, read (RFC 3464, RFC 6533).

    report = read(tree(draft))              None: the message is no such report
    report.recipients[0].get("Status")

Fields are kept as they are written, those nobody knows too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from angarium.mail.format.fields import Fields
from angarium.mail.format.header import CRLF, limits
from angarium.mail.format.text import content_of
from angarium.mail.format.tree import Part
from angarium.mail.format.words import decoded

_KINDS: Final = frozenset(("message/delivery-status", "message/global-delivery-status"))
_RETURNED: Final = frozenset(
    "message/rfc822 message/global text/rfc822-headers message/rfc822-headers"
    " message/global-headers".split()
)
MAX_RECIPIENTS: Final = 1000


@dataclass(frozen=True, slots=True)
class Group:
    """Fields of the message, or of one recipient: names as they are written, and values."""

    fields: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        """Return the value of the first field of that name, in any case; "" without one."""
        wanted = name.lower()
        return next((value for each, value in self.fields if each.lower() == wanted), "")

    def typed(self, name: str) -> str:
        """Return the value of a field "type; value" without its type."""
        value = self.get(name)
        return value.partition(";")[2].strip() if ";" in value else value

    @property
    def address(self) -> str:
        """Whom it is about, as the sender wrote it if that is known; "" if nobody is named."""
        named = self.typed("original-recipient") or self.typed("final-recipient")
        return named.strip("<> ")


@dataclass(frozen=True, slots=True)
class Status:
    """What a report says: of the message, and of each recipient."""

    message: Group
    recipients: tuple[Group, ...]


def read(top: Part) -> Status | None:
    """Return what a report says; None if the message is none, or names no recipient."""
    for part in top.walk():
        if part.kind.mimetype in _KINDS:
            first, *others = list(_groups(content_of(part))) or [Group(())]
            # Some put all into one group, or leave that of the message out.
            about = [each for each in (first, *others) if each.address or each.get("action")]
            if about:
                return Status(Group(()) if first is about[0] else first, tuple(about))
    return None


def returned(top: Part) -> Fields | None:
    """Return the header of the message a report is about, if it came back with it."""
    for part in top.walk():
        if part.parent is not None and part.kind.mimetype in _RETURNED:
            body = content_of(part)
            return Fields(body[: limits(body)[0]])
    return None


def _groups(body: bytes) -> Iterator[Group]:
    at = 0
    for _ in range(MAX_RECIPIENTS):
        while body.startswith(CRLF, at):
            at += 2
        if at >= len(body):
            return
        end = body.find(b"\r\n\r\n", at)
        end = len(body) if end < 0 else end + 2
        fields = Fields(body[at:end]).items()
        if fields:
            yield Group(tuple((name.decode("ascii"), decoded(value)) for name, value in fields))
        at = end
