"""What a reception costs without sockets, policy and disk: wire, session, conformance, trace.

    python benchmarks/bench_smtp_server.py [MESSAGES]

Goals: 35 us for a message of 10 KB which is not pipelined (four reads), the driver (`net/stream`)
left out; all looks at its octets together 15 us.
"""

import asyncio
import sys
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Final, cast

from angarium.config.load import load_text
from angarium.core.ident import Idents
from angarium.core.message import Message, Recipient
from angarium.core.reply import Reply
from angarium.events.schema import Rejection
from angarium.inbound.content import Writer
from angarium.inbound.profile import Profiles
from angarium.inbound.services import Services
from angarium.inbound.smtp import SmtpSession
from angarium.journal.errors import SpoolError
from angarium.net.loop import RealClock
from angarium.net.sweep import Sweep
from angarium.policy.context import Session
from angarium.policy.parcels import Parcel
from angarium.queue.throttle import LocalLedger
from angarium.wire.framing import DotReader, stuff
from angarium.wire.smtp_grammar import Command, Syntax
from angarium.wire.smtp_server import Body, Signal, SmtpServer

OK, GO_ON = Reply(250, "ok", "2.0.0"), Reply(354, "go on")
ENVELOPE: Final = (
    b"MAIL FROM:<bounce-1234@sender.example>\r\n",
    b"RCPT TO:<someone@example.com>\r\n",
    b"DATA\r\n",
)
FIELDS: Final = ("Received", "From", "To", "Subject", "Date", "Message-ID", "MIME-Version")
HEADER: Final = "".join(f"{name}: of the usual length, more or less\r\n" for name in FIELDS)
ROUNDS: Final = 7


def message(size: int) -> bytes:
    lines = (size - len(HEADER)) // 80
    return stuff(HEADER.encode() + b"\r\n" + (b"x" * 78 + b"\r\n") * max(0, lines))


class Admit:
    """Takes everything at once."""

    submitted = 0
    rules: object = None

    def refusal(self) -> SpoolError | None:
        return None

    def submit(
        self,
        message: Message,
        recipients: Sequence[Recipient],
        done: Callable[[SpoolError | None], None],
    ) -> None:
        done(None)

    def submit_all(
        self,
        parcels: Sequence[Parcel],
        done: Callable[[SpoolError | None], None],
        session: Session,
    ) -> None:
        done(None)

    def written(self, message: Message, done: Callable[[], None]) -> None:
        done()

    def drop(self, message: Message) -> None:
        """Nothing is kept."""


class Nowhere:
    """A transport which forgets what is written."""

    def get_extra_info(self, name: str) -> object:
        return ("192.0.2.1", 2525)

    def set_write_buffer_limits(self, high: int) -> None:
        """Nothing is kept."""

    def write(self, data: bytes) -> None:
        """Nothing is kept."""


def no_writer() -> Writer:
    raise SpoolError("no large messages here")


def nowhere(event: Rejection) -> None:
    raise AssertionError(event)


def session() -> SmtpSession:
    """Return an open session which may send to anybody."""
    conf = load_text('esmtp_listener {\nlisten ":25" {\nopen_relay = true\n}\n}\n')
    clock, ids = RealClock(), Idents(1)
    loop = asyncio.new_event_loop()
    services = Services(
        profiles=Profiles(conf, "mx.example"),
        admit=Admit(),
        ledger=LocalLedger(clock),
        sweep=Sweep(clock),
        clock=clock,
        idents=Idents(2),
        next_id=ids.next,
        large=no_writer,
        reject=nowhere,
        program="angarium",
        loop=loop,
    )
    made = SmtpSession(services, conf.listens("esmtp_listener")[0].name)
    made.connection_made(cast(asyncio.Transport, Nowhere()))
    made.data_received(b"EHLO sender.example\r\n")
    loop.close()
    return made


def whole(reads: Sequence[bytes]) -> Callable[[], None]:
    receive = session().data_received

    def work() -> None:
        for read in reads:
            receive(read)

    return work


def driver(reads: int) -> Callable[[], None]:
    """Return what the driver alone costs: reads in which there is nothing."""
    receive = session().data_received

    def work() -> None:
        for _ in range(reads):
            receive(b"")

    return work


def wire(reads: Sequence[bytes]) -> Callable[[], None]:
    server = SmtpServer(Syntax())

    def work() -> None:
        for read in reads:
            server.receive(read)
            while (event := server.next_event()) is not Signal.NEED_DATA:
                if isinstance(event, Command):
                    server.answer(GO_ON)
                elif not isinstance(event, Body):
                    server.answer(OK)
            server.data_to_send()

    return work


def looks(body: bytes) -> Callable[[], None]:
    def work() -> None:
        DotReader().feed(body)

    return work


def measure(work: Callable[[], None], times: int) -> float:
    """Return the best time of one call of `work`, in microseconds."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = perf_counter()
        for _ in range(times):
            work()
        best = min(best, perf_counter() - start)
    return best / times * 1e6


def main() -> None:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    rows: dict[str, Callable[[], None]] = {"driver, four reads": driver(4)}
    for size in (1024, 10240, 102400):
        body = message(size)
        reads = (*ENVELOPE, body)
        rows[f"looks at the octets, {size}"] = looks(body)
        rows[f"wire alone, {size}"] = wire(reads)
        rows[f"session and driver, {size}"] = whole(reads)
        rows[f"the same in one read, {size}"] = whole((b"".join(reads),))
    for name, work in rows.items():
        print(f"{name:36}{measure(work, times):9.2f} us")


if __name__ == "__main__":
    main()
