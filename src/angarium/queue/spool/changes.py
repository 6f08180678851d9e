"""The records of the state log: what became of an entry, with the event that tells of it.

    SETTLE   id, outcome              | event
    DEFER    id, due, attempts        | event or nothing
    REBIND   id, length of the names  | names, event or nothing
    ISOLATE  id      RELEASE  id

The record is the truth and the event in it derives from it: the event stream can be written
again from here.
"""

import struct
from typing import Final

import msgspec

from angarium.core.errors import Error
from angarium.events.schema import Delivery, Discard, Event, PermanentFailure, Transfer
from angarium.journal.errors import DamageError

SETTLE: Final = 32
DEFER: Final = 33
REBIND: Final = 34
ISOLATE: Final = 35
RELEASE: Final = 36

CREATED, DELIVERED, BOUNCED, EXPIRED, DISCARDED, TRANSFERRED = range(6)
NAMES: Final = ("created", "delivered", "bounced", "expired", "discarded", "transferred")
_KINDS: Final = {
    "bounced": BOUNCED,
    "failed": BOUNCED,  # by an operator; the sender is told all the same
    "expired": EXPIRED,
    "discarded": DISCARDED,
}

_SETTLE: Final = struct.Struct("<QB")
_DEFER: Final = struct.Struct("<QIH")
_REBIND: Final = struct.Struct("<QH")
_ID: Final = struct.Struct("<Q")
_names: Final = msgspec.msgpack.Decoder(tuple[str, str, str]).decode
_encode: Final = msgspec.msgpack.Encoder().encode


def outcome(event: Event) -> int:
    """Return which end of an entry an event tells of. Raises Error if it is none."""
    kind = type(event)
    if kind is Delivery:
        return DELIVERED
    if isinstance(event, PermanentFailure):
        return _KINDS[event.kind]
    if kind is Transfer:
        return TRANSFERRED
    if kind is Discard:
        return DISCARDED
    raise Error("an event which ends no entry", event=kind.__name__)


def settled(ident: int, outcome: int, event: bytes) -> bytes:
    return _SETTLE.pack(ident, outcome) + event


def deferred(ident: int, due: int, attempts: int, event: bytes) -> bytes:
    return _DEFER.pack(ident, due, attempts) + event


def rebound(ident: int, names: tuple[str, str, str], event: bytes) -> bytes:
    packed = _encode(names)
    return b"".join((_REBIND.pack(ident, len(packed)), packed, event))


def only(ident: int) -> bytes:
    return _ID.pack(ident)


def _cut(form: struct.Struct, meta: bytes) -> tuple[int, ...]:
    if len(meta) < form.size:
        raise DamageError("a change of state is cut off", octets=len(meta))
    return form.unpack_from(meta)


def read_settled(meta: bytes) -> tuple[int, int]:
    """Return (id, outcome)."""
    ident, what = _cut(_SETTLE, meta)
    if not DELIVERED <= what <= TRANSFERRED:
        raise DamageError("no such end of an entry", outcome=what)
    return ident, what


def read_deferred(meta: bytes) -> tuple[int, int, int]:
    """Return (id, due, attempts)."""
    ident, due, attempts = _cut(_DEFER, meta)
    return ident, due, attempts


def read_rebound(meta: bytes) -> tuple[int, tuple[str, str, str]]:
    """Return (id, (group, binding, domain))."""
    ident, length = _cut(_REBIND, meta)
    try:
        return ident, _names(meta[_REBIND.size : _REBIND.size + length])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DamageError("the names of a route are damaged", id=ident) from error


def read_only(meta: bytes) -> int:
    return _cut(_ID, meta)[0]


def event_in(kind: int, meta: bytes) -> bytes:
    """Return the octets of the event a record carries; b"" for none."""
    if kind == SETTLE:
        return meta[_SETTLE.size :]
    if kind == DEFER:
        return meta[_DEFER.size :]
    if kind == REBIND:
        return meta[_REBIND.size + _cut(_REBIND, meta)[1] :]
    return b""
