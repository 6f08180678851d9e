"""A letter on its way into a spool or out of it: one content, its envelope, and who is to get it.

What is not ours is not believed: how lines end and begin is found from the octets, not from what is
said about them.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from angarium.core.message import Message, Recipient, Trait
from angarium.queue.spool import envelope
from angarium.queue.spool.envelope import Envelope, Target

# What only the octets can tell. The others say what the sender has asked for.
_FOUND: Final = Trait.EIGHT_BIT | Trait.DOTS | Trait.NO_FINAL_CRLF | Trait.LONE
# A CR that ends a piece is looked at with the next one.
_ALONE: Final = re.compile(rb"\r[^\n]|(?<!\r)\n")


@dataclass(slots=True)
class Receiver:
    """One recipient, and how far its entry has come.

    Args:
        ident: of the entry it was; 0 if it was none of ours.
        due: Unix time, 0 for at once.
        aside: it was put aside.
    """

    target: Target
    ident: int = 0
    attempts: int = 0
    due: int = 0
    aside: bool = False


@dataclass(slots=True)
class Letter:
    """See above.

    Args:
        octets: gives header and content, any number of times.
        batch: the id of the content, 0 if it was none of ours.
        damaged: why the octets are not what they were, "" if they are.
        source: the file it comes from.
    """

    envelope: Envelope
    receivers: list[Receiver]
    octets: Callable[[], Iterator[bytes]]
    size: int
    batch: int = 0
    damaged: str = ""
    digest: str = ""
    source: str = ""


def described(message: Message, recipients: Sequence[Recipient]) -> tuple[Envelope, list[Target]]:
    """Return what the codec of the spool makes of them: so no field is forgotten."""
    meta, _ = envelope.encode(message, recipients)
    prefix = envelope.prefix_of(meta)
    targets = [envelope.target_at(meta, at)[1] for _, at, _ in envelope.items(meta, prefix)]
    return envelope.envelope_of(meta, prefix), targets


def digest_of(octets: Iterable[bytes]) -> str:
    """Return what names these octets."""
    made = sha256()
    for piece in octets:
        made.update(piece)
    return made.hexdigest()


def mark_of(letter: Letter, receiver: Receiver) -> str:
    """Return what tells this letter to this receiver from every other, on any machine."""
    name = f"{receiver.ident}/{letter.envelope.sender}/{receiver.target.address}/{letter.digest}"
    return sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def traits_of(octets: Iterable[bytes], said: int) -> int:
    """Return the traits of a content, of which only some can be said by others."""
    traits, before = said & ~int(_FOUND), b"\r\n"
    for piece in octets:
        if not piece:
            continue
        if not piece.isascii():
            traits |= Trait.EIGHT_BIT
        whole = before + piece
        if b"\n." in whole or b"\r." in whole:
            traits |= Trait.DOTS
        if _ALONE.search(whole, len(before) - 1):
            traits |= Trait.LONE
        before = whole[-2:]
    if before != b"\r\n":
        traits |= Trait.NO_FINAL_CRLF
    if before.endswith(b"\r"):
        traits |= Trait.LONE
    return traits
