"""Large contents which policy has made are written to the disk, as if they had come in so.

    await put_down(lots, arrived, threshold, admit, large)

The rule which keeps it simple: either all of them are on their way when it returns, or it raises
and nothing of them is left. It is awaited as `policy/going` wants it, so the session may end here.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from angarium.core.body import Body, MemoryBody
from angarium.core.message import Message
from angarium.inbound.content import Writer
from angarium.inbound.services import Admit
from angarium.policy.going import Wait
from angarium.policy.parcels import Parcel
from angarium.policy.verdict import Verdict

# Octets which are copied in one turn of the loop, and which may wait for the disk.
_TURN: Final = 1 << 20


async def put_down(
    lots: Sequence[Parcel],
    arrived: Body,
    threshold: int,
    admit: Admit,
    large: Callable[[], Writer],
) -> None:
    """Write what is larger than `threshold`; the first lot which has what arrived keeps that.

    Raises:
        SpoolError: there is no room; also whatever reading a large body raises.
    """
    fresh: list[Message] = []
    used = whole = False
    try:
        for message, _ in lots:
            body = message.body
            if body is arrived and (not used or body.size <= threshold):
                used = True
            elif body.size > threshold:
                message.body = await _written(body, large)
                fresh.append(message)
            elif not isinstance(body, MemoryBody):
                message.body = MemoryBody(body.whole())  # What it is made of is about to go.
        for message in fresh:
            await Wait(_readable(message, admit))
        whole = True
    finally:
        if not whole:
            for message in fresh:
                admit.drop(message)


async def _written(body: Body, large: Callable[[], Writer]) -> Body:
    writer = large()
    made: Body | None = None
    copied = 0
    try:
        for piece in body.pieces():
            writer.write(piece)
            copied += len(piece)
            if copied > _TURN:
                copied = 0
                await Wait(_room(writer))
        writer.on_room = None
        made = writer.finish()
    finally:
        if made is None:
            writer.on_room = None
            writer.abort()
    return made


async def _room(writer: Writer) -> Verdict:
    """Let others have their turn, and the disk come after us."""
    await asyncio.sleep(0)
    there = asyncio.Event()
    writer.on_room = there.set
    while writer.backlog > _TURN:
        there.clear()
        await there.wait()
    return Verdict.CONT


async def _readable(message: Message, admit: Admit) -> Verdict:
    there = asyncio.Event()
    admit.written(message, there.set)
    await there.wait()
    return Verdict.CONT
