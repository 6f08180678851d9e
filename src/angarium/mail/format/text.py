"""The text of parts: decoded, as UTF-8, and written back as it came.

    text_of(part)                   for people
    octets_of(part)                 UTF-8, in which patterns are looked for
    rewrite(part, octets)           in the charset and the encoding of the part, where these can
    set_text(part, "new", "text/html", "utf-8")

The header of a part is changed only where charset or encoding must be.
"""

import re
from collections.abc import Iterator
from typing import Final

from angarium.core.body import MemoryBody
from angarium.mail.format import charset as charsets
from angarium.mail.format import parameters, transfer
from angarium.mail.format.conform import LINE_LIMIT, has_lone, has_long_line, with_crlf
from angarium.mail.format.search import OCTETS, Expand, matches, replaced
from angarium.mail.format.tree import Part

# Read as UTF-8, and nothing is lost if it is not.
_UTF8: Final = frozenset((None, "ascii", "utf_8"))


def text_parts(top: Part) -> Iterator[Part]:
    """Yield the parts of a type text/*, in their order."""
    for part in top.walk():
        if not part.parts and part.kind.mimetype.startswith("text/"):
            yield part


def content_of(part: Part) -> bytes:
    """Return the body of a part without its transfer encoding."""
    return transfer.decoded(part.body, part.encoding)


def octets_of(part: Part) -> bytes:
    """Return the content of a part as UTF-8; what is said to be that, or nothing, as it is."""
    content = content_of(part)
    named = part.kind.charset
    if charsets.codec_of(named) in _UTF8:
        return content
    return charsets.utf8(charsets.decoded(content, named))


def text_of(part: Part) -> str:
    """Return the content of a part as text; what is none becomes U+FFFD."""
    return charsets.decoded(content_of(part), part.kind.charset)


def rewrite(part: Part, octets: bytes) -> None:
    """Put another text, as UTF-8, in the place of that of a part. Raises MimeError.

    It is written in the charset and encoding of the part. What has no such characters is written
    in UTF-8; what was 7 bit and is so no more gets an encoding.
    """
    if octets != octets_of(part):
        # Octets over 127 which nobody announced came through, and will again.
        before = part.encoding if part.body.isascii() or part.encoding != "7bit" else "8bit"
        _write(part, octets, part.kind.charset, before)


def set_text(part: Part, text: str, mimetype: str = "", charset: str = "") -> None:
    """Put another text in the place of a part, and of all parts in it. Raises MimeError.

    Args:
        mimetype: "": it stays, or becomes text/plain where it is none of text.
        charset: "": it stays, or becomes UTF-8 where there is none and the text needs one.
    """
    kind = part.kind
    octets = with_crlf(charsets.utf8(text))
    if part.parts or not kind.mimetype.startswith("text/") or mimetype:
        before = kind.charset if kind.mimetype.startswith("text/") else ""
        found = parameters.content_type(charsets.utf8(mimetype or parameters.TEXT))
        charset = charset or found.get("charset") or before
        _set_type(part, found.value, dict(found.parameters))
    _write(part, octets, charset or part.kind.charset, part.encoding)


def _write(part: Part, octets: bytes, charset: str, before: str) -> None:
    """Write UTF-8 in a charset, in the encoding there was before or in one it needs."""
    codec = charsets.codec_of(charset)
    if codec in _UTF8:
        content: bytes | None = octets
    else:
        content = charsets.encoded(octets.decode("utf-8", "replace"), charset)
    needed = charset
    if content is None or (codec in (None, "ascii") and not content.isascii()):
        content, needed = octets, "utf-8"
    encoding = _encoding(content, before)
    if needed.lower() != part.kind.charset.lower():
        field = part.header.value("content-type")
        known = dict(parameters.content_type(field).parameters)
        _set_type(part, part.kind.mimetype, known | {"charset": needed})
    if encoding != before:
        part.header.set("Content-Transfer-Encoding", encoding)
        if part.parent is None and part.header.value("mime-version") is None:
            part.header.append("MIME-Version", "1.0")
    part.body = transfer.encoded(content, encoding)


def _set_type(part: Part, mimetype: str, known: dict[str, str]) -> None:
    known.pop("boundary", None)
    part.header.set("Content-Type", parameters.written(mimetype, known))
    if part.parent is None and part.header.value("mime-version") is None:
        part.header.append("MIME-Version", "1.0")


def _encoding(content: bytes, before: str) -> str:
    """Return the encoding a content is written in: the one it had, if that can be."""
    if before not in transfer.IDENTITY:
        return before if before in ("base64", "quoted-printable") else "base64"
    if b"\0" in content:
        return "base64"
    eight = not content.isascii()
    if (eight and before == "7bit") or has_long_line(content, LINE_LIMIT):
        # UTF-16 and the like, and most of what is not Latin.
        mostly = sum(each > 127 for each in content[:4096]) * 3 > len(content[:4096])
        return "base64" if mostly or has_lone(content) else "quoted-printable"
    return before


def text_matches(
    top: Part, pattern: re.Pattern[str], codec: str = OCTETS
) -> Iterator[re.Match[str]]:
    """Yield the matches in the texts of a part and those in it."""
    for part in text_parts(top):
        yield from matches(pattern, [octets_of(part)], codec)


def text_replace(top: Part, pattern: re.Pattern[str], expand: Expand, codec: str = OCTETS) -> bool:
    """Replace the matches in the texts of a part and those in it; say whether that changed any.

    Raises MimeError.
    """
    changed = False
    for part in text_parts(top):
        # Where all of a message is one text, its end on the wire can be matched.
        ended = part.parent is None and part.encoding in transfer.IDENTITY
        body = replaced(pattern, MemoryBody(octets_of(part)), expand, codec, ended=ended)
        if body is not None:
            rewrite(part, body.whole())
            changed = True
    return changed
