"""Macro strings of SPF (RFC 7208 section 7): parsed once, expanded for each client.

    spec = domain_spec("%{ir}.%{v}._spf.%{d2}")     SyntaxFault if it is none
    expanded(spec, letters)                         "3.2.0.192.in-addr._spf.example.com"

`letters` maps the small letter of a macro to its value. What a letter means stands with who has the
values: `check` for records, `policy/macros` for scripts.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import quote

from angarium.core.errors import Error
from angarium.mail.auth.asking import MAX_NAME


class SyntaxFault(Error):  # noqa: N818 - a word of its own, as in `asking`
    """Not what the grammar allows; `message` says what, for the one who published it."""


class Macro(NamedTuple):
    """One macro: its letter in lower case, and what is done to its value.

    Attributes:
        kept: right-hand parts which are used; 0: all of them.
        escaped: an upper case letter, so the value is escaped for a URL.
    """

    letter: str
    kept: int = 0
    reverse: bool = False
    delimiters: str = ""
    escaped: bool = False


MacroString = tuple[str | Macro, ...]

# macro-expand and macro-literal of section 7.1; each begins with another character, so a string is
# taken apart in one way only.
_EXPAND: Final = r"%(?:\{[slodiphcrtvSLODIPHCRTV][0-9]*[rR]?[-.+,/_=]*\}|[%_-])"
_PIECE: Final = re.compile(
    r"%\{(?P<letter>[a-zA-Z])(?P<digits>[0-9]*)(?P<reverse>[rR]?)(?P<delimiters>[-.+,/_=]*)\}"
    r"|%(?P<sign>[%_-])|(?P<literal>[^%]+)"
)
_STRING: Final = re.compile(rf"(?:{_EXPAND}|[!-$&-~])*")
_EXPLANATION: Final = re.compile(rf"(?:{_EXPAND}|[ -$&-~])*")
# toplabel: not only digits, no dash at its ends.
_TOP: Final = r"\.(?![0-9]+\.?\Z)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.?"
_END: Final = re.compile(rf"(?:{_EXPAND}|{_TOP})\Z")
_SIGNS: Final = {"%": "%", "_": " ", "-": "%20"}
# Letters which stand in explanations only, section 7.2.
_FOR_PEOPLE: Final = frozenset("crt")
_DIGITS: Final = 5  # of a number of parts; no value has so many


def macro_string(text: str) -> MacroString:
    """Return a macro string taken apart. Raises SyntaxFault."""
    if not _STRING.fullmatch(text):
        raise SyntaxFault(f"{_first_wrong(text)!r} is no macro")
    return _pieces(text)


def domain_spec(text: str) -> MacroString:
    """Return the name of a domain with its macros. Raises SyntaxFault."""
    if not text:
        raise SyntaxFault("a domain is missing")
    pieces = macro_string(text)
    if not _ends_well(text):
        raise SyntaxFault(f"{text!r} does not end like a domain")
    if any(isinstance(each, Macro) and each.letter in _FOR_PEOPLE for each in pieces):
        raise SyntaxFault(f"{text!r} has a macro which is for explanations only")
    return pieces


def explain_string(text: str) -> MacroString:
    """Return an explanation with its macros; it may have blanks. Raises SyntaxFault."""
    if not _EXPLANATION.fullmatch(text):
        raise SyntaxFault("it has other characters than those of ASCII which can be seen")
    return _pieces(text)


def _ends_well(text: str) -> bool:
    """Say whether a macro string ends in a macro or a top label."""
    if text.endswith(("%%", "%_", "%-", "}")):
        # What looks like a macro at the end may be the literal end of another: "%%_" ends in "_".
        ending = list(_PIECE.finditer(text))[-1]
        if ending["literal"] is None:
            return True
    dot = text.rstrip(".").rfind(".")
    return dot >= 0 and _END.match(text, dot) is not None


def _pieces(text: str) -> MacroString:
    if "%" not in text:
        return (text,) if text else ()
    pieces: list[str | Macro] = []
    for found in _PIECE.finditer(text):
        if found["literal"] is not None:
            pieces.append(found["literal"])
        elif found["sign"] is not None:
            pieces.append(_SIGNS[found["sign"]])
        else:
            pieces.append(_macro(found))
    return tuple(pieces)


def _macro(found: re.Match[str]) -> Macro:
    letter, digits = found["letter"], found["digits"]
    count = digits.lstrip("0")[:_DIGITS]
    if digits and not count:
        raise SyntaxFault(f"{found[0]!r} keeps no part at all")
    return Macro(
        letter.lower(),
        int(count or 0),
        bool(found["reverse"]),
        found["delimiters"],
        letter.isupper(),
    )


def _first_wrong(text: str) -> str:
    found = _STRING.match(text)
    return text[found.end() if found else 0 :][:20]


def single(inner: str) -> Macro | None:
    """Return the macro whose inside this is, as "ir" or "l1r-"; None: it is none."""
    text = f"%{{{inner}}}"
    if not re.fullmatch(_EXPAND, text):
        return None
    try:
        macro = _pieces(text)[0]
    except SyntaxFault:
        return None
    return macro if isinstance(macro, Macro) else None


def letters_of(pieces: MacroString) -> frozenset[str]:
    """Return the letters a macro string wants to know."""
    return frozenset(each.letter for each in pieces if isinstance(each, Macro))


def transformed(macro: Macro, value: str) -> str:
    """Return a value split, reversed, shortened and escaped as the macro says."""
    if macro.kept or macro.reverse or macro.delimiters:
        parts = re.split(f"[{re.escape(macro.delimiters or '.')}]", value)
        if macro.reverse:
            parts.reverse()
        value = ".".join(parts[-macro.kept :] if macro.kept else parts)
    return quote(value, safe="", errors="surrogateescape") if macro.escaped else value


def expanded(pieces: MacroString, letters: Mapping[str, str]) -> str:
    """Return the string with what its macros stand for."""
    return "".join(
        each if isinstance(each, str) else transformed(each, letters[each.letter])
        for each in pieces
    )


def target(pieces: MacroString, letters: Mapping[str, str]) -> str:
    """Return the name a domain-spec stands for, without its final dot.

    One which is too long for DNS loses labels on its left (section 7.3).
    """
    name = expanded(pieces, letters).removesuffix(".")
    while len(name) > MAX_NAME and "." in name:
        name = name.partition(".")[2]
    return name
