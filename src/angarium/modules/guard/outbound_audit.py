"""outbound_audit: what became of mail for each domain over time, and for all together.

Of each monitor there are five series (`policy/shared/monitors`): messages received, recipients
delivered, seconds their transactions took, attempts which failed for now and for good. A domain is
counted for when it is listed, or where none is, when more messages came for it than `threshold`.
"""

from typing import Final

from angarium.modules.guard.options import OutboundAudit as Options
from angarium.modules.guard.peers import Domains
from angarium.modules.means import Means
from angarium.policy.shared.monitors import (
    DELIVERED,
    GLOBAL,
    OUTBOUND,
    OUTCOMES,
    PERMANENT,
    RECEIVED,
    SECONDS,
    TRANSIENT,
    listed,
    outbound_name,
)
from angarium.policy.shared.series import STRING, Series
from angarium.policy.shared.told import Number

SEEN_DOMAINS: Final = 100_000  # of which it is known how many messages came


class OutboundAudit:
    """The module; a `queue.tally.Audit`."""

    def __init__(self, name: str, options: Options, means: Means) -> None:
        self._board = means.board
        self._tell = means.tell
        self._enabled = options.enabled
        self._domains = bool(options.monitor_domains)
        self._listed = Domains(options.domainlist)
        self._threshold = options.threshold or 0
        self._told: set[str] = set()
        shared = means.shared
        instance = name or OUTBOUND
        self._changed = listed(shared, instance)
        self._series: dict[str, list[Series]] = {kind: [] for kind in OUTCOMES}
        longest = 1
        for windows in options.monitors:
            count = windows.count + 1  # so many before that of now
            longest = max(longest, windows.seconds * count)
            for kind, each in self._series.items():
                series_name = outbound_name(kind, instance, str(windows))
                each.append(shared.define_series(series_name, STRING, windows.seconds, count))
        self._seen = shared.define_gauge(f"{OUTBOUND} {instance} seen", SEEN_DOMAINS, longest)

    def start(self) -> None:
        if self._enabled:
            self._board.audits = (*self._board.audits, self)

    def stop(self) -> None:
        self._board.audits = tuple(each for each in self._board.audits if each is not self)

    def received(self, domain: str) -> None:
        if self._domains and self._threshold:
            self._seen.add(domain.encode(), 1)
        self._add(domain, RECEIVED, 1)

    def delivered(self, domain: str, seconds: float) -> None:
        self._add(domain, DELIVERED, 1)
        self._add(domain, SECONDS, max(seconds, 0.0))

    def failed(self, domain: str, *, temporary: bool) -> None:
        self._add(domain, TRANSIENT if temporary else PERMANENT, 1)

    def _add(self, domain: str, kind: str, number: Number) -> None:
        of_domain = self._counts(domain)
        for series in self._series[kind]:
            series.add(GLOBAL, number)
            if of_domain:
                series.add(domain.encode(), number)

    def _counts(self, domain: str) -> bool:
        """Say whether it is counted for a domain."""
        if not self._domains:
            return False
        changed = self._changed.get(domain.encode())
        if isinstance(changed, bool):
            return changed
        if self._listed:
            return self._listed.has(domain)
        if not self._threshold or self._seen.get(domain.encode()) > self._threshold:
            self._tell_of(domain)
            return True
        return False

    def _tell_of(self, domain: str) -> None:
        if domain not in self._told and len(self._told) < SEEN_DOMAINS:
            self._told.add(domain)
            self._tell("DEBUG", f"{domain} is counted for")
