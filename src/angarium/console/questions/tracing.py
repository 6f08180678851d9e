"""Traces of SMTP, in the worker which speaks it."""

import asyncio
import os
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

import msgspec

from angarium.console.question import QuestionError, question
from angarium.console.sums import Counts, Table
from angarium.events.options import Traces

if TYPE_CHECKING:
    from angarium.console.parts import Parts

FILE_SECONDS: Final = 3600.0  # a trace to a file ends by itself
FILE_OCTETS: Final = 64 << 20  # of one worker
LIVE_OCTETS: Final = 16 << 20
LIVE_LINES: Final = 5000  # which wait to be sent; what is more is counted only
LIVE: Final = 1 << 32  # numbers from here on are of who looks on, and are not listed


class Filter(msgspec.Struct, frozen=True):
    """Which connections; "*" is any. `network`: of the other side, "" for any."""

    way: str = "*"
    binding: str = "*"
    domain: str = "*"
    network: str = ""


class Trace(msgspec.Struct, frozen=True):
    """A trace which is being written; `left`: seconds until it ends by itself."""

    binding: str
    domain: str
    file: str
    left: float
    workers: int = 1

    def __add__(self, other: "Trace") -> "Trace":
        return msgspec.structs.replace(
            self, left=max(self.left, other.left), workers=self.workers + other.workers
        )


@question("trace to file")
def to_file(worker: "Parts", number: int, chosen: Filter, path: str) -> Counts:
    """Write what is said on new connections to a file, from now on."""
    mode = worker.configuration.top(Traces).trace_smtp_mode
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        file = os.open(path, flags | os.O_NONBLOCK, mode)
    except OSError as error:
        raise QuestionError(f"{path} cannot be written: {error.strerror}") from error
    writing = Writing(file)
    worker.insight.trace(
        number, chosen, writing.write, FILE_SECONDS, FILE_OCTETS, path, writing.close
    )
    worker.loop.call_later(FILE_SECONDS + 1.0, worker.tracing.sweep)
    return Counts({"traces": 1})


class Writing:
    """A file of a trace. What cannot be written is lost, and mail goes on."""

    def __init__(self, file: int) -> None:
        self._file = file

    def write(self, text: str) -> None:
        if self._file < 0:
            return
        try:
            os.write(self._file, text.encode("utf-8", "replace") + b"\n")
        except OSError:
            self.close()

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


@question("traces")
def traces(worker: "Parts") -> Table[Trace]:
    """Return the traces which are written, by their numbers."""
    worker.tracing.sweep()
    now = worker.clock.monotonic()
    return Table(
        {
            str(number): Trace(each.binding, each.domain, each.name, each.until - now)
            for number, each in worker.tracing.tracers.items()
            if number < LIVE
        }
    )


@question("trace ended")
def ended(worker: "Parts", number: int) -> Counts:
    """End a trace; say whether there was one."""
    return Counts({"ended": int(worker.tracing.remove(number))})


@question("trace live")
async def live(worker: "Parts", chosen: Filter, seconds: float) -> AsyncIterator[str]:
    """Tell what is said on new connections, for so long."""
    waiting: asyncio.Queue[str] = asyncio.Queue(LIVE_LINES)
    left_out = 0

    def tell(text: str) -> None:
        nonlocal left_out
        if waiting.full():
            left_out += 1
        else:
            waiting.put_nowait(text)

    number = LIVE + id(waiting)
    worker.insight.trace(number, chosen, tell, seconds, LIVE_OCTETS, "", lambda: None)
    try:
        async with asyncio.timeout(seconds):
            while True:
                for line in (await waiting.get()).split("\n"):
                    yield line
                if left_out:
                    yield f"({left_out} pieces are left out)"
                    left_out = 0
    except TimeoutError:
        return
    finally:
        worker.tracing.remove(number)
