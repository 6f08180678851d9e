"""What a worker tells of its parts: once a second, out of numbers which they keep anyhow.

Rule: nothing here is asked for a message, and nothing asks more than some hundred numbers a
second; what has as many parts as there is mail (lines, routes) is left to `run/busiest`.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from angarium.config.resolve import Configuration
from angarium.events.metrics import Metric, Metrics, counter, gauge
from angarium.inbound.services import Services
from angarium.net.resolver import Naming
from angarium.outbound.dial import DIALED
from angarium.outbound.pool import Pool
from angarium.outbound.secured import OUTCOME, VERSION
from angarium.outbound.settle import DEFERRED, DELIVERED, ENDED, Settle
from angarium.policy.hooks import HOOKS
from angarium.policy.module import Policing
from angarium.queue.board import Board
from angarium.queue.ledger import SharedLedger
from angarium.queue.spool.options import Spooling
from angarium.queue.spool.store import Spool
from angarium.run.own import Own

QUEUED: Final = gauge("queued", "Recipients whose mail is in the spool.")
DELAYED: Final = gauge("delayed", "Of these, those which wait for their next attempt.")
IN_FLIGHT: Final = gauge("in_flight", "Of these, those on which somebody works.")
ISOLATED: Final = gauge("isolated", "Recipients whose mail is put aside, as it cannot be read.")
LINES: Final = gauge("lines", "Queues (binding, domain) with mail, or with some a moment ago.")
CONNECTIONS: Final = gauge("connections_out", "Connections to hosts.")
SESSIONS: Final = gauge("sessions_in", "Connections of clients.")
RECOVERING: Final = gauge("recovering", "Shards whose mail is not all found yet.")
NO_INTAKE: Final = gauge("intake_stopped", "Workers whose spool takes no mail.")
NO_DELIVERY: Final = gauge("delivery_stopped", "Workers which deliver nothing, as none is noted.")
UNSAFE: Final = gauge(
    "not_durable", "Workers which say 250 before mail is on disk, as options ask for it."
)
LEAVING: Final = gauge("leaving", "Workers which take nothing new, as they are to end.")
SUSPENDED: Final = gauge(
    "suspended_bindings", "Bindings whose address is not on this machine.", highest=True
)
LIMITS: Final = counter(
    "limits_hit",
    "Times something had to wait for a limit: of connections, or of a rate.",
    label="limit",
    values=(
        "service_sessions", "listener_sessions", "sessions_per_address", "inbound_rate",
        "line", "cap", "outbound_rate", "dns_rate", "other",
    ),
)  # fmt: skip
DNS_LOOKUPS: Final = counter("dns_lookups", "Names which were looked up, or found in the cache.")
DNS_HITS: Final = counter("dns_hits", "Answers from the cache.")
DNS_STALE: Final = counter(
    "dns_stale", "Answers from the cache which were over, for want of others."
)
DNS_ASKED: Final = counter("dns_queries", "Questions to name servers.")
DNS_TIMEOUTS: Final = counter("dns_timeouts", "Questions to name servers which had no answer.")
DNS_BAD: Final = counter("dns_bad_responses", "Answers of name servers which made no sense.")
DNS_ENTRIES: Final = gauge("dns_entries", "Answers in the cache.")
DNS_PENDING: Final = gauge("dns_pending", "Questions on their way.")
POLICY_CALLS: Final = counter(
    "policy_calls", "Calls of handlers of policy.", label="hook", values=tuple(HOOKS)
)
POLICY_ERRORS: Final = counter(
    "policy_errors", "Calls of these which failed.", label="hook", values=tuple(HOOKS)
)
POLICY_SECONDS: Final = counter(
    "policy",
    "Time they took, waiting left out.",
    unit="seconds",
    label="hook",
    values=tuple(HOOKS),
)


class Parts(Protocol):
    """What is looked at, of a worker."""

    @property
    def configuration(self) -> Configuration: ...
    @property
    def spool(self) -> Spool: ...
    @property
    def board(self) -> Board: ...
    @property
    def pool(self) -> Pool: ...
    @property
    def settle(self) -> Settle: ...
    @property
    def services(self) -> Services: ...
    @property
    def naming(self) -> Naming: ...
    @property
    def ledger(self) -> SharedLedger: ...


class Gauges:
    """The numbers of a worker."""

    __slots__ = ("_metrics", "_own")

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._own = Own(metrics)

    def look(self, parts: Parts, now: float, *, leaving: bool) -> None:
        """Take all of them; `now` is monotonic."""
        self._own.look(now)
        self._queues(parts)
        self._deliveries(parts.settle, parts.pool)
        self._names(parts.naming)
        self._policy(parts.services.policing)
        spooling = parts.configuration.top(Spooling)
        self._set(UNSAFE, int(not spooling.force_fsync or spooling.unsafe_spool))
        self._set(LEAVING, int(leaving))
        self._set(SESSIONS, len(parts.services.sessions))
        self._by_label(LIMITS, parts.ledger.denials, other="other")

    def _queues(self, parts: Parts) -> None:
        spool, board = parts.spool, parts.board
        self._set(QUEUED, len(spool))
        self._set(ISOLATED, spool.counts()["quarantined"])
        self._set(DELAYED, board.delayed)
        self._set(IN_FLIGHT, board.in_flight)
        self._set(LINES, len(board.lines))
        self._set(RECOVERING, spool.recovering)
        self._set(NO_INTAKE, int(not spool.intake))
        self._set(NO_DELIVERY, int(not spool.delivery))

    def _deliveries(self, settle: Settle, pool: Pool) -> None:
        self._set(DELIVERED, settle.delivered_count)
        self._set(DEFERRED, settle.deferred_count)
        self._set(CONNECTIONS, pool.connections)
        self._set(SUSPENDED, len(pool.sources.absent))
        self._by_label(ENDED, {str(name): count for name, count in settle.failures.items()})
        self._by_label(DIALED, pool.dialer.outcomes)
        if (securing := pool.dialer.securing) is not None:
            self._by_label(OUTCOME, securing.outcomes)
            self._by_label(VERSION, securing.versions)

    def _names(self, naming: Naming) -> None:
        resolver, stub = naming.resolver, naming.stub
        self._set(DNS_LOOKUPS, resolver.counters["lookups"])
        self._set(DNS_HITS, resolver.counters["hits"])
        self._set(DNS_STALE, resolver.counters["stale"])
        self._set(DNS_ASKED, _beginning("queries.", stub.counters))
        self._set(DNS_TIMEOUTS, _beginning("timeouts.", stub.counters))
        self._set(DNS_BAD, stub.counters["bad"])
        self._set(DNS_ENTRIES, len(resolver))
        self._set(DNS_PENDING, stub.pending)

    def _policy(self, policing: Policing) -> None:
        for hook, (calls, errors, seconds) in policing.sums().items():
            self._metrics.cell(POLICY_CALLS, hook).value = calls
            self._metrics.cell(POLICY_ERRORS, hook).value = errors
            self._metrics.cell(POLICY_SECONDS, hook).value = seconds

    def _set(self, metric: Metric, value: float) -> None:
        self._metrics.cell(metric).value = value

    def _by_label(self, metric: Metric, counts: Mapping[str, int], other: str = "") -> None:
        """Set the cells of a label; what is none of its values is added to `other`."""
        for value in metric.values:
            self._metrics.cell(metric, value).value = counts.get(value, 0)
        unknown = counts.keys() - set(metric.values)
        if unknown and other:
            self._metrics.cell(metric, other).value = sum(counts[each] for each in unknown)


def _beginning(start: str, counts: Mapping[str, int]) -> int:
    names: Iterable[str] = list(counts)
    return sum(counts[each] for each in names if each.startswith(start))
