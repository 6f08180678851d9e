"""What a connection to a mail server has to be, by the word of the domain it is for.

A demand only ever adds to what the options want: the stricter of the two holds, but where DANE
names certificates nothing else is asked of them (RFC 7672 section 2.2).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from angarium.net.tlspolicy import dane
from angarium.net.tlspolicy.dane import Tlsa, Trust, Usage
from angarium.net.tlspolicy.sts import Mode, Policy

# Types of policy, RFC 8460 section 4.3.
LOCAL: Final = "no-policy-found"
STS: Final = "sts"
TLSA: Final = "tlsa"


@dataclass(frozen=True, slots=True)
class Demand:
    """What holds for the connections to one host.

    Attributes:
        kind: LOCAL: the options alone; STS, TLSA.
        domain: whose mail it is about, and who is told in a report how it fares.
        text: the policy, as reports quote it.
        required: without TLS nothing is sent.
        checked: the certificate is looked at, as tls_verify = host does; `required` with it: and
            has to be right.
        found: TLSA records which are secure; with a usable one nothing but they say whether a
            certificate is right.
        names: by which the host may go, for `found`.
    """

    kind: str = LOCAL
    domain: str = ""
    text: tuple[str, ...] = ()
    required: bool = False
    checked: bool = False
    found: tuple[Tlsa, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def named(self) -> bool:
        """Whether TLSA records say which certificate is right."""
        return dane.usage(self.found) is Usage.USABLE

    def judge(self, chain: Sequence[bytes], now: float) -> Trust:
        """Judge the certificates a host has shown, if `named`; see `dane.judge`."""
        return dane.judge(self.found, chain, self.names, now)


NOTHING: Final = Demand()


def of_policy(domain: str, policy: Policy) -> Demand:
    """Return what a policy of MTA-STS demands (RFC 8461 section 5)."""
    if policy.mode is Mode.NONE:
        return NOTHING
    enforced = policy.mode is Mode.ENFORCE
    return Demand(STS, domain, tuple(policy.lines()), required=enforced, checked=True)


def of_records(domain: str, name: str, found: tuple[Tlsa, ...], names: Sequence[str]) -> Demand:
    """Return what secure TLSA records of a name demand: TLS at least, RFC 7672 section 2.2."""
    if not found:
        return NOTHING
    return Demand(
        TLSA,
        domain,
        tuple(f"{name}. IN TLSA {record}" for record in found),
        required=True,
        found=found,
        names=tuple(dict.fromkeys(names)),
    )
