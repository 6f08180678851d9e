"""The types of values which are made of several: pairs, dictionaries with known keys, joined words.

What is inside a part is a kind of its own; here is only how the parts stand together.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from angarium.config.kinds import Kind, Raw, Schema, Text, word

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Span(Generic[T]):
    """( low high ): the least and the most something may be.

    `measure` says what is compared where values have no order of their own, such as rates.
    """

    item: Kind[T]
    measure: Callable[[Any], Any] = lambda value: value

    def parse(self, raw: Raw) -> tuple[T, T]:
        parts = tuple(raw.replace(",", " ").split()) if isinstance(raw, str) else raw
        if isinstance(parts, Mapping) or len(parts) != 2:
            raise ValueError("two values ( least most ) are expected here")
        low, high = (self.item.parse(each) for each in parts)
        if self.measure(low) > self.measure(high):
            raise ValueError(f"the first value, {parts[0]}, is more than the second, {parts[1]}")
        return low, high

    def schema(self) -> Schema:
        return {"type": "array", "items": self.item.schema(), "minItems": 2, "maxItems": 2}

    def __str__(self) -> str:
        return f"( least most ), each: {self.item}"


@dataclass(frozen=True, slots=True)
class Record:
    """[ key = value ... ] with keys which are known; their case does not matter."""

    fields: Mapping[str, Kind[object]]
    required: tuple[str, ...] = ()

    def parse(self, raw: Raw) -> Mapping[str, object]:
        if not isinstance(raw, Mapping):
            raise ValueError(  # noqa: TRY004 - what a kind raises
                "a dictionary [ key = value ... ] is expected here"
            )
        names = {each.lower(): each for each in self.fields}
        found: dict[str, object] = {}
        for key, value in raw.items():
            name = names.get(key.lower())
            if name is None:
                raise ValueError(f"there is no key {key!r}; known are {', '.join(self.fields)}")
            try:
                found[name] = self.fields[name].parse(value)
            except ValueError as fault:
                raise ValueError(f"{name}: {fault}") from None
        for name in self.required:
            if name not in found:
                raise ValueError(f"the key {name} is missing")
        return found

    def schema(self) -> Schema:
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": {name: kind.schema() for name, kind in self.fields.items()},
            "required": list(self.required),
        }

    def __str__(self) -> str:
        return f"dictionary with {', '.join(self.fields)}"


@dataclass(frozen=True, slots=True)
class Joined:
    """Several words in one text, such as "a:b:c"; the value is the text without needless blanks."""

    item: Kind[object]
    separator: str

    def parse(self, raw: Raw) -> str:
        parts = [each.strip() for each in word(raw).split(self.separator)]
        for each in parts:
            if not each:
                raise ValueError(f"there is nothing beside a {self.separator!r}")
        return self.separator.join(str(self.item.parse(each)) for each in parts)

    def schema(self) -> Schema:
        return {"type": "string"}

    def __str__(self) -> str:
        return f"one or several, with {self.separator!r} between: {self.item}"


@dataclass(frozen=True, slots=True)
class Choices(Text):
    """Words of which each begins with + or - and is one of `words`: "+ALL:-SSLv3"."""

    words: tuple[str, ...] = ()

    def parse(self, raw: Raw) -> str:
        known = {each.lower(): each for each in self.words}
        found = []
        for part in word(raw).split(":"):
            sign, name = (part[:1], part[1:]) if part[:1] in ("+", "-") else ("+", part)
            if name.lower() not in known:
                raise ValueError(f"{name!r} is none of {', '.join(self.words)}")
            found.append(sign + known[name.lower()])
        return ":".join(found)

    def __str__(self) -> str:
        return f"such as +ALL:-TLSv1.2, of {', '.join(self.words)}"
