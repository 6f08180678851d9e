"""What holds at a place: the fallback of options, resolved once per place and configuration.

    outbound   group::binding::domain, binding::domain, group::domain, group::binding, binding,
               group, domain, global
    host       group::binding::host, group::host, binding::host, host, and nothing else
    inbound    peer in listen, peer in listener, listen, listener, pathway_group::pathway, pathway,
               pathway_group, global

At each level of domains and hosts a plain name wins over patterns, which are tried in the order
of the file; of peers the most specific network. The first section of the chain which sets an
option decides.

The rule which keeps it cheap: a place is looked up in a dictionary; behind it, all places with
the same sections share one `Options`, however many millions of domains there are.
"""

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar, overload

from angarium.config.errors import Fault
from angarium.config.held import NOTHING, Held
from angarium.config.kinds import Cap, Throttle
from angarium.config.option import CLASSES, Options
from angarium.config.places import HostPort
from angarium.config.scope import Scope
from angarium.config.section import Section
from angarium.core.errors import Error
from angarium.core.message import DEFAULT_BINDING, DEFAULT_BINDING_GROUP

O = TypeVar("O", bound=Options)  # noqa: E741 - the class of options asked for
Chain = tuple[Section, ...]

LOOPBACK: Final = "127.0.0.1"  # clients of a Unix socket match peers as this
ANY_ADDRESS: Final = "0.0.0.0"
_PIECE: Final = 512  # places forgotten at a time


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One listening socket. `path` is set for a Unix socket, else host and port."""

    listener: str
    name: str  # of the listen stanza, in normal form: for `at(..., listen=name)`
    host: str = ""
    port: int = 0
    path: str = ""


class Recent:
    """A dictionary which forgets: when half of `size` is new, what was not used since goes."""

    __slots__ = ("_half", "_new", "_old")

    def __init__(self, size: int) -> None:
        self._half = max(1, size // 2)
        self._new: dict[object, Any] = {}
        self._old: dict[object, Any] = {}

    def get(self, key: object) -> Any:
        found = self._new.get(key)
        if found is None:
            found = self._old.get(key)
            if found is not None:
                self.put(key, found)
        return found

    def put(self, key: object, value: object) -> None:
        if len(self._new) >= self._half:
            self._old, self._new = self._new, {}
        self._new[key] = value

    def shrink(self) -> Iterator[None]:
        """Forget what was not used lately, in pieces."""
        going, self._old, self._new = self._old, self._new, {}
        while going:
            for _ in range(min(len(going), _PIECE)):
                going.popitem()
            yield

    def __len__(self) -> int:
        return len(self._new) + len(self._old)


class Configuration:
    """All options of one generation, immutable.

    Args:
        root: the sections, without faults.
        notes: what is to be told to the operator: warnings and notes.
        generation: 1 at start, one more with each reload.
        text_hash: of all that was read.
        search: directories in which files are looked for that the configuration names; the first
            one is that of its own.
        held: files that options name which could be read at the start only.
    """

    __slots__ = (
        "_chains", "_has_domains", "_pathways", "_places", "_root", "generation", "held", "notes",
        "search", "text_hash",
    )  # fmt: skip

    def __init__(
        self,
        root: Section,
        *,
        notes: Sequence[Fault] = (),
        generation: int = 1,
        text_hash: str = "",
        search: Sequence[str] = (),
        held: Held = NOTHING,
    ) -> None:
        self._root = root
        self.notes = tuple(notes)
        self.generation = generation
        self.text_hash = text_hash
        self.search = tuple(search)
        self.held = held
        size = root.values.get("match_cache_size", 16384)
        assert isinstance(size, int)
        self._places = Recent(size)
        self._chains = Recent(size)
        self._pathways = _pathways(root)
        self._has_domains = _has_domains(root)

    @property
    def root(self) -> Section:
        """Return the section of the file itself."""
        return self._root

    def shrink(self) -> Iterator[None]:
        """Forget what was not asked for lately, in pieces; it is resolved again when it is."""
        yield from self._places.shrink()
        yield from self._chains.shrink()

    def at(
        self,
        cls: type[O],
        *,
        group: str = "",
        binding: str = "",
        domain: str = "",
        host: str = "",
        listener: str = "",
        listen: str = "",
        peer: str = "",
        pathway: str | None = None,
    ) -> O:
        """Return the options of a class at a place; the same object each time.

        Args:
            domain: in the normal form of `core.address.routing_domain`.
            host: lower case. Options which do not fall back from a host have their `unset` value.
            listener: "esmtp_listener" or such; listen: the name of an `Endpoint`.
            peer: address of the client; "" for a Unix socket.
            pathway: in place of the one chosen by listener, listen or peer.
        """
        if domain and not self._has_domains:
            domain = ""  # There may be millions of them, and no section tells them apart.
        key = (cls, group, binding, domain, host, listener, listen, peer, pathway)
        found = self._places.get(key)
        if found is None:
            hosts: Chain = ()
            if listener or pathway is not None:
                chain = self.inbound(listener, listen, peer, pathway)
            else:
                chain = self.outbound(group, binding, domain)
                hosts = self.hosts(group, binding, host) if host else ()
            found = self._resolved(cls, hosts, chain, at_host=bool(host))
            self._places.put(key, found)
        assert isinstance(found, cls)
        return found

    def top(self, cls: type[O]) -> O:
        """Return global options, or those of the one stanza (the first) the class belongs to."""
        if not cls.stanza:
            return self.at(cls)
        section = next(iter(self._root.all(cls.stanza).values()), None)
        return self.of(cls, section) if section is not None else cls.make()

    def has(self, stanza: str) -> bool:
        """Say whether a stanza stands at the top of the file."""
        return bool(self._root.all(stanza))

    def of(self, cls: type[O], section: Section) -> O:
        """Return the options of a stanza of its own, such as that of a module."""
        return self._resolved(cls, (), (section,), at_host=False)

    @overload
    def instances(self, stanza: type[O]) -> list[tuple[str, O]]: ...
    @overload
    def instances(self, stanza: str) -> list[tuple[str, Options]]: ...
    def instances(self, stanza: type[Options] | str) -> Sequence[tuple[str, Options]]:
        """Return the stanzas of a kind with their names, "" if without, in file order."""
        if isinstance(stanza, str):
            if stanza not in CLASSES:
                raise Error("no class of options has this stanza", stanza=stanza)
            stanza = CLASSES[stanza]
        sections = self._root.all(stanza.stanza)
        return [(name, self.of(stanza, section)) for name, section in sections.items()]

    def listens(self, listener: str) -> list[Endpoint]:
        """Return the sockets of a listener which are not disabled, in file order."""
        outer = self._root.get(listener)
        if outer is None or outer.values.get("enable") is False:
            return []
        return [
            _endpoint(listener, name)
            for name, section in outer.all("listen").items()
            if section.values.get("enable") is not False
        ]

    def bindings(self) -> list[tuple[str, str]]:
        """Return (group, binding) of all; the default one is always there and comes first.

        A binding outside of all groups belongs to the group "default", unless a group has one
        of its name: then it only holds what that one does not set.
        """
        grouped = [
            (group, binding)
            for group, section in self._root.all("binding_group").items()
            for binding in section.all("binding")
        ]
        inside = {binding for _, binding in grouped}
        alone = [
            (DEFAULT_BINDING_GROUP, each)
            for each in self._root.all("binding")
            if each not in inside
        ]
        first = (DEFAULT_BINDING_GROUP, DEFAULT_BINDING)
        return list(dict.fromkeys([first, *grouped, *alone]))

    # Chains, from the most specific section on.

    def outbound(self, group: str, binding: str, domain: str) -> Chain:
        """Return the sections which hold for mail to a domain through a binding."""
        root = self._root
        in_group = root.get("binding_group", group)
        outer = root.get("binding", binding)
        inner = in_group.get("binding", binding) if in_group is not None else None
        bindings = (inner, outer)
        containers = (inner, outer, in_group) if domain else ()
        domains = [each and each.matching("domain", domain) for each in containers]
        last = root.matching("domain", domain) if domain else None
        chain = (*domains, *bindings, in_group, last, root)
        return tuple(each for each in chain if each is not None)

    def hosts(self, group: str, binding: str, host: str) -> Chain:
        """Return the host stanzas which hold for a mail server."""
        root = self._root
        in_group = root.get("binding_group", group)
        inner = in_group.get("binding", binding) if in_group is not None else None
        containers = (inner, in_group, root.get("binding", binding), root)
        found = [each and each.matching("host", host) for each in containers]
        return tuple(each for each in found if each is not None)

    def inbound(self, listener: str, listen: str, peer: str, pathway: str | None) -> Chain:
        """Return the sections which hold for a client of a listener."""
        outer = self._root.get(listener) if listener else None
        inner = outer.get("listen", listen) if outer is not None else None
        peers: list[Section | None] = []
        if outer is not None:
            address = ipaddress.ip_address(peer or LOOPBACK)
            mapped = getattr(address, "ipv4_mapped", None)
            address = mapped or address
            peers = [inner and inner.peer(address), outer.peer(address)]
        chain = [each for each in (*peers, inner, outer) if each is not None]
        if pathway is None:
            chosen = (each.values.get("pathway") for each in chain)
            pathway = str(next((each for each in chosen if each is not None), ""))
        return (*chain, *self._pathways.get(pathway, ()), self._root)

    def _resolved(self, cls: type[O], hosts: Chain, chain: Chain, *, at_host: bool) -> O:
        """Return the values along a chain, shared by all chains which set the same."""
        position = cls.position
        hosts = tuple(each for each in hosts if not position.keys().isdisjoint(each.values))
        chain = tuple(each for each in chain if not position.keys().isdisjoint(each.values))
        key = (cls, at_host, hosts, chain)
        found = self._chains.get(key)
        if found is None:
            found = cls.of(_values(cls, hosts, chain, at_host=at_host))
            self._chains.put(key, found)
        assert isinstance(found, cls)
        return found


def _values(cls: type[Options], hosts: Chain, chain: Chain, *, at_host: bool) -> list[object]:
    values: list[object] = [each.default for each in cls.declared]
    _set(cls, values, chain)
    if at_host:
        for index, each in enumerate(cls.declared):
            if Scope.HOST in each.unset:
                values[index] = each.unset[Scope.HOST]
        _set(cls, values, hosts)
    return values


def _set(cls: type[Options], values: list[object], chain: Chain) -> None:
    """Put what the sections set in its places. What is counted is counted where it is set."""
    position = cls.position
    for section in reversed(chain):
        for name, value in section.values.items():
            if name in position:
                values[position[name]] = (
                    value.keyed(f"{name} {section.path}".strip())
                    if isinstance(value, Throttle | Cap)
                    else value
                )


def _has_domains(root: Section) -> bool:
    """Say whether any section is about a domain."""
    return any(section.kind.key == "domain" for section in root.walk())


def _pathways(root: Section) -> dict[str, Chain]:
    """Return the sections of each pathway; of two groups with the name the first one counts."""
    found: dict[str, Chain] = {}
    for group in root.all("pathway_group").values():
        for name, section in group.all("pathway").items():
            alone = root.get("pathway", name)
            found.setdefault(name, (section, *((alone,) if alone is not None else ()), group))
    for name, section in root.all("pathway").items():
        found.setdefault(name, (section,))
    return found


def _endpoint(listener: str, name: str) -> Endpoint:
    if name.startswith("/"):
        return Endpoint(listener, name, path=name)
    place = HostPort(bound=True).parse(name)
    host = place.host
    if host == "*":
        host = "::" if name.startswith("[") else ANY_ADDRESS
    return Endpoint(listener, name, host, place.port)
