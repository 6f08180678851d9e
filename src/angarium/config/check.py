"""Files to sections, and every fault on the way: names, places, types, with advice.

Nothing is passed over in silence. What is wrong is an error and refuses the configuration; what we
understand and do not act upon is told as a note or a warning. Faults across options are `rules`.
"""

import difflib
import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from angarium.config.absent import MOVED, why_no_option, why_no_stanza
from angarium.config.errors import Fault, Faults, Severity
from angarium.config.grammar import File, Include, Item, Setting, Stanza
from angarium.config.held import NOTHING, Held
from angarium.config.kinds import Choice, IntOr, Raw
from angarium.config.option import OPTIONS, Option, State
from angarium.config.origin import Origins, Where
from angarium.config.pcre import regex
from angarium.config.places import HostPort
from angarium.config.scope import STANZAS, Naming, Scope, StanzaKind, stanza_in, stanzas_in
from angarium.config.section import Section, root
from angarium.config.tree import Document
from angarium.core.address import routing_domain

MAX_ADVICE: Final = 100  # faults which get the nearest name: finding it is slow
# Files are counted each time they are included, and so is what stands in them from the second time
# on: they can double at each level, and a large one can be named by ten thousand lines.
MAX_INCLUSIONS: Final = 10_000
MAX_REPEATED: Final = 1_000_000
LEAST_STATEMENT: Final = 4  # octets: "a=1 "
MAX_PLACES: Final = 12  # named in an advice: every module has `enabled`


class Checked:
    """What a document means: the sections, where things are set, and what is wrong.

    Attributes:
        held: files which options name, and which could be read at the start only.
    """

    __slots__ = ("_faults", "_inclusions", "_known", "_origins", "_parsed", "_repeated", "_seen",
                 "_set_at", "_shared", "_too_many", "_used", "document", "held", "root",
                 "unknown_stanzas")  # fmt: skip

    def __init__(self, document: Document, held: Held = NOTHING) -> None:
        self.document = document
        self.held = held
        self.root = root()
        self._faults = Faults(document.faults())
        self._origins = Origins(document)
        self._used: set[str] = set()  # options which are set anywhere
        # Where options were set so far, of the sections which set one again.
        self._set_at: dict[Section, dict[str, Where]] = {}
        self._shared: dict[tuple[object, ...], dict[str, object]] = {}
        self.unknown_stanzas: list[tuple[str, File, int]] = []
        self._inclusions = self._repeated = 0
        self._seen: set[str] = set()
        self._too_many = False
        self._known: dict[str, Mapping[str, Option[Any]]] = {}
        self._parsed: dict[tuple[str, str], object] = {}
        for file in filter(None, (document.main, document.local)):
            self._origins.add(self.root, file, file)
            self._file(file, self.root)
        self._report_unknown_stanzas()

    def place(self, section: Section, option: str = "") -> tuple[File, int] | None:
        """Return where an option was set last, or where the section first stands."""
        return self._origins.last(section, option) if option else self._origins.first(section)

    def sections_with(self, option: str) -> list[Section]:
        """Return the sections in which an option is set; all but the top one for no option."""
        if not option:
            return [each for each in self.root.walk() if each.parent is not None]
        if option not in self._used:
            return []
        return [each for each in self.root.walk() if option in each.values]

    @property
    def faults(self) -> list[Fault]:
        """Return all that was found; it is whole after `close`."""
        return self._faults.found

    def close(self) -> None:
        """No more is reported."""
        self._faults.close()

    @property
    def full(self) -> bool:
        """Say whether there are so many errors that it is no use to go on."""
        return self._faults.full

    def report(
        self,
        file: File,
        offset: int,
        message: str,
        advice: str = "",
        severity: Severity = Severity.ERROR,
    ) -> None:
        line, column = file.place(offset)
        self._faults.add(Fault(file.path, line, column, message, advice, severity))

    def _file(self, file: File, section: Section) -> None:
        self._items(file, file.items, section)

    def _items(self, file: File, items: Iterable[Item], section: Section) -> None:
        for item in items:
            if self.full:
                return
            if isinstance(item, Setting):
                self._setting(file, item, section)
            elif isinstance(item, Stanza):
                self._stanza(file, item, section)
            else:
                self._include(file, item, section)

    def _include(self, file: File, item: Include, section: Section) -> None:
        for included in self.document.included.get(item, ()):
            self._inclusions += 1
            if included.path in self._seen:
                self._repeated += len(included.text) // LEAST_STATEMENT
            self._seen.add(included.path)
            if self._inclusions >= MAX_INCLUSIONS or self._repeated >= MAX_REPEATED:
                if not self._too_many:
                    self._too_many = True
                    self.report(
                        file,
                        item.start,
                        "this is included too often: "
                        f"{self._inclusions} files, {self._repeated} statements of them again",
                    )
                return
            self._file(included, section)

    # Settings.

    def known(self, kind: StanzaKind) -> Mapping[str, Option[Any]]:
        """Return the declared options of a stanza by name."""
        found = self._known.get(kind.key)
        if found is None:
            own = kind.scope is Scope.OWN
            found = self._known[kind.key] = {
                each.name: each
                for each in OPTIONS.values()
                if (each.stanza == kind.key if own else kind.scope in each.scopes)
                and bool(each.stanza) == own
            }
        return found

    def _setting(self, file: File, item: Setting, section: Section) -> None:
        declared = self.known(section.kind).get(item.name)
        if declared is None:
            if section.kind.free:
                section.values[item.name] = item.value
            else:
                self._unknown_setting(file, item, section)
            return
        try:
            value = self._value(declared, item.value)
        except ValueError as wrong:
            self.report(
                file, item.value_start, f"{item.name}: {wrong}", self._advice(item, declared)
            )
            return
        if item.name in section.values:
            self._tell_twice(file, item, section)
        elif section in self._set_at:
            self._set_at[section][item.name] = file, item.start
        section.values[item.name] = value
        self._used.add(item.name)
        state = _state(declared, section)
        if state is not State.WORKS:
            self._tell_state(file, item, section, declared, value, state)

    def _tell_state(
        self,
        file: File,
        item: Setting,
        section: Section,
        declared: Option[Any],
        value: object,
        state: State,
    ) -> None:
        """Tell that an option has no effect; what protects somebody is refused where it matters."""
        idle = section.idle
        served = not idle or section.kind.scope is Scope.OWN  # nobody comes by an idle listener
        if declared.safe is not None and value not in declared.safe and served:
            self.report(
                file,
                item.start,
                f"{item.name} is {state.value}, and going on without it is not safe",
                declared.reason or "remove it only if you can do without its protection",
            )
        elif not idle:  # of a stanza without effect nothing has any; `rules` tells it once
            self.report(
                file,
                item.start,
                f"{item.name} is {state.value}",
                declared.reason,
                Severity.NOTE,
            )

    def _advice(self, item: Setting, declared: Option[Any]) -> str:
        """Return what to write: the nearest word, where one of some words is wanted."""
        kind = declared.kind
        words = kind.words if isinstance(kind, Choice | IntOr) else ()
        nearest = self._nearest(item.value.lower(), words) if isinstance(item.value, str) else ""
        return nearest or f"write {kind}"

    def _tell_twice(self, file: File, item: Setting, section: Section) -> None:
        """Warn of an option which is set again in the same file; in another one it is meant."""
        set_at = self._set_at.get(section)
        if set_at is None:
            set_at = self._set_at[section] = self._origins.until(section, item)
        before = set_at.get(item.name)
        set_at[item.name] = file, item.start
        if before is not None and before[0] is file:
            self.report(
                file,
                item.start,
                f"{item.name} is set here again, after line {file.place(before[1])[0]}",
                "what is set last counts",
                Severity.WARNING,
            )

    def _value(self, declared: Option[Any], raw: Raw) -> object:
        """Return the typed value; equal texts give one object, as there may be 100,000 of them."""
        if not isinstance(raw, str):
            return declared.kind.parse(raw)
        key = (declared.key, raw)
        if key not in self._parsed:
            self._parsed[key] = declared.kind.parse(raw)
        return self._parsed[key]

    def _unknown_setting(self, file: File, item: Setting, section: Section) -> None:
        name, kind = item.name, section.kind
        where = f"in {kind.name} stanzas" if kind.key else "at the top of the file"
        elsewhere = [] if (name, kind.key) in MOVED else self._elsewhere(name)
        if stanza_in(kind, name) is not None:
            self.report(file, item.start, f"{name} is a stanza", f"write {name} {{ ... }}")
        elif elsewhere:
            self.report(
                file,
                item.start,
                f"the option {name} may not stand {where}",
                f"it may stand in: {enumerated(elsewhere)}",
            )
        else:
            advice = why_no_option(name, kind.key) or self._nearest(name, self.known(kind))
            self.report(file, item.start, f"there is no option {name} {where}", advice)

    def _elsewhere(self, name: str) -> list[str]:
        """Return the stanzas in which an option may stand."""
        found: dict[str, None] = {}
        for each in OPTIONS.values():
            if each.name == name:
                found |= dict.fromkeys(scope_names(each))
        return list(found)

    def _nearest(self, name: str, names: Iterable[str]) -> str:
        if len(self.faults) > MAX_ADVICE or len(name) > 80:
            return ""
        found = difflib.get_close_matches(name, names, 1, 0.7)
        return f"did you mean {found[0]}?" if found else ""

    # Stanzas.

    def _stanza(self, file: File, item: Stanza, section: Section) -> None:
        kind = stanza_in(section.kind, item.name)
        if kind is None:
            self._unknown_stanza(file, item, section)
            return
        instance = self._instance(file, item, kind)
        if instance is None:
            return
        is_new = section.get(kind.key, instance) is None
        child = section.child(kind, instance)
        self._origins.add(child, file, item)
        if is_new:
            if kind.patterns and instance.startswith("/"):
                # Names are compared in lower case, whatever the pattern's.
                section.add_pattern(regex(instance[1:-1], re.IGNORECASE).compiled, child)
            elif kind.key == "peer":
                section.add_network(ipaddress.ip_network(instance), child)
        else:
            child.values = dict(child.values)
        self._items(file, item.items, child)
        self._share(child)

    def _share(self, section: Section) -> None:
        """Let sections which set the same have one dictionary: most of 100,000 are alike."""
        values = section.values
        # Equal texts gave one object, see `_value`; what was a list or a dictionary is compared
        # by identity, so it is shared with nobody.
        key = (*values, *map(id, values.values()))
        section.values = self._shared.setdefault(key, values)

    def _instance(self, file: File, item: Stanza, kind: StanzaKind) -> str | None:
        """Return the name of an instance in normal form; None, and a fault, if it is wrong."""
        given = item.instance
        if given is None:
            if kind.naming is Naming.ALWAYS:
                self.report(
                    file, item.start, f"{kind.name} needs a name", f'write {kind.name} "name" {{'
                )
                return None
            return ""
        if kind.naming is Naming.NEVER:
            self.report(file, item.start, f"{kind.name} has no name", f"write {kind.name} {{")
            return None
        try:
            return normal_instance(kind, given)
        except ValueError as wrong:
            self.report(file, item.start, f"{kind.name}: {wrong}")
            return None

    def _unknown_stanza(self, file: File, item: Stanza, section: Section) -> None:
        name, kind = item.name, section.kind
        declared = [each for each in STANZAS.values() if each.name == name]
        if name in self.known(kind):
            self.report(file, item.start, f"{name} is an option", f"write {name} = value")
        elif declared:
            places = sorted({parent or "the file itself" for each in declared
                             for parent in each.parents})  # fmt: skip
            self.report(
                file,
                item.start,
                f"{name} may not stand in {kind.name or 'the file itself'}",
                f"it may stand in: {', '.join(places)}",
            )
        elif not kind.key:
            self.unknown_stanzas.append((name, file, item.start))
        else:
            nearest = self._nearest(name, stanzas_in(kind))
            self.report(file, item.start, f"there is no stanza {name} in {kind.name}", nearest)

    def _report_unknown_stanzas(self) -> None:
        """Unknown stanzas wait for the end, as accept_unknown may stand after them."""
        accepted = self.root.values.get("accept_unknown", ())
        assert isinstance(accepted, tuple)
        names = {str(each).lower() for each in accepted}
        for name, file, offset in self.unknown_stanzas:
            if self.full:
                return
            if name in names:
                self.report(
                    file,
                    offset,
                    f"the stanza {name} is unknown and has no effect",
                    "accept_unknown has its name",
                    Severity.NOTE,
                )
            else:
                known = why_no_stanza(name) or self._nearest(name, stanzas_in(self.root.kind))
                advice = known or f"for a module of your own write accept_unknown = ( {name} )"
                self.report(file, offset, f"there is no stanza {name}", advice)


def enumerated(places: list[str]) -> str:
    """Return the places as words, not more than one wants to read."""
    more = len(places) - MAX_PLACES
    return ", ".join(places[:MAX_PLACES]) + (f" and {more} more" if more > 0 else "")


def normal_instance(kind: StanzaKind, given: str) -> str:
    """Return an instance's name in the form it is looked up by. Raises ValueError."""
    if kind.key == "peer":
        try:
            return str(ipaddress.ip_network(given, strict=False))
        except ValueError:
            raise ValueError(f"{given!r} is no address or network") from None
    if kind.key == "listen":
        return endpoint_name(given)
    if kind.patterns and len(given) > 2 and given.startswith("/") and given.endswith("/"):
        regex(given[1:-1])
        return given
    if kind.patterns:
        normal = routing_domain(given.rstrip("."))
        if normal is None:
            raise ValueError(f"{given!r} is no domain, and no pattern such as /[.]example$/")
        return normal
    if kind.scope is not Scope.OWN and (not given or any(each in given for each in " :\t\n")):
        raise ValueError(f"{given!r} is no name: it may not have blanks or colons")
    return given


def endpoint_name(given: str) -> str:
    """Return the normal form of what a listen stanza is called. Raises ValueError."""
    if given.startswith("/"):
        return given
    place = HostPort(bound=True).parse(given)
    if not place.port:
        raise ValueError(f"{given!r} has no port; write such as *:25, 192.0.2.1:25 or [::1]:25")
    host = place.host or "*"
    if given.startswith("[*]"):
        return f"[*]:{place.port}"
    if host != "*":
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            raise ValueError(f"{host!r} is no address of this machine") from None
        host = f"[{address}]" if address.version == 6 else str(address)
    return f"{host}:{place.port}"


def scope_names(declared: Option[Any]) -> list[str]:
    """Return the names of the stanzas in which an option may stand; "global" is the file."""
    if declared.stanza:
        return [declared.stanza]
    top = ["global"] if Scope.GLOBAL in declared.scopes else []
    inner = [
        kind.name
        for kind in STANZAS.values()
        if kind.scope is not Scope.OWN and kind.scope in declared.scopes
    ]
    return top + inner


def _state(declared: Option[Any], section: Section) -> State:
    """Return what an option does at a place: one that works may do so on some listeners only."""
    if declared.state is not State.WORKS or not declared.only:
        return declared.state
    outer: Section | None = section
    while outer is not None and outer.kind.key not in declared.only:
        outer = outer.parent
    # In the file itself: it does not follow that it works in all stanzas there are.
    reached = outer is not None and (bool(outer.kind.key) or outer is section)
    return State.WORKS if reached else State.PLANNED
