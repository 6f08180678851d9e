"""An ecelerity.conf under construction, and the list of what did not find a place in it.

The rule: whatever the other server's file says is either set here, checked by the option's own
kind, or left out with a reason. Nothing disappears.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from angarium.config.check import normal_instance
from angarium.config.describe import options_of
from angarium.config.grammar import written
from angarium.config.kinds import Raw
from angarium.config.load import declarations
from angarium.config.option import Option, State
from angarium.config.scope import STANZAS, TOP, Naming, StanzaKind, stanza_in

Step: TypeAlias = tuple[str, str]  # keyword and instance, such as ("domain", "example.com")
Place: TypeAlias = tuple[Step, ...]

GLOBAL: Final[Place] = ()
INDENT: Final = "  "


@dataclass(frozen=True, slots=True)
class Left:
    """What was not taken over, where it stands, and why."""

    where: str
    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}: {self.why}"


@dataclass(slots=True)
class _Line:
    value: Raw
    where: str
    what: str
    off: bool = False  # written as a comment


class Draft:
    """What becomes an ecelerity.conf.

    Args:
        title: what it was made from, for the first line.
    """

    def __init__(self, title: str) -> None:
        declarations()
        self._title = title
        self._places: dict[Place, dict[str, _Line]] = {GLOBAL: {}}
        self._known: dict[str, Mapping[str, Option[Any]]] = {}
        self.left: list[Left] = []

    def open(self, place: Place, where: str, what: str) -> bool:
        """Let a stanza exist, with all around it; leave it out if its name cannot be one."""
        if place in self._places:
            return True
        for keyword, instance in place:
            kind = STANZAS[keyword]
            try:
                if kind.naming is not Naming.NEVER:
                    normal_instance(kind, instance)
            except ValueError as wrong:
                self.leave(where, what, f"{keyword}: {wrong}")
                return False
        for depth in range(1, len(place) + 1):
            self._places.setdefault(place[:depth], {})
        return True

    def set(self, option: str, value: Raw, where: str, what: str, place: Place = GLOBAL) -> None:
        """Set an option, or leave it out if it does not take the value.

        Args:
            where: file and line it comes from; what: what stands there.
        """
        declared = self._options(place).get(option)
        if declared is None:
            self.leave(where, what, f"{option} may not stand in {spelled(place)}")
            return
        try:
            typed = declared.kind.parse(value)
        except ValueError as wrong:
            self.leave(where, what, f"{option}: {wrong}")
            return
        if not self.open(place, where, what):
            return
        before = self._places[place].get(option)
        if before is not None and before.where != where and not within(before.value, value):
            self.leave(before.where, before.what, f"{option} is set again by {where}")
        works = declared.state is State.WORKS and (
            not declared.only or any(kind in declared.only for kind, _ in place or (("", ""),))
        )
        unsafe = not works and declared.safe is not None and typed not in declared.safe
        self._places[place][option] = _Line(value, where, what, unsafe)
        if declared.state is not State.WORKS:
            written_as = f"became {option}, which is {declared.state.value}"
            more = ", and is commented out: going on without it is not safe" if unsafe else ""
            self.leave(where, what, written_as + more)

    def add(self, option: str, values: Sequence[str], where: str, what: str) -> None:
        """Add to a global option which is a list."""
        before = self._places[GLOBAL].get(option)
        known = before.value if before is not None else ()
        assert isinstance(known, tuple)
        merged = tuple(dict.fromkeys([*map(str, known), *values]))
        self.set(option, merged, where, what)

    def leave(self, where: str, what: str, why: str) -> None:
        self.left.append(Left(where, what, why))

    def value(self, option: str, place: Place = GLOBAL) -> "Raw | None":
        """Return what an option was set to."""
        line = self._places.get(place, {}).get(option)
        return line.value if line is not None else None

    def _options(self, place: Place) -> Mapping[str, Option[Any]]:
        kind = kind_of(place)
        if kind.key not in self._known:
            self._known[kind.key] = {each.name: each for each in options_of(kind)}
        return self._known[kind.key]

    def text(self) -> str:
        """Return the file."""
        lines = [f"# {comment(self._title)}", ""]
        lines += self._settings(GLOBAL)
        for place in self._places:
            if len(place) == 1:
                lines += ["", *self._stanza(place)]
        if self.left:
            lines += ["", "# What is not above, or has no effect yet:"]
            lines += [f"#   {comment(str(each))}" for each in self.left]
        return "\n".join(lines) + "\n"

    def _stanza(self, place: Place) -> list[str]:
        indent = INDENT * (len(place) - 1)
        keyword, instance = place[-1]
        named = kind_of(place).naming is not Naming.NEVER and instance
        head = f"{keyword} {quoted(instance)}" if named else keyword
        inside = self._settings(place)
        for inner in self._places:
            if len(inner) == len(place) + 1 and inner[:-1] == place:
                inside += self._stanza(inner)
        if not inside:
            return [f"{indent}{head} {{ }}"]
        return [f"{indent}{head} {{", *inside, f"{indent}}}"]

    def _settings(self, place: Place) -> list[str]:
        indent = INDENT * len(place)
        return [
            f"{indent}{'# ' if line.off else ''}{option} = {value(line.value)}"
            f"  # {comment(f'{line.where} {line.what}')}"
            for option, line in self._places[place].items()
        ]


def within(before: Raw, now: Raw) -> bool:
    """Say whether nothing of a value is lost where another one takes its place."""
    if isinstance(before, tuple) and isinstance(now, tuple):
        return all(each in now for each in before)
    return before == now


def kind_of(place: Place) -> StanzaKind:
    """Return the kind of the stanza at a place we made up ourselves."""
    kind = TOP
    for keyword, _ in place:
        inner = stanza_in(kind, keyword)
        assert inner is not None, place
        kind = inner
    return kind


def spelled(place: Place) -> str:
    """Return a place in words."""
    return " ".join(f"{keyword} {instance}".strip() for keyword, instance in place) or "the file"


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def value(raw: Raw) -> str:
    """Return a value as it is written; texts which could be read otherwise are quoted."""
    shown = written(raw)
    return quoted(raw) if isinstance(raw, str) and "," in shown and shown == raw else shown


def comment(text: str) -> str:
    """Return what may stand behind a #: one line, without what a terminal would act upon."""
    return "".join(each if each.isprintable() else "?" for each in " ".join(text.split()))


def pattern_of(glob: str) -> str:
    """Return the name of a domain or host stanza for a name which may begin with *. or a dot."""
    if glob.startswith(("*.", ".")):
        tail = glob.lstrip("*").lower().replace(".", "[.]")
        return f"/{tail}$/"
    return glob.lower()
