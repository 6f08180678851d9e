"""What the options want of TLS, and what the connections to one host have to be by them.

    terms(outbound, certificates)        of a line; equal options give equal terms
    wish(terms, demand, names)           for a host, with what its domain demands

The rule which keeps it simple: what is demanded only adds to what is wanted, but where DANE names
certificates nothing else is asked of them (`net/tlspolicy/demand`).
"""

from dataclasses import dataclass, field, replace
from typing import Final

from angarium.config.section import Section
from angarium.net.options.tls import Certificates, OutboundTls
from angarium.net.tls.clients import Recipe, Trust, recipe
from angarium.net.tlspolicy.demand import STS, Demand
from angarium.wire.smtp_opening import Tls

NO, IF_AVAILABLE, REQUIRED = "no", "ifavailable", "required"
UNCHECKED, SIGNED, NAMED, TOLD = "no", "ca", "host", "optional"


@dataclass(frozen=True, slots=True)
class Terms:
    """What the options of a line want.

    Attributes:
        use: NO, IF_AVAILABLE, REQUIRED.
        verify: UNCHECKED, SIGNED, NAMED, TOLD.
        fallback: with IF_AVAILABLE, mail goes in clear where TLS fails.
        anew: then on a new connection, also if STARTTLS was just refused.
        memory: for how many seconds TLS is left out with a host with which it has failed.
        stays: the message is for hosts only which offer REQUIRETLS (RFC 8689 section 4.2.1).
    """

    use: str = NO
    verify: str = UNCHECKED
    fallback: bool = True
    anew: bool = True
    recipe: Recipe = field(default_factory=Recipe)
    memory: float = 0.0
    stays: bool = False

    @property
    def by_name(self) -> bool:
        """Whether the name of a host matters."""
        return self.use != NO and self.verify in (NAMED, TOLD)


IN_CLEAR: Final = Terms()


def staying(terms: Terms) -> Terms:
    """Return what a message wants which requires TLS of the whole way (RFC 8689)."""
    return replace(terms, use=REQUIRED, verify=NAMED, fallback=False, stays=True)


def waived(terms: Terms) -> Terms:
    """Return what a message wants which would rather arrive than be secure (RFC 8689)."""
    return replace(terms, use=IF_AVAILABLE, verify=UNCHECKED, fallback=True, stays=False)


def terms(outbound: OutboundTls, certificates: Certificates) -> Terms:
    """Return what the options want."""
    return Terms(
        outbound.tls,
        outbound.tls_verify,
        outbound.tls_ifavailable_fallback,
        outbound.tls_fallback_always_new_connection,
        recipe(outbound, certificates),
        outbound.tls_fallback_memory,
    )


def may_fall_back(root: Section) -> bool:
    """Say whether TLS is wanted anywhere where mail may go in clear if it fails."""
    return any(
        each.values.get("tls") == IF_AVAILABLE or each.values.get("use_mta_sts")
        for each in root.walk()
    )


@dataclass(frozen=True, slots=True)
class Wish:
    """What a connection to a host has to be.

    Attributes:
        use: as of `Terms`, and of what is shown of the connection.
        tls: whether STARTTLS is said.
        recipe: of the context.
        signed: without a trusted signature there is no connection; `named`: nor without a name.
        told: whether both are looked at, if only to tell.
        names: by which the host may go.
        fallback: mail may go in clear where TLS fails.
        memory, stays: see `Terms`.
        demand: of the domain.
    """

    use: str
    tls: Tls
    recipe: Recipe
    signed: bool
    named: bool
    told: bool
    names: tuple[str, ...]
    fallback: bool
    memory: float
    stays: bool
    demand: Demand


def wish(terms: Terms, demand: Demand, host: str, domain: str) -> Wish | None:
    """Return what connections to a host have to be; None: in clear.

    Args:
        domain: to which mail goes. Momentum takes a certificate of it for its hosts', too; for a
            policy of MTA-STS only the host counts (RFC 8461 section 4.2).
    """
    required = terms.use == REQUIRED or demand.required
    if not (required or demand.checked or terms.use == IF_AVAILABLE):
        return None
    fallback = not required and (terms.fallback or terms.use == NO)
    named = terms.verify == NAMED or (demand.checked and demand.required)
    signed = named or terms.verify == SIGNED
    told = signed or demand.checked or terms.verify == TOLD
    if demand.named:
        signed = named = told = False
    trust = Trust.NEEDED if signed else Trust.JUDGED if told else Trust.ANYBODY
    tls = Tls.STAYING if terms.stays else Tls.REQUIRED if required else Tls.STRICT
    if fallback and not terms.anew:
        tls = Tls.OFFERED
    return Wish(
        REQUIRED if required else IF_AVAILABLE,
        tls,
        replace(terms.recipe, trust=trust),
        signed,
        named,
        told,
        (host,) if demand.kind == STS else (host, domain),
        fallback,
        terms.memory,
        terms.stays,
        demand,
    )
