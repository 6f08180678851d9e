"""A message on its way through modules which check where it is from, in memory.

way = Way(tmp_path, 'spf_v1 {}', "a.example TXT v=spf1 -all")
await way.sends("joe@a.example")        MAIL
way.named("b@mx.example")               RCPT
await way.content("From: joe@a.example", "", "text")
way.variables, way.fields("received-spf"), way.refusal
"""

import inspect
from pathlib import Path
from typing import Any

from angarium.core.body import MemoryBody
from angarium.core.message import Message, Recipient
from angarium.core.reply import Reply
from angarium.modules.means import Means
from angarium.policy import hooks
from angarium.policy.context import Session
from angarium.policy.mail import Mail, empty
from angarium.run.policing import prepared
from helpers.dns import FakeDns
from helpers.guards import Place


class Way:
    """One session and its message, and the modules of a configuration, each asked in its turn."""

    def __init__(
        self,
        folder: Path,
        text: str,
        zone: str = "",
        address: str = "192.0.2.1",
        helo: str = "client.example",
        admit: Any = None,
    ) -> None:
        self.place = Place(folder, text)
        self.place.admit = admit
        self.dns = self.place.resolver = FakeDns(zone, self.place.clock)
        self.means: Means = self.place.means()
        self.policing = prepared(self.means)
        self.session = Session(peer=(address, 4711))
        self.session.variables["ehlo_domain"] = helo

    @property
    def mail(self) -> Mail:
        assert self.session.mail is not None
        return self.session.mail

    async def ask(self, hook: type[hooks.Hook], *rest: Any) -> None:
        chain = self.policing.policy.chain(hook)
        if chain is not None:
            answer = chain.ask(hook(*rest))
            if inspect.isawaitable(answer):
                await answer

    async def sends(self, sender: str = "joe@a.example") -> None:
        message = empty(sender, now=self.place.clock.time(), protocol="esmtp")
        self.session.mail = Mail(message, [], self.session, whole=False)
        await self.ask(hooks.MailFrom, self.session, sender)

    async def named(self, recipient: str = "b@mx.example") -> None:
        self.mail.recipients.append(Recipient(recipient, recipient.rpartition("@")[2]))
        await self.ask(hooks.RcptTo, self.session, recipient)

    async def content(self, *lines: str) -> None:
        before = self.mail.message
        octets = "".join(f"{line}\r\n" for line in lines).encode()
        message = Message(before.sender, MemoryBody(octets), b"Received: by us\r\n")
        self.mail.received(message)
        await self.ask(hooks.Data, self.mail, self.session)
        await self.ask(hooks.DataSpool, self.mail, self.session)

    async def whole(self, sender: str, *lines: str) -> None:
        """Send a message from beginning to end."""
        await self.sends(sender)
        await self.named()
        await self.content(*lines)

    @property
    def variables(self) -> dict[str, str]:
        return self.mail.message.variables

    @property
    def refusal(self) -> Reply | None:
        return self.session.reply

    def fields(self, name: str) -> list[str]:
        return [value.decode() for value in self.mail.draft.values(name)]
