"""How a connection to a host becomes secure, and whether it may be used then.

    plan = securing.plan(hop, terms, domain)     None: it stays in clear
    session = Session(..., plan)                 makes the handshake by `plan.begin`
    securing.failed(plan, lost, trouble)         the next plan, or why there is none

Who signed a host's certificate OpenSSL says in the handshake; whose it is, and whether a policy of
its domain is kept, is judged when that is done, before anything is sent. A session that is resumed
is judged by what was seen in the first one.
"""

import asyncio
import functools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from cryptography import x509

from angarium.config.held import NOTHING, Held
from angarium.core.clock import Clock
from angarium.core.reply import Reply
from angarium.events.metrics import counter
from angarium.net.options.tls import TlsLibrary
from angarium.net.tls import clients
from angarium.net.tls.clients import Clients, Kept, Place, Recipe, Seen
from angarium.net.tls.clients import Trust as Needed
from angarium.net.tls.contexts import Context
from angarium.net.tls.errors import TlsError, Trouble
from angarium.net.tls.facts import Facts, algorithm_bits
from angarium.net.tls.handshakes import Handshakes
from angarium.net.tls.layer import HANDSHAKE_SECONDS, TlsLayer, secure
from angarium.net.tlspolicy.dane import Trust
from angarium.net.tlspolicy.demand import LOCAL, STS
from angarium.outbound.asking import Asking
from angarium.outbound.broken import Broken
from angarium.outbound.errors import (
    EXPIRED,
    NEGOTIATION_FAILED,
    NOT_CALLED,
    NOT_OFFERED,
    NOT_SIGNED,
    NOT_YET,
    UNNAMED,
    UNVOUCHED,
    DeliveryError,
    Reach,
)
from angarium.outbound.route import Hop
from angarium.outbound.terms import Terms, Wish, wish
from angarium.wire.smtp_asked import Lost
from angarium.wire.smtp_transaction import Stage

OUTCOMES: Final = (
    "secure", "resumed", "in clear", "not offered", "refused", "failed", "certificate",
)  # fmt: skip
OUTCOME: Final = counter(
    "outbound_tls",
    "Connections to hosts with which TLS was wanted, by what came of it; in clear: it is left out"
    " because it failed before.",
    label="outcome",
    values=OUTCOMES,
)
VERSION: Final = counter(
    "outbound_tls_versions",
    "Connections to hosts over TLS, by its version.",
    label="version",
    values=("TLSv1.2", "TLSv1.3"),
)
# Of OpenSSL (openssl/x509_vfy.h).
_NOT_YET_VALID: Final = 9
_HAS_EXPIRED: Final = 10
_LONGEST: Final = 500  # of a name in a certificate, which is others' text
# RFC 8460 section 4.3.
NOT_SUPPORTED: Final = "starttls-not-supported"
HOST_MISMATCH: Final = "certificate-host-mismatch"
HAS_EXPIRED: Final = "certificate-expired"
NOT_TRUSTED: Final = "certificate-not-trusted"
INVALID: Final = "validation-failure"


@dataclass(frozen=True, slots=True)
class Assured:
    """What a connection is, as logs and policy see it.

    Attributes:
        recipe: of its context.
        use: what was wanted: "ifavailable" or "required".
        verified: the certificate is trusted, and for the host.
        certificate: the host's, in DER.
        own: it bears the name of the host itself, not of the domain.
        record: all of it, as events have it (`events/schema`).
    """

    recipe: Recipe
    use: str
    version: str
    cipher: str
    bits: int
    resumed: bool
    verified: bool
    certificate: bytes = b""
    own: bool = False
    record: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of a connection which is secure.

    Attributes:
        refusal: why nothing may be sent over it all the same; None: it may.
        result: of RFC 8460; "": nothing is wrong.
        reason: a few words, where something is.
    """

    assured: Assured
    refusal: Reply | None = None
    result: str = ""
    reason: str = ""


@dataclass(slots=True)
class Plan:
    """How one connection becomes secure."""

    wish: Wish
    place: Place
    recipe: Recipe
    context: Context
    clients: Clients
    handshakes: Handshakes
    time: Callable[[], float]
    seconds: float
    asking: Asking | None = None
    kept: Kept | None = None
    verdict: Verdict | None = None
    _layer: TlsLayer | None = None
    _seen: Seen = field(default_factory=Seen)

    def begin(
        self,
        transport: asyncio.Transport,
        protocol: asyncio.Protocol,
        ready: Callable[[TlsLayer], None],
    ) -> asyncio.Transport:
        """Begin the handshake; return the transport from now on."""
        self._layer = secure(
            transport,
            protocol,
            self.context,
            self.handshakes,
            server_hostname=self.place[0],
            session=None if self.kept is None else self.kept.session,
            seconds=self.seconds,
            ready=ready,
        )
        return self._layer

    def judge(self, layer: TlsLayer) -> Verdict:
        """Judge whom the handshake has shown."""
        facts, wish = layer.facts, self.wish
        resumed = facts.resumed and self.kept is not None
        if resumed and self.kept is not None:
            self._seen = self.kept.seen
        else:
            self.kept = None
            wrong = clients.wrong_with(layer.get_extra_info("ssl_object"), self.context)
            self._seen = Seen(wrong if wish.told else (), facts.chain if wish.demand.named else ())
        refusal, result, reason = self._asked(facts.certificate, *self._judged(facts.certificate))
        looked = wish.told or wish.demand.named
        good = looked and not result
        own = good and clients.called(facts.certificate, wish.names[:1])
        assured = Assured(
            self.recipe, wish.use, facts.version, facts.cipher, facts.bits, resumed, good,
            facts.certificate, own, recorded(wish.use, facts, verified=good),
        )  # fmt: skip
        self.verdict = Verdict(assured, refusal, result, reason)
        return self.verdict

    def _asked(
        self, certificate: bytes, refusal: Reply | None, result: str, reason: str
    ) -> tuple[Reply | None, str, str]:
        """Let policy have the last word, but not over what the domain demands."""
        wish, asking = self.wish, self.asking
        if asking is None or not wish.told:
            return refusal, result, reason
        host, domain = wish.names[0], wish.names[-1]
        if not asking.good(certificate, host, domain, good=not result):
            refused = refusal or (NOT_SIGNED if wish.signed else None)
            return refused, result or NOT_TRUSTED, reason or "policy does not trust it"
        return (refusal, result, reason) if wish.demand.required else (None, "", "")

    def _judged(self, certificate: bytes) -> tuple[Reply | None, str, str]:
        wish, seen = self.wish, self._seen
        if wish.demand.named:
            trust = wish.demand.judge(seen.chain, self.time())
            if trust is Trust.NAMED:
                return None, "", ""
            return UNNAMED, trust.value, "no TLSA record names the certificate"
        if not wish.told:
            return None, "", ""
        if seen.wrong:
            reply, result = unsigned(seen.wrong[0])
            return reply if wish.signed else None, result, reply.text
        if clients.called(certificate, wish.names):
            return None, "", ""
        return NOT_CALLED if wish.named else None, HOST_MISMATCH, NOT_CALLED.text

    def keep(self) -> None:
        """Keep the session for the next connection: the host has answered over it.

        One which goes on with another is not kept instead: to take it out of the library costs as
        much as it saves, and a host which takes a ticket once only makes a new session next time.
        """
        layer, self._layer = self._layer, None
        if self.kept is None and layer is not None and (session := layer.session) is not None:
            self.clients.keep(self.context, self.place, session, self._seen)


def recorded(use: str, facts: Facts, *, verified: bool) -> str:
    """Return what a connection is, as events have it."""
    issuer, subject = _names(facts.certificate)
    said = (
        use, facts.version, facts.cipher, str(algorithm_bits(facts.cipher, facts.bits)),
        str(facts.bits), "verified" if verified else "unverified", issuer, subject,
    )  # fmt: skip
    return "\t".join(each.replace("\t", " ")[:_LONGEST] for each in said)


@functools.lru_cache(maxsize=256)
def _names(certificate: bytes) -> tuple[str, str]:
    """Return issuer and subject; the few hosts to which much goes show the same each time."""
    try:
        known = x509.load_der_x509_certificate(certificate)
        return known.issuer.rfc4514_string(), known.subject.rfc4514_string()
    except ValueError:  # It is no certificate, or a name in it is none.
        return "", ""


def vouched(hop: Hop) -> bool:
    """Say whether it is sure that a host is the domain's (RFC 8689 section 4.2.1)."""
    return hop.secure or hop.demand.kind == STS


def vouches(assured: Assured | None, terms: Terms, before: Hop, hop: Hop) -> bool:
    """Say whether what a connection to a host was judged by holds for a host at its address.

    Another name of the same address has to show a certificate of its own.
    """
    if not (terms.by_name or hop.demand.checked):
        return True
    return assured is not None and assured.own and before.host.lower() == hop.host.lower()


def unsigned(code: int) -> tuple[Reply, str]:
    """Return the reply and the result of RFC 8460 for what OpenSSL says of a certificate."""
    if code == _HAS_EXPIRED:
        return EXPIRED, HAS_EXPIRED
    if code == _NOT_YET_VALID:
        return NOT_YET, NOT_TRUSTED
    return NOT_SIGNED, NOT_TRUSTED


def reply_of(error: Exception | None, closed: Reply) -> Reply:
    """Return the reply for the end of a connection; `closed`: where TLS has no part in it."""
    if not isinstance(error, TlsError):
        return closed
    if error.trouble is Trouble.CERTIFICATE and error.verify_code:
        return unsigned(error.verify_code)[0]
    return NEGOTIATION_FAILED


class Securing:
    """What makes connections to hosts secure, in one worker.

    Attributes:
        broken: hosts with which TLS is left out.
        asking: asks policy, if it is to be asked.
        outcomes: what came of it, see OUTCOMES; `versions` of TLS.
    """

    def __init__(
        self,
        clock: Clock,
        handshakes: Handshakes,
        broken: Broken,
        shared: TlsLibrary,
        awaited: frozenset[str] = frozenset(),
        held: Held = NOTHING,
    ) -> None:
        self._clock = clock
        self._handshakes = handshakes
        self.broken = broken
        self.asking: Asking | None = None
        self.outcomes: Counter[str] = Counter()
        self.versions: Counter[str] = Counter()
        self.configure(shared, awaited, held)

    def configure(
        self, shared: TlsLibrary, awaited: frozenset[str] = frozenset(), held: Held = NOTHING
    ) -> None:
        """Go over to another generation: files are read again when they are needed."""
        self._shared = shared
        self.clients = Clients(shared, self._clock, awaited, held)

    def plan(self, hop: Hop, terms: Terms, domain: str, seconds: float) -> Plan | None:
        """Return how a connection becomes secure; None: it stays in clear.

        Args:
            domain: to which mail goes.
            seconds: which a handshake may take.

        Raises:
            ContextError: TLS cannot be as the options want it.
            DeliveryError: the message needs to know better that it is a host of its domain.
        """
        wanted = wish(terms, hop.demand, hop.host, domain)
        if wanted is None:
            return None
        if wanted.stays and not vouched(hop):
            raise DeliveryError(UNVOUCHED, Reach.HOST, remote=hop.endpoint)
        if wanted.fallback and wanted.memory > 0.0 and self._is_broken(hop):
            self.outcomes["in clear"] += 1
            return None
        recipe, asking = wanted.recipe, self.asking
        if asking is not None and asking.about_certificates and recipe.trust is Needed.NEEDED:
            recipe = replace(recipe, trust=Needed.JUDGED)  # Policy may know better.
        context = self.clients.context(recipe)
        # RFC 7672 section 8.1: a host is called by the name its TLSA records stand at.
        name = hop.demand.names[0] if hop.demand.named else hop.host
        place = (name, hop.address, hop.port)
        return Plan(
            wanted, place, recipe, context, self.clients, self._handshakes, self._clock.time,
            min(seconds, HANDSHAKE_SECONDS), asking, self.clients.kept(context, place),
        )  # fmt: skip

    def _is_broken(self, hop: Hop) -> bool:
        return self.broken.fault((hop.address, hop.port)) is not None

    def opened(self, plan: Plan) -> tuple[str, str]:
        """A session is open; return its result of RFC 8460 and the reason for it."""
        verdict = plan.verdict
        if verdict is None:  # STARTTLS was not offered, or refused, and not required.
            self.outcomes["not offered"] += 1
            return NOT_SUPPORTED, "STARTTLS is not offered"
        self.outcomes["resumed" if verdict.assured.resumed else "secure"] += 1
        self.versions[verdict.assured.version] += 1
        return verdict.result, verdict.reason

    def failed(self, plan: Plan, lost: Lost, trouble: TlsError | None) -> tuple[str, str] | None:
        """TLS failed; return its result of RFC 8460 and the reason for it; None: it did not."""
        if lost.reply is NOT_OFFERED:
            self.outcomes["not offered"] += 1
            return NOT_SUPPORTED, lost.reply.text
        if plan.verdict is not None and plan.verdict.refusal is not None:
            self.outcomes["certificate"] += 1
            self.clients.forget(plan.context, plan.place)
            return plan.verdict.result, plan.verdict.reason
        if lost.stage not in (Stage.STARTTLS, Stage.TLS):
            return None
        if trouble is not None and trouble.trouble is Trouble.CERTIFICATE:
            self.outcomes["certificate"] += 1
            return unsigned(trouble.verify_code)[1], trouble.reason
        self.outcomes["refused" if lost.stage is Stage.STARTTLS else "failed"] += 1
        return INVALID, trouble.reason if trouble is not None else lost.reply.text

    def next(self, plan: Plan, lost: Lost, trouble: TlsError | None) -> tuple[Plan | None, bool]:
        """Return the plan of another connection after one failed, and whether there is one.

        Without a plan it is in clear.
        """
        certificate = trouble is not None and trouble.trouble is Trouble.CERTIFICATE
        if plan.verdict is not None or certificate:
            return None, False
        if plan.kept is not None and lost.stage is Stage.TLS:
            # Some hosts offer tickets which they do not take.
            self.clients.forget(plan.context, plan.place)
            plan.kept = None
            return plan, True
        if not plan.wish.fallback or lost.stage not in (Stage.STARTTLS, Stage.TLS):
            return None, False
        reason = trouble.reason if trouble is not None else lost.reply.text
        self.broken.note((plan.place[1], plan.place[2]), reason, plan.wish.memory)
        return None, True


def reportable(plan: Plan) -> bool:
    """Say whether its domain is told how it fared."""
    return plan.wish.demand.kind != LOCAL
