"""What a process which answers the network and a worker say to each other: questions, answers.

    worker   offer                       which endpoints it has; again with each change
    asker    ask, piece, piece ...       a question, and its content in pieces
    worker   reply, piece, piece ...     its answer; or
    worker   refuse                      why there is none: somebody else may be asked
    asker    withdraw                    nobody waits for the answer any more

A message is four octets of length and msgpack. Each `ask` is answered once, by a `reply` or a
`refuse`, also one that was withdrawn; so both sides know what is under way without counting time.
What there is to ask is a head with a type of its own: `HttpRequest`, and others beside it.

No input and output here: octets come in, things which happened come out (`Answerer`, `Asker`). The
rule: **whatever the other side says, memory is bounded**; what breaks a bound is no message, and
the connection ends. What an honest side may do at the wrong time, which is to ask too much, is
refused.
"""

import struct
from collections.abc import Iterator, Sequence
from typing import Final, Literal

import msgspec

from angarium.core.errors import Error

VERSION: Final = 1  # of what is said here; who hears another one asks nothing
MAX_FRAME: Final = 256 << 10
PIECE: Final = 64 << 10  # octets of a content in one frame
MOST_CONTENT: Final = 10 << 20  # octets of a question or an answer
MOST_OPEN: Final = 64  # questions at once, of one connection
MOST_OCTETS: Final = 64 << 20  # of all contents which are not whole yet
MOST_ENDPOINTS: Final = 256
_LENGTH: Final = struct.Struct("!I")

Why = Literal["busy", "leaving", "unknown", "withdrawn"]
Fields = list[tuple[bytes, bytes]]


class ChannelError(Error):
    """The other side sent what is no message, or more than it may."""


class Place(msgspec.Struct, frozen=True):
    """An endpoint: a method, "" for all of them, and the path at which it begins."""

    method: str
    path: str


class HttpRequest(msgspec.Struct, frozen=True, tag="http"):
    """A request by HTTP, but its content.

    Attributes:
        target: as it stands in the request line.
        path: of it, with what was in percent form decoded.
        fields: of the header, names in lower case.
        address: of the client; "" on a Unix socket.
        local: address and port which were connected to.
        seconds: for which an answer is waited for.
    """

    method: str
    target: str
    path: str
    fields: Fields
    address: str
    port: int
    local: tuple[str, int]
    seconds: float


class HttpResponse(msgspec.Struct, frozen=True, tag="http"):
    """The answer to it, but its content."""

    status: int
    fields: Fields


Question = HttpRequest
Answer = HttpResponse


class Offer(msgspec.Struct, frozen=True, tag="offer"):
    """What a worker can be asked. `leaving`: nothing any more, it only ends what it has."""

    version: int
    generation: int
    places: list[Place]
    leaving: bool = False


class Ask(msgspec.Struct, frozen=True, tag="ask"):
    """A question; `size` octets of content follow."""

    number: int
    head: Question
    size: int


class Reply(msgspec.Struct, frozen=True, tag="reply"):
    """An answer; `size` octets of content follow."""

    number: int
    head: Answer
    size: int


class Piece(msgspec.Struct, frozen=True, tag="piece"):
    """The next octets of a content; never none."""

    number: int
    data: bytes


class Refuse(msgspec.Struct, frozen=True, tag="refuse"):
    """There is no answer, and nothing was done."""

    number: int
    why: Why


class Withdraw(msgspec.Struct, frozen=True, tag="withdraw"):
    """Nobody waits for this any more."""

    number: int


Message = Offer | Ask | Reply | Piece | Refuse | Withdraw
_DECODER: Final["msgspec.msgpack.Decoder[Message]"] = msgspec.msgpack.Decoder(Message)
_ENCODER: Final = msgspec.msgpack.Encoder()


def frame(message: Message) -> bytes:
    """Return a message as it is sent. Raises ChannelError: it is too long."""
    encoded = _ENCODER.encode(message)
    if len(encoded) > MAX_FRAME:
        raise ChannelError("message too long", length=len(encoded))
    return _LENGTH.pack(len(encoded)) + encoded


class Frames:
    """Messages out of octets, however they were cut. After an error nothing more is read."""

    __slots__ = ("_data",)

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Yield the messages completed by `data`. Raises ChannelError."""
        self._data += data
        at = 0
        try:
            while len(self._data) - at >= _LENGTH.size:
                (length,) = _LENGTH.unpack_from(self._data, at)
                if length > MAX_FRAME:
                    raise ChannelError("frame too long", length=length)
                begin, end = at + _LENGTH.size, at + _LENGTH.size + length
                if len(self._data) < end:
                    break
                encoded = bytes(self._data[begin:end])
                at = end
                yield _decoded(encoded)
        finally:
            del self._data[:at]


def _decoded(encoded: bytes) -> Message:
    try:
        return _DECODER.decode(encoded)
    # A message has no depth; RecursionError is what a field we do not know may have.
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ChannelError("not a message", reason=str(error)) from error


class _Growing:
    """A content which is not whole yet. `head` is None where nobody wants it."""

    __slots__ = ("content", "head", "size")

    def __init__(self, head: Question | Answer | None, size: int) -> None:
        self.head = head
        self.size = size
        self.content = bytearray()


class _Contents:
    """All contents which come by one connection and are not whole yet."""

    def __init__(self) -> None:
        self._growing: dict[int, _Growing] = {}
        self.octets = 0

    def __contains__(self, number: int) -> bool:
        return number in self._growing

    def begin(self, number: int, head: Question | Answer | None, size: int) -> None:
        """Wait for a content. Raises ChannelError."""
        if len(self._growing) >= MOST_OPEN:
            raise ChannelError("too many contents at once")
        self._growing[number] = _Growing(head, size)
        self.octets += size if head is not None else 0

    def add(self, piece: Piece) -> _Growing | None:
        """Take a piece; return its content if it is whole now. Raises ChannelError."""
        growing = self._growing.get(piece.number)
        if growing is None:
            raise ChannelError("a piece of nothing", number=piece.number)
        if not 0 < len(piece.data) <= growing.size - len(growing.content):
            raise ChannelError("a piece of the wrong size", number=piece.number)
        if growing.head is None:
            growing.size -= len(piece.data)
        else:
            growing.content += piece.data
        if len(growing.content) < growing.size:
            return None
        self._end(piece.number)
        return growing

    def forget(self, number: int) -> None:
        """Nobody wants this content any more; what still comes of it is dropped."""
        growing = self._growing[number]
        if growing.head is not None:
            self.octets -= growing.size
            growing.size -= len(growing.content)
            growing.head = None
            growing.content = bytearray()

    def _end(self, number: int) -> None:
        growing = self._growing.pop(number)
        if growing.head is not None:
            self.octets -= growing.size


def _sized(size: int) -> None:
    if not 0 <= size <= MOST_CONTENT:
        raise ChannelError("content too long", size=size)


class Asked(msgspec.Struct, frozen=True):
    """A question is whole: answer it by `Answerer.reply` or `Answerer.refuse`."""

    number: int
    head: Question
    content: bytes


class Withdrawn(msgspec.Struct, frozen=True):
    """Nobody waits for the answer; `Answerer.refuse` it as soon as can be."""

    number: int


class Answerer:
    """The side of a worker.

    Args:
        most: questions at once.
    """

    def __init__(self, most: int = MOST_OPEN) -> None:
        self._most = most
        self._frames = Frames()
        self._contents = _Contents()
        self._open: set[int] = set()
        self._leaving = False

    @property
    def open(self) -> int:
        """Return how many questions wait for their answer."""
        return len(self._open)

    def offer(self, generation: int, places: Sequence[Place], *, leaving: bool = False) -> bytes:
        """Say what can be asked. Once we leave, new questions are refused."""
        self._leaving = leaving
        return frame(Offer(VERSION, generation, list(places[:MOST_ENDPOINTS]), leaving))

    def feed(self, data: bytes) -> Iterator[Asked | Withdrawn | bytes]:
        """Yield what happened; octets are to be sent. Raises ChannelError."""
        for message in self._frames.feed(data):
            match message:
                case Ask():
                    yield from self._ask(message)
                case Piece():
                    whole = self._contents.add(message)
                    if whole is not None and isinstance(whole.head, HttpRequest):
                        yield Asked(message.number, whole.head, bytes(whole.content))
                case Withdraw(number):
                    yield from self._withdraw(number)
                case _:
                    raise ChannelError("not what an asker says", what=type(message).__name__)

    def _ask(self, message: Ask) -> Iterator[Asked | bytes]:
        number, size = message.number, message.size
        if number in self._open or number in self._contents:
            raise ChannelError("a number in use", number=number)
        _sized(size)
        why: Why | None = None
        if self._leaving:
            why = "leaving"
        elif len(self._open) >= self._most or self._contents.octets + size > MOST_OCTETS:
            why = "busy"
        if why is not None:
            yield frame(Refuse(number, why))
        else:
            self._open.add(number)
        if size:
            self._contents.begin(number, None if why else message.head, size)
        elif why is None:
            yield Asked(number, message.head, b"")

    def _withdraw(self, number: int) -> Iterator[Withdrawn | bytes]:
        if number not in self._open:
            return  # The answer is on its way.
        if number in self._contents:
            self._contents.forget(number)
            yield self.refuse(number, "withdrawn")
        else:
            yield Withdrawn(number)

    def reply(self, number: int, head: Answer, content: bytes) -> Iterator[bytes]:
        """Return the frames of an answer. Raises ChannelError: it is too long."""
        _sized(len(content))
        first = frame(Reply(number, head, len(content)))
        self._open.remove(number)
        return _following(first, number, content)

    def refuse(self, number: int, why: Why) -> bytes:
        self._open.remove(number)
        return frame(Refuse(number, why))


def _following(first: bytes, number: int, content: bytes) -> Iterator[bytes]:
    yield first
    for at in range(0, len(content), PIECE):
        yield frame(Piece(number, content[at : at + PIECE]))


class Offered(msgspec.Struct, frozen=True):
    """This is what can be asked from now on."""

    offer: Offer


class Replied(msgspec.Struct, frozen=True):
    """An answer is whole."""

    number: int
    head: Answer
    content: bytes


class Refused(msgspec.Struct, frozen=True):
    """There is none."""

    number: int
    why: Why


class Asker:
    """The side of who asks."""

    def __init__(self) -> None:
        self._frames = Frames()
        self._contents = _Contents()
        self._waiting: dict[int, bool] = {}  # whether somebody still waits
        self._last = 0

    @property
    def open(self) -> int:
        """Return how many questions have no answer yet, those withdrawn too."""
        return len(self._waiting)

    def ask(self, head: Question, content: bytes) -> tuple[int, Iterator[bytes]]:
        """Return the number of a question, and its frames. Raises ChannelError: it is too long."""
        _sized(len(content))
        number = self._last + 1
        first = frame(Ask(number, head, len(content)))
        self._last = number
        self._waiting[number] = True
        return number, _following(first, number, content)

    def withdraw(self, number: int) -> bytes:
        """Return what tells that nobody waits; nothing is heard of this question any more."""
        if not self._waiting.get(number):
            return b""
        self._waiting[number] = False
        if number in self._contents:
            self._contents.forget(number)
        return frame(Withdraw(number))

    def feed(self, data: bytes) -> Iterator[Offered | Replied | Refused]:
        """Yield what happened. Raises ChannelError."""
        for message in self._frames.feed(data):
            match message:
                case Offer():
                    if len(message.places) > MOST_ENDPOINTS:
                        raise ChannelError("too many endpoints")
                    yield Offered(message)
                case Reply():
                    yield from self._reply(message)
                case Piece(number):
                    whole = self._contents.add(message)
                    if whole is not None:
                        yield from self._whole(number, whole.head, bytes(whole.content))
                case Refuse(number, why):
                    if number in self._contents or self._waiting.get(number) is None:
                        raise ChannelError("nobody has asked", number=number)
                    if self._waiting.pop(number):
                        yield Refused(number, why)
                case _:
                    raise ChannelError("not what a worker says", what=type(message).__name__)

    def _reply(self, message: Reply) -> Iterator[Replied]:
        number, size = message.number, message.size
        if number in self._contents or self._waiting.get(number) is None:
            raise ChannelError("nobody has asked", number=number)
        _sized(size)
        if self._contents.octets + size > MOST_OCTETS:
            raise ChannelError("too much at once")
        head = message.head if self._waiting[number] else None
        if size:
            self._contents.begin(number, head, size)
        else:
            yield from self._whole(number, head, b"")

    def _whole(
        self, number: int, head: Question | Answer | None, content: bytes
    ) -> Iterator[Replied]:
        if self._waiting.pop(number) and isinstance(head, HttpResponse):
            yield Replied(number, head, content)
