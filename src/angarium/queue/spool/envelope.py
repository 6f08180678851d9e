"""The record of a content in the data log: envelope, recipients, and the octets as its run.

    prefix | envelope | item, item, ...      item = id, length, CRC, recipient

Each recipient is decoded and checked by itself, from the offset its slot holds, so that one of a
thousand is read without the rest. Header and body follow as the run, or only the header where
the body is a file of its own. The record of a content which compaction moved (MOVE) is the same
with those recipients that are still there.
"""

import struct
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple
from zlib import crc32

import msgspec

from angarium.core.body import Body
from angarium.core.lane import lane_of
from angarium.core.message import Message, Recipient
from angarium.journal.errors import DamageError
from angarium.journal.record import HEAD_SIZE

PUT: Final = 16
MOVE: Final = 17
CODEC: Final = 1  # what the prefix says of the rest; a newer one is refused

_PREFIX: Final = struct.Struct("<BQIIQQQI")
_CRC: Final = struct.Struct("<I")
_ITEM: Final = struct.Struct("<QII")  # id, length, CRC
PREFIX_SIZE: Final = _PREFIX.size + _CRC.size
ITEM_SIZE: Final = _ITEM.size
_encode: Final = msgspec.msgpack.Encoder().encode


class Envelope(msgspec.Struct, array_like=True, gc=False):
    """What a Message is but for its octets; fields are only ever appended, with a default."""

    header: int
    sender: str
    traits: int
    ret: int
    envid: str
    protocol: str
    source: str
    pathway: str
    connection: int
    received_at: float
    priority: int
    variables: dict[str, str]
    fairness_key: str = ""
    session_variables: dict[str, str] = {}


class Target(msgspec.Struct, array_like=True, gc=False):
    """What a Recipient is but for its id; fields are only ever appended, with a default."""

    address: str
    domain: str
    group: str
    binding: str
    notify: int
    orcpt: str
    variables: dict[str, str]


_envelope: Final = msgspec.msgpack.Decoder(Envelope).decode
_target: Final = msgspec.msgpack.Decoder(Target).decode


class Prefix(NamedTuple):
    """What is needed to count and to place, without decoding anything.

    `size` is of the whole message; `large` the name of the file that holds the body, 0 for none.
    """

    codec: int
    batch: int
    recipients: int
    envelope: int
    size: int
    large: int
    large_size: int
    large_crc: int


NO_FILE: Final = (0, 0, 0)


def encode(
    message: Message,
    recipients: Sequence[Recipient],
    large: tuple[int, int, int] = NO_FILE,
    size: int = 0,
) -> tuple[bytes, Sequence[int]]:
    """Return the meta of a record, and the offset of each recipient in the record.

    Batch and ids must be set. `large` is name, size and CRC of the body's file; `size` that of the
    message, if it is known.

    Raises:
        UnicodeEncodeError: a text has what no UTF-8 can hold.
    """
    envelope = _encode(
        (
            len(message.header), message.sender, message.traits, message.ret, message.envid,
            message.protocol, message.source, message.pathway, message.connection,
            message.received_at, message.priority, message.variables, message.fairness_key,
            message.session_variables,
        )
    )  # fmt: skip
    prefix = _PREFIX.pack(
        CODEC, message.batch, len(recipients), len(envelope), size or message.size, *large
    )
    check = _CRC.pack(crc32(envelope, crc32(prefix)))
    at = HEAD_SIZE + PREFIX_SIZE + len(envelope)
    if len(recipients) == 1:
        item, target = _item(recipients[0])
        return b"".join((prefix, check, envelope, item, target)), (at,)
    pieces = [prefix, check, envelope]
    offsets = []
    for each in recipients:
        item, target = _item(each)
        pieces += (item, target)
        offsets.append(at)
        at += ITEM_SIZE + len(target)
    return b"".join(pieces), offsets


def _item(each: Recipient) -> tuple[bytes, bytes]:
    target = _encode(
        (
            each.address, each.domain, each.binding_group, each.binding, each.notify,
            each.orcpt, each.variables,
        )
    )  # fmt: skip
    return _ITEM.pack(each.id, len(target), crc32(target)), target


def keep(meta: bytes, wanted: Sequence[int]) -> tuple[bytes, dict[int, int]]:
    """Return the meta with only these ids, and the offset of each: what a MOVE is made of."""
    prefix = prefix_of(meta)
    envelope = meta[PREFIX_SIZE : PREFIX_SIZE + prefix.envelope]
    pieces = [envelope]
    at = HEAD_SIZE + PREFIX_SIZE + prefix.envelope
    offsets = {}
    stays = frozenset(wanted)
    for ident, offset, size in items(meta, prefix):
        if ident in stays:
            pieces.append(meta[offset : offset + size])
            offsets[ident] = at
            at += size
    head = _PREFIX.pack(*prefix._replace(recipients=len(offsets)))
    return b"".join((head, _CRC.pack(crc32(envelope, crc32(head))), *pieces)), offsets


def prefix_of(meta: bytes) -> Prefix:
    """Read the prefix; `meta` may be cut off behind the envelope.

    Raises:
        DamageError: these octets are no content record.
    """
    if len(meta) < PREFIX_SIZE:
        raise DamageError("no content record", octets=len(meta))
    prefix = Prefix._make(_PREFIX.unpack_from(meta))
    if prefix.codec != CODEC or PREFIX_SIZE + prefix.envelope > len(meta):
        raise DamageError("no content record", octets=len(meta), codec=prefix.codec)
    return prefix


def envelope_end(meta: bytes) -> int:
    """Return how many octets of the meta prefix and envelope take, from its first PREFIX_SIZE."""
    return PREFIX_SIZE + Prefix._make(_PREFIX.unpack_from(meta)).envelope


def items(meta: bytes, prefix: Prefix) -> Iterator[tuple[int, int, int]]:
    """Yield (id, offset in the meta, octets) of each recipient's item."""
    at = PREFIX_SIZE + prefix.envelope
    for _ in range(prefix.recipients):
        if at + ITEM_SIZE > len(meta):
            raise DamageError("a recipient is missing", octets=len(meta))
        ident, length, _ = _ITEM.unpack_from(meta, at)
        if at + ITEM_SIZE + length > len(meta):
            raise DamageError("a recipient is cut off", id=ident)
        yield ident, at, ITEM_SIZE + length
        at += ITEM_SIZE + length


def item_size(item: bytes) -> int:
    """Return the octets of an item which begins so; ITEM_SIZE of it must be there."""
    return ITEM_SIZE + int(_ITEM.unpack_from(item)[1])


def target_at(meta: bytes, at: int) -> tuple[int, Target]:
    """Return id and recipient of the item at an offset.

    Raises:
        DamageError: there is none.
    """
    if not 0 <= at <= len(meta) - ITEM_SIZE:
        raise DamageError("no recipient there", offset=at)
    ident, length, crc = _ITEM.unpack_from(meta, at)
    octets = meta[at + ITEM_SIZE : at + ITEM_SIZE + length]
    if len(octets) < length or crc32(octets) != crc:
        raise DamageError("a recipient is damaged", id=ident)
    try:
        return ident, _target(octets)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DamageError("a recipient is no recipient", id=ident, reason=str(error)) from error


def recipient_of(ident: int, target: Target) -> Recipient:
    return Recipient(
        target.address, target.domain, target.group, target.binding, target.notify,
        target.orcpt, target.variables, ident,
    )  # fmt: skip


def envelope_of(meta: bytes, prefix: Prefix) -> Envelope:
    """Return the envelope, checked.

    Raises:
        DamageError: it can't be read.
    """
    octets = meta[PREFIX_SIZE : PREFIX_SIZE + prefix.envelope]
    (crc,) = _CRC.unpack_from(meta, _PREFIX.size)
    if crc32(octets, crc32(meta[: _PREFIX.size])) != crc:
        raise DamageError("an envelope is damaged", batch=prefix.batch)
    try:
        return _envelope(octets)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DamageError("an envelope is no envelope", reason=str(error)) from error


def message_of(envelope: Envelope, prefix: Prefix, body: Body, header: bytes = b"") -> Message:
    """Return the message of a record, with these octets."""
    return Message(
        envelope.sender, body, header, envelope.traits, envelope.ret, envelope.envid,
        envelope.protocol, envelope.source, envelope.pathway, envelope.connection,
        envelope.received_at, envelope.priority, envelope.variables, prefix.batch,
        None, envelope.fairness_key, envelope.session_variables,
    )  # fmt: skip


def lane_in(meta: bytes, prefix: Prefix) -> int:
    """Return the lane of a record's entries; 0 where it cannot be read."""
    try:
        envelope = envelope_of(meta, prefix)
    except DamageError:
        return 0  # Who reads the message will be told.
    if envelope.priority or envelope.fairness_key:
        return lane_of(envelope.priority, envelope.fairness_key)
    return 0
