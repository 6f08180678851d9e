"""msys.base64, msys.qp and msys.idn: octets and names in the forms mail wants them in.

Where a charset is named, the script's side of it is UTF-8, and what cannot be said in the charset
is an error, not a question mark.
"""

import binascii
import re
from typing import Final

import idna

from angarium.core.address import routing_domain
from angarium.mail.format.charset import codec_of
from angarium.modules.lua.bind import LuaError, Several, lua

FOLDED: Final = 57  # octets which make a line of 76 characters
_BREAK: Final = re.compile(rb"(\r?\n)")
_BLANKS: Final = b" \t\r\n"
# What begins with "=" and is neither an octet nor the end of a line (RFC 2045 section 6.7).
_WRONG: Final = re.compile(rb"=(?![0-9A-Fa-f]{2}|[ \t]*\r?\n|[ \t]*\Z)")


@lua("msys.base64.encode")
def base64_encode(original: bytes, fold: bool = False, charset: str = "") -> bytes:
    """Return octets in base64; with `fold`, each 76 characters are followed by CRLF.

    `charset`: what the text, which is UTF-8, is converted to before.
    """
    octets = _converted(original, "utf-8", charset)
    if not fold:
        return binascii.b2a_base64(octets, newline=False)
    return b"".join(
        binascii.b2a_base64(octets[at : at + FOLDED], newline=False) + b"\r\n"
        for at in range(0, len(octets), FOLDED)
    )


@lua("msys.base64.decode")
def base64_decode(encoded_text: bytes, charset: str = "") -> bytes:
    """Return what was encoded in base64; blanks and line ends in it do not count.

    `charset`: that of the text which was encoded; it is converted to UTF-8.
    """
    try:
        octets = binascii.a2b_base64(encoded_text.translate(None, _BLANKS), strict_mode=True)
    except binascii.Error as error:
        raise LuaError(f"this is not base64: {error}") from error
    return _converted(octets, charset, "utf-8") if charset else octets


@lua("msys.qp.encode")
def qp_encode(original: bytes, charset: str = "", dotstuffing: bool = False) -> bytes:
    """Return octets in quoted-printable; its line ends stay line ends.

    `charset`: what the text, which is UTF-8, is converted to before. `dotstuffing`: a dot which
    comes to stand at the beginning of a line because a long one was cut is doubled.
    """
    octets = _converted(original, "utf-8", charset)
    parts = _BREAK.split(octets)
    # Every other one is a line end. Without text mode, "=" and a line end is a cut of its own.
    parts[::2] = [
        binascii.b2a_qp(part, istext=False).replace(b"=\n", b"=\r\n") for part in parts[::2]
    ]
    encoded = b"".join(parts)
    return encoded.replace(b"=\r\n.", b"=\r\n..") if dotstuffing else encoded


@lua("msys.qp.decode")
def qp_decode(encoded_txt: bytes, charset: str = "") -> bytes:
    """Return what was encoded in quoted-printable.

    `charset`: that of the text which was encoded; it is converted to UTF-8.
    """
    if wrong := _WRONG.search(encoded_txt):
        raise LuaError(f"this is not quoted-printable, from octet {wrong.start() + 1} on")
    octets = binascii.a2b_qp(encoded_txt)
    return _converted(octets, charset, "utf-8") if charset else octets


def _converted(octets: bytes, source: str, target: str) -> bytes:
    """Return text of one charset in another one; "" stands for the same."""
    if not target or source.lower() == target.lower():
        return octets
    codecs = [codec_of(source), codec_of(target)]
    for charset, codec in zip((source, target), codecs, strict=True):
        if codec is None:
            raise LuaError(f"charset '{charset}' is not known")
    try:
        return octets.decode(codecs[0] or "").encode(codecs[1] or "")
    except UnicodeError as error:
        raise LuaError(f"text cannot be converted to {target}: {error}") from error


@lua("msys.idn.to_idn", since="4.2")
def to_idn(name: str) -> Several:
    """Return a domain in the form DNS has it (A-labels); nil and the reason if it is none."""
    domain = routing_domain(name.removesuffix("."))
    if domain is None:
        return Several(None, f"'{name}' is no domain")
    return Several(domain)


@lua("msys.idn.to_utf8", since="4.2")
def to_utf8(name: str) -> Several:
    """Return a domain as people write it, in UTF-8; nil and the reason if it is none."""
    try:
        labels = [
            idna.decode(label) if label.lower().startswith("xn--") else label
            for label in name.split(".")
        ]
    except (idna.IDNAError, UnicodeError) as error:
        return Several(None, f"'{name}' is no domain: {error}")
    return Several(".".join(labels))
