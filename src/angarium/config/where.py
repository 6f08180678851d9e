"""A place of the configuration as an operator names it, and the stanzas that are asked there.

`Where` is what `config eval --binding b --domain d` says; `around` begins with a stanza of the file
instead. Both answer with a `Chain`: who is asked first, who after that. The order itself is that
of `resolve`.
"""

import difflib
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from angarium.config.check import endpoint_name
from angarium.config.option import Option
from angarium.config.path import steps_to
from angarium.config.resolve import Configuration
from angarium.config.scope import LISTENERS, Scope
from angarium.config.section import Section
from angarium.core.address import routing_domain
from angarium.core.errors import Error
from angarium.core.message import DEFAULT_BINDING, DEFAULT_BINDING_GROUP

OUTWARD: Final = ("group", "binding", "domain", "host")
INWARD: Final = ("listener", "listen", "peer", "pathway")


class WhereError(Error):
    """A place which is none; the message says what would be."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The stanzas asked at a place, the most specific one first.

    `hosts` are asked before the others. What does not fall back from a host is asked nowhere else;
    `at_host`: the place is a host, also one without a stanza.
    """

    sections: tuple[Section, ...]
    hosts: tuple[Section, ...] = ()
    at_host: bool = False

    def asked(self, declared: Option[Any]) -> tuple[Section, ...]:
        """Return the stanzas asked for an option, among them those where it may not stand."""
        if self.at_host and Scope.HOST in declared.unset:
            return self.hosts
        return (*self.hosts, *self.sections)

    def default(self, declared: Option[Any]) -> object:
        """Return the value where none of them sets the option."""
        return declared.unset.get(Scope.HOST, declared.default) if self.at_host else (
            declared.default)  # fmt: skip

    def winner(self, declared: Option[Any]) -> Section | None:
        """Return the stanza which decides an option, None if the default holds."""
        return next((each for each in self.asked(declared) if declared.name in each.values), None)

    def value(self, declared: Option[Any]) -> object:
        """Return what holds."""
        winner = self.winner(declared)
        return self.default(declared) if winner is None else winner.values[declared.name]


@dataclass(frozen=True, slots=True)
class Where:
    """A destination or a client, in normal form; "" for what was not said."""

    group: str = ""
    binding: str = ""
    domain: str = ""
    host: str = ""
    listener: str = ""
    listen: str = ""
    peer: str = ""
    pathway: str = ""

    def __str__(self) -> str:
        words = (("binding_group", self.group), ("binding", self.binding), ("domain", self.domain),
                 ("host", self.host), (self.listener, ""), ("listen", self.listen),
                 ("peer", self.peer), ("pathway", self.pathway))  # fmt: skip
        said = [f"{name} {value}".strip() for name, value in words if value or name in LISTENERS]
        return " ".join(said) or "global"

    def chain(self, conf: Configuration) -> Chain:
        """Return the stanzas that are asked."""
        if self.listener or self.pathway:
            return Chain(_inward(conf, self))
        chain = conf.outbound(self.group, self.binding, self.domain)
        hosts = conf.hosts(self.group, self.binding, self.host) if self.host else ()
        return Chain(chain, hosts, at_host=bool(self.host))


def where(conf: Configuration, **said: str) -> Where:
    """Return the place said in the words of OUTWARD and INWARD, which may be left out or "".

    A binding's group, a listener and the listener of a listen stanza are found.

    Raises:
        WhereError: there is no such group, binding, listener, listen stanza or pathway, or what
            is said is no domain or address, or belongs to both directions.
    """
    said = {name: text for name, text in said.items() if text}
    outward, inward = ([each for each in names if each in said] for names in (OUTWARD, INWARD))
    if outward and inward:
        raise WhereError(f"{outward[0]} is of mail on its way out, {inward[0]} of a client")
    return _inside(conf.root, said) if inward else _outside(conf.root, said)


def _outside(root: Section, said: dict[str, str]) -> Where:
    group, binding = said.get("group", ""), said.get("binding", "")
    groups = root.all("binding_group")
    if binding and not group:
        having = [name for name, each in groups.items() if each.get("binding", binding)]
        if len(having) > 1:
            raise WhereError(f"more than one group has a binding {binding}: {', '.join(having)}")
        known = [name for each in groups.values() for name in each.all("binding")]
        _there("binding", binding, [DEFAULT_BINDING, *root.all("binding"), *known])
        group = having[0] if having else DEFAULT_BINDING_GROUP
    elif group:
        _there("binding group", group, [*groups, DEFAULT_BINDING_GROUP])
        inner = groups[group].all("binding") if group in groups else ()
        if binding:
            _there("binding", binding, [*inner, *root.all("binding"), DEFAULT_BINDING])
    domain = said.get("domain", "")
    normal = routing_domain(domain.rstrip(".")) if domain else ""
    if normal is None:
        raise WhereError(f"{domain!r} is no domain")
    return Where(group, binding, normal, said.get("host", "").rstrip(".").lower())


def _inside(root: Section, said: dict[str, str]) -> Where:
    listen, peer, pathway = (said.get(each, "") for each in ("listen", "peer", "pathway"))
    listener = said.get("listener", "").lower()
    if listen:
        try:
            listen = endpoint_name(listen)
        except ValueError as wrong:
            raise WhereError(f"listen: {wrong}") from None
    if listener and listener not in LISTENERS:
        listener = f"{listener}_listener"
    having = [name for name in LISTENERS for each in root.all(name).values()
              if each.get("listen", listen) is not None]  # fmt: skip
    if (listen or peer) and not listener:
        listener = having[0] if having else LISTENERS[0]
    if listener:
        _there("listener", listener, [each for each in LISTENERS if root.get(each)])
    if listen:
        outer = root.get(listener)
        _there("listen stanza", listen, outer.all("listen") if outer is not None else ())
    if peer:
        try:
            peer = str(ipaddress.ip_address(peer))
        except ValueError:
            raise WhereError(f"{peer!r} is no address") from None
    if pathway:
        groups = root.all("pathway_group").values()
        inner = [name for each in groups for name in each.all("pathway")]
        _there("pathway", pathway, [*inner, *root.all("pathway")])
    return Where(listener=listener, listen=listen, peer=peer, pathway=pathway)


def _there(what: str, name: str, names: Iterable[str]) -> None:
    known = list(names)
    if name not in known:
        near = difflib.get_close_matches(name, known[:1000], 1, 0.6)
        raise WhereError(f"there is no {what} {name}{f'; did you mean {near[0]}?' if near else ''}")


def _inward(conf: Configuration, place: Where) -> tuple[Section, ...]:
    pathway = place.pathway or None
    if place.peer or not place.listener:
        return conf.inbound(place.listener, place.listen, place.peer, pathway)
    outer = conf.root.get(place.listener)
    inner = outer and outer.get("listen", place.listen)
    return _session(conf, [each for each in (inner, outer) if each is not None], pathway)


def _session(
    conf: Configuration, sections: list[Section], pathway: str | None
) -> tuple[Section, ...]:
    """Return what a session asks: stanzas of its listener, those of its pathway, the file."""
    if pathway is None:
        chosen = (each.values.get("pathway") for each in sections)
        pathway = str(next((each for each in chosen if each is not None), ""))
    return (*sections, *conf.inbound("", "", "", pathway))


def around(conf: Configuration, section: Section) -> Chain:
    """Return what is asked at a stanza of the file: itself first, then what it falls back to."""
    key, instance = section.kind.key, section.instance
    names = {kind.key: name for kind, name in steps_to(section)}
    group, binding = names.get("binding_group", ""), names.get("binding", "")
    if section.kind.scope is Scope.OWN:
        return Chain((section,))
    if key == "pathway":
        chain = conf.inbound("", "", "", instance)
        return Chain(chain if section is chain[0] else _outwards(section))
    if key in ("peer", "listen", *LISTENERS):
        return Chain(_around_client(conf, section))
    if key == "host":
        hosts = _alike(conf.hosts(group, binding, instance), section)
        return Chain(conf.outbound(group, binding, ""), hosts, at_host=True)
    if key == "domain":
        return Chain(_alike(conf.outbound(group, binding, instance), section))
    if key == "pathway_group":
        return Chain(_outwards(section))
    return Chain(conf.outbound(group, binding, ""))


def _alike(chain: tuple[Section, ...], section: Section) -> tuple[Section, ...]:
    """Leave out patterns which happen to be found in the text of the pattern `section`."""
    key = section.kind.key
    if not section.instance.startswith("/"):
        return chain
    return tuple(
        each for each in chain if each.kind.key != key or each.instance == section.instance
    )


def _outwards(section: Section) -> tuple[Section, ...]:
    found = [section]
    while found[-1].parent is not None:
        found.append(found[-1].parent)
    return tuple(found)


def _around_client(conf: Configuration, section: Section) -> tuple[Section, ...]:
    sections = list(_outwards(section)[:-1])
    if section.kind.key == "peer" and sections[1].kind.key == "listen":
        network = ipaddress.ip_network(section.instance)
        wider = sections[2].peer(network.network_address)
        sections[1:1] = [] if wider is None else [wider]
    return _session(conf, sections, None)
