"""Text in header fields: encoded words, both ways (RFC 2047).

    decoded(b"=?utf-8?q?J=C3=B6rg?= <j@a.example>")     'Jörg <j@a.example>'
    encoded("Jörg <j@a.example>")                       the way back, word by word

What is no proper encoded word stays as it is.
"""

import binascii
import re
from collections.abc import Iterator
from typing import Final

from angarium.mail.format import charset as charsets

# RFC 2047 section 2; a language after * is RFC 2231 section 5. Blanks inside are not allowed, but
# seen: no harm in Q.
_WORD: Final = re.compile(rb"=\?([!-)+->@-~]{1,60})(?:\*[^?\s]{0,60})?\?([bBqQ])\?([^?\r\n]*)\?=")
_HEX: Final = re.compile(rb"=([0-9A-Fa-f]{2})")
# All that may stand in a phrase (RFC 2047 section 5): what suits there suits everywhere.
_SAFE: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_Q: Final = [chr(each) if each in _SAFE else f"={each:02X}" for each in range(256)]
_Q[0x20] = "_"
_NO_DIGITS: Final = bytes(
    each
    for each in range(256)
    if each not in b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
)
_MOST: Final = 75  # characters of an encoded word
_ROOM: Final = _MOST - len("=?utf-8?q??=")


def decoded(value: bytes) -> str:
    """Return an unfolded value as text.

    Octets outside of encoded words are UTF-8; those which are not become surrogates, which
    `errors="surrogateescape"` makes the same octets again.
    """
    if b"=?" not in value:
        return value.decode("utf-8", "surrogateescape")
    return "".join(_pieces(value))


def _pieces(value: bytes) -> Iterator[str]:
    at = 0
    open_charset = ""
    open_octets: list[bytes] = []  # one character may be spread over two words
    for found in _WORD.finditer(value):
        name, how, text = found.groups()
        octets = _octets(how, text)
        between = value[at : found.start()]
        charset = name.decode("ascii").lower()
        joined = bool(open_octets) and not between.strip(b" \t\r\n")
        if open_octets and not (joined and charset == open_charset):
            yield charsets.decoded(b"".join(open_octets), open_charset)
            open_octets.clear()
        if not joined:
            yield between.decode("utf-8", "surrogateescape")
        open_charset = charset
        open_octets.append(octets)
        at = found.end()
    if open_octets:
        yield charsets.decoded(b"".join(open_octets), open_charset)
    yield value[at:].decode("utf-8", "surrogateescape")


def _octets(how: bytes, text: bytes) -> bytes:
    if how in b"qQ":
        if b"==" not in text and not text.endswith(b"="):  # of which it would lose one
            return binascii.a2b_qp(text, header=True)
        return _HEX.sub(lambda found: bytes.fromhex(found[1].decode()), text.replace(b"_", b" "))
    digits = text.translate(None, _NO_DIGITS)
    if len(digits) % 4 == 1:
        digits = digits[:-1]  # six bits, which make no octet
    return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))


def encoded(text: str) -> str:
    """Return text in ASCII: runs of words which are not ASCII become encoded words of UTF-8.

    What is quoted, in a comment or an address in brackets is not told apart: see `structured`.
    """
    if text.isascii():
        return text
    words = re.split(r"([ \t]+)", text)
    out: list[str] = []
    run: list[str] = []
    for index in range(0, len(words), 2):
        word, blank = words[index], "".join(words[index + 1 : index + 2])
        if not word.isascii():
            run += [word, blank]
            continue
        # A blank between two encoded words is not shown, so it goes into one.
        if run:
            out += [word_of("".join(run[:-1])), run[-1]]
            run = []
        out += [word, blank]
    if run:
        out += [word_of("".join(run[:-1])), run[-1]]
    return "".join(out)


def word_of(text: str) -> str:
    """Return text as encoded words, as many as it needs, with blanks between."""
    octets = charsets.utf8(text)
    plain = sum(each in _SAFE or each == 0x20 for each in octets)
    base64 = plain * 2 < len(octets)  # Q while it can be read, though it be longer
    words: list[str] = []
    begun: list[str] = []
    size = 0
    for character in text:
        each = charsets.utf8(character)
        cost = len(each) if base64 else sum(len(_Q[octet]) for octet in each)
        if size + cost > (_ROOM // 4 * 3 if base64 else _ROOM):
            words.append(_one("".join(begun), base64=base64))
            begun, size = [], 0
        begun.append(character)
        size += cost
    words.append(_one("".join(begun), base64=base64))
    return " ".join(words)


def _one(text: str, *, base64: bool) -> str:
    octets = charsets.utf8(text)
    if base64:
        return f"=?utf-8?b?{binascii.b2a_base64(octets, newline=False).decode()}?="
    return f"=?utf-8?q?{''.join([_Q[each] for each in octets])}?="


# What must stay together in a field of addresses: a quoted string, a comment without others in
# it, an address in brackets, blanks, a special, a run of the rest. Each alternative ends where the
# next try begins, so that the whole takes linear time.
_TOKEN: Final = re.compile(
    r'"((?:[^"\\]|\\.?)*)(?:"|\Z)|\(((?:[^()\\]|\\.)*)\)|(<[^<>]*>)|([ \t]+)'
    r'|(\\.?|[(),:;<>]|[^ \t(),:;<>"\\]+)',
    re.DOTALL,
)
_QUOTED: Final = re.compile(r"\\(.)", re.DOTALL)


def structured(text: str) -> str:
    """Return the text of a field of addresses in ASCII: names and comments become encoded words.

    An address itself stays as it is: it may be UTF-8 (RFC 6532), but not encoded.
    """
    if text.isascii():
        return text
    out: list[str] = []
    run: list[str] = []  # words with the blanks between them, all to be encoded as one

    def end_run() -> None:
        if run:
            blank = run.pop() if run[-1].isspace() else ""
            out.extend([word_of("".join(run)), blank])
            run.clear()

    for found in _TOKEN.finditer(text):
        quoted, comment, address, blank, plain = found.groups()
        if blank is not None and run:
            run.append(blank)
        elif quoted is not None and not quoted.isascii():
            run.append(_QUOTED.sub(r"\1", quoted))
        elif plain is not None and "@" not in plain and not plain.isascii():
            run.append(plain)
        else:
            end_run()
            if comment is not None and not comment.isascii():
                out.append(f"({encoded(comment)})")
            else:
                out.append(address or found[0])
    end_run()
    return "".join(out)
