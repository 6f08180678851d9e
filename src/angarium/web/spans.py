"""Traces of messages, made of events, in the form a collector of OpenTelemetry takes (OTLP/JSON).

    reception                   one for each recipient of a traced message
      attempt                   from when it was due until it succeeded or failed
      recipient                 from the reception until its end, whatever that was

Ids follow from those of the message, so that an attempt of tomorrow joins the trace of today,
whoever sees it. Rule: **no address and no content leaves the server by a trace**: domains, hosts,
bindings and replies do.
"""

import hashlib
import struct
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from angarium.core.ident import printed
from angarium.events.schema import (
    Delivery,
    Discard,
    Event,
    PermanentFailure,
    Reception,
    Transfer,
    TransientFailure,
)

# Recipients of whom we know when they are due; of others, since when we have them.
KNOWN: Final = 20_000
SERVER, CLIENT, INTERNAL = 2, 3, 1  # SpanKind, opentelemetry/proto/trace/v1/trace.proto
OK, FAILED = 1, 2  # Status.StatusCode
_IDS: Final = struct.Struct(">QQ")
_SCALE: Final = float(1 << 64)

Attempted = Delivery | TransientFailure | PermanentFailure | Transfer


def chosen(batch: int, sample: float) -> bool:
    """Say whether a message is traced; all who ask say the same."""
    return _digest(b"sample", batch) < sample * _SCALE


def _digest(what: bytes, *numbers: int) -> int:
    octets = what + b"".join(number.to_bytes(16, "big") for number in numbers)
    (digest,) = struct.unpack(">Q", hashlib.blake2b(octets, digest_size=8).digest())
    return int(digest)


def _trace_of(batch: int) -> str:
    return _IDS.pack(_digest(b"high", batch), _digest(b"low", batch)).hex()


def _span_of(what: bytes, *numbers: int) -> str:
    return f"{_digest(what, *numbers) or 1:016x}"  # All zero is no id.


class Spans:
    """Makes spans of events.

    Args:
        sample: the part of all messages which is traced, 0 to 1.
    """

    def __init__(self, sample: float) -> None:
        self._sample = sample
        self._due: OrderedDict[int, float] = OrderedDict()

    def of(self, events: Iterable[Event]) -> list[dict[str, Any]]:
        """Return the spans which these events end."""
        found: list[dict[str, Any]] = []
        for event in events:
            batch = getattr(event, "batch", 0)
            if batch and chosen(batch, self._sample):
                found += self._spans(event)
        return found

    def _spans(self, event: Event) -> list[dict[str, Any]]:
        match event:
            case Reception():
                return [_received(event)]
            case TransientFailure():
                span = self._attempt(event)
                self._due[event.id] = event.due
                self._due.move_to_end(event.id)
                if len(self._due) > KNOWN:
                    self._due.popitem(last=False)
                return [span]
            case Delivery() | PermanentFailure() | Transfer():
                spans = [self._attempt(event)] if event.connection else []
                self._due.pop(event.id, None)
                return [*spans, _ended(event)]
            case Discard():
                return [_ended(event)]
            case _:
                return []

    def _attempt(self, event: Attempted) -> dict[str, Any]:
        since = min(self._due.get(event.id, event.received_at), event.at)
        said = event.reply if isinstance(event, Delivery | Transfer) else event.reason
        well = isinstance(event, Delivery | Transfer)
        return _span(
            "attempt",
            CLIENT,
            event.batch,
            _span_of(b"attempt", event.id, event.attempt),
            _span_of(b"reception", event.id),
            (since, event.at),
            {
                "server.address": event.remote,
                "angarium.attempt": event.attempt,
                "angarium.domain": event.domain,
                "angarium.binding": event.binding,
                "angarium.reply": said[:200],
            },
            status=OK if well else FAILED,
        )


def _received(event: Reception) -> dict[str, Any]:
    return _span(
        "reception",
        SERVER,
        event.batch,
        _span_of(b"reception", event.id),
        "",
        (event.at, event.at),
        {
            "angarium.message": printed(event.batch),
            "angarium.recipient": printed(event.id),
            "angarium.domain": event.domain,
            "angarium.protocol": event.protocol,
            "client.address": event.source,
            "angarium.size": event.size,
        },
        status=OK,
    )


def _ended(event: Attempted | Discard) -> dict[str, Any]:
    well = isinstance(event, Delivery | Transfer)
    how = event.kind if isinstance(event, PermanentFailure) else type(event).__name__.lower()
    return _span(
        "recipient",
        INTERNAL,
        event.batch,
        _span_of(b"recipient", event.id),
        _span_of(b"reception", event.id),
        (min(event.received_at, event.at), event.at),
        {
            "angarium.recipient": printed(event.id),
            "angarium.end": how,
            "angarium.attempts": event.attempt + 1,
            "angarium.domain": event.domain,
            "angarium.binding": event.binding,
        },
        status=OK if well else FAILED,
    )


def _span(
    name: str,
    kind: int,
    batch: int,
    ident: str,
    parent: str,
    times: tuple[float, float],
    attributes: Mapping[str, str | int],
    *,
    status: int,
) -> dict[str, Any]:
    begun, ended = (str(int(each * 1_000_000) * 1000) for each in times)
    made = {
        "traceId": _trace_of(batch),
        "spanId": ident,
        "name": name,
        "kind": kind,
        "startTimeUnixNano": begun,
        "endTimeUnixNano": ended,
        "attributes": attributes_of(attributes),
        "status": {"code": status},
    }
    return made | ({"parentSpanId": parent} if parent else {})


def attributes_of(values: Mapping[str, str | int]) -> list[dict[str, Any]]:
    """Return attributes as OTLP/JSON has them; 64-bit numbers are texts there."""
    return [
        {
            "key": key,
            "value": {"intValue": str(each)} if isinstance(each, int) else {"stringValue": each},
        }
        for key, each in values.items()
        if each != ""
    ]


def request_of(spans: Iterable[Mapping[str, Any]], about: Mapping[str, str]) -> dict[str, Any]:
    """Return the body of a request to a collector.

    Args:
        about: attributes of the resource, such as service.name.
    """
    scope = {"name": "angarium", "version": about.get("service.version", "")}
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": attributes_of(about)},
                "scopeSpans": [{"scope": scope, "spans": list(spans)}],
            }
        ]
    }
