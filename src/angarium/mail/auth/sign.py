"""DKIM signatures, made: RFC 6376 section 5, RFC 8463.

    signer = Signer("example.com", "s1", key, Covered.of("from to subject"))
    hashes = hashed({signer.want}, body_pieces)         once for all signers of a message
    work = signer.prepare(fields, hashes, now)
    field = work.sign()                                  in a thread, or
    field = work.finish(signature)                       where somebody else signs `work.digest`

The field belongs above the header. It is folded so that no line is longer than 78 octets. b= is its
last tag: what is signed is the field as it stands up to there.
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from angarium.mail.auth.canon import Canon, relaxed_field
from angarium.mail.auth.covered import Covered
from angarium.mail.auth.digest import BodyHashes, Want, fresh
from angarium.mail.auth.fields import Fields
from angarium.mail.auth.keys import BadKeyError, PrivateKey

NAME: Final = b"DKIM-Signature"
_LINE: Final = 76  # octets of a line, RFC 5322 section 2.1.1 without CRLF
_FOLD: Final = b"\r\n\t"
# What may stand in z= as it is (dkim-safe-char without the bar, section 2.11).
_SAFE: Final = frozenset(range(0x21, 0x7F)) - frozenset(b";=|")
_QUOTED: Final = {each: chr(each) if each in _SAFE else f"={each:02X}" for each in range(256)}


# What is signed of headers with the same fields: their rows, and h=.
Plan = tuple[list[int | None], bytes]
MAX_PLANS: Final = 64  # kinds of headers of which a signer knows it


@dataclass(slots=True)
class Unsigned:
    """A signature field which lacks its signature."""

    key: PrivateKey
    hash: str
    field: bytes  # up to b=
    digest: bytes  # what is signed

    def sign(self) -> bytes:
        """Return the whole field. It may run in any thread."""
        return self.finish(self.key.sign(self.digest, self.hash))

    def finish(self, signature: bytes) -> bytes:
        """Return the whole field, with a signature of `digest` by `key`."""
        return self.field + folded_octets(base64.b64encode(signature), 3) + b"\r\n"


@dataclass(frozen=True, slots=True)
class Style:
    """How signatures are made, beside who makes them."""

    header_canon: Canon = "relaxed"
    body_canon: Canon = "relaxed"
    hash: str = "sha256"  # or sha1, which no verifier has to take; Ed25519 has sha256 only
    identity: str | None = None  # i=, an address of the domain, or `@` and a domain below it
    lifetime_seconds: int = 0  # after which a signature expires (x=); 0: never
    body_length: bool = False  # say how much of the body is signed (l=)
    copy_fields: bool = False  # put the signed fields into the signature, for people (z=)
    timed: bool = True  # say when it was made (t=)


class Signer:
    """Signs for a domain, with one key."""

    __slots__ = ("_covered", "_head", "_plans", "domain", "key", "selector", "style", "want")

    def __init__(
        self,
        domain: str,
        selector: str,
        key: PrivateKey,
        covered: Covered | None = None,
        style: Style | None = None,
    ) -> None:
        """Take what all its signatures have in common.

        Raises BadKeyError where key and hash do not go together, ValueError for an identity of
        another domain.
        """
        self.style: Final = style or Style()
        agree(key, self.style.hash)
        identity = self.style.identity
        if identity is not None:
            below = identity.rpartition("@")[2].lower()
            if "@" not in identity or not f".{below}".endswith(f".{domain.lower()}"):
                raise ValueError(f"{identity} is no identity of {domain}")
        self.domain: Final = domain
        self.selector: Final = selector
        self.key: Final = key
        self.want: Final = Want(self.style.body_canon, self.style.hash)
        self._covered = covered or Covered.of()
        self._plans: dict[tuple[bytes, ...], Plan] = {}
        self._head = [
            b"v=1",
            f"a={key.kind}-{self.style.hash}".encode(),
            f"c={self.style.header_canon}/{self.style.body_canon}".encode(),
            b"d=" + domain.encode(),
            b"s=" + selector.encode(),
        ]
        if identity is not None:
            self._head.append(b"i=" + quoted(identity.encode()))

    def prepare(self, fields: Fields, hashes: BodyHashes, now: float) -> Unsigned:
        """Return a signature over a header and a body, all but its arithmetic."""
        style = self.style
        rows, names = self._plans.get(fields.names) or self._planned(fields)
        body = hashes[self.want]
        tags = list(self._head)
        if style.body_length:
            tags.append(b"l=%d" % body.size)
        if style.timed or style.lifetime_seconds:
            tags.append(b"t=%d" % now)
        if style.lifetime_seconds:
            tags.append(b"x=%d" % (int(now) + style.lifetime_seconds))
        tags.append(names)
        if style.copy_fields:
            tags.append(_copies(fields, rows))
        tags.append(b"bh=" + base64.b64encode(body.digest))
        covered = fields.signed(rows, style.header_canon)
        return unsigned(NAME, tags, self.key, style.hash, covered, style.header_canon)

    def _planned(self, fields: Fields) -> Plan:
        """Return which fields of a header are signed, and remember it for headers of its kind."""
        names = self._covered.names(fields)
        plan = fields.chosen(names), folded_list(b"h=", names)
        if len(self._plans) >= MAX_PLANS:
            self._plans.clear()
        self._plans[fields.names] = plan
        return plan


def agree(key: PrivateKey, hash_name: str) -> None:
    """Raise BadKeyError if a key does not sign such a hash."""
    if hash_name != "sha256" and (key.kind != "rsa" or hash_name != "sha1"):
        raise BadKeyError("this key does not go with this hash", kind=key.kind, hash=hash_name)


def unsigned(
    name: bytes,
    tags: Iterable[bytes],
    key: PrivateKey,
    hash_name: str,
    covered: bytes,
    canon: Canon = "relaxed",
) -> Unsigned:
    """Return a field of these tags which signs what is covered, and itself."""
    field = folded_tags(name, tags)
    digest = fresh(hash_name)
    digest.update(covered)
    if canon == "relaxed":
        lower, _, value = field.partition(b":")
        digest.update(relaxed_field(lower.lower(), value))
    else:
        digest.update(field)
    return Unsigned(key, hash_name, field, digest.digest())


def folded_tags(name: bytes, tags: Iterable[bytes]) -> bytes:
    """Return a field of these tags, folded between them, with an empty b= at its end."""
    lines = [name + b":"]
    for tag in tags:
        line = lines[-1]
        first = tag.split(b"\r\n", 1)[0]
        if len(line.rpartition(b"\n")[2]) + len(first) + 2 <= _LINE:
            lines[-1] = line + b" " + tag + b";"
        else:
            lines.append(b"\t" + tag + b";")
    lines.append(b"\tb=")
    return b"\r\n".join(lines)


def folded_list(begin: bytes, names: Iterable[bytes]) -> bytes:
    """Return a tag of names with colons between them, folded before them."""
    lines = [begin]
    first = True
    for name in names:
        word = name if first else b":" + name
        if len(lines[-1]) + len(word) + 2 > _LINE and not first:
            lines.append(b" " + word)
        else:
            lines[-1] += word
        first = False
    return _FOLD.join(lines)


def folded_octets(text: bytes, used: int) -> bytes:
    """Return a word folded wherever a line is full, of which some octets are used."""
    first = _LINE - used
    if len(text) <= first:
        return text
    step = _LINE - 2
    rest = [text[at : at + step] for at in range(first, len(text), step)]
    return _FOLD.join([text[:first], *rest])


def quoted(octets: bytes) -> bytes:
    """Return octets so that they may stand in a tag (dkim-quoted-printable, section 2.11)."""
    return "".join([_QUOTED[each] for each in octets]).encode()


def _copies(fields: Fields, rows: Iterable[int | None]) -> bytes:
    """Return z=: the fields as they are, for people; no verifier may use them."""
    copies = []
    for row in rows:
        if row is not None:
            name, _, value = fields.octets(row).removesuffix(b"\r\n").partition(b":")
            copies.append(quoted(name.rstrip(b" \t")) + b":" + quoted(value.strip(b" \t")))
    lines = []
    for number, copy in enumerate(copies):
        begin = b"z=" if number == 0 else b"|"
        lines.append(_FOLD.join(_cut(begin + copy)))
    return _FOLD.join(lines)


def _cut(text: bytes) -> Iterable[bytes]:
    """Cut a quoted text into lines, never within a quoted octet.

    No line begins with b=: some verifiers would take it for the tag.
    """
    at = 0
    while len(text) - at > _LINE - 2:
        end = at + _LINE - 2
        equals = text.rfind(b"=", end - 2, end)
        if equals > at:
            end = equals
        if text.startswith(b"b=", end):
            end -= 1
        yield text[at:end]
        at = end
    yield text[at:]
