"""New parts, and whole messages made of contents (RFC 2046).

    message([("Subject", "x")], [("text/plain", b"..."), ("text/html", b"...")], [], token)

A message is a multipart/mixed: first a multipart/alternative of the contents, then the
attachments. It has the header fields it is given and those of MIME; Date and the like are up to
who sends it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from angarium.core.errors import Error
from angarium.mail.format import parameters, transfer
from angarium.mail.format.fields import FieldError, Fields
from angarium.mail.format.header import CRLF
from angarium.mail.format.tree import Part

# What is ours to say.
_OURS: Final = frozenset(
    ("mime-version", "content-type", "content-transfer-encoding", "content-disposition")
)
# How a boundary may begin: "=_" cannot be in quoted-printable (RFC 2045 section 6.7).
_LEADS: Final = (
    "=_",
    *(f"=_{number}." for number in range(1, 40)),
    *"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
)
Field = tuple[str, str | bytes]


class BuildError(Error):
    """What no message can be made of."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file which goes with a message.

    Attributes:
        content_type: with its parameters, as it is to be written.
        name: by which it is shown, without a path.
        encoding: base64 or quoted-printable.
        fields: more of its header, as octets with CRLF between.
        encoded: the content has that encoding already.
    """

    content_type: str
    name: str
    content: bytes
    encoding: str = "base64"
    fields: bytes = b""
    encoded: bool = False


@dataclass(frozen=True, slots=True)
class Enclosed:
    """A whole message which goes with one."""

    content: bytes


def leaf(mimetype: str, body: bytes = b"", encoding: str = "7bit") -> Part:
    """Return a new part which holds no others; the body is encoded already. Raises FieldError."""
    part = Part(b"", body)
    part.header.append("Content-Type", mimetype)
    if encoding != "7bit":
        part.header.append("Content-Transfer-Encoding", encoding)
    return part


def container(mimetype: str, boundary: str) -> Part:
    """Return a new part which holds others, and none yet. Raises FieldError."""
    part = Part(b"", b"")
    part.header.append("Content-Type", parameters.written(mimetype, {"boundary": boundary}))
    part.hold(boundary)
    return part


def boundary_beside(token: str, *tops: Part) -> str:
    """Return a boundary made of a token: nowhere in these parts, and none of theirs begins it.

    Args:
        token: letters and digits nobody can guess.
    """
    octets = b"\n".join([top.raw for top in tops])
    taken = tuple(part.boundary for top in tops for part in top.walk() if part.boundary)
    # Theirs may be a single character: another beginning is tried, and there are ends of trying.
    made = [f"{lead}{token}" for lead in _LEADS]
    fits = (
        each for each in made if each.encode() not in octets and not each.encode().startswith(taken)
    )
    return next(fits, made[-1])


def message(
    header: Iterable[Field],
    contents: Iterable[tuple[str, bytes]],
    attachments: Iterable[Attachment | Enclosed],
    token: str,
) -> bytes:
    """Return a message: header fields, contents of which a reader shows one, attachments.

    Args:
        header: names and values; what is not ASCII is encoded, if it is text.
        contents: each with its Content-Type. One of type text/* which names no charset goes in
            quoted-printable, all others in base64.
        token: letters and digits nobody can guess.

    Raises FieldError and BuildError.
    """
    shown = [_content(content_type, octets) for content_type, octets in contents]
    rest = [_attached(each) for each in attachments]
    inner = _filled("multipart/alternative", token, shown)
    return _whole(header, _filled("multipart/mixed", token, [inner, *rest]))


def forward(
    header: Iterable[Field], text: bytes, charset: str, original: bytes, token: str
) -> bytes:
    """Return a message which has another one attached.

    Args:
        text: in the charset; ASCII if that is "".

    Raises FieldError and BuildError.
    """
    if not charset and not text.isascii():
        raise BuildError("a text which is not ASCII needs a charset")
    kind = parameters.written("text/plain", {"charset": charset} if charset else {})
    parts = [_content(kind, text), _attached(Enclosed(original))]
    return _whole(header, _filled("multipart/mixed", token, parts))


def _content(content_type: str, octets: bytes) -> Part:
    kind = parameters.content_type(content_type.encode("utf-8", "replace"))
    plain = kind.value.startswith("text/") and not kind.get("charset")
    encoding = "quoted-printable" if plain else "base64"
    if plain and not octets.isascii():
        content_type += "; charset=utf-8"  # what scripts are written in
    part = leaf(content_type, transfer.encoded(octets, encoding), encoding)
    part.header.append("Content-Disposition", "inline")
    return part


def _attached(each: Attachment | Enclosed) -> Part:
    if isinstance(each, Enclosed):
        named = parameters.written("message/rfc822", {"name": "Attached Message"})
        # Nothing else may be done to it (RFC 2046 section 5.2.1).
        part = leaf(named, each.content, "7bit" if each.content.isascii() else "8bit")
        part.header.append("Content-Disposition", "attachment")
        return part
    if each.encoding not in ("base64", "quoted-printable"):
        raise BuildError("an attachment is in base64 or quoted-printable", encoding=each.encoding)
    name = each.name.rpartition("/")[2]
    body = each.content if each.encoded else transfer.encoded(each.content, each.encoding)
    shown = parameters.written("", {"name": name}).removeprefix("; ") if name else ""
    part = leaf("; ".join(filter(None, [each.content_type, shown])), body, each.encoding)
    filename = {"filename": name} if name else {}
    part.header.append("Content-Disposition", parameters.written("attachment", filename))
    fields = Fields(each.fields.rstrip(CRLF) + CRLF if each.fields else b"")
    if b"\r\n\r\n" in fields.raw or (fields.raw and not fields.names):
        raise FieldError("these are no header fields", name=each.name)
    for field_name, value in fields.items():
        part.header.append(field_name.decode("ascii", "replace"), value)
    return part


def _filled(mimetype: str, token: str, parts: Sequence[Part]) -> Part:
    box = container(mimetype, boundary_beside(token, *parts))
    for part in parts:
        box.add_last(part)
    return box


def _whole(header: Iterable[Field], top: Part) -> bytes:
    whole = Part(b"", b"").header
    for name, value in header:
        if name.lower() not in _OURS:
            whole.append(name, value)
    whole.append("MIME-Version", "1.0")
    return whole.header_octets + top.raw
