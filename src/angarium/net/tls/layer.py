"""TLS between a transport and a protocol: the same for both sides, and for every loop.

    layer = secure(transport, protocol, context, handshakes, server_side=True, ready=secured)

Upward the layer is the protocol's transport, downward it is the transport's protocol. `ready` is
called when the connection is secure; for one which begins with TLS it is `connection_made`. What is
written before waits. A failure is told by `connection_lost`, as every end is, with a `TlsError`.

The rule which keeps it simple: the layer holds nothing back that can go on. Octets which came are
decrypted at once unless the protocol pauses reading, then the transport is paused as well; octets
to be sent are encrypted at once unless the transport is full, then the protocol is.

There is no half-close: after `write_eof` the peer hears that we have ended, and what it still sends
is thrown away unread. An end without close_notify counts as an end: SMTP has its own end of all
that matters, and many peers never send one.

Bound of a connection, in octets: one read of the loop in cipher text (256 KiB with uvloop), a
slice of it in OpenSSL's buffers (`_SLICE`, and a third more), and what the protocol wrote and the
transport did not take.
"""

import asyncio
import contextlib
import enum
import ssl
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from angarium.net.tls.errors import HandshakeError, TlsError, Trouble, explained, peer_of
from angarium.net.tls.facts import EXTRA, Facts, facts
from angarium.net.tls.handshakes import Handshakes

RECORD: Final = 16384  # octets of content in a record, at most (RFC 8446 section 5.1)
# Octets given to OpenSSL at once: its buffers grow to it, and never shrink.
_SLICE: Final = 2 * RECORD
# A chain of certificates is some 5 KB. OpenSSL takes no more than 100 KB of it, and that is ours.
HANDSHAKE_OCTETS: Final = 131072
# Octets which may wait for our turn in the handshakes.
_MOST_RAW: Final = 65536
HANDSHAKE_SECONDS: Final = 30.0


# Seconds in which a peer whose TLS failed takes the alert, before the reset.
_LINGER_SECONDS: Final = 2.0


class _State(enum.Enum):
    SHAKING = "the handshake is under way"
    OPEN = "secure"
    ENDING = "we have ended, or will when all is sent; what comes is thrown away"
    OVER = "failed"


SHAKING, OPEN, ENDING, OVER = _State  # as names of the module, which cost a tenth


@dataclass(slots=True)
class _Terms:
    """What a connection is made secure by."""

    context: ssl.SSLContext
    server_side: bool
    server_hostname: str | None
    session: ssl.SSLSession | None

    def made(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO) -> ssl.SSLObject:
        session, self.session = self.session, None
        return self.context.wrap_bio(
            incoming, outgoing, self.server_side, self.server_hostname, session
        )


class TlsLayer(asyncio.Transport, asyncio.Protocol):
    """One connection; made by `secure`."""

    __slots__ = (
        "_closing", "_due", "_ended", "_eof", "_error", "_handshakes", "_held", "_incoming",
        "_loop", "_lost", "_object", "_outgoing", "_paused", "_protocol", "_raw", "_ready",
        "_shook", "_stalled", "_state", "_terms", "_timer", "_transport", "_unsent",
    )  # fmt: skip

    def __init__(
        self,
        transport: asyncio.Transport,
        protocol: asyncio.Protocol,
        terms: _Terms,
        handshakes: Handshakes,
        ready: Callable[["TlsLayer"], None] | None,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__()
        self._transport = transport
        self._protocol = protocol
        self._terms = terms
        self._handshakes = handshakes
        self._ready = ready
        self._loop = loop
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._object: ssl.SSLObject | None = None  # made when there is something to do for it
        self._state = SHAKING
        self._shook = 0  # octets given to OpenSSL for the handshake
        self._raw = b""  # came, and is not given to OpenSSL yet
        self._due = False  # we wait for our turn in `handshakes`
        self._eof = False  # meanwhile the peer has ended
        self._unsent: deque[memoryview] = deque()  # written, and not encrypted yet
        self._held = False  # the protocol was told to pause writing
        self._stalled = False  # we were told so by the transport
        self._paused = False  # the protocol reads nothing
        self._ended = False  # the peer will send no more, and the protocol knows
        self._closing = False  # with ENDING: not only our side of it
        self._lost = False
        self._error: TlsError | None = None
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, seconds: float) -> None:
        """Begin the handshake, which may take so long; called by `secure`."""
        self._handshakes.begin(self)
        self._timer = self._loop.call_later(seconds, self._too_late)
        self._transport.set_protocol(self)
        self._transport.resume_reading()
        if not self._terms.server_side:
            self._due = True
            self._handshakes.due(self)

    # What is known of the connection.

    @property
    def secure(self) -> bool:
        """Whether the handshake is done, and the connection not over."""
        return self._state is OPEN

    @property
    def facts(self) -> Facts:
        """Return what the handshake has agreed on; before it is done there is nothing in it."""
        return Facts() if self._object is None else facts(self._object)

    @property
    def session(self) -> ssl.SSLSession | None:
        """Return the session, for a client's next connection; with TLS 1.3 when it has read."""
        return self._object.session if self._object is not None else None

    # The transport of the protocol.

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        if self._object is not None and name in EXTRA:
            return EXTRA[name](self._object)
        return self._transport.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        assert isinstance(protocol, asyncio.Protocol)
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def is_closing(self) -> bool:
        return self._closing or self._state is OVER or self._transport.is_closing()

    def is_reading(self) -> bool:
        return not self._paused and not self._lost

    def pause_reading(self) -> None:
        if not self._paused and not self._lost:
            self._paused = True
            if self._state is not SHAKING:
                self._transport.pause_reading()

    def resume_reading(self) -> None:
        if not self._paused or self._lost:
            return
        self._paused = False
        if self._raw or self._incoming.pending:
            # Not from here: who resumes may be at work on what came before.
            self._loop.call_soon(self._go_on)
        else:
            self._transport.resume_reading()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._transport.set_write_buffer_limits(high=high, low=low)

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._transport.get_write_buffer_limits()

    def get_write_buffer_size(self) -> int:
        return self._transport.get_write_buffer_size() + sum(map(len, self._unsent))

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not data or self._state is ENDING or self._state is OVER or self._lost:
            return
        self._unsent.append(memoryview(data if isinstance(data, bytes) else bytes(data)))
        if self._state is OPEN and not self._stalled:
            self._drain()

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        # In one piece, as each piece would be a record of its own.
        self.write(b"".join(list_of_data))

    def can_write_eof(self) -> bool:
        return self._state is OPEN and self._transport.can_write_eof()

    def write_eof(self) -> None:
        """End our side when all is sent; what still comes is thrown away from now on."""
        if self._state is OPEN:
            self._end()

    def close(self) -> None:
        if self._closing or self._lost:
            return
        self._closing = True
        if self._state is SHAKING:
            self._fail(Trouble.GIVEN_UP, "closed by us")
        elif self._state is OPEN:
            self._end()
        elif not self._unsent:
            self._transport.close()

    def abort(self) -> None:
        self._transport.abort()

    # The protocol of the transport.

    def data_received(self, data: bytes) -> None:
        if self._ended:
            return
        if self._state is OPEN:
            self._raw = self._raw + data if self._raw else data
            if not self._paused:
                self._take()
        elif self._state is SHAKING:
            self._raw = self._raw + data if self._raw else data
            if len(self._raw) > _MOST_RAW:
                self._transport.pause_reading()
            if not self._due:
                self._due = True
                self._handshakes.due(self)

    def eof_received(self) -> bool:
        if self._state is SHAKING:
            self._eof = True
            if not self._due:
                self._fail(Trouble.CLOSED, "end of file")
        elif self._state is OPEN:
            self._peer_ended()
        return self._state is not OVER and (self._state is not ENDING or bool(self._unsent))

    def pause_writing(self) -> None:
        self._stalled = True
        if not self._held:
            self._held = True
            self._protocol.pause_writing()

    def resume_writing(self) -> None:
        self._stalled = False
        self._drain()  # which may stall again
        if self._held and not self._stalled:
            self._held = False
            self._protocol.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        if self._state is SHAKING:
            reason = (exc.strerror if isinstance(exc, OSError) else None) or "connection lost"
            self._fail(Trouble.CLOSED, reason)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._raw = b""
        self._unsent.clear()
        self._protocol.connection_lost(self._error or exc)

    # The handshake.

    def step(self) -> None:
        """Go on with the handshake; called by `handshakes` when it is our turn."""
        self._due = False
        if self._state is not SHAKING:
            return
        try:
            done = self._shake(self._made())
        except ssl.SSLError as error:
            self._flush()  # the alert
            self._fail(*explained(error))
        except ValueError as error:
            self._fail(Trouble.PROTOCOL, f"this is no name for a host: {error}")
        else:
            if done:
                self._opened()  # What is said at once leaves with the end of the handshake.
            self._flush()
            if not done:
                self._not_yet()

    def _not_yet(self) -> None:
        """Wait for more of the handshake, if there may be more."""
        if self._shook > HANDSHAKE_OCTETS:
            self._fail(Trouble.TOO_MUCH, f"more than {HANDSHAKE_OCTETS} octets")
        elif self._eof:
            self._fail(Trouble.CLOSED, "end of file")
        elif not self._lost:
            self._transport.resume_reading()

    def _made(self) -> ssl.SSLObject:
        if self._object is None:
            self._object = self._terms.made(self._incoming, self._outgoing)
        return self._object

    def _shake(self, tls: ssl.SSLObject) -> bool:
        """Do what can be done by what has come; return whether it is all."""
        while True:
            piece, self._raw = self._raw[:_SLICE], self._raw[_SLICE:]
            self._shook += len(piece)
            self._incoming.write(piece)
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                if not self._raw:
                    return False
            else:
                return True

    def _opened(self) -> None:
        self._state = OPEN
        self._shaken()
        ready, self._ready = self._ready, None
        if ready is not None:
            ready(self)
        self._drain()
        self._go_on()
        if self._eof:
            self.eof_received()

    def _shaken(self) -> None:
        self._handshakes.end(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def give_way(self) -> None:
        """Give the handshake up, as others need the place; called by `handshakes`."""
        self._fail(Trouble.CROWDED, "others needed its place")

    def _too_late(self) -> None:
        self._timer = None
        self._fail(Trouble.TIMEOUT, "too slow")

    # Reading.

    def _take(self) -> None:
        """Decrypt what has come, slice by slice, as long as the protocol reads."""
        raw = self._raw
        if len(raw) <= _SLICE:
            self._raw = b""
            self._incoming.write(raw)
            self._pull()
            return
        self._raw, view, at = b"", memoryview(raw), 0
        while at < len(raw) and self._state is OPEN and not self._paused:
            self._incoming.write(view[at : at + _SLICE])
            at += _SLICE
            self._pull()
        if self._state is OPEN:
            self._raw = raw[at:]

    def _pull(self) -> None:
        """Give the protocol in one piece what OpenSSL makes of what it was given."""
        assert self._object is not None
        read, pending, incoming = self._object.read, self._object.pending, self._incoming
        pieces: list[bytes] = []
        over = False
        failure: ssl.SSLError | None = None
        try:
            while incoming.pending or pending():
                piece = read(RECORD)
                if not piece:
                    over = True
                    break
                pieces.append(piece)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            failure = error
        self._flush()
        if pieces:
            self._protocol.data_received(pieces[0] if len(pieces) == 1 else b"".join(pieces))
        if failure is not None and self._state is OPEN:
            self._fail(*explained(failure))
        elif over and self._state is OPEN:
            self._peer_ended()

    def _go_on(self) -> None:
        """Read: first what has come already. Or do not, if it is paused."""
        if self._state is OPEN and not self._paused and (self._raw or self._incoming.pending):
            self._take()
        if self._lost:
            return
        if self._paused:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _peer_ended(self) -> None:
        if not self._ended:
            self._ended = True
            if not self._protocol.eof_received():
                self.close()

    # Writing.

    def _drain(self) -> None:
        """Encrypt what waits, as long as the transport takes it."""
        if self._object is None or self._state is SHAKING or self._state is OVER:
            return
        write, unsent = self._object.write, self._unsent
        try:
            while unsent and not self._stalled:
                view = unsent.popleft()
                sent = write(view if len(view) <= RECORD else view[:RECORD])
                if sent < len(view):
                    unsent.appendleft(view[sent:])
                if not unsent or self._outgoing.pending >= _SLICE:
                    self._flush()
        except ssl.SSLError as error:
            self._fail(*explained(error))
        else:
            if self._state is ENDING and not unsent:
                self._take_leave()

    def _flush(self) -> None:
        if self._outgoing.pending and not self._lost:
            self._transport.write(self._outgoing.read())

    # The end.

    def _end(self) -> None:
        self._state = ENDING
        self._raw = b""
        if not self._unsent:
            self._take_leave()

    def _take_leave(self) -> None:
        """All is sent: say so by close_notify, and do not wait for the peer's."""
        assert self._object is not None
        # It wants the peer's word, which it will not get, or has octets nobody reads any more.
        with contextlib.suppress(ssl.SSLError):
            self._object.unwrap()
        self._flush()
        if self._closing:
            self._transport.close()
        else:
            self._transport.write_eof()

    def _fail(self, trouble: Trouble, reason: str, verify_code: int = 0) -> None:
        shaking = self._state is SHAKING
        kind = HandshakeError if shaking else TlsError
        self._error = kind(trouble, reason, peer_of(self._transport), verify_code)
        if shaking:
            self._shaken()
        self._state = OVER
        self._raw = b""
        self._unsent.clear()
        if not self._lost:
            self._transport.close()
            self._timer = self._loop.call_later(_LINGER_SECONDS, self._transport.abort)


def secure(
    transport: asyncio.Transport,
    protocol: asyncio.Protocol,
    context: ssl.SSLContext,
    handshakes: Handshakes,
    *,
    server_side: bool = False,
    server_hostname: str | None = None,
    session: ssl.SSLSession | None = None,
    seconds: float = HANDSHAKE_SECONDS,
    ready: Callable[[TlsLayer], None] | None = None,
) -> TlsLayer:
    """Put TLS between a raw transport and its protocol, from now on.

    What the transport brought before belongs to the caller, who has to forget what came in clear.

    Args:
        handshakes: those of this loop.
        server_hostname: of the peer, for SNI and for contexts which check it; clients only.
        session: of an earlier connection by the same context; clients only.
        seconds: after which the handshake is given up.
        ready: called once when it is done; without it, the protocol's `connection_made` is.
    """
    layer = TlsLayer(
        transport,
        protocol,
        _Terms(context, server_side, server_hostname, session),
        handshakes,
        protocol.connection_made if ready is None else ready,
        asyncio.get_running_loop(),
    )
    layer.begin(seconds)
    return layer
