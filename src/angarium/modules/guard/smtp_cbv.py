"""smtp_cbv: asks the hosts of a sender's domain whether they would take mail for that sender.

The answer is in the message's variable `smtp_cbv_result`: `pass`; `error`, a host said no for
good; `transient`, nobody knows now. Nothing is refused: other policy decides.

Whoever forges senders makes us ask their hosts, so what is asked is bounded: an answer is
remembered, the same question is put once however many wait for it, and of too many questions at a
time the rest is not put at all.
"""

import asyncio
from collections.abc import Coroutine, Mapping
from functools import partial
from typing import Any, Final

from angarium.core.address import routing_domain, split
from angarium.core.reply import Reply
from angarium.modules.guard.options import CallbackVerify as Options
from angarium.modules.means import Means
from angarium.outbound.errors import DeliveryError
from angarium.outbound.options import Transport
from angarium.outbound.probe import Question, probe
from angarium.policy.context import Session, Which
from angarium.policy.hooks import MailFrom, RcptTo, on
from angarium.policy.verdict import CONT, Verdict

RESULT: Final = "smtp_cbv_result"
PASS: Final = "pass"
ERROR: Final = "error"
TRANSIENT: Final = "transient"
HOSTS: Final = 2  # of a domain which are asked, where the first one cannot be reached


class CallbackVerify:
    """The module."""

    def __init__(self, name: str, options: Options, means: Means) -> None:
        self._options = options
        self._means = means
        self._at_mail = options.phase != "rcptto"
        self._known: dict[str, tuple[float, str]] = {}  # until when, and the answer
        self._asked: dict[str, asyncio.Task[str]] = {}

    @on(MailFrom)
    def mail(self, event: MailFrom) -> Coroutine[Any, Any, Verdict] | Verdict:
        return self._verify(event.session) if self._at_mail else CONT

    @on(RcptTo)
    def recipient(self, event: RcptTo) -> Coroutine[Any, Any, Verdict] | Verdict:
        return CONT if self._at_mail else self._verify(event.session)

    def stop(self) -> None:
        for each in self._asked.values():
            each.cancel()

    def _verify(self, session: Session) -> Coroutine[Any, Any, Verdict] | Verdict:
        mail = session.mail
        # The null sender has no host, and who may relay is known to us.
        if mail is None or not mail.sender or session.trusted:
            return CONT
        if mail.get(Which.MESSAGE, RESULT) is not None:
            return CONT
        return self._marked(session, mail.sender)

    async def _marked(self, session: Session, sender: str) -> Verdict:
        answer = await self._answer(sender)
        if session.mail is not None:
            session.mail.set(Which.MESSAGE, RESULT, answer)
        return CONT

    async def _answer(self, sender: str) -> str:
        local, domain = split(sender)
        key = f"{local}@{domain.lower()}"
        known = self._known.get(key)
        if known is not None and known[0] > self._means.clock.monotonic():
            return known[1]
        task = self._asked.get(key)
        if task is None:
            if len(self._asked) >= self._options.max_questions:
                return TRANSIENT
            task = self._asked[key] = asyncio.ensure_future(self._ask(sender, domain))
            task.add_done_callback(partial(self._landed, key))
        # A client which goes does not take the answer from those who wait for it too.
        return await asyncio.shield(task)

    def _landed(self, key: str, task: asyncio.Task[str]) -> None:
        self._asked.pop(key, None)
        if task.cancelled() or task.exception() is not None:
            return
        answer = task.result()
        seconds = self._options.lifetime / (10 if answer is TRANSIENT else 1)
        self._known.pop(key, None)
        self._known[key] = (self._means.clock.monotonic() + seconds, answer)
        if len(self._known) > self._options.max_entries:
            del self._known[next(iter(self._known))]

    async def _ask(self, sender: str, domain: str) -> str:
        name = _instead(self._options.map, routing_domain(domain) or domain)
        try:
            async with asyncio.timeout(self._options.timeout):
                reply = await self._reply(sender, name)
        except TimeoutError:
            return TRANSIENT
        self._means.tell("INFO", f"{sender}: {reply}")
        if reply.positive:
            return PASS
        return TRANSIENT if reply.temporary else ERROR

    async def _reply(self, sender: str, domain: str) -> Reply:
        means, options = self._means, self._options
        transport = means.configuration.at(Transport, domain=domain)
        try:
            hops = await means.router.route(domain, transport)
        except DeliveryError as error:
            return error.reply
        # Where a report to the sender would go, there it is asked.
        question = Question(means.host, options.mailfrom, sender, options.timeout / HOSTS)
        reply = await probe(question, hops[0].address, hops[0].port)
        for hop in hops[1:HOSTS]:
            if not reply.temporary:
                break
            reply = await probe(question, hop.address, hop.port)
        return reply


def _instead(known: Mapping[str, str], domain: str) -> str:
    """Return the domain whose hosts are asked about a domain."""
    labels = domain.split(".")
    names = [domain, *(f"*.{'.'.join(labels[at:])}" for at in range(1, len(labels))), "*"]
    return next((known[name] for name in names if name in known), domain)
