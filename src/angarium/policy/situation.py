"""The situation of a session and its message, for macros: what they are when a text is expanded.

Nothing is looked up or copied before a macro asks for it.
"""

from collections.abc import Callable, Mapping
from typing import Final

from angarium.core.ident import printed
from angarium.mail.auth.spf.client import UNKNOWN
from angarium.mail.format.charset import decoded, utf8
from angarium.mail.format.transfer import decoded as untransferred
from angarium.mail.format.tree import Part, tree
from angarium.policy.context import Session, Which
from angarium.policy.macros import Situation
from angarium.policy.mail import Mail

MOST: Final = 16 * 1024 * 1024  # octets of a text which are converted


class MailContent:
    """The content of a message, as macros want it."""

    __slots__ = ("_mail", "_parts")

    def __init__(self, mail: Mail) -> None:
        self._mail = mail
        self._parts: list[Part] | None = None

    @property
    def octets(self) -> bytes:
        return self._mail.draft.whole()

    @property
    def parts(self) -> list[Part]:
        """The parts which have no parts themselves, in their order."""
        if self._parts is None:
            self._parts = [each for each in tree(self._mail.draft).walk() if not each.is_container]
        return self._parts

    def _texts(self) -> list[Part]:
        return [each for each in self.parts if each.kind.mimetype.startswith("text/")]

    def part(self, number: int) -> bytes:
        part = _nth(self.parts, number)
        return b"" if part is None else part.raw

    def text_part(self, number: int) -> bytes:
        part = _nth(self._texts(), number)
        return b"" if part is None else part.raw

    def text(self, number: int) -> bytes:
        part = _nth(self._texts(), number)
        if part is None:
            return b""
        return utf8(decoded(untransferred(part.body[:MOST], part.encoding), part.kind.charset))

    def header(self, name: bytes) -> bytes:
        return self._mail.draft.value(name.decode("latin-1")) or b""


def _nth(parts: list[Part], number: int) -> Part | None:
    return parts[number - 1] if 0 < number <= len(parts) else None


def situation(
    session: Session | None,
    mail: Mail | None,
    *,
    now: float,
    host: str = "",
    peer_name: str = UNKNOWN,
) -> Situation:
    """Return what is known now; either may be missing."""
    connection: Mapping[str, str] = {}
    if session is not None:
        connection = session.variables
    elif mail is not None:
        connection = mail.variables(Which.CONNECTION)
    return Situation(
        connection=connection,
        message={} if mail is None else mail.variables(Which.MESSAGE),
        content=MailContent(mail) if mail is not None and mail.whole else None,
        sender="" if mail is None else mail.sender,
        recipient="" if mail is None else mail.rcptto,
        helo=connection.get("ehlo_domain", ""),
        peer=_peer(session, mail),
        peer_name=peer_name,
        host=host,
        now=now,
        letters=_letters(session, mail),
    )


def _peer(session: Session | None, mail: Mail | None) -> str:
    if session is not None:
        return session.address
    return "" if mail is None else mail.message.source.rpartition(":")[0].strip("[]")


def _letters(session: Session | None, mail: Mail | None) -> Mapping[str, Callable[[], str]]:
    """Return what custom_logger's macros stand for, as far as it is known before the end."""
    letters: dict[str, Callable[[], str]] = {}
    if session is not None:
        letters |= {
            "CI": lambda: printed(session.connection),
            "P": lambda: session.pathway,
            "p": session.service.lower,
        }
    if mail is not None:
        message = mail.message
        letters |= {
            "B": lambda: str(mail.size),
            "BI": lambda: printed(message.batch),
            "CI": lambda: printed(message.connection),
            "P": lambda: message.pathway,
            "d": lambda: mail.routing_domain,
            "n": lambda: "" if mail.reply is None else str(mail.reply),
            "p": lambda: message.protocol,
        }
        if (recipient := mail.recipient) is not None:
            letters |= {
                "b": lambda: recipient.binding,
                "g": lambda: recipient.binding_group,
                "i": lambda: printed(recipient.id),
            }
    return letters
