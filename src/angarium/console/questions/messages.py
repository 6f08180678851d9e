"""One message: all that is known of it, and its content."""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import msgspec

from angarium.console.question import question
from angarium.console.questions.mail import errand_hands
from angarium.core.errors import Error
from angarium.core.message import context_of
from angarium.queue.spool.slot import TIMING, route_of

if TYPE_CHECKING:
    from angarium.console.parts import Parts

MOST: Final = 4 << 20  # octets of a content which are shown


class Details(msgspec.Struct, frozen=True):
    """A message for one recipient. `state`: active, delayed, in an attempt, put aside."""

    ident: int
    state: str
    group: str = ""
    binding: str = ""
    domain: str = ""
    received_at: float = 0.0
    due: int = 0
    attempts: int = 0
    protocol: str = ""
    source: str = ""
    sender: str = ""
    recipient: str = ""
    size: int = 0
    batch: int = 0
    priority: int = 0
    fairness_key: str = ""
    context: dict[str, str] = {}
    content: bytes = b""
    error: str = ""


@question("message details")
async def details(worker: "Parts", ident: int, content: bool) -> list[Details]:
    """Return what is known of a message; nothing if it is not here."""
    spool, board = worker.spool, worker.board
    slot = spool.live.get(ident)
    aside = slot is None and ident in spool.isolated()
    if slot is None and not aside:
        return []
    state = "put aside" if aside else "active"
    due = attempts = 0
    key = ("", "", "")
    if slot is not None:
        due, attempts = TIMING.unpack_from(slot, 4)
        key = board.spool.routes.key(route_of(slot))
        if due > worker.clock.time():
            state = "delayed"
        if ident in errand_hands(worker):
            state = "in an attempt"
    found = Details(ident, state, *key, received_at=float(ident >> 32), due=due, attempts=attempts)
    try:
        message, recipient = await spool.load_cold(ident)
        octets = b""
        if content:
            octets = await asyncio.to_thread(_content, message.header, message.body.pieces())
    except (Error, OSError) as error:
        return [msgspec.structs.replace(found, error=str(error))]
    return [
        msgspec.structs.replace(
            found,
            received_at=message.received_at,
            protocol=message.protocol,
            source=message.source,
            sender=message.sender,
            recipient=recipient.address,
            size=message.size,
            batch=message.batch,
            priority=message.priority,
            fairness_key=message.fairness_key,
            context=dict(context_of(message, recipient)),
            content=octets,
        )
    ]


def _content(header: bytes, pieces: Iterator[bytes]) -> bytes:
    """Return what is shown of a content, header and all."""
    octets = bytearray(header)
    for piece in pieces:
        octets += piece
        if len(octets) > MOST:
            break
    return bytes(octets[: MOST + 1])


@question("message restore")
def restore(worker: "Parts", ident: int) -> list[str]:
    """Take a message back from where it was put aside; return what it is now, or nothing."""
    spool = worker.spool
    if ident in spool.live:
        return ["queued"]
    if ident not in spool.isolated():
        return []
    spool.restore(ident)
    return ["restored"]
