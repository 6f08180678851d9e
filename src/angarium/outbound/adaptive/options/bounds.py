"""Options which bound what adaptive delivery may make of other options."""

from typing import TypeVar

from angarium.config.compound import Span
from angarium.config.kinds import Duration, Int, Kind, Throttle, ThrottleKind
from angarium.config.option import Option, Options, planned
from angarium.config.scope import SHAPING
from angarium.outbound.adaptive.options.rules import ADAPTIVE

T = TypeVar("T")


def per_second(throttle: Throttle | None) -> float:
    """Return how many a throttle lets through in a second."""
    return throttle.rate.count / throttle.rate.seconds if throttle is not None else float("inf")


def bounds(kind: Span[T], name: str, example: str) -> Option[tuple[T, T] | None]:
    kinds: Kind[tuple[T, T] | None] = kind
    return planned(
        kinds,
        None,
        scopes=SHAPING,
        example=example,
        reason=ADAPTIVE,
        doc=f"""
        The least and the most which adaptive delivery may make of {name} here. What is set for
        {name} itself stays the value from which it starts. Unset: what its rules know of the
        receiver.
        """,
    )


SECONDS = Span(Duration())
COUNT = Span(Int())


class AdaptiveBounds(Options, direction="sending"):
    """Between what adaptive delivery moves the options it governs."""

    adaptive_max_outbound_connections = bounds(COUNT, "max_outbound_connections", "( 2 20 )")
    adaptive_max_deliveries_per_connection = bounds(
        COUNT, "max_deliveries_per_connection", "( 20 80 )"
    )
    adaptive_outbound_throttle_messages = bounds(
        Span(ThrottleKind(), per_second), "outbound_throttle_messages", "( 1/60 100/60 )"
    )
    adaptive_retry_interval = bounds(SECONDS, "retry_interval", "( 600 3600 )")
    adaptive_max_retry_interval = bounds(SECONDS, "max_retry_interval", "( 3600 43200 )")
    adaptive_max_retries = bounds(COUNT, "max_retries", "( 5 40 )")
    adaptive_max_recipients_per_batch = bounds(COUNT, "max_recipients_per_batch", "( 1 100 )")
    adaptive_max_recipients_per_connection = bounds(
        COUNT, "max_recipients_per_connection", "( 10 1000 )"
    )
    adaptive_max_resident_active_queue = bounds(COUNT, "max_resident_active_queue", "( 100 1000 )")
    adaptive_idle_timeout = bounds(SECONDS, "idle_timeout", "( 1 30 )")
    adaptive_ehlo_timeout = bounds(SECONDS, "ehlo_timeout", "( 30 300 )")
    adaptive_mailfrom_timeout = bounds(SECONDS, "mailfrom_timeout", "( 30 300 )")
    adaptive_rcptto_timeout = bounds(SECONDS, "rcptto_timeout", "( 30 300 )")
    adaptive_body_timeout = bounds(SECONDS, "body_timeout", "( 60 600 )")
    adaptive_rset_timeout = bounds(SECONDS, "rset_timeout", "( 5 30 )")
