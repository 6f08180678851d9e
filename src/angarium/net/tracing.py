"""Who listens to sessions of SMTP: operators, for a time, and of some connections only.

    if services.tracing.tracers: ...            all that a connection pays while nobody listens

A tracer ends by itself, after a time or a number of octets; nobody has to remember it. A new
connection asks whether somebody wants it; one which is open already is not traced.
"""

import ipaddress
import time
from collections.abc import Callable
from typing import Final

from angarium.core.clock import Clock
from angarium.core.ident import printed
from angarium.net.stream import Session
from angarium.wire.transcript import Transcript

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Key = tuple[str, str, str]
ANY: Final = "*"
IN, OUT = "in", "out"


def nothing() -> None:
    """Nothing is left to be closed."""


class Tracer:
    """Somebody who listens.

    Args:
        way: IN, OUT, or ANY.
        binding: by its name; with `domain` of connections to hosts only.
        network: in which the other side is.
        tell: takes a line.
        until: monotonic.
        octets: of lines which are told, then it ends.
        end: called when it has ended.
    """

    __slots__ = ("binding", "domain", "end", "left", "name", "network", "tell", "until", "way")

    def __init__(
        self,
        tell: Callable[[str], None],
        until: float,
        octets: int,
        *,
        way: str = ANY,
        binding: str = ANY,
        domain: str = ANY,
        network: Network | None = None,
        name: str = "",
        end: Callable[[], None] = nothing,
    ) -> None:
        self.tell = tell
        self.until = until
        self.left = octets
        self.way = way
        self.binding = binding
        self.domain = domain
        self.network = network
        self.name = name
        self.end = end

    def wants(self, way: str, key: Key, address: str) -> bool:
        """Say whether a connection is one of those it is about."""
        if self.way not in (ANY, way) or (self.network is not None and not self._near(address)):
            return False
        named = self.binding in (ANY, key[1]) and self.domain in (ANY, key[2])
        return named or (way == IN and self.binding == self.domain == ANY)

    def _near(self, address: str) -> bool:
        try:
            return self.network is not None and ipaddress.ip_address(address) in self.network
        except ValueError:
            return False


class Recorder:
    """What is said on one connection, told to those who want it."""

    __slots__ = ("_clock", "_name", "_tracers", "_tracing", "_transcript")

    def __init__(
        self, tracing: "Tracing", tracers: list[int], name: str, clock: Clock, opened: str
    ) -> None:
        self._tracing = tracing
        self._tracers = tracers
        self._name = name
        self._clock = clock
        self._transcript = Transcript()
        self._tell([opened])

    def client(self, octets: bytes) -> None:
        if self._tracers:
            self._tell(self._transcript.client(octets))

    def server(self, octets: bytes) -> None:
        if self._tracers:
            self._tell(self._transcript.server(octets))

    def note(self, text: str) -> None:
        """Tell what nobody has said."""
        self._tell([text])

    def closed(self) -> None:
        self._tell(["closed"])

    def _tell(self, lines: list[str]) -> None:
        if not lines:
            return
        at = self._clock.time()
        stamp = f"{time.strftime('%H:%M:%S', time.localtime(at))}.{int(at % 1 * 1000):03}"
        text = "\n".join(f"{stamp} {self._name} {line}" for line in lines)
        self._tracers = [each for each in self._tracers if self._tracing.tell(each, text)]


class Tracing:
    """Those who listen, in one worker, by their numbers."""

    __slots__ = ("_clock", "tracers")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.tracers: dict[int, Tracer] = {}

    def wanted(self, way: str, key: Key, address: str) -> list[int]:
        """Return who wants to hear a connection."""
        return [n for n, each in self.tracers.items() if each.wants(way, key, address)]

    def recorder(
        self, way: str, key: Key, address: str, ident: int, opened: str
    ) -> Recorder | None:
        """Return what records a new connection; None if nobody wants it."""
        wanted = self.wanted(way, key, address)
        if not wanted:
            return None
        return Recorder(self, wanted, printed(ident), self._clock, opened)

    def inward(self, session: Session, address: str, ident: int) -> Session:
        """Return the session of a new client, as one which is recorded if somebody wants it."""
        recorder = self.recorder(IN, ("", "", ""), address, ident, f"from {address}")
        return session if recorder is None else Recorded(session, recorder)

    def tell(self, number: int, text: str) -> bool:
        """Tell a tracer something; say whether it is still there."""
        tracer = self.tracers.get(number)
        if tracer is None:
            return False
        tracer.left -= len(text) + 1
        if tracer.left < 0 or self._clock.monotonic() >= tracer.until:
            tracer.tell("(the trace ends here)")
            self.remove(number)
            return False
        tracer.tell(text)
        return True

    def sweep(self) -> None:
        """Forget those whose time is over."""
        now = self._clock.monotonic()
        for number in [n for n, each in self.tracers.items() if now >= each.until]:
            self.remove(number)

    def remove(self, number: int) -> bool:
        """End a tracer; say whether it was there."""
        tracer = self.tracers.pop(number, None)
        if tracer is not None:
            tracer.end()
        return tracer is not None


class Recorded:
    """A wire session of a client whose octets are recorded: a `net.stream.Session`."""

    __slots__ = ("_recorder", "_session")

    def __init__(self, session: Session, recorder: Recorder) -> None:
        self._session = session
        self._recorder = recorder

    def receive(self, data: bytes) -> None:
        self._recorder.client(data)
        self._session.receive(data)

    def data_to_send(self) -> bytes:
        data = self._session.data_to_send()
        if data:
            self._recorder.server(data)
        return data
