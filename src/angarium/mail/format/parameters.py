"""Fields with parameters: Content-Type and Content-Disposition (RFC 2045, 2183, 2231).

    kind = parsed(b"text/plain; charset=utf-8; name*=utf-8''%C3%A9")
    kind.value, kind.parameters             "text/plain", {"charset": "utf-8", "name": "é"}
    written("text/plain", {"name": "é"})    the way back

Read as mail readers do: what is no parameter is passed over, of two with the same name the first
counts, a file name may be in encoded words, or have blanks without quotes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from angarium.mail.format import charset, words

_TOKEN: Final = r"[!#-'*+.0-9A-Z^-~-]+"
_TYPE: Final = re.compile(rf"\s*({_TOKEN})\s*/\s*({_TOKEN})", re.IGNORECASE | re.ASCII)
_WORD: Final = re.compile(rf"\s*({_TOKEN})", re.IGNORECASE | re.ASCII)
_PARAMETER: Final = re.compile(
    r';\s*([^\s=;"]{1,100})\s*=\s*(?:"((?:[^"\\]|\\.?)*)(?:"|\Z)|([^;]*))', re.DOTALL
)
_PAIR: Final = re.compile(r"\\(.)", re.DOTALL)
# name, number of the piece, whether it is encoded (RFC 2231 sections 3 and 4).
_NAME: Final = re.compile(r"([^*]+)(?:\*(\d{1,3}))?(\*)?\Z")
_PERCENT: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
# Else a dotted I and others would be letters of ASCII, which have the same small ones.
_PLAIN: Final = re.compile(rf"{_TOKEN}\Z", re.IGNORECASE | re.ASCII)
# attribute-char of RFC 2231 section 7.
_SAFE: Final = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&+-.^_`|~"
)
_PIECE: Final = 60  # characters of a value which stand in one piece
_NO_LINE: Final = re.compile(r"[\r\n\0]+")

TEXT: Final = "text/plain"  # what holds without a Content-Type or with a broken one (RFC 2045, 5.2)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A value in lower case, and its parameters by lower case name."""

    value: str
    parameters: Mapping[str, str]

    def get(self, name: str) -> str:
        return self.parameters.get(name, "")


_NONE: Final = Parsed(TEXT, {})


def content_type(field: bytes | None) -> Parsed:
    """Return type and parameters of a Content-Type; text/plain without one."""
    if field is None:
        return _NONE
    text = field.decode("utf-8", "surrogateescape")
    found = _TYPE.match(text)
    value = f"{found[1]}/{found[2]}".lower() if found else TEXT
    return Parsed(value, _parameters(text))


def disposition(field: bytes | None) -> Parsed:
    """Return value and parameters of a Content-Disposition; "" without one."""
    if field is None:
        return Parsed("", {})
    text = field.decode("utf-8", "surrogateescape")
    found = _WORD.match(text)
    return Parsed(found[1].lower() if found else "", _parameters(text))


def _parameters(text: str) -> dict[str, str]:
    if ";" not in text:
        return {}
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for name, quoted, rest in _PARAMETER.findall(text):
        value = _PAIR.sub(r"\1", quoted) if quoted else _uncommented(rest)
        found = _NAME.match(name.lower())
        if found is None:
            continue
        key, number, extended = found.groups()
        if number is None and not extended:
            plain.setdefault(key, value)
        else:
            pieces.setdefault(key, {}).setdefault(int(number or 0), (value, bool(extended)))
    for key, value in plain.items():
        if "=?" in value:
            plain[key] = words.decoded(value.encode("utf-8", "surrogateescape"))
    # The extended form wins: the plain one beside it is for old readers.
    for key, parts in pieces.items():
        plain[key] = _joined(parts)
    return plain


def _uncommented(text: str) -> str:
    text = text.strip()
    if text.endswith(")"):
        before, begins, comment = text.rpartition("(")
        if begins and comment.count(")") == 1:
            return before.rstrip()
    return text


def _joined(parts: Mapping[int, tuple[str, bool]]) -> str:
    """Put the pieces of a value together, up to the first which is missing."""
    named = ""
    octets = b""
    out = []
    for number in range(len(parts)):
        if number not in parts:
            break
        value, extended = parts[number]
        if number == 0 and extended:
            named, _, value = value.partition("'")
            value = value.partition("'")[2]
        piece = value.encode("utf-8", "surrogateescape")
        if extended:
            piece = _PERCENT.sub(lambda found: bytes.fromhex(found[1].decode()), piece)
        out.append(piece)
    octets = b"".join(out)
    return charset.decoded(octets, named) if named else octets.decode("utf-8", "surrogateescape")


def written(value: str, parameters: Mapping[str, str]) -> str:
    """Return a value with parameters, on one line; what is not ASCII as RFC 2231 has it."""
    return "; ".join([value, *(_one(name, text) for name, text in parameters.items())])


def _one(name: str, value: str) -> str:
    value = _NO_LINE.sub(" ", value)
    if _PLAIN.match(value):
        return f"{name}={value}"
    if value.isascii():
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'{name}="{escaped}"'
    pieces = [""]
    for character in value:
        octets = charset.utf8(character)
        text = "".join(chr(each) if each in _SAFE else f"%{each:02X}" for each in octets)
        if len(pieces[-1]) + len(text) > _PIECE:
            pieces.append("")
        pieces[-1] += text
    if len(pieces) == 1:
        return f"{name}*=utf-8''{pieces[0]}"
    first = f"{name}*0*=utf-8''{pieces[0]}"
    rest = [f"{name}*{number}*={piece}" for number, piece in enumerate(pieces[1:], 1)]
    return "; ".join([first, *rest])
