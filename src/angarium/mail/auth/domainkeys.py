"""DomainKeys, what came before DKIM: RFC 4870. For those who still have to do with it.

    check = Check.of(fields)                        the uppermost signature, if there is one
    for piece in body_pieces: check.feed(piece)
    status = await check.judged(ask)

    signer = DomainKeysSigner("example.com", "s1", key, "nofws")
    field = signer.prepare(fields, body_pieces).sign()

Here one hash goes over header and body, so neither is hashed once for several signatures. The
signature covers what stands below it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Literal

from angarium.mail.auth import tags
from angarium.mail.auth.asking import Ask, NameTrouble, NoSuchName, is_name, texts
from angarium.mail.auth.canon import BODY, CRLF, bare
from angarium.mail.auth.digest import fresh
from angarium.mail.auth.fields import Fields
from angarium.mail.auth.keys import BadKeyError, PrivateKey, PublicKey, unversioned
from angarium.mail.auth.sign import Unsigned, folded_list, folded_tags
from angarium.mail.auth.tags import TagError
from angarium.mail.format.addresses import mailboxes

SIGNATURE: Final = b"domainkey-signature"
Form = Literal["simple", "nofws"]
_FORMS: Final[dict[bytes, Form]] = {b"simple": "simple", b"nofws": "nofws"}
_BODIES: Final = {"simple": "plain", "nofws": "nofws"}
# Fields which others change or add on top, so that nobody signs them unasked.
_UNASKED: Final = frozenset((b"return-path", b"domainkey-status", b"bcc", SIGNATURE))
MAX_SIZE: Final = 16_384  # octets of a signature field


class Status(StrEnum):
    """What comes out, in the words of the variable dk_status."""

    NONE = ""
    GOOD = "good"
    BAD = "bad"
    KEY_TYPE = "bad (key type)"
    NO_KEY = "bad (no key)"
    REVOKED = "bad (key revoked)"
    PUBLIC_KEY = "bad (public key)"
    MALFORMED = "bad (malformed signature)"
    QUERY = "bad (unsupported query type)"
    ERROR = "error"  # DNS did not answer

    @property
    def word(self) -> str:
        """As DomainKey-Status has it: good, bad or error."""
        return self.value.partition(" ")[0]


def responsible(fields: Fields) -> tuple[str, str]:
    """Return local part and domain of who sent a message: of Sender, else of From."""
    for name in (b"sender", b"from"):
        for row in fields.rows(name):
            for mailbox in mailboxes(fields.unfolded(row)):
                return mailbox.local, mailbox.domain.lower()
    return "", ""


class _Whole:
    """The hash over a header and the body below it."""

    __slots__ = ("_begun", "_body", "_digest")

    def __init__(self, header: bytes, form: Form) -> None:
        self._digest: Any = fresh("sha1")
        self._digest.update(header)
        self._begun = False
        self._body = BODY[_BODIES[form]](self._more)

    def _more(self, octets: bytes) -> None:
        if not self._begun:
            # The line between header and body counts only if there is a body (section 3.4.2).
            self._begun = True
            self._digest.update(CRLF)
        self._digest.update(octets)

    def feed(self, piece: bytes) -> None:
        self._body.feed(piece)

    def end(self) -> bytes:
        self._body.end()
        digest: bytes = self._digest.digest()
        return digest


def _header(fields: Fields, rows: Iterable[int], form: Form) -> bytes:
    octets = [fields.octets(row) for row in rows]
    if form == "nofws":
        octets = [bare(each.replace(CRLF, b"")) + CRLF for each in octets]
    return b"".join(octets)


def _listed(fields: Fields, names: list[bytes], below: int) -> list[int]:
    """Return the rows a list of names means, of those below a row (section 3.3, h=).

    A name which stands there once means all fields of that name; one which stands there several
    times means one field each, from the bottom, and the first of them all that are left.
    """
    left = {name: [row for row in fields.rows(name) if row > below] for name in names}
    counts = {name: names.count(name) for name in left}
    rows: list[int] = []
    for name in reversed(names):
        counts[name] -= 1
        places = left[name]
        if counts[name]:
            if places:
                rows.append(places.pop())
        else:
            rows += reversed(places)
            left[name] = []
    return rows[::-1]


@dataclass(slots=True)
class Check:
    """A signature on its way to its status."""

    status: Status = Status.NONE
    row: int = -1
    domain: str = ""
    selector: str = ""
    local: str = ""  # of who is responsible, for g= of the key
    signature: bytes = field(default=b"", repr=False)
    testing: bool = False
    _whole: _Whole | None = None

    @classmethod
    def of(cls, fields: Fields) -> "Check":
        """Read the uppermost signature of a message; without one the status is NONE."""
        check = cls()
        rows = fields.rows(SIGNATURE)
        if not rows:
            return check
        check.row = rows[0]
        check.local, sender = responsible(fields)
        try:
            check._read(fields, sender)
        except TagError:
            check.status = Status.MALFORMED
        return check

    def _read(self, fields: Fields, sender: str) -> None:
        value = fields.value(self.row)
        if len(value) > MAX_SIZE:
            raise TagError("the signature is too long")
        known = tags.parsed(value)
        self.domain = tags.name_of(tags.needed(known, b"d"), "d")
        self.selector = tags.name_of(tags.needed(known, b"s"), "s")
        self.signature = tags.octets(tags.needed(known, b"b"), "b")
        form = _FORMS.get(tags.needed(known, b"c").lower())
        if form is None or known.get(b"a", b"rsa-sha1").lower() != b"rsa-sha1":
            raise TagError("the form or the algorithm is unknown")
        if known.get(b"q", b"dns").lower() != b"dns":
            self.status = Status.QUERY
            return
        if sender != self.domain and not sender.endswith("." + self.domain):
            raise TagError("the signature is of another domain")
        if b"h" in known:
            names = tags.words(known[b"h"])
            if not {b"from", b"sender"} & set(names) or len(names) > 256:
                raise TagError("the sender is not signed, or too much is")
            rows = _listed(fields, names, self.row)
        else:
            rows = list(range(self.row + 1, len(fields.names)))
        self._whole = _Whole(_header(fields, rows, form), form)

    def feed(self, piece: bytes) -> None:
        """Take a piece of the body."""
        if self._whole is not None:
            self._whole.feed(piece)

    async def judged(self, ask: Ask) -> Status:
        """Return what the signature is worth, after the whole body was fed."""
        if self._whole is None:
            return self.status
        digest = self._whole.end()
        self._whole = None
        try:
            key = await self._key(ask)
        except BadKeyError:
            return self.status
        self.testing = key.testing
        self.status = Status.GOOD if key.holds(self.signature, digest, "sha1") else Status.BAD
        return self.status

    async def _key(self, ask: Ask) -> PublicKey:
        """Return the key. Raises BadKeyError, with the status set."""
        place = f"{self.selector}._domainkey.{self.domain}"
        self.status = Status.NO_KEY
        if not is_name(place):
            raise BadKeyError("the name is too long")
        try:
            records = await texts(ask, place)
        except NoSuchName:
            records = ()
        except NameTrouble:
            self.status = Status.ERROR
            raise BadKeyError("nobody could tell") from None
        if not records:
            raise BadKeyError("there is no key")
        self.status = Status.PUBLIC_KEY
        try:
            known = tags.parsed(records[0])
        except TagError:
            raise BadKeyError("the record is faulty") from None
        if not known.get(b"p", b"-"):
            self.status = Status.REVOKED
        elif known.get(b"k", b"rsa").lower() != b"rsa":
            self.status = Status.KEY_TYPE
        elif not _granted(known.get(b"g", b"").decode("utf-8", "replace"), self.local):
            self.status = Status.BAD
            raise BadKeyError("the key is for somebody else")
        return unversioned(records[0])


def _granted(pattern: str, local: str) -> bool:
    """Say whether a key is for this local part: g= (section 3.2.3), with the * that DKIM added."""
    before, star, after = pattern.partition("*")
    if not star:
        return pattern in ("", local)
    return (
        len(local) >= len(before) + len(after)
        and local.startswith(before)
        and local.endswith(after)
    )


class DomainKeysSigner:
    """Signs for a domain, with one key."""

    __slots__ = ("_names", "domain", "form", "key", "selector")

    def __init__(
        self,
        domain: str,
        selector: str,
        key: PrivateKey,
        form: Form = "nofws",
        names: Iterable[str] = (),
    ) -> None:
        """Take what all its signatures have in common; without names all fields are signed.

        Raises BadKeyError for a key which is not RSA.
        """
        if key.kind != "rsa":
            raise BadKeyError("DomainKeys has RSA only")
        self.domain: Final = domain
        self.selector: Final = selector
        self.key: Final = key
        self.form: Final[Form] = form
        self._names = [name.lower().encode() for name in names]

    def prepare(self, fields: Fields, pieces: Iterable[bytes]) -> Unsigned:
        """Return a signature over a header and a body, all but its arithmetic."""
        names = self._names or [name for name in fields.names if name not in _UNASKED]
        if self._names and not {b"from", b"sender"} & set(names):
            names = [b"sender" if fields.count(b"sender") else b"from", *names]
        whole = _Whole(_header(fields, _listed(fields, names, -1), self.form), self.form)
        for piece in pieces:
            whole.feed(piece)
        begun = folded_tags(
            b"DomainKey-Signature",
            [
                b"a=rsa-sha1",
                b"q=dns",
                b"c=" + self.form.encode(),
                b"d=" + self.domain.encode(),
                b"s=" + self.selector.encode(),
                folded_list(b"h=", names),
            ],
        )
        return Unsigned(self.key, "sha1", begun, whole.end())
