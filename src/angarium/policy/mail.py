"""A message as policy sees it: its envelope, its content, and one of its recipients, or all.

A `Mail` is made at MAIL and lives until the message is in the queue. For each recipient there is
then one of its own (`each`), which shares all with the first one until something is changed in it:
so a thousand recipients whose mail nobody touches stay one content.

The rule which keeps it simple: what belongs to all recipients is in `message`, what belongs to one
in its `Recipient`; who changes the former for one recipient of several makes a copy of it first.
"""

import dataclasses
from collections.abc import Iterator
from typing import Final

from angarium.core.address import split
from angarium.core.body import Body, MemoryBody
from angarium.core.message import Message, Recipient, Trait
from angarium.core.reply import Reply
from angarium.mail.format.conform import has_lone
from angarium.mail.format.draft import Draft
from angarium.mail.format.header import CRLF
from angarium.policy.context import Session, Steps, Which

NOTHING: Final = MemoryBody(b"")
DISCARDED: Final = Reply(550, "discarded by policy", "5.7.0")
# Variables which reception sets with each RCPT: for one of several recipients they are its own.
OF_RECIPIENT: Final = frozenset({"rcptto_domain", "rcptto_localpart", "rcptto_string"})


class Mail:
    """One message for policy.

    Attributes:
        message: what is shared; while the envelope is being named it has no content.
        recipient: whom this is about, from the hooks for each recipient on; else None.
        recipients: all of them; may be changed until the list is final.
        session: what brings it; None if it is made here or comes from the queue.
        reply: what policy wants to be its response (`msg:code`), or refuses it with.
        discarded: why it is dropped while the sender hears yes; None: it is not.
        step: how far it is.
        whole: the content is there.
        routing: by which domain all of it is routed; "" as their own say.
    """

    __slots__ = (
        "_draft", "_own", "discarded", "message", "recipient", "recipients", "reply", "routing",
        "session", "step", "whole",
    )  # fmt: skip

    def __init__(
        self,
        message: Message,
        recipients: list[Recipient],
        session: Session | None = None,
        recipient: Recipient | None = None,
        *,
        whole: bool = True,
    ) -> None:
        self.message = message
        self.recipients = recipients
        self.recipient = recipient
        self.session = session
        self.reply: Reply | None = None
        self.discarded: Reply | None = None
        self.step = Steps.MAIL
        self.whole = whole
        self.routing = ""
        self._draft: Draft | None = None
        self._own = False

    def each(self) -> Iterator["Mail"]:
        """Yield a view for each recipient."""
        for recipient in list(self.recipients):
            one = Mail(self.message, [recipient], self.session, recipient)
            one._draft = self._draft
            yield one

    def alone(self) -> "Mail":
        """Be the view of the only recipient: nobody else shares it, so nothing is copied."""
        [self.recipient] = self.recipients
        self.recipients, self._own = [self.recipient], True
        return self

    # The envelope.

    @property
    def sender(self) -> str:
        """The envelope sender; "" for the null sender."""
        return self.message.sender

    @sender.setter
    def sender(self, address: str) -> None:
        if address != self.message.sender:
            self._mine().sender = address

    @property
    def rcptto(self) -> str:
        """The address of the recipient it is about, or of the last one named; "" without one."""
        if self.recipient is not None:
            return self.recipient.address
        return self.recipients[-1].address if self.recipients else ""

    def readdress(self, address: str) -> None:
        """Give the recipient another address; where it is routed follows from that."""
        recipient = self.recipient or (self.recipients[-1] if self.recipients else None)
        if recipient is not None and recipient.address != address:
            recipient.address, recipient.domain = address, ""

    @property
    def routing_domain(self) -> str:
        """By which domain it is routed, in lower case."""
        if self.recipient is None:
            return self.routing or split(self.rcptto)[1].lower()
        return self.recipient.domain or split(self.recipient.address)[1].lower()

    @routing_domain.setter
    def routing_domain(self, domain: str) -> None:
        if self.recipient is None:
            self.routing = domain.lower()
        else:
            self.recipient.domain = domain.lower()

    @property
    def priority(self) -> int:
        return self.message.priority

    @priority.setter
    def priority(self, priority: int) -> None:
        if priority != self.message.priority:
            self._mine().priority = priority

    @property
    def fairness_key(self) -> str:
        return self.message.fairness_key

    @fairness_key.setter
    def fairness_key(self, key: str) -> None:
        if key != self.message.fairness_key:
            self._mine().fairness_key = key

    # The dictionaries.

    def variables(self, which: Which) -> dict[str, str]:
        """Return a dictionary as it is for this recipient; not to be changed."""
        if which is Which.CONNECTION:
            session = self.session
            return self.message.session_variables if session is None else session.variables
        own = self._of_recipient() if "rcptto_domain" in self.message.variables else {}
        if self.recipient is not None and (own or self.recipient.variables):
            return {**self.message.variables, **own, **self.recipient.variables}
        return self.message.variables

    def get(self, which: Which, key: str) -> str | None:
        if which is Which.CONNECTION:
            return self.variables(which).get(key)
        if self.recipient is not None:
            found = self.recipient.variables.get(key)
            if found is not None:
                return found
        found = self.message.variables.get(key)
        if found is not None and key in OF_RECIPIENT:
            return self._of_recipient().get(key, found)
        return found

    def _of_recipient(self) -> dict[str, str]:
        """Return OF_RECIPIENT where it was not this recipient that was named last."""
        if self.recipient is None:
            return {}
        address, known = self.recipient.address, self.message.variables
        local, domain = split(address)
        if known.get("rcptto_domain") == domain and known.get("rcptto_localpart") == local:
            return {}
        return {
            "rcptto_domain": domain,
            "rcptto_localpart": local,
            "rcptto_string": f"RCPT TO:<{address}>",
        }

    def set(self, which: Which, key: str, value: str) -> None:
        if which is Which.CONNECTION:
            if self.session is not None:
                self.session.variables[key] = value
            else:
                self._mine().session_variables[key] = value
        elif self.recipient is not None:
            self.recipient.variables[key] = value
        else:
            self.message.variables[key] = value

    def delete(self, which: Which, key: str) -> bool:
        """Forget a variable; say whether there was one."""
        if which is Which.CONNECTION:
            if self.session is not None:
                return self.session.variables.pop(key, None) is not None
            there = key in self.message.session_variables
            return there and self._mine().session_variables.pop(key, None) is not None
        there = self.recipient is not None and self.recipient.variables.pop(key, None) is not None
        if key in self.message.variables:
            self._mine().variables.pop(key)
            there = True
        return there

    # The content.

    @property
    def draft(self) -> Draft:
        """The content, to read."""
        if self._draft is None:
            self._draft = Draft(self.message.body, self.message.header)
        return self._draft

    @property
    def edited(self) -> Draft:
        """The content, to change: for one recipient it is a copy."""
        if self.recipient is not None and not self._own:
            self._mine()
        return self.draft

    @property
    def size(self) -> int:
        """Octets of the content as it would go to the disk."""
        return self.message.size if self._draft is None else self._draft.size

    def discard(self, reply: Reply = DISCARDED) -> None:
        """Drop it while the sender hears yes; what was asked for goes on being asked."""
        self.discarded = reply

    # How it goes on.

    def received(self, message: Message) -> None:
        """The content has come: what was decided about the envelope before stays."""
        before = self.message
        message.sender = before.sender
        variables = before.variables
        if message.variables:
            variables.update(message.variables)
        message.variables = variables
        message.priority = before.priority or message.priority
        message.fairness_key = before.fairness_key or message.fairness_key
        self.message, self.whole, self._draft = message, True, None

    @property
    def own(self) -> bool:
        """Whether this recipient's message is not that of the others."""
        return self._own

    def finish(self) -> Message:
        """Return the message with what was changed in its content."""
        draft, message = self._draft, self.message
        if draft is not None and (
            draft.front_changed or draft.header_changed or draft.body_changed
        ):
            message.header, message.body = draft.front, draft.content()
            if draft.header_changed or draft.body_changed:
                message.traits = traits_of(message.body, message.traits)
            elif not message.header.isascii():
                message.traits |= Trait.EIGHT_BIT
            message.place = None
            self._draft = Draft(message.body, message.header)
        return message

    def _mine(self) -> Message:
        """Return the message to be changed: for one recipient that is a copy."""
        if self.recipient is not None and not self._own:
            self._own = True
            self.message = dataclasses.replace(
                self.message,
                variables=dict(self.message.variables),
                session_variables=dict(self.message.session_variables),
                place=None,
            )
            if self._draft is not None:
                self._draft = self._draft.copy()
        return self.message


def traits_of(body: Body, before: int) -> int:
    """Return what is to be known of a content which was changed."""
    traits = before & (Trait.SMTPUTF8 | Trait.BINARY)
    tail, half = CRLF, b""  # a CR at the end of a piece may be half of a line end
    for piece in body.pieces():
        whole = half + piece
        half = b"\r" if whole.endswith(b"\r") else b""
        whole = whole[:-1] if half else whole
        if not whole.isascii():
            traits |= Trait.EIGHT_BIT
        if b"\r\n." in tail + whole:
            traits |= Trait.DOTS
        if has_lone(whole):
            traits |= Trait.LONE
        tail = (tail + whole)[-2:]
    if half or tail != CRLF:
        traits |= Trait.NO_FINAL_CRLF | (Trait.LONE if half else 0)
    return traits


def empty(sender: str, *, now: float, protocol: str) -> Message:
    """Return a message which has no content yet."""
    body: Body = NOTHING
    return Message(sender, body, received_at=now, protocol=protocol)
