"""What an authority answers, read: each document whole or not at all, and within bounds.

    directory = read(Directory, body)           raises AcmeError

Members we do not use are passed over, as RFC 8555 section 7 wants it. What is used later as an
address, a name of a file or a count is checked here, so nobody has to do it there.
"""

import re
from typing import Final, TypeVar
from urllib.parse import urlsplit

import msgspec

from angarium.wire.acme.errors import AcmeError

MOST_OCTETS: Final = 65536  # of a document
MOST_CHAIN: Final = 262144  # of a certificate and those above it
MOST_URL: Final = 2048
MOST_CHALLENGES: Final = 32  # of one name
MOST_SHOWN: Final = 300  # characters of what an authority says, in our logs
# RFC 8555 section 8.3: base64url, 128 bits at least. It becomes a name of a file.
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{16,256}")
_UNSHOWN: Final = re.compile(r"[^ -~]+")
_ERRORS: Final = "urn:ietf:params:acme:error:"
HTTP_01: Final = "http-01"

T = TypeVar("T")


class Meta(msgspec.Struct, frozen=True, rename="camel"):
    """What a directory says about the authority."""

    terms_of_service: str = ""
    external_account_required: bool = False


class Directory(msgspec.Struct, frozen=True, rename="camel"):
    """Where what is asked for (RFC 8555 section 7.1.1)."""

    new_nonce: str
    new_account: str
    new_order: str
    meta: Meta = Meta()

    def __post_init__(self) -> None:
        for each in (self.new_nonce, self.new_account, self.new_order):
            check_url(each)


class Problem(msgspec.Struct, frozen=True):
    """What is wrong (RFC 7807)."""

    type: str = "about:blank"
    detail: str = ""
    subproblems: tuple["Problem", ...] = ()

    @property
    def kind(self) -> str:
        """Return the word of its type which RFC 8555 section 6.7 has, in letters only."""
        word = self.type.removeprefix(_ERRORS)
        return word if word.isalpha() and word.isascii() and len(word) <= 40 else ""

    def __str__(self) -> str:
        inner = [each.detail for each in self.subproblems[:3] if each.detail]
        return shown("; ".join([self.detail or self.kind or "no reason given", *inner]))


class Identifier(msgspec.Struct, frozen=True):
    """A name."""

    type: str
    value: str


class Order(msgspec.Struct, frozen=True):
    """What was asked for, and how far it is (section 7.1.3)."""

    status: str
    finalize: str
    authorizations: tuple[str, ...] = ()
    certificate: str = ""
    error: Problem | None = None

    def __post_init__(self) -> None:
        for each in (self.finalize, *self.authorizations):
            check_url(each)
        if self.certificate:
            check_url(self.certificate)


class Challenge(msgspec.Struct, frozen=True):
    """A way to prove that a name is ours (section 8); others than http-01 may have no token."""

    type: str
    url: str = ""
    status: str = ""
    token: str = ""
    error: Problem | None = None

    def __post_init__(self) -> None:
        if self.type == HTTP_01:
            check_url(self.url)
            if not _TOKEN.fullmatch(self.token):
                raise ValueError("a token is base64url of 16 to 256 characters")


class Authorization(msgspec.Struct, frozen=True):
    """Whether a name is ours (section 7.1.4)."""

    identifier: Identifier
    status: str
    challenges: tuple[Challenge, ...] = ()
    wildcard: bool = False

    def __post_init__(self) -> None:
        if len(self.challenges) > MOST_CHALLENGES:
            raise ValueError(f"more than {MOST_CHALLENGES} challenges")

    @property
    def challenge(self) -> Challenge | None:
        """Return the one we can meet."""
        return next((each for each in self.challenges if each.type == HTTP_01), None)


def check_url(text: str) -> None:
    """Raises ValueError where an authority names no address of its own."""
    if len(text) > MOST_URL or _UNSHOWN.search(text) or " " in text:
        raise ValueError("an address of an authority is no URL")
    parts = urlsplit(text)
    if parts.scheme != "https" or not parts.hostname:
        raise ValueError("an address of an authority is not https")


def read(kind: type[T], body: bytes) -> T:
    """Return a document. Raises AcmeError."""
    if len(body) > MOST_OCTETS:
        raise AcmeError(f"a document of more than {MOST_OCTETS} octets")
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise AcmeError(
            f"no {kind.__name__.lower()} as RFC 8555 has it: {shown(str(error))}"
        ) from None


def problem(body: bytes) -> Problem:
    """Return the problem in the body of a refusal; one without words if there is none."""
    try:
        return read(Problem, body)
    except AcmeError:
        return Problem()


def is_token(text: str) -> bool:
    """Say whether this may be the token of a challenge, hence a name of a file."""
    return _TOKEN.fullmatch(text) is not None


def shown(text: str) -> str:
    """Return what an authority says as it may stand in a log: one line, and not for ever."""
    return _UNSHOWN.sub(" ", text).strip()[:MOST_SHOWN]
