"""What happened, from the event streams: of one message, or of all mail as it happens.

The hose is asked, which reads them anyhow, so no worker has work of it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from angarium.console.question import Of, question
from angarium.console.sums import Page
from angarium.core.ident import printed
from angarium.events.schema import (
    Delivery,
    Discard,
    Event,
    EventError,
    PermanentFailure,
    Reception,
    Rejection,
    ServerEvent,
    Transfer,
    TransientFailure,
    decode,
)
from angarium.events.stream import KINDS, MESSAGES, frames
from angarium.journal.disk import FileDisk
from angarium.journal.reader import STUCK, Tail

RECORDS: Final = 64  # taken from a stream in one step
LOOK_SECONDS: Final = 20.0  # for the life of a message; what is not read by then is said
GLANCE_SECONDS: Final = 3.0  # for its last reply
MOST: Final = 1000  # events of a message
QUEUED: Final = 5000  # events which wait to be sent to who follows; what is more is counted only
_UINT64: Final = b"\xcf"  # how an id begins in an event


class Hose(Protocol):
    """The process which reads the streams: `run/scribe`."""

    state: Path

    @property
    def heard(self) -> "list[Any]": ...


class Happened(msgspec.Struct, frozen=True, order=True):
    """An event, as one line. `id`: of the recipient's entry, 0 where it is about none."""

    at: float
    kind: str
    text: str
    id: int = 0


class Life(msgspec.Struct, frozen=True):
    """What happened to a message; `whole`: all streams were read to their end."""

    page: Page[Happened] = Page(limit=MOST)
    whole: bool = True

    def __add__(self, other: "Life") -> "Life":
        return Life(self.page + other.page, self.whole and other.whole)


@question("life", of=Of.HOSE)
def life(hose: Hose, ident: int) -> Generator[None, None, Life]:
    """Return what the streams have of a message, by the id of an entry or of its content."""
    found = list[Happened]()
    whole = yield from _looked(hose, ident, LOOK_SECONDS, lambda event: found.append(told(event)))
    found.sort()
    return Life(Page(found[:MOST], MOST, len(found)), whole)


class Reply(msgspec.Struct, frozen=True, order=True):
    """The last reply to a recipient, and when; `text` is "" if there is none."""

    at: float = 0.0
    text: str = ""

    def __add__(self, other: "Reply") -> "Reply":
        return max(self, other)


class Batches(msgspec.Struct, frozen=True):
    """Ids of contents."""

    ids: set[int] = set()

    def __add__(self, other: "Batches") -> "Batches":
        return Batches(self.ids | other.ids)


@question("last reply", of=Of.HOSE)
def last_reply(hose: Hose, ident: int) -> Generator[None, None, Reply]:
    """Return with which reply mail to a recipient was put off last, if it is found soon."""
    found = [Reply()]

    def look(event: Event) -> None:
        if isinstance(event, TransientFailure) and event.id == ident:
            found.append(Reply(event.at, event.reason))

    yield from _looked(hose, ident, GLANCE_SECONDS, look)
    return max(found)


@question("received", of=Of.HOSE)
def received(hose: Hose, batches: list[int]) -> Generator[None, None, Batches]:
    """Return which messages were received, of those with these ids of a content."""
    wanted, found = set(batches), set[int]()
    # Of ids of one second the first octets are the same, and those of few seconds are looked for.
    needles = {_UINT64 + each.to_bytes(8, "big")[:4] for each in wanted}
    for folder in sorted((hose.state / "spool").glob(f"*/{MESSAGES}")):
        for event in _events(folder, needles):
            if isinstance(event, Reception) and event.batch in wanted:
                found.add(event.batch)
            yield
    return Batches(found)


def _looked(
    hose: Hose, ident: int, seconds: float, look: Callable[[Event], object]
) -> Generator[None, None, bool]:
    """Look at the events of a message, for so long at most; return whether those were all."""
    needle = _UINT64 + ident.to_bytes(8, "big")
    until = time.monotonic() + seconds
    for folder in sorted((hose.state / "spool").glob(f"*/{MESSAGES}")):
        for event in _events(folder, {needle}):
            if event is not None and ident in (getattr(event, "id", 0), getattr(event, "batch", 0)):
                look(event)
            yield
            if time.monotonic() > until:
                return False
    return True


def _events(folder: Path, needles: Collection[bytes]) -> Iterator[Event | None]:
    """Yield the events in whose octets a needle is, and None between two pieces."""
    tail, after, idle = Tail(FileDisk(), str(folder), KINDS[folder.name]), 0, 0
    try:
        # A segment which was being written in a crash has no end: it takes some looks to leave it.
        while idle <= STUCK:
            records = tail.read(after, RECORDS)
            after, idle = (records[-1][0], 0) if records else (after, idle + 1)
            for _, payload in records:
                if any(needle in payload for needle in needles):
                    yield from _decoded(payload, needles)
            yield None
    finally:
        tail.close()


def _decoded(payload: bytes, needles: Collection[bytes]) -> Iterator[Event]:
    try:
        for _, _, octets in frames(payload):
            if any(needle in octets for needle in needles):
                yield decode(octets)
    except EventError:
        return  # Of a later version: others tell of it.


def told(event: Event) -> Happened:
    """Return an event in words."""
    ident = getattr(event, "id", 0)
    kind = type(event).__name__.lower()
    return Happened(event.at, _KINDS.get(type(event), kind), _text(event), ident)


_KINDS: Final = {
    Reception: "received",
    Delivery: "delivered",
    TransientFailure: "deferred",
    PermanentFailure: "failed",
    Transfer: "transferred",
    Discard: "discarded",
    Rejection: "refused",
    ServerEvent: "server",
}
KINDS_SHOWN: Final = frozenset(_KINDS.values())


def _text(event: Event) -> str:
    match event:
        case Reception():
            return (
                f"<{event.sender}> to <{event.rcpt}> from {event.source or 'here'} by "
                f"{event.protocol}, {event.size} octets, for {event.binding} {event.domain}"
            )
        case Delivery() | Transfer():
            return (
                f"<{event.rcpt}> by {event.binding} to {event.remote}, attempt "
                f"{event.attempt + 1}: {event.reply}"
            )
        case TransientFailure():
            return (
                f"<{event.rcpt}> by {event.binding} at {event.remote or event.domain}, attempt "
                f"{event.attempt + 1}: {event.reason}; next at {clock(event.due)}"
            )
        case PermanentFailure():
            return (
                f"<{event.rcpt}> by {event.binding} at {event.remote or event.domain}, attempt "
                f"{event.attempt + 1}: {event.reason} ({event.kind})"
            )
        case Discard():
            return f"<{event.rcpt}>: {event.reason}"
        case Rejection():
            return f"{event.remote} at {event.local}: {event.code} {event.text}"
        case ServerEvent():
            return f"{event.kind}: {event.text}"
        case _:
            return ""


def clock(at: float) -> str:
    """Return a time of the day, with its date where that is not today's."""
    local, today = time.localtime(at), time.localtime()
    form = "%H:%M:%S" if local[:3] == today[:3] else "%Y-%m-%d %H:%M:%S"
    return time.strftime(form, local)


class Wanted(msgspec.Struct, frozen=True):
    """Which events; "" is any. `text` is looked for in the line."""

    kinds: list[str] = []
    domain: str = ""
    binding: str = ""
    address: str = ""
    text: str = ""

    def wants(self, event: Event, happened: Happened) -> bool:
        def has(name: str, value: str) -> bool:
            return not value or str(getattr(event, name, "")).lower() == value

        addresses = (getattr(event, "rcpt", ""), getattr(event, "sender", ""))
        return (
            (not self.kinds or happened.kind in self.kinds)
            and has("domain", self.domain)
            and has("binding", self.binding)
            and (not self.address or self.address in map(str.lower, addresses))
            and (not self.text or self.text in happened.text.lower())
        )


@question("tail", of=Of.HOSE)
async def tail(hose: Hose, wanted: Wanted, seconds: float) -> AsyncIterator[str]:
    """Tell what happens from now on, for so long."""
    waiting: asyncio.Queue[str] = asyncio.Queue(QUEUED)
    left_out = 0

    def hear(events: Sequence[Event]) -> None:
        nonlocal left_out
        for event in events:
            happened = told(event)
            if wanted.wants(event, happened):
                if waiting.full():
                    left_out += 1
                else:
                    waiting.put_nowait(line(happened))

    hose.heard.append(hear)
    try:
        async with asyncio.timeout(seconds):
            while True:
                yield await waiting.get()
                if left_out:
                    yield f"({left_out} events are left out)"
                    left_out = 0
    except TimeoutError:
        yield f"(that were {seconds:g} s)"
    finally:
        hose.heard.remove(hear)


def line(each: Happened) -> str:
    """Return an event as a line for people."""
    name = f" {printed(each.id)}" if each.id else ""
    return f"{clock(each.at)} {each.kind:9}{name} {each.text}"
