"""What a delivery costs without sockets and disk: client, session, attempt and settle.

    python benchmarks/bench_smtp_client.py [MESSAGES]

Goal: 35 us for a message of 10 KB in a busy session with PIPELINING, 5 of them the board's.
"""

import asyncio
import sys
from collections.abc import Sequence
from random import Random
from time import perf_counter, time

from angarium.config.option import Options
from angarium.core.body import MemoryBody
from angarium.core.message import Message, Recipient
from angarium.net.sweep import Sweep
from angarium.outbound.attempt import patience
from angarium.outbound.bounce import Bounces
from angarium.outbound.means import Means
from angarium.outbound.options import Transport
from angarium.outbound.permits import Permit
from angarium.outbound.route import Hop
from angarium.outbound.settle import Settle
from angarium.outbound.smtp import Session
from angarium.queue.board import Board
from angarium.queue.entry import Entry
from angarium.queue.options import Shape
from angarium.queue.spool.routes import Routes
from angarium.queue.spool.slot import SLOT
from angarium.queue.throttle import LocalLedger
from angarium.queue.timer import Timer
from angarium.wire.smtp_client import SmtpClient

KEY = ("default", "default", "example.test")
REPLIES = b"250 2.0.0 Ok: queued as %08X\r\n250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 End data\r\n"


class Clock:
    def time(self) -> float:
        return time()

    def monotonic(self) -> float:
        return perf_counter()


class Spool:
    """Keeps nothing."""

    def __init__(self) -> None:
        self.live: dict[int, bytes] = {}
        self.routes = Routes()
        self.delivery = self.intake = True
        self.settled = 0

    def settle(self, ident: int, event: object) -> None:
        self.settled += 1

    def defer(self, ident: int, attempts: int, due: int, event: object) -> None:
        raise AssertionError("nothing fails here")

    def load(self, ident: int) -> tuple[Message, Recipient]:
        raise AssertionError("everything is in memory")

    def rebind(self, *_: object) -> None:
        raise AssertionError("nothing moves here")

    def put(self, *_: object) -> None:
        raise AssertionError("nothing is reported here")


class Configuration:
    generation = 1

    def __init__(self) -> None:
        self.shape = Shape.make(max_resident_active_queue=-1)

    def at(self, cls: type, **_: str) -> Shape:
        return self.shape

    def top(self, cls: type[Options]) -> Options:
        return cls.make()

    def bindings(self) -> list[tuple[str, str]]:
        return [KEY[:2]]


class Transport_(asyncio.Transport):  # noqa: N801
    """Counts what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.octets = self.writes = 0

    def writelines(self, buffers: Sequence[bytes]) -> None:  # type: ignore[override]
        self.writes += 1
        for each in buffers:
            self.octets += len(each)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Everything is taken at once."""

    def close(self) -> None:
        """Nothing to close."""

    abort = close


class Owner:
    served = 0

    def rested(self, session: Session) -> None:
        """It has nothing to do."""

    def leaving(self, session: Session) -> None:
        """It has said good-bye."""

    def held(self, session: Session, seconds: float) -> None:
        raise AssertionError("no host has a rate here")

    def set_aside(self, entries: list[Entry], *, stays: bool) -> None:
        raise AssertionError("no message has wishes of its own")

    def barred(self, session: Session, seconds: float) -> None:
        raise AssertionError("nobody logs in here")

    def over(self, session: Session) -> None:
        raise AssertionError("the session broke off")


async def run(messages: int, size: int) -> None:
    clock, spool = Clock(), Spool()
    board = Board(spool, Timer(int(time())), Configuration(), clock)  # type: ignore[arg-type]
    settle = Settle(spool, board, spool, Bounces("h", Random(1)), clock, Random(1))  # type: ignore[arg-type]
    body = (b"x" * 78 + b"\r\n") * (size // 80)
    number = spool.routes.hold(KEY)
    for ident in range(messages):
        message = Message(
            f"bounce{ident}@sender.test", MemoryBody(body), b"Received: x\r\n", received_at=time()
        )
        message.batch = ident + 1
        spool.live[ident] = SLOT.pack(number, 0, 0, 0, 0, 0, 0, 1)
        board.accepted(message, [Recipient(f"u{ident}@{KEY[2]}", KEY[2], *KEY[:2], id=ident)])
    line = board.line(*KEY)
    options = Transport.make()
    means = Means(line, options, settle, Sweep(clock), patience(options))
    session = Session(SmtpClient("node.test"), Hop("mx", "192.0.2.1", 25), "", means, 1)
    transport = Transport_()
    session.connection_made(transport)
    session.data_received(b"220 mx\r\n")
    session.data_received(b"250-mx\r\n250-PIPELINING\r\n250-SIZE 0\r\n250-DSN\r\n250 8BITMIME\r\n")
    permit = Permit(LocalLedger(clock))
    replies = [REPLIES % number for number in range(messages - 1)]
    session.start(Owner(), permit)
    session.data_received(b"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 End data\r\n")
    transport.writes = 0
    started = perf_counter()
    for row in replies:
        session.data_received(row)
    spent = perf_counter() - started
    assert spool.settled == messages - 1
    each, writes = 1e6 * spent / messages, transport.writes / messages
    print(f"{size:>7} octets  {each:6.2f} us a message  {writes:.2f} writes")


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    for octets in (1024, 10_240, 102_400):
        asyncio.run(run(count if octets < 100_000 else count // 4, octets))
