"""Content-Transfer-Encoding: base64 and quoted-printable, both ways (RFC 2045 section 6).

What is encoded comes back as the same octets. What is no proper encoding is decoded as far as it
goes, as mail readers do: a policy must see what they show.
"""

import binascii
import re
from typing import Final

from angarium.mail.format.conform import has_long_line
from angarium.mail.format.header import CRLF

IDENTITY: Final = frozenset(("", "7bit", "8bit", "binary"))
_LINE: Final = 57  # octets which make a line of 76
_DIGITS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NO_DIGITS: Final = bytes(each for each in range(256) if each not in _DIGITS + b"=")
_PADDED: Final = re.compile(rb"([^=]+)=*")
_MOST: Final = 76  # characters of a line, RFC 2045 section 6.7
_TOKENS: Final = [
    bytes((each,)) if each == 9 or (32 <= each < 127 and each != 61) else b"=%02X" % each
    for each in range(256)
]
# Blanks at the end of a line were added on the way (RFC 2045 section 6.7, rule 3).
_ENDS: Final = (b" \r", b" \n", b"\t\r", b"\t\n")
_ADDED: Final = re.compile(rb"(?<![ \t])[ \t]+(?=\r?\n|\Z)")


def decoded(octets: bytes, encoding: str) -> bytes:
    """Return the content of a body; as it is if the encoding is none of the known."""
    match encoding:
        case "base64":
            return from_base64(octets)
        case "quoted-printable":
            return from_quoted_printable(octets)
    return octets


def encoded(octets: bytes, encoding: str) -> bytes:
    """Return the body of a content, with CRLF line ends."""
    match encoding:
        case "base64":
            return base64(octets)
        case "quoted-printable":
            return quoted_printable(octets)
    return octets


def base64(octets: bytes) -> bytes:
    """Return octets in base64, in lines of 76 which all end in CRLF."""
    lines = [
        binascii.b2a_base64(octets[at : at + _LINE], newline=False)
        for at in range(0, len(octets), _LINE)
    ]
    lines.append(b"")
    return CRLF.join(lines)


def from_base64(text: bytes) -> bytes:
    """Return what base64 stands for; what is no digit is passed over (RFC 2045 section 6.8).

    Padding may be missing, or be in the middle where two were put together.
    """
    digits = text.translate(None, _NO_DIGITS)
    if b"=" not in digits.rstrip(b"="):
        return _from_digits(digits.rstrip(b"="))
    return b"".join([_from_digits(found[1]) for found in _PADDED.finditer(digits)])


def _from_digits(digits: bytes) -> bytes:
    if len(digits) % 4 == 1:
        digits = digits[:-1]  # six bits, which make no octet
    return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))


def quoted_printable(octets: bytes) -> bytes:
    """Return octets in quoted-printable; CRLFs stay line ends, lone CRs and LFs are encoded."""
    ends = octets.count(CRLF)
    if octets.count(b"\n") == ends == octets.count(b"\r"):
        text = binascii.b2a_qp(octets.replace(CRLF, b"\n"), istext=True).replace(b"\n", CRLF)
        if not has_long_line(text, _MOST):
            return text
    # It knows no lone CRs and LFs, and puts a blank too many into some lines.
    return CRLF.join([_quoted_line(line) for line in octets.split(CRLF)])


def _quoted_line(line: bytes) -> bytes:
    """Encode a line which may have lone CRs and LFs."""
    tokens = [_TOKENS[each] for each in line]
    if line == b"." or line.endswith((b" ", b"\t")):
        tokens[-1] = b"=%02X" % line[-1]
    out, width = [], 0
    for number, token in enumerate(tokens):
        # Room for the = of a soft break, unless nothing follows.
        if width + len(token) > _MOST - (number + 1 < len(tokens)):
            out.append(b"=" + CRLF)
            width = 0
        out.append(token)
        width += len(token)
    return b"".join(out)


def from_quoted_printable(text: bytes) -> bytes:
    """Return what quoted-printable stands for; a = which begins nothing stays."""
    if text.endswith((b" ", b"\t")) or any(end in text for end in _ENDS):
        text = _ADDED.sub(b"", text)
    return binascii.a2b_qp(text)
