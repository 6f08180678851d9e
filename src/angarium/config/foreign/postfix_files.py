"""The files of Postfix: main.cf, master.cf and tables, from text to what stands in them.

The grammar is that of postconf(5) and master(5); what it means is `postfix`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

UNITS: Final[Mapping[str, int]] = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
PORTS: Final[Mapping[str, str]] = {
    "smtp": "25",
    "submission": "587",
    "smtps": "465",
    "submissions": "465",
}
LOOPBACK: Final[Mapping[str, tuple[str, ...]]] = {
    "loopback-only": ("127.0.0.1", "::1"),
    "localhost": ("127.0.0.1",),
}
LEAST_FIELDS: Final = 8  # of a line of master.cf


@dataclass(frozen=True, slots=True)
class Parameter:
    """One of main.cf, or of an -o of master.cf, as it stands there."""

    name: str
    text: str
    where: str


@dataclass(slots=True)
class Service:
    """One of master.cf."""

    name: str
    type: str
    command: str
    where: str
    overrides: list[Parameter] = field(default_factory=list)


def logical_lines(text: str, path: str) -> Iterator[tuple[str, str]]:
    """Yield "path:line" and each logical line: what is indented continues the one before."""
    where, parts = "", list[str]()
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0] in " \t" and parts:
            parts.append(line.strip())
            continue
        if parts:
            yield where, " ".join(parts)
        where, parts = f"{path}:{number}", [line.strip()]
    if parts:
        yield where, " ".join(parts)


def parameters(text: str, path: str) -> dict[str, Parameter]:
    """Return main.cf; of a name which stands twice the last one counts, as there."""
    found: dict[str, Parameter] = {}
    for where, line in logical_lines(text, path):
        name, equals, value = line.partition("=")
        if equals and re.fullmatch(r"[A-Za-z0-9_.\-]+", name.strip()):
            found[name.strip()] = Parameter(name.strip(), value.strip(), where)
    return found


def services(text: str, path: str) -> list[Service]:
    """Return master.cf."""
    found: list[Service] = []
    for where, line in logical_lines(text, path):
        words = line.split()
        if len(words) < LEAST_FIELDS:
            continue
        service = Service(words[0], words[1], words[7], where)
        rest = iter(arguments(" ".join(words[8:])))
        for word in rest:
            if word.startswith("-o"):
                name, _, value = (word[2:] or next(rest, "")).partition("=")
                service.overrides.append(Parameter(name.strip(), value.strip(), where))
        found.append(service)
    return found


def arguments(text: str) -> list[str]:
    """Return the words of a command; { a b } is one, without its braces."""
    found: list[str] = []
    depth = begin = 0
    for at, each in enumerate(f"{text} "):
        if each == "{":
            depth += 1
        elif each == "}":
            depth -= 1
        elif each == " " and depth <= 0:
            word = text[begin:at]
            if word.startswith("{") and word.endswith("}"):
                word = word[1:-1].strip()
            found += [word] if word else []
            begin = at + 1
    return found


def table(text: str, path: str) -> Iterator[tuple[str, str, str]]:
    """Yield where it stands, key and value of each line of a table, as postmap reads it."""
    for where, line in logical_lines(text, path):
        key, _, value = line.replace("\t", " ").partition(" ")
        yield where, key, value.strip()


def seconds_of(text: str, unit: str) -> int | None:
    """Return a time of Postfix in seconds; `unit` where it has none."""
    found = re.fullmatch(r"(\d{1,12})\s*([smhdw]?)", text)
    return int(found[1]) * UNITS[found[2] or unit] if found is not None else None


def words_of(text: str) -> list[str]:
    return [each for each in re.split(r"[\s,]+", text) if each]


def endpoints(name: str, interfaces: str) -> list[str]:
    """Return the names of listen stanzas for a service such as smtp or 10.0.0.1:587."""
    host, colon, port = name.rpartition(":")
    port = PORTS.get(port, port)
    if colon:
        return [f"{host.strip('[]') if '.' in host else host}:{port}"]
    hosts = [each.strip("[]") for each in words_of(interfaces)]
    if not hosts or "all" in hosts:
        return [f"*:{port}"]
    named = [address for each in hosts for address in LOOPBACK.get(each, (each,))]
    return [f"[{each}]:{port}" if ":" in each else f"{each}:{port}" for each in named]
