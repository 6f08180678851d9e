"""A session of reception in memory: a transport which keeps what is written, an admission which
answers when the test says so.

    desk = Desk('relay_domains = ("mx.example")')
    talk = desk.connect()
    talk.say("EHLO client.example")          the lines which came back
"""

import asyncio
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, cast

from angarium.config.load import load_text
from angarium.core.body import Body, MemoryBody
from angarium.core.ident import Idents
from angarium.core.message import Message, Recipient
from angarium.events.schema import Rejection
from angarium.inbound import policed
from angarium.inbound.profile import Profiles
from angarium.inbound.services import Services
from angarium.journal.errors import SpoolError
from angarium.net.sweep import Sweep
from angarium.policy.chain import Policy
from angarium.policy.module import Policing
from angarium.queue.throttle import LocalLedger
from helpers.asking import asked
from helpers.clock import FakeClock

LISTEN = "127.0.0.1:2525"
Done = Callable[[SpoolError | None], None]


class FakeAdmit:
    """Keeps what it is given; answers at once, or with `answer()` when `slow` is set."""

    def __init__(self) -> None:
        self.slow = False
        self.error: SpoolError | None = None
        self.closed: SpoolError | None = None
        self.taken: list[tuple[Message, Sequence[Recipient]]] = []
        self.waiting: list[Done] = []
        self.dropped: list[Message] = []
        self.rules: object = None

    @property
    def submitted(self) -> int:
        return len(self.waiting)

    def refusal(self) -> SpoolError | None:
        return self.closed

    def submit(self, message: Message, recipients: Sequence[Recipient], done: Done) -> None:
        self.taken.append((message, recipients))
        if self.slow:
            self.waiting.append(done)
        else:
            done(self.error)

    def submit_all(
        self,
        parcels: Sequence[tuple[Message, Sequence[Recipient]]],
        done: Done,
        _session: object = None,
    ) -> None:
        self.taken += parcels
        if self.slow:
            self.waiting.append(done)
        else:
            done(self.error)

    def written(self, _message: Message, done: Callable[[], None]) -> None:
        done()

    def drop(self, message: Message) -> None:
        self.dropped.append(message)

    def answer(self, error: SpoolError | None = None) -> None:
        self.waiting.pop(0)(error)


class FakeWriter:
    """A large body; what it is given stays in its backlog until `drain`, if `slow`."""

    def __init__(self, *, slow: bool) -> None:
        self.pieces: list[bytes] = []
        self.on_room: Callable[[], None] | None = None
        self.aborted = False
        self.backlog = 0
        self._slow = slow

    def write(self, piece: bytes) -> None:
        self.pieces.append(piece)
        if self._slow:
            self.backlog += len(piece)

    def drain(self) -> None:
        self.backlog = 0
        if self.on_room is not None:
            self.on_room()

    def finish(self) -> Body:
        return MemoryBody(*self.pieces)

    def abort(self) -> None:
        self.aborted = True


class FakeTransport:
    """The peer's end of a connection."""

    def __init__(self, protocol: asyncio.Protocol, peer: tuple[str, int] | str) -> None:
        self.written = b""
        self.protocol = protocol
        self.closed = self.aborted = self.ended = self.paused = False
        self._names: dict[str, object] = {"peername": peer, "sockname": ("127.0.0.1", 2525)}

    def get_extra_info(self, name: str, default: object = None) -> object:
        return self._names.get(name, default)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """The test says when the buffer is full."""

    def write(self, data: bytes) -> None:
        assert not self.ended
        self.written += data

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted = True

    @property
    def over(self) -> bool:
        return self.closed or self.aborted or self.ended


class FakeTimers:
    """What a session asks of the loop: call_soon and call_later, run by the test."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._due: list[tuple[float, Callable[..., Any], tuple[Any, ...]]] = []

    def call_later(self, seconds: float, call: Callable[..., Any], *args: Any) -> "FakeTimers":
        self._due.append((self._clock.monotonic() + seconds, call, args))
        return self

    def call_soon(self, call: Callable[..., Any], *args: Any) -> "FakeTimers":
        return self.call_later(0.0, call, *args)

    def cancel(self) -> None:
        """What is cancelled runs into a closed session, which is to do nothing."""

    def run(self) -> int:
        """Run what is due; return how many calls there were."""
        now, count = self._clock.monotonic(), 0
        while ready := [each for each in self._due if each[0] <= now]:
            self._due = [each for each in self._due if each[0] > now]
            for _, call, args in ready:
                call(*args)
                count += 1
        return count


class Talk:
    """One connection, seen from the peer."""

    def __init__(self, desk: "Desk", peer: tuple[str, int] | str) -> None:
        self.desk = desk
        self.session = policed.session(desk.services, LISTEN)
        self.transport = FakeTransport(self.session, peer)
        self.session.connection_made(cast(asyncio.Transport, self.transport))
        self._read = 0

    def send(self, data: bytes, cut: int = 0) -> None:
        for start in range(0, len(data), cut or len(data)):
            self.session.data_received(data[start : start + (cut or len(data))])
            self.desk.timers.run()

    def heard(self) -> list[str]:
        """Return the lines which came since this was last asked."""
        new = self.transport.written[self._read :]
        self._read = len(self.transport.written)
        return new.decode().splitlines()

    def say(self, line: str) -> list[str]:
        self.send(line.encode() + b"\r\n")
        return self.heard()

    def deliver(
        self, content: bytes, sender: str = "a@client.example", rcpt: str = "b@mx.example"
    ) -> str:
        """Send a whole message, framed already but for the end; return the last line."""
        self.send(f"MAIL FROM:<{sender}>\r\n".encode())
        self.send(f"RCPT TO:<{rcpt}>\r\n".encode())
        self.send(b"DATA\r\n")
        self.send(content + b".\r\n")
        return self.heard()[-1]

    def reading(self) -> bool:
        """Say whether the session reads from us."""
        return not self.transport.paused

    def lose(self) -> None:
        self.session.connection_lost(None)


class Desk:
    """All that sessions need, in memory."""

    def __init__(self, options: str = "", *, listener: str = "", policy: object = None) -> None:
        """Args: `policy`: a module, whose marked methods are asked."""
        self.clock = FakeClock()
        self.timers = FakeTimers(self.clock)
        self.admit = FakeAdmit()
        self.ledger = LocalLedger(self.clock)
        self.rejections: list[Rejection] = []
        self.writers: list[FakeWriter] = []
        self.slow_disk = False
        self.writer_error: SpoolError | None = None
        self.random = Random(1)
        sweep = Sweep(self.clock)
        ids = Idents(1)
        self.services = Services(
            profiles=self.profiles(options, listener),
            admit=self.admit,
            ledger=self.ledger,
            sweep=sweep,
            clock=self.clock,
            idents=Idents(2),
            next_id=ids.next,
            large=self._large,
            reject=self.rejections.append,
            program="angarium test",
            loop=cast(asyncio.AbstractEventLoop, self.timers),
        )
        self.panics: list[str] = []
        if policy is not None:
            self.services.policing = Policing(self.asked(policy), ())

    def asked(self, *modules: object) -> Policy:
        """Return a policy in which these are asked, in this order."""
        return asked(*modules, panics=self.panics)

    @staticmethod
    def profiles(
        options: str, listener: str = "", generation: int = 1, since: int | None = None
    ) -> Profiles:
        if "relay_domains" not in options:
            options += '\nrelay_domains = ("mx.example")'
        text = f'{options}\nesmtp_listener {{\n{listener}\nlisten "{LISTEN}" {{\n}}\n}}\n'
        return Profiles(load_text(text, generation), "host.example", since)

    def connect(self, peer: tuple[str, int] | str = ("192.0.2.9", 34567)) -> Talk:
        return Talk(self, peer)

    def greeted(self, peer: tuple[str, int] | str = ("192.0.2.9", 34567)) -> Talk:
        """Return a connection which has said EHLO."""
        talk = self.connect(peer)
        talk.say("EHLO client.example")
        return talk

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.timers.run()
        self.services.sweep.tick(self.clock.monotonic())

    @property
    def message(self) -> Message:
        """Return the last message which was taken."""
        return self.admit.taken[-1][0]

    @property
    def content(self) -> bytes:
        return self.message.body.whole()

    def _large(self) -> FakeWriter:
        if self.writer_error is not None:
            raise self.writer_error
        self.writers.append(FakeWriter(slow=self.slow_disk))
        return self.writers[-1]
