"""The stub resolver: one question to recursive name servers, until an answer or the deadline.

    stub.ask("example.com", MX, done)      done(Response), or done(Status) if there is none

What guards an answer against forgers: 16 random bits of id, a random port which serves few
questions and not for long, a socket connected to the server, and the question in the answer.
(With `mixed_case` also the case of its letters, for servers which keep it.) What does not fit is
counted and forgotten, and the true answer may still come.

What guards us against name servers: a server which fails is passed over for a while, probed by
one question when it is over, and used all the same if there is no other. At most `in_flight`
questions are open and `waiting` wait; further ones get BUSY at once, and mail waits.
"""

import asyncio
import random
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from angarium.core.clock import Clock
from angarium.net.answer import Status
from angarium.net.dnssocket import Network, Port
from angarium.net.resolvconf import Server
from angarium.wire import dns as wire
from angarium.wire.dns import DnsError, Response

Done = Callable[[Response | Status], None]

PORT_BITS: Final = 2
PORTS: Final = 1 << PORT_BITS  # open at once for each server, chosen among at random
PER_PORT: Final = 16  # questions, where the options set no limit of their own
PORT_AGE: Final = 10.0  # seconds; an attacker who finds the port has not long to use it
# Timeouts in sequence until a server is passed over: one lost datagram, or one domain with dead
# name servers, says nothing about it.
SUSPECT: Final = 3
PENALTY: Final = 1.0  # seconds, doubled with each further failure
MAX_PENALTY: Final = 30.0
PLAIN_SECONDS: Final = 3600.0  # without EDNS, for a server which does not know it
_QUERIES: Final = {number: f"queries.{name}" for name, number in wire.TYPES.items()}
_TIMEOUTS: Final = {number: f"timeouts.{name}" for name, number in wire.TYPES.items()}


@dataclass(frozen=True, slots=True)
class Limits:
    timeout: float = 2.0  # seconds to the first next attempt; doubled with each round
    attempts: int = 3  # rounds over all servers
    deadline: float = 15.0  # seconds for a question in all
    in_flight: int = 1000
    waiting: int = 10_000
    per_port: int = 0  # questions; 0: PER_PORT
    tcp: bool = True  # ask again over TCP what was cut off; else SERVFAIL
    mixed_case: bool = False


DEFAULT_LIMITS: Final = Limits()


class _Server:
    """A name server and what we know about it."""

    __slots__ = ("at", "failures", "passed_until", "plain_until", "ports")

    def __init__(self, at: Server) -> None:
        self.at = at
        self.failures = 0  # in sequence
        self.passed_until = 0.0  # monotonic
        self.plain_until = 0.0
        self.ports: list[_Port] = []

    def failed(self, now: float, *, surely: bool) -> None:
        self.failures = max(self.failures + 1, SUSPECT if surely else 0)
        if self.failures >= SUSPECT:
            doublings = min(self.failures - SUSPECT, 10)
            self.passed_until = now + min(PENALTY * 2.0**doublings, MAX_PENALTY)

    def answered(self) -> None:
        self.failures = 0
        self.passed_until = 0.0


class _Port:
    """An open port of ours and the questions which wait there, by id."""

    __slots__ = ("asked", "open_since", "questions", "server", "socket")

    def __init__(self, server: _Server, now: float) -> None:
        self.server = server
        self.open_since = now
        self.asked = 0
        self.questions: dict[int, _Question] = {}
        self.socket: Port | None = None

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None


class _Question:
    __slots__ = (
        "deadline", "done", "failure", "ident", "port", "round", "section", "sent_at", "task",
        "timer", "tried", "type",
    )  # fmt: skip

    def __init__(self, section: bytes, rrtype: int, deadline: float, done: Done) -> None:
        self.section = section
        self.type = rrtype
        self.deadline = deadline
        self.done = done
        self.ident = -1
        self.port: _Port | None = None
        self.round = 0
        self.tried: list[_Server] = []  # in this round
        self.failure = Status.TIMEOUT
        self.sent_at = 0.0
        self.timer: asyncio.TimerHandle | None = None
        self.task: asyncio.Task[None] | None = None


class Stub:
    """Asks `servers`; the order is the order of preference, as in resolv.conf."""

    def __init__(
        self,
        servers: Sequence[Server],
        network: Network,
        loop: asyncio.AbstractEventLoop,
        clock: Clock,
        random: random.Random,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._network = network
        self._loop = loop
        self._clock = clock
        self._random = random
        self.limits = limits
        self._servers = [_Server(each) for each in servers]
        self._open: set[_Question] = set()
        self._waiting: deque[_Question] = deque()
        self._draining = False
        # queries.MX, timeouts.MX, responses, bad, strays, truncated, busy, time_us, peak_us ...
        self.counters: Counter[str] = Counter()

    def set_servers(self, servers: Sequence[Server]) -> None:
        """Ask these from now on; what is known about those which stay is kept."""
        known = {each.at: each for each in self._servers}
        before, self._servers = self._servers, [known.get(at) or _Server(at) for at in servers]
        for server in before:
            if server not in self._servers:
                for port in list(server.ports):
                    self._retire(port)

    @property
    def servers(self) -> tuple[Server, ...]:
        return tuple(each.at for each in self._servers)

    def ask(self, name: str, rrtype: int, done: Done) -> None:
        """Ask; `done` is called once, perhaps before this returns.

        Raises:
            DnsError: `name` is no name of DNS.
        """
        section = wire.question(self._mixed(name) if self.limits.mixed_case else name, rrtype)
        question = _Question(section, rrtype, self._now() + self.limits.deadline, done)
        if len(self._open) < self.limits.in_flight:
            self._begin(question)
        elif len(self._waiting) < self.limits.waiting:
            self._waiting.append(question)
        else:
            self.counters["busy"] += 1
            done(Status.BUSY)

    def close(self) -> None:
        """Give up: what is open and what waits gets TIMEOUT."""
        waiting, self._waiting = self._waiting, deque()
        for question in [*self._open, *waiting]:
            self._end(question, Status.TIMEOUT)
        for server in self._servers:
            for port in list(server.ports):
                self._retire(port)

    @property
    def pending(self) -> int:
        """Questions open or waiting."""
        return len(self._open) + len(self._waiting)

    # The course of a question.

    def _begin(self, question: _Question) -> None:
        self._open.add(question)
        self.counters[_QUERIES.get(question.type, "queries.other")] += 1
        self._send(question)

    def _send(self, question: _Question) -> None:
        """Make the next attempt, or end the question if there is none left."""
        while True:
            now = self._now()
            server = self._choose(question, now)
            left = question.deadline - now
            if server is None or left <= 0:
                self._end(question, question.failure)
                return
            question.tried.append(server)
            try:
                bits = self._random.getrandbits(16 + PORT_BITS)
                port = self._port(server, now, bits >> 16)
                ident = bits & 0xFFFF
                while ident in port.questions:
                    ident = self._random.getrandbits(16)
                edns = server.plain_until <= now
                assert port.socket is not None
                port.socket.send(wire.query(ident, question.section, edns=edns))
            except OSError:
                self.counters["send_errors"] += 1
                server.failed(now, surely=True)
                continue
            port.asked += 1
            port.questions[ident] = question
            question.port, question.ident, question.sent_at = port, ident, now
            wait = min(self.limits.timeout * 2.0**question.round, left)
            question.timer = self._loop.call_later(wait, self._timed_out, question)
            return

    def _choose(self, question: _Question, now: float) -> _Server | None:
        """Return the server to ask next; None: all were asked as often as they may be."""
        left = [each for each in self._servers if each not in question.tried]
        if not left:
            # A server which answered SERVFAIL has tried for us; it is not asked again.
            if question.failure is Status.SERVFAIL or question.round + 1 >= self.limits.attempts:
                return None
            question.round += 1
            question.tried.clear()
            left = self._servers
        for server in left:
            if server.passed_until <= now:
                if server.failures >= SUSPECT:  # One probe; the others pass it over meanwhile.
                    server.passed_until = now + self.limits.timeout
                return server
        return min(left, key=_passed_until, default=None)

    def _timed_out(self, question: _Question) -> None:
        port = question.port
        if port is not None:
            self.counters[_TIMEOUTS.get(question.type, "timeouts.other")] += 1
            port.server.failed(self._now(), surely=False)
        self._leave(question)
        self._send(question)

    def _next(self, question: _Question, server: _Server, *, blame: bool) -> None:
        """The server answered and cannot tell; try another."""
        question.failure = Status.SERVFAIL
        if blame:
            server.failed(self._now(), surely=True)
        self._leave(question)
        self._send(question)

    def _leave(self, question: _Question) -> None:
        """Wait no longer for the answer to this attempt."""
        if question.timer is not None:
            question.timer.cancel()
            question.timer = None
        port, question.port = question.port, None
        if port is not None:
            port.questions.pop(question.ident, None)
            if port not in port.server.ports and not port.questions:
                port.close()

    def _end(self, question: _Question, result: Response | Status) -> None:
        self._leave(question)
        self._open.discard(question)
        if question.task is not None:
            question.task.cancel()
            question.task = None
        question.done(result)
        if not self._draining:  # Without a network each one ends here again, at once.
            self._draining = True
            self._drain()
            self._draining = False

    def _drain(self) -> None:
        """Begin what waited, as far as there is room."""
        while self._waiting and len(self._open) < self.limits.in_flight:
            following = self._waiting.popleft()
            if following.deadline <= self._now():
                following.done(Status.TIMEOUT)
            else:
                self._begin(following)

    # Answers.

    def _received(self, port: _Port, data: bytes) -> None:
        question = port.questions.get(data[0] << 8 | data[1]) if len(data) >= 12 else None
        if question is None or not self._fits(question, data):
            self.counters["strays"] += 1
            return
        server = port.server
        self._note_time(question)
        flags, rcode = data[2] << 8 | data[3], data[3] & 15
        if flags & wire.TC and self.limits.tcp and rcode in {wire.NOERROR, wire.NXDOMAIN}:
            self.counters["truncated"] += 1
            self._leave(question)
            question.task = self._loop.create_task(self._ask_by_tcp(question, server))
            return
        self._take(question, server, data)

    def _fits(self, question: _Question, data: bytes) -> bool:
        if not data[2] & 0x80 or data[2] & 0x78:  # No answer, or another opcode.
            return False
        section = question.section
        sent = data[12 : 12 + len(section)]
        if data[4:6] == b"\0\1":
            return sent == section or (
                not self.limits.mixed_case and sent.lower() == section.lower()
            )
        # A server which cannot read EDNS cannot read the question either (RFC 6891 section 7).
        return data[4:6] == b"\0\0" and data[3] & 15 == wire.FORMERR

    def _take(self, question: _Question, server: _Server, data: bytes) -> None:
        """Judge a message which is the answer to the question."""
        try:
            response = wire.parse(data)
        except DnsError:
            self.counters["bad"] += 1
            self._next(question, server, blame=False)
            return
        now = self._now()
        if response.rcode in {wire.FORMERR, wire.NOTIMP} and server.plain_until <= now:
            server.plain_until = now + PLAIN_SECONDS
            question.tried.remove(server)
            self._leave(question)
            self._send(question)
        elif response.rcode == wire.SERVFAIL:
            server.answered()
            self._next(question, server, blame=False)
        elif response.rcode in {wire.NOERROR, wire.NXDOMAIN}:
            server.answered()
            if response.truncated and not self.limits.tcp:
                self._next(question, server, blame=False)
                return
            if response.authentic and not server.at.trusted:
                response = response._replace(flags=response.flags & ~wire.AD)
            self._end(question, response)
        else:
            self._next(question, server, blame=True)

    async def _ask_by_tcp(self, question: _Question, server: _Server) -> None:
        ident = self._random.getrandbits(16)
        left = max(0.0, question.deadline - self._now())
        edns = server.plain_until <= self._now()
        try:
            async with asyncio.timeout(min(left, 2 * self.limits.timeout)):
                data = await self._network.exchange(
                    server.at, wire.query(ident, question.section, edns=edns)
                )
        except (OSError, EOFError):  # TimeoutError is an OSError.
            self.counters["tcp_errors"] += 1
            question.task = None
            self._next(question, server, blame=False)
            return
        question.task = None
        self.counters["tcp"] += 1
        if (
            len(data) >= 12
            and int.from_bytes(data[:2], "big") == ident
            and self._fits(question, data)
        ):
            self._take(question, server, data)
        else:
            self.counters["bad"] += 1
            self._next(question, server, blame=False)

    def _note_time(self, question: _Question) -> None:
        took = int((self._now() - question.sent_at) * 1_000_000)
        counters = self.counters
        counters["responses"] += 1
        counters["time_us"] += took
        counters["peak_us"] = max(counters["peak_us"], took)

    # Ports.

    def _port(self, server: _Server, now: float, chosen: int) -> _Port:
        """Return a port to ask from: the chosen one, or a new one in its place."""
        if len(server.ports) < PORTS:
            port = _Port(server, now)
            port.socket = self._network.open(
                server.at, partial(self._received, port), partial(self._port_failed, port)
            )
            server.ports.append(port)
            return port
        port = server.ports[chosen]
        if port.asked < (self.limits.per_port or PER_PORT) and now - port.open_since < PORT_AGE:
            return port
        self._retire(port)
        return self._port(server, now, chosen)

    def _retire(self, port: _Port) -> None:
        """Ask no more from it; it is closed with the last answer it waits for."""
        if port in port.server.ports:
            port.server.ports.remove(port)
        if not port.questions:
            port.close()

    def _port_failed(self, port: _Port, error: OSError) -> None:
        """The system says that the server cannot be reached; ask another at once."""
        self.counters["unreachable"] += 1
        port.server.failed(self._now(), surely=True)
        questions = list(port.questions.values())
        self._retire(port)
        for question in questions:
            self._leave(question)
            self._send(question)

    def _now(self) -> float:
        return self._clock.monotonic()

    def _mixed(self, name: str) -> str:
        bits = self._random.getrandbits(len(name) or 1)
        return "".join(
            each.upper() if bits >> place & 1 else each.lower() for place, each in enumerate(name)
        )


def _passed_until(server: _Server) -> float:
    return server.passed_until
