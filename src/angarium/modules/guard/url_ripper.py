"""url_ripper: asks a list in DNS about all that a message names: hosts, domains, addresses.

    url_ripper {
      base = "multi.list.example"
      bits = [ 0.0.0.2 = "spam_hits" 0.0.0.4 = "phish_hits" ]
      address_headers = ( "From" "Reply-To" )
    }

What the list says is counted in variables, of the connection for the client and the name it gives
itself, of the message for all else; other policy decides. Each name is asked about once for a
message. What does not answer in time counts nothing.
"""

import asyncio
import socket
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, ip_address
from typing import Any, Final

from angarium.core.address import split
from angarium.core.errors import Error
from angarium.mail.format.addresses import mailboxes
from angarium.mail.format.links import base_of, host_of, hosts
from angarium.mail.format.text import text_of, text_parts
from angarium.mail.format.tree import tree
from angarium.modules.guard.options import UrlRipper as Options
from angarium.modules.guard.zones import Zone
from angarium.modules.means import Means
from angarium.net.answer import Status
from angarium.policy.context import Session, Which
from angarium.policy.hooks import Connect, Data, Ehlo, MailFrom, RcptTo, on
from angarium.policy.mail import Mail
from angarium.policy.verdict import CONT, Verdict
from angarium.wire.dns import A

STANZA: Final = "url_ripper"
# Characters of one text that are looked at. Who reads on past this is no victim of a link.
READ: Final = 1_000_000
FAMILIES: Final = (socket.AF_INET, socket.AF_INET6)
_LOOPBACK: Final = IPv4Network("127.0.0.0/8")


@dataclass(slots=True)
class Asked:
    """What was asked for a message: `left` more may be."""

    left: int
    names: set[str] = field(default_factory=set)


class UrlRipper:
    """The module."""

    def __init__(self, name: str, options: Options, means: Means) -> None:
        self._name = name or STANZA
        if not options.base or "*" in options.base:
            raise Error("url_ripper has a base, the domain of a list", stanza=self._name)
        self._zone = Zone(options.base)
        self._bits = [(int(self._address(key)), to) for key, to in options.bits.items()]
        self._values = [(self._address(key), to) for key, to in options.values.items()]
        if not self._bits and not self._values:
            raise Error("url_ripper has bits or values, what it counts", stanza=self._name)
        self._headers = [
            [each.strip().lower() for each in names.split(":")] for names in options.address_headers
        ]
        self._forward = options.forward
        self._limit = options.max_lookups
        self._seconds = options.timeout
        self._resolver = means.resolver
        self._tell = means.tell

    def _address(self, text: str) -> IPv4Address:
        try:
            return IPv4Address(text)
        except ValueError as error:
            raise Error(
                "bits and values of url_ripper are written as addresses",
                stanza=self._name, value=text,
            ) from error  # fmt: skip

    @on(Connect)
    def client(self, event: Connect) -> Coroutine[Any, Any, Verdict] | Verdict:
        session = event.session
        return self._ask(session, None, [session.address]) if session.address else CONT

    @on(Ehlo)
    def greeting(self, event: Ehlo) -> Coroutine[Any, Any, Verdict] | Verdict:
        """The host by the name the client gives itself; the name alone says nothing."""
        name = host_of(event.text)
        if not name or not self._forward:
            return CONT
        return self._ask(event.session, None, [name], domains=False)

    @on(MailFrom)
    def sender(self, event: MailFrom) -> Coroutine[Any, Any, Verdict] | Verdict:
        event.session.tables[self._name] = Asked(self._limit)
        return self._domain(event.session, event.text)

    @on(RcptTo)
    def recipient(self, event: RcptTo) -> Coroutine[Any, Any, Verdict] | Verdict:
        return self._domain(event.session, event.text)

    def _domain(self, session: Session, address: str) -> Coroutine[Any, Any, Verdict] | Verdict:
        name = host_of(split(address)[1])
        return self._ask(session, session.mail, [name]) if name else CONT

    @on(Data)
    def content(self, event: Data) -> Coroutine[Any, Any, Verdict] | Verdict:
        found = [*self._in_header(event.mail), *_in_texts(event.mail)]
        if event.session is None or not found:
            return CONT
        return self._ask(event.session, event.mail, found)

    def _in_header(self, mail: Mail) -> Iterable[str]:
        for names in self._headers:
            values = next((found for each in names if (found := mail.draft.values(each))), [])
            for value in values:
                for each in mailboxes(value):
                    if name := host_of(each.domain):
                        yield name

    async def _ask(
        self, session: Session, mail: Mail | None, names: list[str], *, domains: bool = True
    ) -> Verdict:
        """Ask about hosts, by name or address, all at once."""
        asked = session.tables.get(self._name) if mail is not None else None
        if asked is None:
            asked = Asked(self._limit)
        tasks = [
            asyncio.ensure_future(self._host(asked, each, domains=domains))
            for each in dict.fromkeys(names)
        ]
        done, late = await asyncio.wait(tasks, timeout=self._seconds)
        for task in late:
            task.cancel()
        counts: dict[str, int] = {}
        for task in tasks:
            for key in task.result() if task in done else ():
                counts[key] = counts.get(key, 0) + 1
        for key, count in counts.items():
            if mail is None:
                session.variables[key] = str(_number(session.variables.get(key)) + count)
            else:
                before = _number(mail.get(Which.MESSAGE, key))
                mail.set(Which.MESSAGE, key, str(before + count))
        return CONT

    async def _host(self, asked: Asked, name: str, *, domains: bool) -> list[str]:
        """Return the variables which count something about a host."""
        if _is_address(name):
            return await self._listed(asked, name, self._zone.question(name))
        found: list[str] = []
        if domains:
            base = base_of(name)
            found += await self._listed(asked, base, f"{base}.{self._zone.domain}")
        if self._forward and asked.left > 0:
            answer = await self._resolver.address(name, FAMILIES)
            for each in answer.records:
                found += await self._listed(asked, each, self._zone.question(each))
        return found

    async def _listed(self, asked: Asked, about: str, question: str) -> list[str]:
        if question in asked.names:
            return []
        if asked.left <= 0:
            self._tell("WARNING", f"max_lookups is reached, {about} is not asked about")
            return []
        asked.names.add(question)
        asked.left -= 1
        answer = await self._resolver.lookup(question, A)
        if answer.status is not Status.NOERROR:
            return []
        found = [key for each in answer.records for key in self._counted(IPv4Address(str(each)))]
        if found:
            self._tell("INFO", f"{about} counts for {' '.join(found)}")
        return found

    def _counted(self, answer: IPv4Address) -> list[str]:
        found = [to for value, to in self._values if value == answer]
        # What is not of 127.0.0.0/8 is the answer of whoever took the domain of the list over.
        if answer in _LOOPBACK:
            found += [to for bits, to in self._bits if bits & int(answer)]
        return found


def _in_texts(mail: Mail) -> Iterable[str]:
    for part in text_parts(tree(mail.draft)):
        yield from hosts(text_of(part)[:READ], html=part.kind.mimetype == "text/html")


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 0
