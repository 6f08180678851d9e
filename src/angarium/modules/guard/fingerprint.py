"""fingerprint: says from the first packet of a client which system it runs.

    fingerprint { }

The kernel keeps that packet for us (`net/savedsyn`); nobody else is asked, and nothing is sent.
Where `p0f_socket` names the socket of p0f 2, which watches packets by itself, that is asked too,
and what it knows counts more: its operator may have taught it. A daemon which does not answer in
time is left alone for a while; no client waits for it longer than `p0f_timeout`.

Nothing is refused. The connection's variables say what was found, for policy to use.
"""

import asyncio
import math
from collections.abc import Coroutine
from ipaddress import AddressValueError, IPv4Address
from typing import Any, Final

from angarium.inbound.systems import System, Systems
from angarium.modules.guard.options import Fingerprint as Options
from angarium.modules.guard.signatures import recognized
from angarium.modules.means import Means
from angarium.policy.context import Session
from angarium.policy.hooks import Connect, on
from angarium.policy.verdict import CONT, Verdict
from angarium.wire import p0f, syn

GENRE: Final = "fingerprint_genre"
DETAIL: Final = "fingerprint_detail"
DISTANCE: Final = "fingerprint_distance"
PACKET: Final = "fingerprint_syn"
REST_SECONDS: Final = 10.0  # for which a daemon that failed is left alone


class Fingerprint:
    """The module."""

    def __init__(self, name: str, options: Options, means: Means) -> None:
        self._means = means
        self._daemon = options.p0f_socket or ""
        self._patience = options.p0f_timeout
        self._asked = 0
        self._rests_until = -math.inf
        self._systems = Systems(options.max_cache_size)

    def start(self) -> None:
        """What was found out before a reload goes on counting."""
        counts = self._means.counts
        self._systems.follow(counts.systems)
        counts.systems = self._systems

    def stop(self) -> None:
        if self._means.counts.systems is self._systems:
            self._means.counts.systems = None

    @on(Connect)
    def client(self, event: Connect) -> Verdict | Coroutine[Any, Any, Verdict]:
        """Look at the client's first packet, and ask the daemon where there is one."""
        session = event.session
        if not session.address:
            return CONT
        packet = syn.parse(session.syn())
        own = None if packet is None else recognized(packet)
        if packet is not None:
            session.variables[PACKET] = str(packet)
        if not self._daemon or self._rests_until > self._means.clock.monotonic():
            return self._found(session, own)
        known = self._systems.known(session.address, self._means.clock.monotonic())
        if known is not None:
            return self._found(session, known)
        return self._told(session, own)

    async def _told(self, session: Session, own: System | None) -> Verdict:
        return self._found(session, await self._ask(session) or own)

    def _found(self, session: Session, system: System | None) -> Verdict:
        now = self._means.clock.monotonic()
        if system is None:  # The kernel may have had no room for this packet.
            system = self._systems.known(session.address, now)
        else:
            self._systems.learn(session.address, system, now)
        if system is not None:
            session.variables[GENRE] = system.genre
            session.variables[DETAIL] = system.detail
            session.variables[DISTANCE] = str(system.distance)
        return CONT

    async def _ask(self, session: Session) -> System | None:
        """Return what p0f knows of a connection."""
        peer, local = _v4(session.address), _v4(session.local_address)
        if peer is None or local is None:
            return None
        self._asked += 1
        ident = self._asked
        question = p0f.question(ident, (peer, session.port), (local, session.local_port))
        try:
            async with asyncio.timeout(self._patience):
                found = p0f.answer(await self._exchange(question), ident)
        except (OSError, p0f.NoAnswerError) as error:  # TimeoutError is an OSError
            self._rest(str(error) or "it does not answer in time")
            return None
        return None if found is None else System(found.genre, found.detail, found.distance)

    async def _exchange(self, question: bytes) -> bytes:
        reader, writer = await asyncio.open_unix_connection(self._daemon)
        try:
            writer.write(question)
            return await reader.readexactly(p0f.SIZE)
        except asyncio.IncompleteReadError as cut:
            return cut.partial
        finally:
            writer.close()

    def _rest(self, why: str) -> None:
        now = self._means.clock.monotonic()
        if now >= self._rests_until:
            self._means.tell("WARNING", f"p0f at {self._daemon} is not asked for a while: {why}")
        self._rests_until = now + REST_SECONDS


def _v4(address: str) -> str | None:
    """Return an IPv4 address, one in the form of IPv6 too; p0f 2 knows no other."""
    try:
        return str(IPv4Address(address.removeprefix("::ffff:")))
    except AddressValueError:
        return None
