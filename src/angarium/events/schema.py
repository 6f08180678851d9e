"""Every event and its fields: what happened to a recipient's entry, to a session, to the server.

An event is made by what makes it happen, encoded once, kept in a stream and read by many. Its
number and the order of its fields are a format on disk, and the rule of that format is: **fields
and events are only ever appended, an appended field has a default, nothing is renumbered**. So a
reader one version older ignores what it does not know, and a newer one fills in what is missing.

Times are Unix seconds, sizes octets. An endpoint is "192.0.2.1:25" or "[2001:db8::1]:25"; where
only the address matters it may stand alone. `attempt` is what logs call retries: 0 at the first.
"""

from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta, Struct

from angarium.core.errors import Error
from angarium.core.registry import Registry

EVENTS: Final[Registry[type[Struct]]] = Registry("event")

E = TypeVar("E", bound=Struct)

At = Annotated[float, Meta(description="when it happened")]
Id = Annotated[int, Meta(description="id of the recipient's entry, as the spool gave it")]
Batch = Annotated[int, Meta(description="id of the content, which its recipients share")]
Inward = Annotated[int, Meta(description="id of the connection the message came in by")]
Outward = Annotated[int, Meta(description="id of the connection of this attempt; 0: none was made")]
Attempt = Annotated[int, Meta(description="attempts before this one: 0 at the first")]
Rcpt = Annotated[str, Meta(description="address of the recipient, without brackets")]
Sender = Annotated[str, Meta(description='address of the envelope sender; "" is the null sender')]
Domain = Annotated[str, Meta(description="domain the entry is routed by")]
Size = Annotated[int, Meta(description="octets of the message, header fields of ours included")]
Sent = Annotated[int, Meta(description="octets sent before the failure; 0: no connection was made")]
Group = Annotated[str, Meta(description="binding group")]
Binding = Annotated[str, Meta(description="binding")]
ReceivedAt = Annotated[float, Meta(description="when the message was received")]
Remote = Annotated[str, Meta(description='endpoint of the remote server; "" if none was reached')]
Stage = Annotated[int, Meta(description="stage of the connection, 0 to 22 (bounce_codes)")]
Reason = Annotated[str, Meta(description="the reply or our own words, in one line, codes included")]
Classification = Annotated[int, Meta(description="bounce class (bounce_codes)")]
Variables = Annotated[dict[str, str], Meta(description="context variables at that moment")]
Way = Annotated[str, Meta(description='protocol the message came in by; "": not known')]
Pathway = Annotated[str, Meta(description="pathway of the listener it came in by")]
Context = Annotated[dict[str, str], Meta(description="context variables of the message")]

Tls = Annotated[
    str,
    Meta(
        description="what TLS was, with tabs between: required or ifavailable, version, cipher,"
        " bits of its algorithm, those used, verified or unverified, issuer and subject of the"
        ' certificate; "": there was none'
    ),
]


def event(declared: type[E]) -> type[E]:
    """Register an event; its first tag is its number for ever."""
    EVENTS.add(declared.__name__, declared, depth=2)
    return declared


def number_of(declared: type[Struct]) -> int:
    """Return the number by which an event is known on disk."""
    tag = declared.__struct_config__.tag
    if not isinstance(tag, int):
        raise TypeError(f"{declared.__name__} has no number")
    return tag


@event
class Reception(Struct, frozen=True, array_like=True, gc=False, tag=1):
    """A recipient's entry was accepted: it is on disk, and the peer was told 250."""

    at: At
    id: Id
    batch: Batch
    connection: Inward
    rcpt: Rcpt
    sender: Sender
    domain: Domain
    source: Annotated[str, Meta(description='endpoint of the peer; "": made here')]
    size: Size
    protocol: Annotated[str, Meta(description="esmtp, rest, ecstream, xfer or internal")]
    pathway: Annotated[str, Meta(description="pathway of the listener")]
    group: Group
    binding: Binding
    context: Context = {}


@event
class Delivery(Struct, frozen=True, array_like=True, gc=False, tag=2):
    """The remote server took the message for this recipient."""

    at: At
    id: Id
    batch: Batch
    connection: Outward
    attempt: Attempt
    rcpt: Rcpt
    sender: Sender
    domain: Domain
    size: Size
    group: Group
    binding: Binding
    received_at: ReceivedAt
    remote: Remote
    reply: Annotated[str, Meta(description="what the server answered to the content")]
    inward: Inward = 0
    protocol: Way = ""
    pathway: Pathway = ""
    context: Context = {}
    tls: Tls = ""


@event
class TransientFailure(Struct, frozen=True, array_like=True, gc=False, tag=3):
    """An attempt failed and there will be another."""

    at: At
    id: Id
    batch: Batch
    connection: Outward
    attempt: Attempt
    rcpt: Rcpt
    sender: Sender
    domain: Domain
    bytes_sent: Sent
    size: Size
    group: Group
    binding: Binding
    received_at: ReceivedAt
    remote: Remote
    stage: Stage
    reason: Reason
    due: Annotated[float, Meta(description="when the next attempt is due")]
    classification: Classification = 70  # Transient Failure
    inward: Inward = 0
    protocol: Way = ""
    pathway: Pathway = ""
    context: Context = {}
    tls: Tls = ""


@event
class PermanentFailure(Struct, frozen=True, array_like=True, gc=False, tag=4):
    """The entry ended without a delivery: refused, expired or failed on request."""

    at: At
    id: Id
    batch: Batch
    connection: Outward
    attempt: Attempt
    rcpt: Rcpt
    sender: Sender
    domain: Domain
    bytes_sent: Sent
    size: Size
    group: Group
    binding: Binding
    received_at: ReceivedAt
    remote: Remote
    stage: Stage
    reason: Reason
    classification: Classification
    kind: Annotated[str, Meta(description="bounced, expired, discarded or failed")] = "bounced"
    inward: Inward = 0
    protocol: Way = ""
    pathway: Pathway = ""
    context: Context = {}
    tls: Tls = ""


@event
class Transfer(Struct, frozen=True, array_like=True, gc=False, tag=5):
    """Another node of the cluster took the entry over."""

    at: At
    id: Id
    batch: Batch
    connection: Outward
    attempt: Attempt
    rcpt: Rcpt
    sender: Sender
    domain: Domain
    size: Size
    group: Group
    binding: Binding
    received_at: ReceivedAt
    remote: Remote
    reply: Annotated[str, Meta(description="what the node answered to the content")]
    inward: Inward = 0
    protocol: Way = ""
    pathway: Pathway = ""
    context: Context = {}


@event
class Discard(Struct, frozen=True, array_like=True, gc=False, tag=6):
    """Policy, or a blackhole, ended the entry; nobody is told."""

    at: At
    id: Id
    batch: Batch
    connection: Outward
    attempt: Attempt
    rcpt: Rcpt
    sender: Sender
    domain: Domain
    size: Size
    group: Group
    binding: Binding
    received_at: ReceivedAt
    reason: Reason
    inward: Inward = 0
    protocol: Way = ""
    pathway: Pathway = ""
    context: Context = {}


@event
class Rejection(Struct, frozen=True, array_like=True, gc=False, tag=7):
    """A session or a message was refused on its way in: the peer was answered 4xx or 5xx."""

    at: At
    remote: Annotated[str, Meta(description="endpoint of the peer")]
    local: Annotated[str, Meta(description="endpoint the peer connected to")]
    connection: Inward
    pathway: Annotated[str, Meta(description="pathway of the listener")]
    pathway_group: Annotated[str, Meta(description="pathway group of the listener")]
    phase: Annotated[int, Meta(description="SMTP reception state, 0 to 21")]
    code: Annotated[int, Meta(description="code of the reply")]
    module: Annotated[str, Meta(description="the last module asked; ours is core")]
    conn_vars: Variables
    mess_vars: Variables
    text: Annotated[str, Meta(description="text of the reply, without its code")]


@event
class Heartbeat(Struct, frozen=True, array_like=True, gc=False, tag=8):
    """The node is alive, and everything that happened before is written."""

    at: At


@event
class ServerEvent(Struct, frozen=True, array_like=True, gc=False, tag=9):
    """Something about the server itself: started, stopped, reloaded, an alarm."""

    at: At
    kind: Annotated[str, Meta(description="e.g. started, stopped, reloaded, alarm")]
    text: Annotated[str, Meta(description="one line for people")]
    generation: Annotated[int, Meta(description="generation of the configuration")] = 0


@event
class Imported(Struct, frozen=True, array_like=True, gc=False, tag=10):
    """A recipient's entry was brought in from elsewhere, or could not be."""

    at: At
    id: Annotated[int, Meta(description="id of the entry; 0: it was not brought in")]
    before: Annotated[int, Meta(description="id it had where it comes from; 0: none of ours")]
    result: Annotated[
        int, Meta(description="1 brought in; could not be 2 understood, 3 read, 4 written")
    ]
    source: Annotated[str, Meta(description="file or directory it comes from")]


Ended = Delivery | PermanentFailure | Transfer | Discard  # what ends an entry
Event = Reception | TransientFailure | Ended | Rejection | Heartbeat | ServerEvent | Imported


class EventError(Error):
    """Octets which are no event we know: damaged, or of a version after the next."""


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final[msgspec.msgpack.Decoder[Event]] = msgspec.msgpack.Decoder(Event)


def encode(event: Event) -> bytes:
    """Return the octets of an event. Never fails: what is no UTF-8 in a text becomes "?"."""
    try:
        return _ENCODER.encode(event)
    except UnicodeEncodeError:
        cleaned = {name: _clean(getattr(event, name)) for name in event.__struct_fields__}
        return _ENCODER.encode(msgspec.structs.replace(event, **cleaned))


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_clean(name): _clean(each) for name, each in value.items()}
    return value


def decode(data: bytes | memoryview) -> Event:
    """Return the event; any octets give an event or the one error.

    Raises:
        EventError: these octets are no event of ours.
    """
    try:
        return _DECODER.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise EventError("no event", reason=str(error), octets=len(data)) from error
