"""A new connection: the hosts of a domain one after the other, until one greets us.

What every host did wrong is one failure of reach DOMAIN; what is wrong on our side (no local
address, no descriptors) is an AddressError, and fails no mail.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Protocol

from angarium.core.clock import Clock
from angarium.core.ident import Idents
from angarium.core.reply import Reply
from angarium.events.metrics import counter
from angarium.events.stages import Stages
from angarium.net import address
from angarium.net.errors import NoRouteError, ProxyError
from angarium.net.tracing import OUT, Tracing
from angarium.outbound.demands import Demands, Wanted
from angarium.outbound.egress import egress
from angarium.outbound.errors import (
    CONNECT_TIMEOUT,
    NO_CONNECTION,
    NO_HOSTS,
    DeliveryError,
    Reach,
)
from angarium.outbound.hosts import Hosts
from angarium.outbound.introducing import IntroducingSession, TracedIntroducingSession
from angarium.outbound.means import Means
from angarium.outbound.options import Transport
from angarium.outbound.permits import Limit, Permit, limits_at
from angarium.outbound.proxies import Proxies
from angarium.outbound.route import Hop, Router, source_for
from angarium.outbound.secured import Plan, Securing, reportable
from angarium.outbound.smtp import Session
from angarium.outbound.terms import NO, Terms
from angarium.outbound.toll import Toll
from angarium.outbound.traced import TracedSession
from angarium.queue.options import HostLimits
from angarium.queue.throttle import BUSY_SECONDS, Grant
from angarium.wire.smtp_asked import Lost
from angarium.wire.smtp_client import SmtpClient
from angarium.wire.smtp_opening import Tls


class Rolled(Exception):  # noqa: N818 - nothing is wrong
    """The mail servers of the domain say that its mail is queued under another one."""

    def __init__(self, domain: str) -> None:
        super().__init__(domain)
        self.domain = domain


OUTCOMES: Final = ("opened", "refused", "timeout", "unwelcome")
DIALED: Final = counter(
    "dials",
    "Connection requests to hosts by what came of them; unwelcome: it answered, not with 220.",
    label="outcome",
    values=OUTCOMES,
)
_EITHER_SECONDS: Final = 1.0
_HELLO: Final = {"ESMTP": "EHLO", "SMTP": "HELO", "LMTP": "LHLO"}


class Connect(Protocol):
    """`net.address.connect`."""

    async def __call__(
        self,
        factory: Callable[[], Session],
        host: str,
        port: int,
        source: str = "*",
        *,
        within: float,
    ) -> tuple[Any, Session]: ...


Sibling = Callable[[Hop, Means], Session | None]


Rolls = Callable[[Sequence[Hop], Means], str]


def _alone(hop: Hop, means: Means) -> None:
    """No line has a connection for another one."""


def _nowhere(hops: Sequence[Hop], means: Means) -> str:
    """Mail of a domain is its own."""
    return ""


class Resting(Exception):  # noqa: N818 - nothing is wrong
    """Every host of the domain failed a moment ago; `until` says when the first may be tried."""

    def __init__(self, until: float) -> None:
        super().__init__(until)
        self.until = until


class Full(Exception):  # noqa: N818 - nothing is wrong
    """Every host has all it is given: wait for `key`, or for `seconds` where that is "".

    Where some hosts lack a permit and others time, it is looked at again within a second: nobody
    tells which of the two comes first.
    """

    def __init__(self, key: str = "", seconds: float = 0.0) -> None:
        super().__init__(key)
        self.key = key
        self.seconds = seconds

    def or_else(self, before: "Full | None") -> "Full":
        """Return what both say together."""
        if before is None or (self.key and before.key):
            return self
        if not (self.key or before.key):
            return self if self.seconds < before.seconds else before
        return Full(seconds=min(self.seconds or before.seconds, _EITHER_SECONDS))


@dataclass(frozen=True, slots=True)
class Dialer:
    """Makes connections.

    Attributes:
        hostname: what __hostname__ in ehlo_hostname stands for.
        outcomes: what came of connection requests, see OUTCOMES.
    """

    router: Router
    hosts: Hosts
    clock: Clock
    idents: Idents
    hostname: str
    connect: Connect = address.connect
    stages: Stages = field(default_factory=Stages)
    outcomes: Counter[str] = field(default_factory=Counter)
    tracing: Tracing | None = None
    demands: Demands | None = None
    securing: Securing | None = None
    proxies: Proxies | None = None

    async def hops(self, domain: str, options: Transport, wanted: Wanted) -> list[Hop]:
        """Return the hosts of a domain, best first, with what is demanded of each.

        Raises:
            DeliveryError: there is none, or none can be told now; of reach DOMAIN.
        """
        hops = await self.router.route(domain, options)
        if not wanted or self.demands is None:
            return hops
        gateway = options.gateway  # Who sends by one holds that to its word.
        return await self.demands.rule(gateway.host.lower() if gateway else domain, hops, wanted)

    async def dial(
        self,
        means: Means,
        permit: Permit,
        name: str,
        limits: Callable[[str, Means], HostLimits],
        sibling: Sibling = _alone,
        rolls: Rolls = _nowhere,
    ) -> Session:
        """Return an open session to the best host that can be reached.

        Args:
            name: what we call ourselves.
            limits: gives the options of the host stanza for a mail server, by its name in DNS (its
                address where a route names that); its permit is added.
            sibling: gives an open connection to a host which another line does not need.
            rolls: gives the domain under which mail for such hosts is queued, "" for their own.

        Raises:
            DeliveryError: no host is to be had, or none could be reached; `tried` says how many.
            Resting: they failed a moment ago.
            Full: they have as many connections as they may.
            Rolled: the mail is queued under another domain.
            AddressError: this machine cannot connect at all.
        """
        options = means.options
        hops = await self.hops(means.line.domain, options, means.wanted)
        if domain := rolls(hops, means):
            raise Rolled(domain)
        waits = [
            self.hosts.paused_until(
                hop.address, source_for(hop.address, options), wanting(hop, means.terms)
            )
            for hop in hops
        ]
        ready = [hop for hop, until in zip(hops, waits, strict=True) if not until]
        if not ready:
            raise Resting(min(waits))
        failure: DeliveryError | None = None
        unroutable: NoRouteError | None = None
        full: Full | None = None
        tried = 0
        for number, hop in enumerate(ready, 1):
            server = hop.host.lower()
            host = limits(server, means)
            counted = limits_at(server, host)
            known = None if self._traced(hop, means) else sibling(hop, means)
            refused = _refused(permit, counted, host, known)
            if refused is not None:
                full = refused.or_else(full)
                if known is not None:
                    known.retire()
                continue
            try:
                session = known or await self._to(hop, means, name, last=number == len(ready))
            except NoRouteError as error:
                unroutable = error
            except DeliveryError as error:
                failure = error
                tried += 1
            else:
                throttle = host.outbound_throttle_messages
                session.toll = Toll(throttle, permit.ledger) if throttle is not None else None
                return session
            permit.give_back(counted)
            _refund(permit, host)
        if full is not None:
            raise full  # There is a way, only not now.
        if failure is not None:
            failure.fields["tried"] = tried
            raise failure
        if unroutable is not None and all(":" in hop.address for hop in ready):
            # IPv6 hosts only, and we have no IPv6: nothing here is going to change that soon.
            raise DeliveryError(NO_HOSTS, Reach.DOMAIN, reason=str(unroutable)) from unroutable
        raise unroutable or DeliveryError(NO_HOSTS, Reach.DOMAIN)

    def _traced(self, hop: Hop, means: Means) -> bool:
        """Say whether somebody wants to hear a connection of this line from its beginning."""
        tracing = self.tracing
        return (
            tracing is not None
            and bool(tracing.tracers)
            and tracing.wanted(OUT, means.line.key, hop.address) != []
        )

    async def _to(self, hop: Hop, means: Means, name: str, *, last: bool) -> Session:
        """Return an open session; where TLS fails and need not be, one in clear."""
        plan = self._plan(hop, means)
        while True:
            session, lost = await self._session(hop, means, name, plan, last=last)
            if lost is None:
                if plan is not None and self.securing is not None:
                    self._told(hop, session, plan, *self.securing.opened(plan))
                return session
            result = None
            if plan is not None and self.securing is not None:
                result = self.securing.failed(plan, lost, session.trouble)
            if result is None or plan is None or self.securing is None:
                break
            following, again = self.securing.next(plan, lost, session.trouble)
            if following is None:
                self._told(hop, session, plan, *result)
            if not again:
                break
            plan = following
        wants = None if result is None else wanting(hop, means.terms)
        self._failed(hop, session.source, means.options, "unwelcome", wants)
        reason = {} if session.trouble is None else {"reason": session.trouble.reason}
        raise DeliveryError(
            _soft(lost.reply), Reach.HOST, lost.stage, 0, hop.endpoint, session.ident, **reason
        )

    def _plan(self, hop: Hop, means: Means) -> Plan | None:
        """Return how a connection to a host becomes secure; None: it stays in clear."""
        if self.securing is None:
            return None
        gateway = means.options.gateway
        domain = gateway.host if gateway is not None else means.line.domain
        return self.securing.plan(hop, means.terms, domain, means.options.ehlo_timeout)

    def _told(self, hop: Hop, session: Session, plan: Plan, result: str, reason: str) -> None:
        """Tell the reports how a session fared by what its domain demands."""
        if self.demands is not None and reportable(plan):
            self.demands.heard(hop.demand, hop.host, hop.address, session.local, result, reason)

    async def _session(
        self, hop: Hop, means: Means, name: str, plan: Plan | None, *, last: bool
    ) -> tuple[Session, Lost | None]:
        """Connect, and return a session which is open; or why it is lost."""
        options = means.options
        source = source_for(hop.address, options)
        ident = self.idents.next(self.clock.time())
        client = SmtpClient(
            name,
            hello=_HELLO[options.delivery_method],
            declare_8bit=options.send_8bitmime != "no",
            reply_lines=options.remote_reply_limit,
            tls=Tls.NO if plan is None else plan.wish.tls,
        )
        arguments = (client, hop, source, means, ident, plan)
        introduces = means.logins.wanted(options)
        made = IntroducingSession if introduces else Session
        factory: Callable[[], Session] = partial(made, *arguments)
        if self.tracing is not None and self.tracing.tracers:
            recorder = self.tracing.recorder(
                OUT, means.line.key, hop.address, ident, f"to {hop.host} {hop.endpoint}"
            )
            if recorder is not None:
                traced = TracedIntroducingSession if introduces else TracedSession
                factory = partial(traced, recorder, *arguments)
        timeout = options.connect_timeout
        if not last:
            timeout = min(timeout, options.connect_timeout_ceiling)
        begun = self.clock.monotonic()
        try:
            _, session = await self._connected(factory, hop, source, options, timeout)
        except TimeoutError as error:
            self._failed(hop, source, options, "timeout")
            raise DeliveryError(CONNECT_TIMEOUT, Reach.HOST, remote=hop.endpoint) from error
        except OSError as error:
            self._failed(hop, source, options, "refused")
            reason = error.strerror or type(error).__name__
            raise DeliveryError(
                NO_CONNECTION, Reach.HOST, remote=hop.endpoint, reason=reason
            ) from error
        lost = await self._greeting(session)
        if lost is None:
            took = self.clock.monotonic() - begun
            self.hosts.reached(hop.address, source, took, wanting(hop, means.terms))
            self.outcomes["opened"] += 1
            self.stages.connect.note(took)
        return session, lost

    async def _connected(
        self,
        factory: Callable[[], Session],
        hop: Hop,
        source: str,
        options: Transport,
        within: float,
    ) -> tuple[Any, Session]:
        """Connect by ourselves, or by the proxy of the binding."""
        way = egress(options)
        if way is None:
            where = source or address.ANY
            return await self.connect(factory, hop.address, hop.port, where, within=within)
        if self.proxies is None:
            raise ProxyError(f"proxy {way.server}: nothing here connects by proxies")
        return await self.proxies.connect(way, factory, hop.address, hop.port, within=within)

    async def _greeting(self, session: Session) -> Lost | None:
        try:
            return await session.greeted
        finally:
            if not session.greeted.done() or session.greeted.cancelled():
                session.abort()

    def _failed(
        self, hop: Hop, source: str, options: Transport, how: str, wants: Hashable = None
    ) -> None:
        self.outcomes[how] += 1
        self.hosts.failed(hop.address, source, options.host_failure_retry, wants)


def wanting(hop: Hop, terms: Terms) -> Hashable:
    """Return what is wanted of a host beside a greeting; None: nothing."""
    return None if terms.use == NO and not hop.demand.required else (terms, hop.demand)


def _refused(
    permit: Permit, counted: list[Limit], host: HostLimits, known: Session | None
) -> Full | None:
    """Take what a connection to the host is counted as, or return why it is not to be had.

    Its first message is counted with it: so no more connections are opened than have something to
    do, and the host whose rate is used up leaves the mail to another one.
    """
    grant = permit.acquire(counted)
    if not grant:
        return Full(seconds=BUSY_SECONDS) if grant is Grant.BUSY else Full(permit.denied)
    messages, connections = host.outbound_throttle_messages, host.outbound_throttle_connections
    seconds = 0.0
    if messages is not None:
        seconds = permit.ledger.take(messages.key, messages.rate)
    if not seconds and connections is not None and known is None:
        seconds = permit.ledger.take(connections.key, connections.rate)
        if seconds:
            _refund(permit, host)
    if not seconds:
        return None
    permit.give_back(counted)
    return Full(seconds=seconds)


def _refund(permit: Permit, host: HostLimits) -> None:
    """No message is sent there: take back what was counted for it."""
    throttle = host.outbound_throttle_messages
    if throttle is not None:
        permit.ledger.adjust(throttle.key, throttle.rate, -1)


def _soft(reply: Reply) -> Reply:
    """Return the reply to a greeting as a temporary one.

    A host which refuses everybody (554, RFC 5321 section 3.1) says nothing about this mail:
    another host, or another time, may do.
    """
    if reply.temporary:
        return reply
    return Reply(451, f"[internal] host refused the session: {reply}", "4.4.2")
