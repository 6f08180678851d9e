"""Policy hears how connections fare by what domains demand of TLS: `core_smtp_tls_reporting`."""

from collections.abc import Callable

from angarium.net.tlspolicy.demand import Demand
from angarium.outbound.demands import Heard, nobody
from angarium.policy.chain import Policy
from angarium.policy.hooks import TlsReport


def hearing(policy: Policy, now: Callable[[], float]) -> Heard:
    """Return who asks the hook; `nobody` where nobody would be asked."""
    chain = policy.chain(TlsReport)
    if chain is None:
        return nobody

    def heard(
        demand: Demand, host: str, address: str, source: str, result: str, reason: str, /
    ) -> None:
        chain.ask(
            TlsReport(
                now(), demand.kind, demand.domain, demand.text, host, address, source, result,
                reason,
            )
        )  # fmt: skip

    return heard
