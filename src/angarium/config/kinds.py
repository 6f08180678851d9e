"""The types of values: from the file to Python, back to text, and as JSON schema.

A kind's `parse` gets what the grammar found (a word, a list or a dictionary) and returns the
typed value, or raises ValueError with what is wrong in words for the operator.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar

from angarium.config.pcre import Regex, regex
from angarium.core import units
from angarium.core.units import Rate

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

# What the grammar knows: a word, a list ( a b ), a dictionary [ key = value ].
Raw: TypeAlias = "str | tuple[Raw, ...] | Mapping[str, Raw]"
Schema: TypeAlias = dict[str, object]

TRUE: Final = frozenset({"true", "on", "enabled", "yes", "1"})
FALSE: Final = frozenset({"false", "off", "disabled", "no", "0"})


class Kind(Protocol[T_co]):
    """The type of an option's value."""

    def parse(self, raw: Raw) -> T_co:
        """Return the value. Raises ValueError."""
        ...

    def schema(self) -> Schema:
        """Return the JSON schema of the value."""
        ...

    def __str__(self) -> str:
        """Say in a few words what may be written."""
        ...


def word(raw: Raw) -> str:
    """Return a single word or quoted text. Raises ValueError."""
    if isinstance(raw, str):
        return raw
    raise ValueError("one value is expected here, not a list or a dictionary")


@dataclass(frozen=True, slots=True)
class Bool:
    def parse(self, raw: Raw) -> bool:
        text = word(raw).lower()
        if text in TRUE:
            return True
        if text in FALSE:
            return False
        raise ValueError(f"{text!r} is neither true nor false")

    def schema(self) -> Schema:
        return {"type": "boolean"}

    def __str__(self) -> str:
        return "true or false"


@dataclass(frozen=True, slots=True)
class Int:
    """A whole number from `minimum` to `maximum`."""

    minimum: int = 0
    maximum: int = 2**63 - 1
    unit: str = ""

    def parse(self, raw: Raw) -> int:
        text = word(raw)
        # int() takes "1_000" and digits of other scripts, which no operator means.
        if not re.fullmatch(r"[+-]?[0-9]{1,20}", text):
            raise ValueError(f"{text!r} is no whole number")
        value = int(text)
        if value < self.minimum:
            raise ValueError(f"{value} is less than {self.minimum}, the least possible")
        if value > self.maximum:
            raise ValueError(f"{value} is more than {self.maximum}, the most possible")
        return value

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}

    def __str__(self) -> str:
        return f"whole number{f', {self.unit}' if self.unit else ''}"


PORT: Final = Int(minimum=1, maximum=65535)


@dataclass(frozen=True, slots=True)
class Float:
    minimum: float = 0.0
    maximum: float = 1e18

    def parse(self, raw: Raw) -> float:
        text = word(raw)
        if not re.fullmatch(r"[+-]?[0-9]{1,20}(\.[0-9]{1,20})?", text):
            raise ValueError(f"{text!r} is no number")
        value = float(text)
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"{text} is not between {self.minimum:g} and {self.maximum:g}")
        return value

    def schema(self) -> Schema:
        return {"type": "number", "minimum": self.minimum, "maximum": self.maximum}

    def __str__(self) -> str:
        return "number"


@dataclass(frozen=True, slots=True)
class Percent:
    """0 to 100; a sign after the number is allowed."""

    def parse(self, raw: Raw) -> float:
        return Float(0.0, 100.0).parse(word(raw).removesuffix("%"))

    def schema(self) -> Schema:
        return {"type": "number", "minimum": 0, "maximum": 100}

    def __str__(self) -> str:
        return "percent, 0 to 100"


@dataclass(frozen=True, slots=True)
class Duration:
    """Seconds; with a unit ("4 hours") too, which Momentum allows for a few options only."""

    minimum: float = 0.0
    maximum: float = 4294967295.0

    def parse(self, raw: Raw) -> float:
        value = units.duration(word(raw))
        if value < self.minimum:
            raise ValueError(f"shorter than {self.minimum:g} seconds, the least possible")
        if value > self.maximum:
            raise ValueError(f"longer than {self.maximum:g} seconds, the most possible")
        return value

    def schema(self) -> Schema:
        return {"type": "number", "minimum": self.minimum, "maximum": self.maximum}

    def __str__(self) -> str:
        return "seconds, or with a unit such as '4 hours'"


@dataclass(frozen=True, slots=True)
class Size:
    """Octets; K, M, G are powers of 1024."""

    minimum: int = 0
    maximum: int = 2**63 - 1

    def parse(self, raw: Raw) -> int:
        value = units.size(word(raw))
        if value < self.minimum:
            raise ValueError(f"less than {self.minimum} octets, the least possible")
        if value > self.maximum:
            raise ValueError(f"more than {self.maximum} octets, the most possible")
        return value

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}

    def __str__(self) -> str:
        return "octets, or with a unit such as '10M'"


@dataclass(frozen=True, slots=True)
class Text:
    """Printable text of one line; octets which are no UTF-8 are refused."""

    def parse(self, raw: Raw) -> str:
        text = word(raw)
        for each in text:
            if each < " " or "\x7f" <= each < "\xa0" or "\ud800" <= each <= "\udfff":
                raise ValueError(f"the character U+{ord(each):04X} may not stand in it")
        return text

    def schema(self) -> Schema:
        return {"type": "string"}

    def __str__(self) -> str:
        return "text"


@dataclass(frozen=True, slots=True)
class Path(Text):
    def parse(self, raw: Raw) -> str:
        text = Text().parse(raw)
        if not text:
            raise ValueError("the path is empty")
        return text

    def __str__(self) -> str:
        return "path of a file or directory"


@dataclass(frozen=True, slots=True)
class Secret(Text):
    """Text which is never printed."""

    def __str__(self) -> str:
        return "text, never shown"


@dataclass(frozen=True, slots=True)
class Mode:
    """Permissions of a file, octal with a leading zero; `bare`: with or without one."""

    bare: bool = False

    def parse(self, raw: Raw) -> int:
        text = word(raw)
        if not re.fullmatch(r"0[0-7]{1,4}", text) and not (
            self.bare and re.fullmatch(r"[0-7]{3,4}", text)
        ):
            raise ValueError(f"{text!r} is no file mode; write it octal, such as 0640")
        return int(text, 8)

    def schema(self) -> Schema:
        return {"type": "string", "pattern": "^0[0-7]{1,4}$"}

    def __str__(self) -> str:
        return "file mode, octal with a leading zero"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words; the case does not matter, the value is as declared.

    `later`: words which mean something that we do not have yet; they are refused as such.
    """

    words: tuple[str, ...]
    synonyms: Mapping[str, str] = field(default_factory=dict)
    later: tuple[str, ...] = ()

    def parse(self, raw: Raw) -> str:
        text = word(raw)
        known = {each.lower(): each for each in self.words}
        found = known.get(text.lower()) or self.synonyms.get(text.lower())
        if found is None and text.lower() in map(str.lower, self.later):
            raise ValueError(f"{text} is not supported yet")
        if found is None:
            raise ValueError(f"{text!r} is none of {', '.join(self.words)}")
        return found

    def schema(self) -> Schema:
        return {"enum": list(self.words)}

    def __str__(self) -> str:
        return "one of " + ", ".join(self.words)


@dataclass(frozen=True, slots=True)
class IntOr:
    """A whole number or one of some words."""

    words: tuple[str, ...]
    minimum: int = 0

    def parse(self, raw: Raw) -> int | str:
        text = word(raw)
        if text.lower() in self.words:
            return text.lower()
        try:
            return Int(self.minimum).parse(text)
        except ValueError as fault:
            raise ValueError(f"{fault}, nor one of {', '.join(self.words)}") from None

    def schema(self) -> Schema:
        return {"anyOf": [{"type": "integer", "minimum": self.minimum}, {"enum": [*self.words]}]}

    def __str__(self) -> str:
        return "whole number, or one of " + ", ".join(self.words)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression, PCRE as far as Python's `re` can do it: see `pcre`."""

    def parse(self, raw: Raw) -> Regex:
        return regex(word(raw))

    def schema(self) -> Schema:
        return {"type": "string", "format": "regex"}

    def __str__(self) -> str:
        return "regular expression"


@dataclass(frozen=True, slots=True)
class Throttle:
    """A rate, and the key of the counter it is counted in.

    The key names the stanza which sets the throttle: who falls back to that stanza is counted
    with it ("by reference").
    """

    rate: Rate
    key: str = ""

    def keyed(self, key: str) -> "Throttle":
        # With the rate: after a reload another one has a counter of its own, not the time until
        # which the old one would have waited.
        return replace(self, key=f"{key} {self.rate}")

    def __str__(self) -> str:
        return str(self.rate)


@dataclass(frozen=True, slots=True)
class ThrottleKind:
    """N or N/S: N in S seconds. 0 is no limit."""

    def parse(self, raw: Raw) -> Throttle | None:
        rate = units.rate(word(raw))
        return Throttle(rate) if rate.count else None

    def schema(self) -> Schema:
        return {"type": "string", "pattern": r"^\d+(/\d+)?$"}

    def __str__(self) -> str:
        return "N each second, or N/S in S seconds; 0 is no limit"


@dataclass(frozen=True, slots=True)
class Cap:
    """A count which is not to be exceeded, and the key of the counter; see Throttle."""

    count: int
    key: str = ""

    def keyed(self, key: str) -> "Cap":
        return replace(self, key=key)

    def __str__(self) -> str:
        return str(self.count)


@dataclass(frozen=True, slots=True)
class CapKind:
    """A whole number which is counted by all who fall back to it together."""

    def parse(self, raw: Raw) -> Cap | None:
        count = Int(minimum=-1).parse(raw)
        return Cap(count) if count >= 0 else None

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": -1}

    def __str__(self) -> str:
        return "whole number; -1 is no limit"


@dataclass(frozen=True, slots=True)
class List(Generic[T]):
    """( a b c ), or a single value for a list of one.

    `split`: a single text may hold several, separated by blanks or commas.
    """

    item: Kind[T]
    split: bool = False

    def parse(self, raw: Raw) -> tuple[T, ...]:
        if isinstance(raw, Mapping):
            raise ValueError(  # noqa: TRY004 - what a kind raises
                "a list ( ... ) is expected here, not a dictionary"
            )
        items: tuple[Raw, ...] = (raw,) if isinstance(raw, str) else raw
        if self.split and isinstance(raw, str):
            items = tuple(re.split(r"[\s,]+", raw.strip(" \t\r\n,"))) if raw.strip() else ()
        return tuple(self.item.parse(each) for each in items)

    def schema(self) -> Schema:
        return {"type": "array", "items": self.item.schema()}

    def __str__(self) -> str:
        return f"list of: {self.item}"


@dataclass(frozen=True, slots=True)
class Table(Generic[T]):
    """[ key = value ... ]."""

    item: Kind[T]

    def parse(self, raw: Raw) -> Mapping[str, T]:
        if not isinstance(raw, Mapping):
            raise ValueError(  # noqa: TRY004 - what a kind raises
                "a dictionary [ key = value ... ] is expected here"
            )
        return {key: self.item.parse(value) for key, value in raw.items()}

    def schema(self) -> Schema:
        return {"type": "object", "additionalProperties": self.item.schema()}

    def __str__(self) -> str:
        return f"dictionary of: {self.item}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where to connect: host and port; port 0 where none was given."""

    host: str
    port: int = 0

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if self.port else host


def plain(value: Any) -> Any:
    """Return a value as JSON has it: for `config show --json`, the console and REST."""
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)
