"""A typed value as it is written in a file, such that reading it gives the value again.

What a kind made of a text is turned back here, for all kinds at once: `config show`, the comparison
of configurations and the console print nothing else. Words are quoted where Momentum needs it, not
only where our grammar does.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from angarium.config.compound import Record, Span
from angarium.config.kinds import Cap, Kind, List, Mode, Raw, Secret, Table, Text, plain
from angarium.config.option import Option

HIDDEN: Final = "***"
# Values which a kind has no better word for are None, or "": no throttle, no limit, nothing.
NOTHING: Final = ("", "0", "-1", "none", "no", "disabled")
# Of options which nobody declared, as those of a script, names and what stands in the text have to
# tell. Too much is hidden rather than too little.
SECRET_NAME: Final = re.compile(
    r"pass(word|wd|phrase|code)?s?$|password|secret|token|credential|community"
    r"|(^|_)(pw|pwd|psk|pin)$|(api|private|access|secret|shared|signing|encryption|aes|hmac)_?key"
)
SECRET_TEXT: Final = re.compile(  # a=b;password=c, or name:password@ in a URL
    r"(pass(word|wd|phrase)?|pw|pwd|secret|token|api_?key)\s*=|://[^/\s@:]*:[^/\s@]+@",
    re.IGNORECASE,
)
BARE: Final = re.compile(r"[A-Za-z0-9_.:+%*-]+")
NUMBER: Final = re.compile(r"-?[0-9]+(/[0-9]+)?|0[0-7]+|true|false")


def secret(declared: Option[Any] | None, name: str = "", value: object = "") -> bool:
    """Say whether the value of an option is not to be shown; the rest is for undeclared ones."""
    if declared is None:
        return _tells(name, value)
    return any(isinstance(each, Secret) for each in words_of(declared.kind))


def _tells(name: str, value: object) -> bool:
    if SECRET_NAME.search(name.lower()):
        return True
    if isinstance(value, Mapping):
        return any(_tells(key, each) for key, each in value.items())
    if isinstance(value, tuple):
        return any(_tells("", each) for each in value)
    return isinstance(value, str) and SECRET_TEXT.search(value) is not None


def inner(kind: Kind[Any] | None, key: str = "") -> Kind[Any] | None:
    """Return the kind of what is in a list, or in a dictionary at a key; else the kind itself."""
    if isinstance(kind, Record):
        return kind.fields.get(key)
    return kind.item if isinstance(kind, List | Table | Span) else kind


def words_of(kind: Kind[Any]) -> list[Kind[Any]]:
    """Return the kinds of the words of a value."""
    if isinstance(kind, Record):
        return [word for each in kind.fields.values() for word in words_of(each)]
    found = inner(kind)
    return [kind] if found is kind or found is None else words_of(found)


def raw(kind: Kind[Any] | None, value: object) -> Raw:
    """Return what the grammar finds where `value` stands; no kind: it is that already."""
    if isinstance(value, Mapping):
        return {key: raw(inner(kind, key), each) for key, each in value.items()}
    if isinstance(value, tuple):
        return tuple(raw(inner(kind), each) for each in value)
    if value in (None, "") and kind is not None:
        return _nothing(kind, value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return format(Decimal(repr(value)).normalize(), "f")
    if isinstance(kind, Mode) and isinstance(value, int):
        return f"0{value:o}"
    return str(plain(value))


def _nothing(kind: Kind[Any], value: object) -> str:
    for text in NOTHING:
        try:
            if kind.parse(text) == value:
                return text
        except ValueError:
            continue
    return ""


def spelled(
    declared: Option[Any] | None, value: object, *, name: str = "", secrets: bool = False
) -> str:
    """Return a value as it is written in a file, in one line.

    Args:
        declared: None for what stands in a stanza which takes any name; `name` is that name.
        secrets: show them; without, they are `HIDDEN`.
    """
    if not secrets and secret(declared, name, value):
        return HIDDEN
    kind = None if declared is None else declared.kind
    return " ".join(lines(raw(kind, value), quoted=quotes(declared)))


def quotes(declared: Option[Any] | None) -> bool:
    """Say whether words of an option are always quoted, as text is."""
    return declared is None or any(isinstance(each, Text) for each in words_of(declared.kind))


def lines(value: Raw, *, quoted: bool) -> list[str]:
    """Return a value as it is written: one line, or one more for each item of a list."""
    if isinstance(value, str):
        return [word(value, quoted=quoted)]
    if isinstance(value, Mapping):
        inner = [
            f"{word(key, quoted=False)} = {' '.join(lines(each, quoted=quoted))}"
            for key, each in value.items()
        ]
        return ["[", *inner, "]"]
    return ["(", *(" ".join(lines(each, quoted=quoted)) for each in value), ")"]


def word(text: str, *, quoted: bool) -> str:
    """Return a word as it is written, in quotes where they are needed, or wanted for a text."""
    if (NUMBER if quoted else BARE).fullmatch(text):
        return text
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def plain_value(declared: Option[Any] | None, value: object) -> Any:
    """Return a value as JSON has it, valid by the schema of its kind."""
    return _plain(None if declared is None else declared.kind, value)


def _plain(kind: Kind[Any] | None, value: object) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(inner(kind, key), each) for key, each in value.items()}
    if isinstance(value, tuple):
        return [_plain(inner(kind), each) for each in value]
    if isinstance(value, Cap):
        return value.count
    if value in (None, "") and kind is not None:
        text = _nothing(kind, value)
        return int(text) if kind.schema().get("type") == "integer" and text else text
    if isinstance(kind, Mode):
        return raw(kind, value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return plain(value)
