"""What is around a script of policy: `policy/script.Server` in a worker.

Names of DNS, datasources, what the node shares, mail of its own. Each is what other policy and the
server itself uses; here it only gets the shape which Python expects.
"""

import asyncio
import ipaddress
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from angarium.core.address import split
from angarium.core.body import MemoryBody
from angarium.core.ident import printed
from angarium.core.message import Message as Content
from angarium.core.message import Notify, Recipient
from angarium.journal.errors import SpoolError
from angarium.modules.means import Means
from angarium.modules.python.trust import Trust
from angarium.net.answer import Mx, Status
from angarium.policy.authentication import Authentication, Signature
from angarium.policy.context import Steps
from angarium.policy.injected import HANDLED, note_depth
from angarium.policy.mail import traits_of
from angarium.policy.script import Message, Row
from angarium.policy.shared.values import Values
from angarium.wire import dns as wire
from angarium.wire.dns import Soa

INTERNAL: Final = "internal"
KINDS: Final = {
    name: getattr(wire, name) for name in ("A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "TXT")
}
# A window of a limit by rate, in seconds over which the whole slides, is divided into so many.
WINDOWS: Final = 10
REMEMBERED: Final = 100_000  # values of one name


class Server:
    """The server of one script.

    Attributes:
        settings: what else stands in the stanza of the script.
    """

    def __init__(self, script: str, means: Means, settings: Mapping[str, str]) -> None:
        self._script = script
        self._means = means
        self._trust = Trust(means)
        self.settings = settings

    @property
    def name(self) -> str:
        return self._means.host

    def now(self) -> float:
        return self._means.clock.time()

    def log(self, text: str) -> None:
        self._means.panic("python", f"{self._script}: {text}")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    # Names.

    async def lookup(self, name: str, kind: str = "A") -> list[str]:
        rrtype = KINDS.get(kind.upper())
        if rrtype is None:
            raise ValueError(f"DNS has no records of type {kind}; there are {', '.join(KINDS)}")
        if rrtype == wire.PTR:
            name = ipaddress.ip_address(name).reverse_pointer
        answer = await self._means.resolver.lookup(name, rrtype)
        if answer.temporary:
            raise LookupError(f"{name} {kind}: {answer.status.value}")
        return [_text(each) for each in answer.records] if answer.status is Status.NOERROR else []

    # Databases.

    async def query(self, source: str, statement: str, *values: Any, **named: Any) -> list[Row]:
        if values and named:
            raise ValueError("values stand for ? or for :name in a statement, not for both")
        rows = await self._means.datasources.query(source, statement, named or values)
        return list(rows)

    # What the node shares.

    def counter(self, name: str, add: float = 0) -> float:
        counters = self._means.shared.counters
        if add:
            counters.add(name.encode(), add)
        return counters.read(name.encode())

    def series(self, name: str, key: str, add: float = 1, *, seconds: int = 60) -> float:
        interval = max(1, seconds // WINDOWS)
        windows = max(1, -(-seconds // interval))
        series = self._means.shared.define_series(name, "string", interval, windows)
        if add:
            series.add(key.encode(), add)
        return series.count(key.encode(), 0, windows - 1)

    def remember(self, name: str, key: str, value: str, seconds: float) -> None:
        if not self._values(name).set(key.encode(), value.encode(), seconds):
            raise ValueError(f"what is to be remembered of {name} is too large: {key[:80]}")

    def recall(self, name: str, key: str) -> str | None:
        found = self._values(name).get(key.encode())
        return found.decode() if isinstance(found, bytes) else None

    def _values(self, name: str) -> Values:
        return self._means.shared.define_values(f"python {name}", REMEMBERED)

    # Where mail leaves.

    def bindings(self, group: str = "") -> list[str]:
        every = self._means.configuration.bindings()
        return [binding for of, binding in every if not group or of == group]

    def bind(self, message: Message, binding: str = "", *, group: str = "") -> bool:
        recipient = message.mail.recipient
        if recipient is None or message.mail.step is not Steps.BINDING:
            raise RuntimeError("a binding is chosen in on.binding, and nowhere else")
        found = [
            (of, name)
            for of, name in self._means.configuration.bindings()
            if (not binding or name == binding) and (not group or of == group)
        ]
        if not found or not (binding or group):
            return False
        recipient.binding_group = found[0][0]
        # Of a group admission takes one that may send.
        recipient.binding = found[0][1] if binding else ""
        return True

    # Where a message is from.

    def authentication(self, message: Message) -> Authentication:
        return self._trust.authentication(message.mail)

    async def signatures(self, message: Message) -> list[Signature]:
        return await self._trust.signatures(message.mail)

    async def sign(
        self, message: Message, *, domain: str = "", selector: str = "", key: str = "",
        headers: Sequence[str] = (), oversign: Sequence[str] = (), canon: str = "",
        identity: str = "",
    ) -> None:  # fmt: skip
        await self._trust.sign(
            message.mail, domain, selector, key, headers,
            oversign=oversign, canon=canon, identity=identity,
        )  # fmt: skip

    async def seal(
        self, message: Message, *, domain: str, selector: str, key: str, results: str = ""
    ) -> bool:
        return await self._trust.seal(message.mail, domain, selector, key, results)

    # Mail of its own.

    async def send(self, sender: str, recipients: Sequence[str], content: bytes) -> str:
        means = self._means
        body = MemoryBody(content)
        now = means.clock.time()
        message = Content(sender, body, protocol=INTERNAL, received_at=now)
        message.batch = means.next_id(now)
        message.traits = traits_of(body, 0)
        note_depth(message, HANDLED.get())
        to = [
            Recipient(each, split(each)[1].lower(), notify=0 if sender else Notify.NEVER)
            for each in recipients
        ]
        stored: asyncio.Future[SpoolError | None] = means.loop.create_future()
        means.admit.inject(message, to, partial(_settled, stored))
        refused = await stored
        if refused is not None:
            raise RuntimeError(f"the mail was not taken: {refused}")
        return printed(message.batch)


def _settled(stored: "asyncio.Future[SpoolError | None]", error: SpoolError | None) -> None:
    if not stored.done():
        stored.set_result(error)


def _text(value: object) -> str:
    if isinstance(value, Mx):
        return value.host
    if isinstance(value, Soa):
        return " ".join(map(str, value))
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
