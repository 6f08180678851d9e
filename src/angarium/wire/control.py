"""What a console and a server say to each other: each message is one line of JSON.

    server   greeting            who answers, whom it takes us for, how one may log in
    client   secure              go on by TLS, if it is offered
    server   secure              do so; then it greets again
    client   login               who he is, with a proof
    server   welcome, denied     whom it takes us for, or why not
    client   ask                 one command
    server   note                how far it is; not part of the answer
    server   line                a line of an answer which goes on until it is stopped
    server   part, part ... end  its answer in pieces, and whether it failed
    client   stop                end this command; it is answered with what there is, or as failed
    server   bye                 the last word: the server hangs up, and why

A client asks one thing and waits for its end. An answer may be of any length, a message may not:
what is longer than its limit, or no message, ends the connection.
"""

from collections.abc import Iterator
from typing import Final, Generic, Literal, TypeVar

import msgspec

from angarium.core.errors import Error

VERSION: Final = 2  # raised when one side would not understand the other
MAX_REQUEST: Final = 256 << 10  # octets of an `ask`: a list of some thousand networks fits
MAX_ANSWER: Final = 1 << 20  # octets of what a server says at once
PIECE: Final = 32 << 10  # characters of a part; escaped at worst six octets each

Form = Literal["text", "json", "xml"]


class ControlError(Error):
    """The other side sent what is no message."""


class Greeting(msgspec.Struct, frozen=True, tag="greeting", tag_field="is"):
    """The first word of a server.

    Attributes:
        user: whom it takes us for; "" if it does not know us.
        patience: seconds for which an answer is waited for.
        mechanisms: by which we may log in.
        login: we have to, before anything else.
        tls: we have to go on by TLS, before anything else.
    """

    version: int
    release: str
    user: str
    patience: float
    mechanisms: list[str] = []
    login: bool = False
    realm: str = ""
    nonce: str = ""
    tls: bool = False


class Secure(msgspec.Struct, frozen=True, tag="secure", tag_field="is"):
    """What comes next is the beginning of TLS."""


class Login(msgspec.Struct, frozen=True, tag="login", tag_field="is"):
    """Who we are: with a password, or with the response of DIGEST-MD5 (`wire/sasl`)."""

    user: str
    mechanism: str
    password: str = ""
    cnonce: str = ""
    uri: str = ""
    response: str = ""

    def __repr__(self) -> str:
        return f"Login({self.user!r}, {self.mechanism!r})"


class Welcome(msgspec.Struct, frozen=True, tag="welcome", tag_field="is"):
    """We are known. `proof`: that the server knows the password too."""

    user: str
    proof: str = ""


class Denied(msgspec.Struct, frozen=True, tag="denied", tag_field="is"):
    """We are not; another try may be made."""

    reason: str


class Ask(msgspec.Struct, frozen=True, tag="ask", tag_field="is"):
    """One command, as an operator types it."""

    line: str
    form: Form = "text"


class Stop(msgspec.Struct, frozen=True, tag="stop", tag_field="is"):
    """The command under way is to end; when none is, nothing."""


class Note(msgspec.Struct, frozen=True, tag="note", tag_field="is"):
    """A line for the operator while the command is under way."""

    text: str


class Line(msgspec.Struct, frozen=True, tag="line", tag_field="is"):
    """A line of an answer which goes on and on, to be shown at once."""

    text: str


class Part(msgspec.Struct, frozen=True, tag="part", tag_field="is"):
    """A piece of the answer; the pieces are put together as they are."""

    text: str


class End(msgspec.Struct, frozen=True, tag="end", tag_field="is"):
    """The answer is whole. `transaction`: a transaction is open in this session."""

    failed: bool = False
    transaction: bool = False


class Bye(msgspec.Struct, frozen=True, tag="bye", tag_field="is"):
    """Nothing comes after this."""

    reason: str


Request = Ask | Stop | Secure | Login
Answer = Greeting | Secure | Welcome | Denied | Note | Line | Part | End | Bye
Message = Request | Answer
M = TypeVar("M")

_ENCODER: Final = msgspec.json.Encoder()


def line(message: Message) -> bytes:
    """Return a message as it is sent.

    Raises:
        ControlError: a text in it is none that could be sent.
    """
    try:
        return _ENCODER.encode(message) + b"\n"
    except UnicodeEncodeError as error:
        raise ControlError("not a text in UTF-8") from error


def parts(text: str) -> Iterator[bytes]:
    """Yield an answer in pieces, as they are sent; what is no text in UTF-8 is a question mark."""
    text = text.encode("utf-8", "replace").decode()
    for at in range(0, len(text), PIECE):
        yield line(Part(text[at : at + PIECE]))


class Reader(Generic[M]):
    """Messages out of octets, however they were cut. After an error nothing more is read."""

    __slots__ = ("_data", "_decoder", "_limit", "_searched")

    def __init__(self, decoder: "msgspec.json.Decoder[M]", limit: int) -> None:
        self._decoder = decoder
        self._limit = limit
        self._data = bytearray()
        self._searched = 0

    def feed(self, data: bytes) -> list[M]:
        """Return the messages completed by `data`.

        Raises:
            ControlError: what came is no message, or too long.
        """
        self._data += data
        found: list[M] = []
        while (end := self._data.find(b"\n", self._searched)) >= 0:
            self._bounded(end)
            octets = bytes(self._data[:end])
            del self._data[: end + 1]
            self._searched = 0
            found.append(self._decoded(octets))
        self._searched = len(self._data)
        self._bounded(self._searched)
        return found

    def _bounded(self, length: int) -> None:
        if length > self._limit:
            raise ControlError("message too long", limit=self._limit)

    def _decoded(self, octets: bytes) -> M:
        try:
            return self._decoder.decode(octets)
        # A message has no depth; RecursionError is what a field we do not know may have.
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise ControlError("not a message", reason=str(error)) from error


def requests(limit: int = MAX_REQUEST) -> Reader[Request]:
    """Return what a server reads with."""
    return Reader(msgspec.json.Decoder(Request), limit)


def answers() -> Reader[Answer]:
    """Return what a client reads with."""
    return Reader(msgspec.json.Decoder(Answer), MAX_ANSWER)
