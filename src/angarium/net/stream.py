"""Drives a wire session over a transport; the only driver there is.

    class Inbound(Stream):
        def opened(self): ...                    the transport is there; then `advance` is called
        def advance(self) -> Turn: ...           work off the events of the session, answer them
        def lost(self, error): ...               the connection is gone, called once
        def expired(self, which: Expiry): ...    a timer ran out; by default the connection is reset

For each read: the octets go to the session, `advance` is called, what the session has to send is
written in one piece. An answer which comes later (policy, disk) is given to the session and then
`pump()` is called. The rule which keeps memory bounded: octets are taken from the peer only while
the session wants them and the peer takes ours.

Bound of a connection, in octets: `unread` plus one read of the loop (256 KiB with uvloop) which
wait for the session, `unsent` plus the answers of one `advance` which wait for the peer.
"""

import asyncio
import enum
from dataclasses import dataclass
from typing import Final, Protocol, cast

from angarium.net.sweep import NEVER, Sweep


class Session(Protocol):
    """The part of a wire session which the driver needs."""

    def receive(self, data: bytes) -> None:
        """Take octets from the peer."""
        ...

    def data_to_send(self) -> bytes:
        """Give, once, the octets for the peer."""
        ...


class Turn(enum.Enum):
    """Whose turn it is when `advance` returns."""

    HUNGRY = "the peer's: all is understood and answered"
    DUE = "ours: an answer is due, and pump() will be called when it is there"
    MORE = "the driver's: send what is there, then advance again"


class Expiry(enum.Enum):
    """Which timer ran out."""

    IDLE = "nothing came from the peer"
    DEADLINE = "the deadline set by the owner passed"
    SLOW = "the peer sends more slowly than the minimum rate"
    STUCK = "the peer does not take what we send"


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits of a connection, shared by all of a listener."""

    unread: int = 65536  # octets taken in while an answer is due, before reading stops
    unsent: int = 65536  # octets the peer has not taken, before answering stops
    idle: float = 300.0  # seconds; RFC 5321 section 4.5.3.2.7 wants at least 5 minutes
    stuck: float = 60.0  # seconds the peer may leave our octets untaken
    # Seconds over which a minimum rate is measured: long enough for a retransmission or two.
    window: float = 15.0
    # Seconds which a hung up peer gets to read our last words before the reset.
    linger: float = 2.0


DEFAULT_BOUNDS: Final = Bounds()


class Stream(asyncio.Protocol):
    """One connection. Subclasses override `opened`, `advance`, `lost`, `expired`."""

    __slots__ = (
        "_abort_at",
        "_due",
        "_ended",
        "_heard",
        "_paused",
        "_pumping",
        "_rate",
        "_rate_from",
        "_rate_octets",
        "_stuck_since",
        "_sweep",
        "_waiting",
        "bounds",
        "deadline",
        "idle",
        "received",
        "sent",
        "session",
        "slot",
        "transport",
    )

    def __init__(self, session: Session, sweep: Sweep, bounds: Bounds = DEFAULT_BOUNDS) -> None:
        self.session = session
        self.bounds = bounds
        self.idle = bounds.idle  # may be changed at any time; holds from the next look
        self.deadline = NEVER  # monotonic; set it by set_deadline()
        self.received = 0  # octets
        self.sent = 0
        self.slot = 0  # the sweep's
        self.transport: asyncio.Transport | None = None
        self._sweep = sweep
        self._due = False  # an answer is due by us
        self._ended = False  # the peer will send no more
        self._paused = False  # we read nothing for now
        self._pumping = False
        self._waiting = 0  # octets received since the session was last hungry
        self._heard = self._rate_from = sweep.now()
        self._rate = self._rate_octets = 0
        self._stuck_since = NEVER
        self._abort_at = NEVER  # set: we are closing

    @property
    def quiet_seconds(self) -> float:
        """Return how long nothing has come."""
        return self._sweep.now() - self._heard

    # What a subclass says.

    def opened(self) -> None:
        """The transport is there, nothing is read or written yet."""

    def advance(self) -> Turn:
        """Work off the session's events, until it wants octets or an answer is due."""
        raise NotImplementedError

    def lost(self, error: Exception | None) -> None:
        """The connection is gone. None: it was closed by us, or in good order by the peer."""

    def expired(self, which: Expiry) -> None:
        """A timer ran out. May answer and `hang_up`; the timer is off or has been restarted."""
        self.abort()

    # What a subclass may do.

    def use(self, transport: asyncio.Transport) -> None:
        """Go on with another transport, which stands before the one at hand and reads from it."""
        self.transport = transport
        self._paused = False

    def pump(self) -> None:
        """Advance, write what the session has to send, and read or not, as it then stands."""
        transport = self.transport
        if self._pumping or transport is None or self._abort_at < NEVER:
            return
        self._pumping = True
        try:
            turn = Turn.MORE
            while turn is Turn.MORE and self._stuck_since == NEVER:
                turn = self.advance()
                if self._abort_at < NEVER:
                    return  # Our last words are sent; what was said after them is not.
                if data := self.session.data_to_send():
                    self.sent += len(data)
                    transport.write(data)
        finally:
            self._pumping = False
        if turn is Turn.HUNGRY:
            if self._due:
                # The peer waited for us, hence was not idle.
                self._due, self._heard = False, self._sweep.now()
                self._rate_from, self._rate_octets = self._heard, self.received
            self._waiting = 0
            if self._ended:
                self.close()
                return
        else:
            self._due = True
        if self._paused:
            self._read_or_not()

    def close(self) -> None:
        """Close when all is sent, at the latest after `bounds.stuck` seconds."""
        if self.transport is not None and self._abort_at == NEVER:
            self._flush()
            self._begin_closing(self.bounds.stuck)
            self.transport.close()

    def hang_up(self) -> None:
        """Close on a peer which may be sending, so that it gets our last words.

        A plain close with octets unread makes the kernel send a reset, which may overtake the
        421 in the peer's buffers. So we send FIN, read on and forget what comes, for a moment.
        """
        transport = self.transport
        if transport is None or self._abort_at < NEVER:
            return
        if not transport.can_write_eof() or self._ended:
            self.close()
            return
        self._flush()
        self._begin_closing(self.bounds.linger)
        transport.write_eof()
        if self._paused:
            self._paused = False
            transport.resume_reading()

    def abort(self) -> None:
        """Close at once, with a reset where the system sends one; what is unsent is lost."""
        if self.transport is not None:
            self._abort_at = min(self._abort_at, self._sweep.now())
            self.transport.abort()

    @property
    def closing(self) -> bool:
        return self._abort_at < NEVER

    @property
    def stuck(self) -> bool:
        """Whether more is unsent than the bound; then `advance` is not called."""
        return self._stuck_since < NEVER

    def set_deadline(self, at: float) -> None:
        """Call `expired(DEADLINE)` at the monotonic time `at`; NEVER takes it off."""
        self.deadline = at
        self._sweep.add(self, at)

    def demand_rate(self, octets_per_second: int) -> None:
        """From now on the peer must send at least so many octets a second; 0: it need not.

        Time in which an answer is due by us, or we do not read, does not count against it.
        """
        self._rate = octets_per_second
        if octets_per_second:
            self._rate_from, self._rate_octets = self._sweep.now(), self.received
            self._sweep.add(self, self._rate_from + self.bounds.window)

    # What the loop says.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(high=self.bounds.unsent)
        self.opened()  # and there learn the bounds
        self._sweep.add(self, self._heard + self.idle)
        self.pump()

    def data_received(self, data: bytes) -> None:
        if self._abort_at < NEVER:
            return  # We hung up, or the owner closes.
        size = len(data)
        self.received += size
        self._waiting += size
        self._heard = self._sweep.now()
        self.session.receive(data)
        if not self._due and self._stuck_since == NEVER:
            self.pump()
        if self._waiting > self.bounds.unread:
            self._read_or_not()

    def eof_received(self) -> bool:
        # A peer may say all it has to say, half-close, and still read our answers.
        self._ended = True
        if self._abort_at < NEVER:
            return False
        if not self._due:
            self.pump()
        return self._abort_at == NEVER

    def pause_writing(self) -> None:
        self._stuck_since = self._sweep.now()
        self._sweep.add(self, self._stuck_since + self.bounds.stuck)
        self._read_or_not()

    def resume_writing(self) -> None:
        self._stuck_since = NEVER
        self.pump()
        self._read_or_not()

    def connection_lost(self, exc: Exception | None) -> None:
        self._sweep.remove(self)
        self.transport = None
        self._abort_at = min(self._abort_at, self._heard)
        self.lost(exc)

    # Timers, by the sweep.

    def look(self, now: float) -> float:
        """Find the timer which ran out, if any; return when to look again."""
        bounds = self.bounds
        if self._abort_at < NEVER:
            if now >= self._abort_at:
                self.abort()
            return NEVER if self.transport is None else max(self._abort_at, now + 1.0)
        which = self._over(now)
        if which is not None:
            self.expired(which)
            if self.transport is None:
                return NEVER
            if self._abort_at < NEVER:
                return self._abort_at
        at = self.deadline
        if not self._due:
            at = min(at, self._heard + self.idle)
        if self._rate:
            at = min(at, self._rate_from + bounds.window)
        at = min(at, self._stuck_since + bounds.stuck)
        # While an answer is due nothing may be timed: the look comes back all the same.
        return at if at < NEVER else now + bounds.window

    def _over(self, now: float) -> Expiry | None:
        if now >= self._stuck_since + self.bounds.stuck:
            self._stuck_since = now
            return Expiry.STUCK
        if now >= self.deadline:
            self.deadline = NEVER
            return Expiry.DEADLINE
        if self._rate and now >= self._rate_from + self.bounds.window:
            came, took = self.received - self._rate_octets, now - self._rate_from
            self._rate_from, self._rate_octets = now, self.received
            if came < self._rate * took and not self._due and not self._paused:
                return Expiry.SLOW
        if not self._due and now >= self._heard + self.idle:
            self._heard = now
            return Expiry.IDLE
        return None

    # Inside.

    def _flush(self) -> None:
        if self.transport is not None and (data := self.session.data_to_send()):
            self.sent += len(data)
            self.transport.write(data)

    def _begin_closing(self, seconds: float) -> None:
        self._abort_at = self._sweep.now() + seconds
        self._sweep.add(self, self._abort_at)

    def _read_or_not(self) -> None:
        transport = self.transport
        if transport is None or self._abort_at < NEVER:
            return
        full = self._stuck_since < NEVER or (self._due and self._waiting > self.bounds.unread)
        if full and not self._paused:
            self._paused = True
            transport.pause_reading()
        elif not full and self._paused:
            self._paused = False
            transport.resume_reading()
