"""The types of values which only modules have; else as in `config.kinds`."""

import re
from dataclasses import dataclass

from angarium.config.kinds import Raw, Schema, Text, word
from angarium.modules.guard import zones
from angarium.modules.loggers import place


@dataclass(frozen=True, slots=True)
class LogPlace(Text):
    """Where a log goes: a file, or what an IO wrapper stands for."""

    def parse(self, raw: Raw) -> str:
        text = Text.parse(self, raw)
        if not text:
            raise ValueError("it says no place")
        place.parse(text)
        return text

    def __str__(self) -> str:
        return f"path of a file, or one of {', '.join(place.KINDS)} with :// before it"


@dataclass(frozen=True, slots=True)
class DirectPlace(LogPlace):
    """Where a log goes which every process writes for itself: no program has room for that."""

    def parse(self, raw: Raw) -> str:
        text = LogPlace.parse(self, raw)
        if place.parse(text).kind == place.PIPE:
            raise ValueError("every process writes this log, so it cannot go to a program")
        return text


@dataclass(frozen=True, slots=True)
class Statement(Text):
    """A query; it may go over several lines, and is kept as it is written."""

    def parse(self, raw: Raw) -> str:
        text = word(raw)
        for piece in re.split(r"\r?\n|\t", text):
            Text.parse(self, piece)
        return text

    def __str__(self) -> str:
        return "query"


@dataclass(frozen=True, slots=True)
class Windows:
    """A sliding history: so many windows of so many seconds each."""

    seconds: int
    count: int

    def __str__(self) -> str:
        return f"{self.seconds},{self.count}"


@dataclass(frozen=True, slots=True)
class WindowsKind:
    """ "300,6": six windows of 300 seconds. A list of the two numbers means the same."""

    def parse(self, raw: Raw) -> Windows:
        text = ",".join(map(word, raw)) if isinstance(raw, tuple) else word(raw)
        found = re.fullmatch(r"\s*([0-9]{1,9})\s*,\s*([0-9]{1,9})\s*", text)
        if found is None or not int(found[1]) or not int(found[2]):
            raise ValueError(f"{text!r} is not seconds and a number of windows, such as 300,6")
        return Windows(int(found[1]), int(found[2]))

    def schema(self) -> Schema:
        return {"type": "string", "pattern": "^[0-9]+,[0-9]+$"}

    def __str__(self) -> str:
        return "seconds and number of windows, such as '300,6'"


@dataclass(frozen=True, slots=True)
class ZoneKind:
    """A list in DNS: `modules/guard/zones` says how it is written."""

    def parse(self, raw: Raw) -> zones.Zone:
        return zones.zone(word(raw))

    def schema(self) -> Schema:
        return {"type": "string"}

    def __str__(self) -> str:
        return "list in DNS, such as zen.example.org=127.0.0.[2..11]*3"
