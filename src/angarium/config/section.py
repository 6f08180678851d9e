"""The stanzas of a configuration, put together: what is set in each, and what is inside it.

A stanza which was opened several times, in one file or in several, is one Section; what was set
last counts. Values are typed here already; who falls back to whom is `resolve`.
"""

import ipaddress
import re
import weakref
from collections.abc import Iterator
from typing import Final

from angarium.config.scope import TOP, StanzaKind, State

_NOTHING: Final[dict[str, "Section"]] = {}


class Section:
    """One stanza. `instance` is the name in normal form, "" if it has none."""

    __slots__ = (
        "__weakref__", "_networks", "_parent", "children", "instance", "kind", "patterns", "values",
    )  # fmt: skip

    def __init__(self, kind: StanzaKind, instance: str, parent: "Section | None") -> None:
        self.kind = kind
        self.instance = instance
        # Weak, so that a generation goes when nobody needs it: 100,000 stanzas which wait for the
        # collector are as many megabytes with each reload.
        self._parent = None if parent is None else weakref.ref(parent)
        self.values: dict[str, object] = {}
        self.children: dict[str, dict[str, Section]] | None = None  # kind, then instance
        self.patterns: list[tuple[str, re.Pattern[str], Section]] | None = None
        self._networks: dict[tuple[int, int], dict[int, Section]] | None = None

    @property
    def parent(self) -> "Section | None":
        """Return the section around this one, which lives as long as the file itself is held."""
        return None if self._parent is None else self._parent()

    def child(self, kind: StanzaKind, instance: str) -> "Section":
        """Return the section inside this one, made now if there is none yet."""
        if self.children is None:
            self.children = {}
        siblings = self.children.setdefault(kind.key, {})
        found = siblings.get(instance)
        if found is None:
            found = siblings[instance] = Section(kind, instance, self)
        return found

    def all(self, kind: str) -> dict[str, "Section"]:
        """Return the sections of a kind inside this one by instance, in the order of the file."""
        return self.children.get(kind, _NOTHING) if self.children is not None else _NOTHING

    def get(self, kind: str, instance: str = "") -> "Section | None":
        return self.all(kind).get(instance)

    def add_pattern(self, pattern: re.Pattern[str], section: "Section") -> None:
        """Let `section`, inside this one, hold for all names in which the pattern is found."""
        if self.patterns is None:
            self.patterns = []
        self.patterns.append((section.kind.key, pattern, section))

    def matching(self, kind: str, name: str) -> "Section | None":
        """Return the domain or host stanza for a name: the plain one, else the first pattern."""
        found = self.get(kind, name)
        if found is None and self.patterns is not None:
            for known, pattern, section in self.patterns:
                if known == kind and pattern.search(name):
                    return section
        return found

    def add_network(
        self, network: ipaddress.IPv4Network | ipaddress.IPv6Network, section: "Section"
    ) -> None:
        """Let `section`, a peer stanza inside this one, hold for the clients of a network."""
        if self._networks is None:
            self._networks = {}
        size = (network.version, network.prefixlen)
        if size not in self._networks:
            # Longest prefix first, so that the first which fits is the most specific one.
            self._networks = dict(sorted([*self._networks.items(), (size, {})], reverse=True))
        self._networks[size][int(network.network_address)] = section

    def peer(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> "Section | None":
        """Return the most specific peer stanza for an address."""
        if self._networks is None:
            return None
        number, width = int(address), address.max_prefixlen
        for (version, length), sized in self._networks.items():
            if version == address.version:
                found = sized.get(number >> (width - length) << (width - length))
                if found is not None:
                    return found
        return None

    def walk(self) -> Iterator["Section"]:
        """Yield this section and all inside it, outer ones before what is in them."""
        pending = [self]
        while pending:
            section = pending.pop()
            yield section
            if section.children is not None:
                inner = [each for kind in section.children.values() for each in kind.values()]
                pending.extend(reversed(inner))

    @property
    def idle(self) -> bool:
        """Say whether the stanza, or one around it, is of a kind without effect here."""
        section: Section | None = self
        while section is not None and section.kind.standing.state is State.WORKS:
            section = section.parent
        return section is not None

    @property
    def path(self) -> str:
        """Return how the console writes it: "binding_group g binding b domain example.com"."""
        words: list[str] = []
        section: Section | None = self
        while section is not None and section.parent is not None:
            words[:0] = filter(None, (section.kind.name, section.instance))
            section = section.parent
        return " ".join(words)

    def __repr__(self) -> str:
        return f"<Section {self.path or 'global'}>"


def root() -> Section:
    """Return the section of the file itself, empty."""
    return Section(TOP, "", None)
