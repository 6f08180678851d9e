"""The network of a simulated node: hosts which speak SMTP as badly as the seed wants.

    Weather     how hosts and names behave at present; it changes
    Host        one mail server, its connections and its mood
    Wire        one connection: a transport for the session of ours, and the server's side of it

What a host takes is noted with the octets, so that nothing is believed because a client said so.
"""

import asyncio
import errno
from collections import Counter, deque
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any, Final

from angarium.net.errors import NoRouteError, ShortageError
from helpers.sim.loop import Process

REFUSALS: Final = {
    "greeting": ("421 4.3.2 not now", "554 5.7.1 go away"),
    "EHLO": ("421 4.3.2 busy", "500 5.5.1 what?", "550 5.7.1 no"),
    "MAIL": ("451 4.7.1 later", "550 5.7.1 not from you", "421 4.3.0 closing"),
    "RCPT": ("450 4.2.1 greylisted", "550 5.1.1 no such user", "452 4.5.3 too many"),
    "DATA": ("451 4.3.0 later", "554 5.5.1 nobody"),
    ".": ("451 4.7.1 later", "554 5.7.1 spam", "421 4.3.0 closing"),
    "RSET": ("421 4.3.0 closing",),
}


class Mood:
    """How a host behaves: chances, drawn once for a time.

    Attributes:
        refuse: of a connection. hang: a connection is never answered. odd: an answer is a refusal.
        drop: the connection ends instead of an answer. mute: no answer comes, and never another.
        slow: the longest time an answer takes. most: connections it takes, else 421.
    """

    def __init__(self, random: Random, *, good: bool = False) -> None:
        bad = 0.0 if good else random.choice((0.0, 0.02, 0.1, 0.5))
        self.refuse = bad * random.random()
        self.hang = bad * random.random() * 0.5
        self.odd = bad * random.random()
        self.drop = bad * random.random() * 0.5
        self.mute = bad * random.random() * 0.3
        self.slow = 0.05 if good else random.choice((0.01, 0.2, 2.0, 20.0))
        self.most = 1000 if good else random.choice((1, 3, 1000, 1000))
        self.messages = 1000 if good else random.choice((1, 5, 1000))
        self.deaf = 0.0 if good else random.choice((0.0, 0.0, 0.05))  # takes no octets in DATA
        self.lies = 0.0 if good else random.choice((0.0, 0.0, 0.0, 0.02))  # answers unasked


class Host:
    """A mail server."""

    def __init__(self, name: str, address: str, random: Random) -> None:
        self.name = name
        self.address = address
        self.random = random
        self.mood = Mood(random)
        self.open: set[Wire] = set()
        self.extensions = random.sample(("PIPELINING", "8BITMIME", "DSN", "SIZE 100000"), 3)
        self.taken: Counter[str] = Counter()
        self.last_words: dict[str, str] = {}


class Wire(asyncio.Transport):
    """A connection: the transport of our session; the host is behind it."""

    def __init__(self, net: "Net", process: Process, host: Host, session: Any) -> None:
        super().__init__()
        self.net = net
        self.host = host
        self.session = session
        self.line = session._line
        self._process = process
        self._random = host.random
        self._mood = host.mood
        self._inbox = b""
        self._data: bytes | None = None  # the content so far, while it comes
        self._rcpts: list[str] = []
        self._accepting = 0
        self._messages = 0
        self._mute = self._gone = False
        self._closing = self._lost = False
        self._unread = 0
        self._high = 65536
        self._paused = False
        self._deaf = False
        self._client_at = self._server_at = process.time()
        # What is on its way, in order: timers of one time come in any.
        self._there: deque[Callable[[], None]] = deque()
        self._back: deque[Callable[[], None]] = deque()
        host.open.add(self)

    def begin(self) -> None:
        mood = self._mood
        if len(self.host.open) > mood.most:
            self._say("421 4.7.0 too many connections", end=True)
        else:
            self._answer("greeting", "220 ready")

    # The side of our session.

    def write(self, data: Any) -> None:
        if self._closing or not data:
            return
        octets = bytes(data)
        self._unread += len(octets)
        if not self._deaf:
            self._server_at = max(self._server_at, self._process.time() + self._delay())
            self._there.append(partial(self._arrive, octets))
            self._process.call_at(self._server_at, self._next, self._there)
        if self._unread > self._high and not self._paused:
            self._paused = True
            self.session.pause_writing()

    def writelines(self, list_of_data: Any) -> None:
        self.write(b"".join(list_of_data))

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._high = high or 65536

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        """Close when all is read by the host; a host which reads nothing keeps it open."""
        if not self._closing:
            self._closing = True
            self._leave()

    def abort(self) -> None:
        self._closing = True
        self._lose(None)

    def _leave(self) -> None:
        if not self._unread:
            self._lose(None)

    def _lose(self, error: Exception | None) -> None:
        if not self._lost:
            self._lost = self._closing = True
            self._process.call_soon(self._over, error)

    def _over(self, error: Exception | None) -> None:
        self.host.open.discard(self)
        self.net.wires.discard(self)
        self._gone = True
        self.session.connection_lost(error)

    def _next(self, way: deque[Callable[[], None]]) -> None:
        way.popleft()()

    # The host's side.

    def _delay(self) -> float:
        return self._random.random() * 0.02

    def _arrive(self, octets: bytes) -> None:
        self._unread -= len(octets)
        if self._paused and self._unread * 4 < self._high and not self._closing:
            self._paused = False
            self.session.resume_writing()
        if not self._gone and not self._mute:
            self._inbox += octets
            self._work()
        if self._closing:
            self._leave()

    def _work(self) -> None:
        while b"\r\n" in self._inbox and not self._mute and not self._gone:
            line, _, self._inbox = self._inbox.partition(b"\r\n")
            if self._data is None:
                self._command(line.decode("utf-8", "replace"))
            elif line == b".":
                self._content()
            else:
                self._data += line.removeprefix(b".") + b"\r\n"

    def _command(self, line: str) -> None:
        verb = line[:4].upper()
        match verb:
            case "EHLO" | "LHLO" | "HELO":
                words = self.host.extensions if verb == "EHLO" else []
                lines = ["host.test", *words]
                text = "\r\n".join(
                    f"250{'-' if n < len(lines) - 1 else ' '}{each}" for n, each in enumerate(lines)
                )
                self._answer("EHLO" if verb == "EHLO" else verb, text)
            case "MAIL":
                self._rcpts, self._accepting = [], self._answer("MAIL", "250 2.1.0 ok")
            case "RCPT":
                address = line[line.find("<") + 1 : line.find(">")]
                if not self._accepting:
                    self._say("503 5.5.1 MAIL first")
                elif self.net.unknown(address):
                    self._say("550 5.1.1 no such user")
                elif self._answer("RCPT", "250 2.1.5 ok"):
                    self._rcpts.append(address)
            case "DATA":
                if not self._rcpts:
                    self._say("503 5.5.1 no recipients")
                elif self._answer("DATA", "354 go on"):
                    self._data = b""
                    if self._random.random() < self._mood.deaf:
                        self._deaf = True
            case "RSET":
                self._rcpts, self._accepting = [], False
                self._answer("RSET", "250 2.0.0 ok")
            case "QUIT":
                self._say("221 2.0.0 bye", end=True)
            case _:
                self._say("500 5.5.1 what?")

    def _content(self) -> None:
        content, self._data = self._data, None
        rcpts, self._rcpts, self._accepting = self._rcpts, [], False
        fate = self._random.random()
        self._messages += 1
        if fate < self._mood.drop:
            # It had it, or had it not; nobody is told.
            if self._random.random() < 0.5:
                self.net.taken(self, rcpts, content or b"", heard=False)
            self._end()
            return
        if self._answer(".", "250 2.0.0 taken", end=self._messages >= self._mood.messages):
            self.net.taken(self, rcpts, content or b"", heard=True)
        elif self._mute and self._random.random() < 0.5:
            self.net.taken(self, rcpts, content or b"", heard=False)

    def _answer(self, what: str, good: str, *, end: bool = False) -> bool:
        """Answer as the mood wants it; say whether it was a good answer."""
        mood, random = self._mood, self._random
        if random.random() < mood.drop:
            self._end()
            return False
        if random.random() < mood.mute:
            self._mute = True
            return False
        if what != "." and random.random() < mood.lies:
            self._say("250 2.0.0 nobody asked")
        refusals = REFUSALS.get(what)
        if refusals and random.random() < mood.odd:
            text = random.choice(refusals)
            self._say(text, end=text.startswith("421"))
            return False
        self._say(good, end=end)
        return True

    def _say(self, text: str, *, end: bool = False) -> None:
        mood = self._mood
        slow = mood.slow if self._random.random() < 0.1 else min(mood.slow, 0.02)
        at = max(self._client_at, self._process.time() + self._random.random() * slow)
        octets = text.encode() + b"\r\n"
        if self._random.random() < 0.05:
            cut = self._random.randrange(len(octets))
            self._send(at, partial(self._hear, octets[:cut]))
            at += self._random.random() * mood.slow
            octets = octets[cut:]
        self._client_at = at
        self._send(at, partial(self._hear, octets))
        if end:
            self._end(at)

    def _send(self, at: float, what: Callable[[], None]) -> None:
        self._back.append(what)
        self._process.call_at(at, self._next, self._back)

    def _hear(self, octets: bytes) -> None:
        if not self._lost and not self._closing and octets:
            self.session.data_received(octets)

    def _end(self, at: float = 0.0) -> None:
        """The host closes, in order or with a reset."""
        self._mute = True
        at = self._client_at = max(at, self._client_at, self._process.time() + self._delay())
        self._send(at, partial(self._ended, self._random.random() < 0.3))

    def _ended(self, reset: bool) -> None:
        if self._lost:
            return
        if reset:
            self._lose(ConnectionResetError(errno.ECONNRESET, "reset"))
        elif not self.session.eof_received():
            self._closing = True
            self._lose(None)


class Net:
    """All hosts, and the ways to them.

    Args:
        taken: told of each content a host took: the wire, its recipients, the content, and whether
            the client is told (as far as the host knows).
        unknown: says whether an address is one no host knows.
    """

    def __init__(
        self,
        random: Random,
        taken: Callable[..., None],
        unknown: Callable[[str], bool],
    ) -> None:
        self._random = random
        self.taken = taken
        self.unknown = unknown
        self.hosts: dict[str, Host] = {}
        self.wires: set[Wire] = set()
        self.shortage = 0.0  # the chance that this machine has no descriptor

    def host(self, name: str, address: str) -> Host:
        host = self.hosts[address] = Host(name, address, self._random)
        return host

    async def connect(
        self,
        factory: Callable[[], Any],
        host: str,
        port: int,
        source: str = "*",
        *,
        within: float,
    ) -> tuple[Any, Any]:
        """Stand in for `net.address.connect`."""
        process = asyncio.get_running_loop()
        assert isinstance(process, Process)
        random = self._random
        if random.random() < self.shortage:
            if random.random() < 0.5:
                raise ShortageError("no connection possible", host=host)
            raise NoRouteError("no route", host=host, source=source)
        there = self.hosts[host]
        if random.random() < there.mood.hang:
            await asyncio.sleep(within)
            raise TimeoutError
        await asyncio.sleep(random.random() * 0.05)
        if random.random() < there.mood.refuse:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "refused")
        wire = Wire(self, process, there, factory())
        self.wires.add(wire)
        wire.session.connection_made(wire)
        wire.begin()
        return wire, wire.session

    def lose(self, process: Process) -> None:
        """The process is gone, and its connections with it."""
        for wire in [each for each in self.wires if each._process is process]:
            self.wires.discard(wire)
            wire.host.open.discard(wire)
