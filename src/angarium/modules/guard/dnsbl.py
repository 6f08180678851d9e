"""dnsbl: asks lists in DNS about a client (RFC 5782), and refuses whom enough of them know.

All lists are asked at once. What does not answer in time, or not at all, counts nothing: a list
which is down turns nobody away.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from angarium.core.errors import Error
from angarium.core.reply import Reply, from_text
from angarium.events.metrics import counter
from angarium.modules.guard.options import Dnsbl as Options
from angarium.modules.guard.peers import Exempt
from angarium.modules.guard.zones import Zone
from angarium.modules.means import Means
from angarium.net.answer import Status
from angarium.policy.hooks import Connect, OfSession, RcptTo, on
from angarium.policy.verdict import CONT, DONE, Verdict
from angarium.wire.dns import A

SCORE: Final = "dnsbl_score"
ZONES: Final = "dnsbl_zones"
STANZA: Final = "dnsbl"

ASKED: Final = counter("dnsbl_asked", "Clients about whom lists in DNS were asked.")
LISTED: Final = counter("dnsbl_listed", "Clients whom lists in DNS know well enough.")
SILENT: Final = counter("dnsbl_silent", "Questions to lists in DNS which had no answer in time.")


class Dnsbl:
    """The module."""

    def __init__(self, name: str, options: Options, means: Means) -> None:
        self._name = name or STANZA
        self._zones: Sequence[Zone] = options.zones
        self._threshold = options.threshold
        self._seconds = options.timeout
        self._phase = options.phase
        self._marks = options.action == "mark"
        self._text = options.reply
        self._exempt = Exempt(options.exempt)
        self._resolver = means.resolver
        self._tell = means.tell
        self._asked = means.metrics.cell(ASKED)
        self._listed = means.metrics.cell(LISTED)
        self._silent = means.metrics.cell(SILENT)
        self._reply("192.0.2.1", "list.example", 1)  # what is no reply is told now
        if not self._zones:
            raise Error("dnsbl has no zones: there is nobody to ask", stanza=self._name)

    @on(Connect)
    async def client(self, event: Connect) -> Verdict:
        """Ask about a client, and refuse it if that is to be done now."""
        session = event.session
        if self._exempt.has(session):
            return CONT
        self._asked.value += 1
        found = await self._found(session.address)
        score = sum(each.weight for each in found)
        session.variables[SCORE] = str(score)
        if found:
            session.variables[ZONES] = " ".join(each.domain for each in found)
        if score < self._threshold:
            return CONT
        self._listed.value += 1
        self._tell("INFO", f"{session.address} has {score} by {session.variables[ZONES]}")
        session.tables[self._name] = self._reply(session.address, found[0].domain, score)
        return self._refused(event, "connect")

    @on(RcptTo)
    def recipient(self, event: RcptTo) -> Verdict:
        """Refuse a recipient of a client on whom lists have something."""
        if self._phase != "rcptto" or event.session.trusted:
            return CONT
        return self._refused(event, "rcptto")

    def _refused(self, event: OfSession, phase: str) -> Verdict:
        reply = event.session.tables.get(self._name)
        if reply is None or self._marks or phase != self._phase:
            return CONT
        event.refuse(reply)
        return DONE

    async def _found(self, address: str) -> list[Zone]:
        """Return the lists which have an address, the one that counts most first."""
        answers = [asyncio.ensure_future(self._asks(each, address)) for each in self._zones]
        done, late = await asyncio.wait(answers, timeout=self._seconds)
        for each in late:
            each.cancel()
        self._silent.value += len(late)
        listed = [
            zone
            for zone, answer in zip(self._zones, answers, strict=True)
            if answer in done and answer.result()
        ]
        return sorted(listed, key=lambda each: -each.weight)

    async def _asks(self, zone: Zone, address: str) -> bool:
        answer = await self._resolver.lookup(zone.question(address), A)
        if answer.temporary:
            self._silent.value += 1
        return answer.status is Status.NOERROR and zone.counts(map(str, answer.records))

    def _reply(self, address: str, zone: str, score: int) -> Reply:
        text = self._text.replace("%i", address).replace("%z", zone).replace("%s", str(score))
        return from_text(text, 554)
