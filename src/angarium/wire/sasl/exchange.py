"""What an exchange of SASL is made of: challenges, responses, and questions to who knows.

The side of the server is a generator, so that it reads as its RFC does:

    step = server.advance()            None: the initial response went to the mechanism's function
    Challenge      send it, then advance(response)
    Claim          somebody looks whether it is true: advance(the user's name, or None)
    DigestWanted   somebody has what is stored: advance(digest, or None)
    ScramWanted    likewise: advance(a ScramSecret, or None)
    Identity       it is over, and this is who it is

That of the client is one too: `initial()`, then `respond(challenge)`, and `finish()` when the
server says that it went well: only then the server has proved what it has to.

The rule: an exchange never says why it failed, nor whether there is such a user.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from angarium.wire.sasl.errors import MalformedError, RefusedError

MAX_NAME: Final = 255  # octets of a name (RFC 4616 section 2 has as many for each part)
MAX_PASSWORD: Final = 1024
MAX_TOKEN: Final = 9000  # below the 12,288 octets of a line in base64 (RFC 4954 section 4.3)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the server says; the client responds."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """What a client says it is, and what proves it.

    Attributes:
        mechanism: as the client asked for it.
        user: the name; "" where a token alone says who it is.
        crypt: what `password` is: "clear", "hmac_md5" (a proof made of it) or "token".
        password: what was sent.
        nonce: what the proof was made for.
        holds: says whether the proof was made of a password which is known.
    """

    mechanism: str
    user: str
    crypt: str
    password: str = field(repr=False)
    nonce: str = ""
    holds: Callable[[str], bool] = field(default=lambda _password: False, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class DigestWanted:
    """Wanted is the digest of a user's password in a realm, as `digest.stored` makes it."""

    user: str
    realm: str
    uri: str = ""
    nonce: str = ""


@dataclass(frozen=True, slots=True)
class ScramWanted:
    """Wanted is what SCRAM keeps of a user's password."""

    user: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who it is."""

    user: str


Question: TypeAlias = Claim | DigestWanted | ScramWanted
Step: TypeAlias = Challenge | Question | Identity
Serving: TypeAlias = Generator[Challenge | Question, Any, Identity]
Asking: TypeAlias = Generator[bytes | None, bytes | None, None]


class Server:
    """One exchange, on the server's side."""

    __slots__ = ("_serving", "name")

    def __init__(self, name: str, serving: Serving) -> None:
        self.name = name
        self._serving = serving

    def advance(self, said: object = None) -> Step:
        """Go on with what the last step asked for. Raises SaslError: it is over, in vain."""
        try:
            return self._serving.send(said)
        except StopIteration as over:
            found = over.value
            assert isinstance(found, Identity)
            return found

    def close(self) -> None:
        """Give it up."""
        self._serving.close()


class Client:
    """One exchange, on the client's side.

    Attributes:
        name: of the mechanism.
        clear: the password goes to the server as it is: only over TLS.
    """

    __slots__ = ("_asking", "clear", "name")

    def __init__(self, name: str, asking: Asking, *, clear: bool = False) -> None:
        self.name = name
        self.clear = clear
        self._asking = asking

    def initial(self) -> bytes | None:
        """Return the initial response; None: the server speaks first. Called once, at first."""
        return next(self._asking)

    def respond(self, challenge: bytes) -> bytes:
        """Return the response to a challenge. Raises SaslError: give up, by `*` in SMTP."""
        try:
            said = self._asking.send(challenge)
        except StopIteration:
            raise MalformedError("the server asks for more than there is") from None
        return b"" if said is None else said

    def finish(self) -> None:
        """The server says that we are who we say. Raises SaslError: it is not who it says."""
        try:
            self._asking.send(None)
        except StopIteration:
            return
        raise RefusedError("the server says yes before it may")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client proves to be.

    Attributes:
        password: or the token, for XOAUTH2 and OAUTHBEARER.
        service, host, port: where it logs in.
        binding: kinds of channel binding to their octets, the best one first.
    """

    user: str
    password: str = field(default="", repr=False)
    service: str = "smtp"
    host: str = ""
    port: int = 0
    binding: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)


def text(octets: bytes, limit: int) -> str:
    """Return a text that came. Raises MalformedError: it is none, or too long."""
    if len(octets) > limit:
        raise MalformedError("too long")
    try:
        return octets.decode()
    except UnicodeDecodeError:
        raise MalformedError("no UTF-8") from None


def name(octets: bytes) -> str:
    """Return the name of a user that came: not empty, and nothing that would break a log."""
    found = text(octets, MAX_NAME)
    if not found or not found.isprintable():
        raise MalformedError("no name")
    return found


def password(octets: bytes) -> str:
    """Return a password that came. An empty one is refused: some directories let it in."""
    found = text(octets, MAX_PASSWORD)
    if "\0" in found:
        raise MalformedError("no password")
    if not found:
        raise RefusedError("no password")
    return found


def itself(user: str, wanted: str) -> None:
    """See that a user wants to be nobody else: there is no proxy authorization here."""
    if wanted not in ("", user):
        raise RefusedError("somebody wants to be somebody else")
