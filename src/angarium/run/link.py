"""What a supervisor and its children say to each other, and the pipe they say it through.

A child is started with two inherited sockets. On the *link*, a stream, both sides send frames:
four octets of length, then one message in msgpack. On the *fds*, a sequence of packets, the
supervisor hands over file descriptors, each with its label; a message which needs descriptors is
sent after them. End of file on the link means that the other side is gone.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Final, cast

import msgspec

from angarium.config.held import Held
from angarium.core.errors import Error
from angarium.events.signing import Signed

VERSION: Final = 2  # of what is said here; raised when one side would not understand the other
MAX_FRAME: Final = 64 << 20  # a configuration snapshot is the largest thing sent
MAX_FDS: Final = 1  # per packet, so that a label belongs to one descriptor
_LENGTH: Final = struct.Struct("!I")


class LinkError(Error):
    """The other side sent what is no message of ours."""


class Start(msgspec.Struct, tag=True, frozen=True):
    """The first message to a child: everything it needs to know."""

    number: int
    workers: int
    state: str
    generation: int
    snapshot: bytes
    shards: list[str]  # the first takes new mail
    poison: list[int] = []  # recipients over which workers died: quarantine them
    descriptors: list[str] = []  # labels of those which were sent before this
    held: Held = msgspec.field(default_factory=Held)  # files which only root may read


class Ready(msgspec.Struct, tag=True, frozen=True):
    """The child does its work; a worker accepts connections."""


class Prepare(msgspec.Struct, tag=True, frozen=True):
    """First phase of a reload: build this generation, keep the old one."""

    generation: int
    snapshot: bytes
    descriptors: list[str] = []  # labels of those which were sent before this
    held: Held = msgspec.field(default_factory=Held)


class Prepared(msgspec.Struct, tag=True, frozen=True):
    """Answer to Prepare; `refusal` is empty if the generation can be committed."""

    generation: int
    refusal: str = ""


class Commit(msgspec.Struct, tag=True, frozen=True):
    """Second phase: the prepared generation holds from now on.

    `reload`: sessions of those before it have to end, also where nothing of theirs has changed.
    """

    generation: int
    reload: bool = True


class Abort(msgspec.Struct, tag=True, frozen=True):
    """Another child refused: forget the prepared generation."""

    generation: int


class Adopt(msgspec.Struct, tag=True, frozen=True):
    """Take these shard directories over."""

    shards: list[str]
    poison: list[int] = []


class Adopted(msgspec.Struct, tag=True, frozen=True):
    """The worker has found everything in a shard it was to take over, or could not, and why."""

    shard: str
    refusal: str = ""


class Released(msgspec.Struct, tag=True, frozen=True):
    """The worker has emptied this shard and gives it up; its directory may be removed."""

    shard: str


class Quarantined(msgspec.Struct, tag=True, frozen=True):
    """The worker has put a message aside over which workers died."""

    ident: int


class Counted(msgspec.Struct, tag=True, frozen=True):
    """The last words of a worker which leaves: what it has counted (`console/statistics`)."""

    names: dict[str, float]
    bindings: dict[str, list[int]]
    signed: dict[str, Signed] = {}


class Reopen(msgspec.Struct, tag=True, frozen=True):
    """Close and open the log files."""


class Drain(msgspec.Struct, tag=True, frozen=True):
    """Take no new connections, finish what is in flight for so long, close, exit."""

    seconds: float


class Alarm(msgspec.Struct, tag=True, frozen=True):
    """Something an operator must see, from a child."""

    text: str


class Renewed(msgspec.Struct, tag=True, frozen=True):
    """Certificates have new contents: whoever shows them has to read them again."""


class Told(msgspec.Struct, tag=True, frozen=True):
    """A line of the service log, for who watches over it."""

    level: str
    text: str
    fields: dict[str, str] = {}


class Post(msgspec.Struct, tag=True, frozen=True):
    """Mail of our own, to be taken in; `number` comes back with the answer."""

    number: int
    recipients: list[str]
    content: bytes  # ASCII, with CRLF


class Posted(msgspec.Struct, tag=True, frozen=True):
    """Answer to Post; `refusal` is empty if the mail is on disk."""

    number: int
    refusal: str = ""


class Asked(msgspec.Struct, tag=True, frozen=True):
    """A question of the console (`console/question`); `number` comes back with all that is said."""

    number: int
    name: str
    arguments: bytes


class Meanwhile(msgspec.Struct, tag=True, frozen=True):
    """The child works on a question; these lines are for who has asked."""

    number: int
    lines: list[str] = []


class Answered(msgspec.Struct, tag=True, frozen=True):
    """A piece of an answer, or the reason why there is none. The one with `last` ends it."""

    number: int
    piece: bytes = b""
    last: bool = True
    refusal: str = ""


class Withdrawn(msgspec.Struct, tag=True, frozen=True):
    """Nobody waits for the answer to this question any more; 0: to any."""

    number: int = 0


Message = (
    Start
    | Ready
    | Prepare
    | Prepared
    | Commit
    | Abort
    | Adopt
    | Adopted
    | Released
    | Quarantined
    | Counted
    | Reopen
    | Drain
    | Alarm
    | Renewed
    | Told
    | Post
    | Posted
    | Asked
    | Meanwhile
    | Answered
    | Withdrawn
)
_DECODER: Final = msgspec.msgpack.Decoder(Message)
_ENCODER: Final = msgspec.msgpack.Encoder()


def frame(message: Message) -> bytes:
    """Return a message as it is sent."""
    encoded = _ENCODER.encode(message)
    return _LENGTH.pack(len(encoded)) + encoded


class Frames:
    """Messages out of octets, however they were cut."""

    __slots__ = ("_data",)

    def __init__(self, data: bytes = b"") -> None:
        self._data = bytearray(data)

    @property
    def rest(self) -> bytes:
        """Return the beginning of a message, which waits for its end."""
        return bytes(self._data)

    def feed(self, data: bytes) -> list[Message]:
        """Return the messages completed by `data`. Raises LinkError."""
        self._data += data
        messages = []
        while len(self._data) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._data)
            if length > MAX_FRAME:
                raise LinkError("frame too long", length=length)
            if len(self._data) < _LENGTH.size + length:
                break
            encoded = bytes(self._data[_LENGTH.size : _LENGTH.size + length])
            del self._data[: _LENGTH.size + length]
            try:
                messages.append(_DECODER.decode(encoded))
            except msgspec.DecodeError as error:
                raise LinkError("not a message", reason=str(error)) from error
        return messages


class Link(asyncio.Protocol):
    """One end of the pipe between a supervisor and a child.

    What is sent before it is connected is kept until then.

    Args:
        heard: what came of a message before.
    """

    def __init__(
        self,
        received: Callable[[Message], None],
        closed: Callable[[], None],
        heard: bytes = b"",
    ) -> None:
        self._received = received
        self._closed = closed
        self._frames = Frames(heard)
        self._early: list[bytes] | None = []
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        early, self._early = self._early, None
        self._transport.writelines(early or ())

    def data_received(self, data: bytes) -> None:
        for message in self._frames.feed(data):
            self._received(message)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._closed()

    def send(self, message: Message) -> None:
        """Send, or drop it silently if the other side is gone: `closed` tells."""
        if self._transport is not None:
            self._transport.write(frame(message))
        elif self._early is not None:
            self._early.append(frame(message))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    @property
    def at_rest(self) -> bool:
        """Say whether it is open, and all that was sent is with the kernel."""
        return self._transport is not None and not self._transport.get_write_buffer_size()

    @property
    def clogged(self) -> bool:
        """Say whether the other side does not take what was sent."""
        return self._transport is not None and self._transport.get_write_buffer_size() > 0

    def pause(self) -> bytes:
        """Hear nothing from now on; return what was heard of a message."""
        if self._transport is not None:
            self._transport.pause_reading()
        return self._frames.rest

    def resume(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()


def pair() -> tuple[tuple[socket.socket, socket.socket], tuple[socket.socket, socket.socket]]:
    """Return ((our link, our fds), (its link, its fds))."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    our_fds, its_fds = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return (ours, our_fds), (its, its_fds)


def send_descriptor(over: socket.socket, label: str, descriptor: int) -> None:
    """Hand a descriptor to the child at the other end, under a label."""
    socket.send_fds(over, [label.encode()], [descriptor])


def receive_descriptors(over: socket.socket) -> dict[str, int]:
    """Take all descriptors which wait, by label; never blocks."""
    found: dict[str, int] = {}
    over.setblocking(False)
    while True:
        try:
            label, descriptors, _, _ = socket.recv_fds(over, 4096, MAX_FDS)
        except BlockingIOError:
            return found
        if not descriptors:
            return found
        found[label.decode()] = descriptors[0]
