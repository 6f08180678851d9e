"""PowerMTA: its configuration file, as the directives of versions 4 and 5 are.

    name value          a directive; `#` begins a comment
    <name key> ... </name>     a block, which may have other blocks inside

Virtual MTAs are bindings, pools are binding groups, domains and sources are what they are here.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from angarium.config.foreign.draft import GLOBAL, Draft, Place, pattern_of
from angarium.config.foreign.hop import Hop, send_to
from angarium.config.foreign.powermta_names import BLOCKS, DOMAIN, GLOBALS, NO_LIMIT, SOURCE
from angarium.config.foreign.powermta_values import converted, truth
from angarium.config.spelling import HIDDEN, secret

Reader: TypeAlias = Callable[[str], str | None]

MAX_DEPTH: Final = 16  # of blocks, and of files
MAX_FILES: Final = 1000  # of which each may include the next one many times
EVERYBODY: Final = ("0.0.0.0/0", "::/0")
ROUTE: Final = re.compile(r"\[([^\[\]]+)\](?::(\d{1,5}))?|([^\[\]:]+)(?::(\d{1,5}))?")
LISTENER: Final[Place] = (("esmtp_listener", ""),)


@dataclass(slots=True)
class Directive:
    name: str
    value: str
    where: str

    @property
    def text(self) -> str:
        """Return what stands there, unless its name tells that it is secret."""
        hidden = secret(None, self.name.replace("-", "_"), self.value)
        return f"{self.name} {HIDDEN if hidden else self.value}".strip()


@dataclass(slots=True)
class Block:
    """<name key> ... </name>; the file itself is one without a name."""

    name: str
    key: str
    where: str
    items: "list[Directive | Block]" = field(default_factory=list)

    @property
    def text(self) -> str:
        return f"<{self.name} {self.key}>".replace(" >", ">")

    def directives(self) -> Iterator[Directive]:
        return (each for each in self.items if isinstance(each, Directive))


def parse(text: str, path: str, reader: Reader, draft: Draft, above: tuple[str, ...] = ()) -> Block:
    """Return a file with what it includes; faults go to what is left out of the draft.

    Args:
        reader: the text of a file; it ends by itself when it was asked too often.
    """
    top = Block("", "", f"{path}:1")
    opened = [top]
    for number, line in enumerate(text.split("\n"), 1):
        where, words = f"{path}:{number}", without_comment(line)
        if not words:
            continue
        begin = re.fullmatch(r"<\s*([A-Za-z0-9-]+)\s*([^<>]*)>", words)
        end = re.fullmatch(r"<\s*/\s*([A-Za-z0-9-]+)\s*>", words)
        if begin is not None and len(opened) <= MAX_DEPTH:
            block = Block(begin[1].lower(), unquoted(begin[2].strip()), where)
            opened[-1].items.append(block)
            opened.append(block)
        elif end is not None and len(opened) > 1 and opened[-1].name == end[1].lower():
            opened.pop()
        elif words.startswith("<"):
            draft.leave(where, words, "is no block which could begin or end here")
        else:
            name, _, value = words.partition(" ")
            item = Directive(name.lower(), unquoted(value.strip()), where)
            if item.name == "include":
                opened[-1].items += included(item, path, reader, draft, above)
            else:
                opened[-1].items.append(item)
    for block in opened[1:]:
        draft.leave(block.where, f"<{block.name}>", "is never ended")
    return top


def included(
    item: Directive, path: str, reader: Reader, draft: Draft, above: tuple[str, ...]
) -> "list[Directive | Block]":
    """Return what another file has."""
    text = reader(item.value) if item.value not in above and len(above) < MAX_DEPTH else None
    if text is None:
        draft.leave(item.where, item.text, "cannot be read")
        return []
    return parse(text, item.value, reader, draft, (*above, path)).items


def without_comment(line: str) -> str:
    found = re.match(r'((?:[^#"]|"[^"]*")*)', line)
    return " ".join(found[1].split()) if found is not None else ""


def unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def read(path: str, reader: Reader) -> Draft:
    """Return what a configuration file becomes."""
    draft = Draft(f"From PowerMTA, {path}.")
    asked = 0

    def bounded(name: str) -> str | None:
        nonlocal asked
        asked += 1
        return reader(name) if asked <= MAX_FILES else None

    top = parse(bounded(path) or "", path, bounded, draft)
    _Import(draft).run(top)
    return draft


class _Import:
    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._macros: dict[str, list[str]] = {}
        self._bindings: dict[str, list[str]] = {"": []}  # by group; "" has them all
        self._moved: list[tuple[Directive, Place, str]] = []
        self._rates: list[tuple[str, str, Directive, Place]] = []

    def run(self, top: Block) -> None:
        for each in top.directives():
            if each.name == "domain-macro":
                name, _, domains = each.value.partition(" ")
                self._macros[name.lower()] = [word for word in re.split(r"[\s,]+", domains) if word]
        for item in top.items:
            if isinstance(item, Block):
                self._block(item)
            else:
                self._global(item)
        for moved in self._moved:
            self._move(*moved)
        # What a virtual MTA says itself comes first, and stays.
        for option, value, item, place in sorted(self._rates, key=lambda each: -len(each[3])):
            self._rate(option, value, item, place)

    def _global(self, item: Directive) -> None:
        if item.name == "domain-macro":
            return
        if item.name == "smtp-listener":
            self._listener(item)
        elif item.name in ("smtp-source-host", "smtp-source-ip"):
            self._source_host(item, GLOBAL)
        elif item.name == "smtp-server-tls-certificate" and item.value:
            # A passphrase may follow, which no key of ours may have, and nobody is to read here.
            file = item.value.split()[0]
            text = f"{item.name} {file}"
            self._draft.set("tls_certificate", file, item.where, text, LISTENER)
        elif item.name in GLOBALS:
            self._mapped(item, GLOBALS, GLOBAL)
        elif item.name == "mx-rollup":
            self._rollup(item)
        else:
            self._mapped(item, DOMAIN, GLOBAL)

    def _block(self, block: Block) -> None:
        if block.name == "source":
            self._source(block)
        elif block.name == "virtual-mta":
            self._virtual_mta(block)
        elif block.name == "virtual-mta-pool":
            self._pool(block)
        elif block.name == "domain":
            self._domain(block, GLOBAL)
        elif block.name in ("mx-rollup", "mx-rollup-list"):
            for each in block.directives():
                self._rollup(each)
        else:
            why = BLOCKS.get(block.name, "has no counterpart")
            self._draft.leave(block.where, block.text, why)

    # One of each.

    def _listener(self, item: Directive) -> None:
        endpoint = item.value.split(" ")[0]
        host, _, port = endpoint.rpartition(":")
        if not port.isdigit():
            host, port = endpoint, "25"
        host = host.strip("[]").removesuffix("/0")
        literal = f"[{host}]" if ":" in host else host
        name = f"{'*' if host in ('0', '0.0.0.0') else literal}:{port}"
        self._draft.open((*LISTENER, ("listen", name)), item.where, item.text)
        if " " in item.value:
            self._draft.leave(item.where, item.text, "only the address was taken")

    def _source(self, block: Block) -> None:
        """What holds for clients: relay_hosts where all may relay, else a peer stanza."""
        try:
            found = ipaddress.ip_network(
                "0.0.0.0/0" if block.key == "0/0" else block.key, strict=False
            )
        except ValueError:
            self._draft.leave(block.where, block.text, "is no address or network")
            return
        network = str(found)
        place = LISTENER if network in EVERYBODY else (*LISTENER, ("peer", network))
        said = {each.name: each for each in block.directives()}
        for each in block.directives():
            if each.name == "always-allow-relaying":
                self._relay(network, each, place, said)
            elif each.name != "always-allow-api-submission":
                self._mapped(each, SOURCE, place)

    def _relay(
        self, network: str, item: Directive, place: Place, said: Mapping[str, Directive]
    ) -> None:
        asks = said.get("require-auth")
        service = said.get("smtp-service")
        why = ""
        if not truth(item.value):
            # An exception of a network around it; of nobody's it would be one without effect.
            if place is not LISTENER:
                self._draft.set("relay_hosts", (), item.where, item.text, place)
            return
        if network in EVERYBODY:
            why = "would let everybody send to anybody; name the networks in relay_hosts"
        elif asks is not None and truth(asks.value):
            why = "is for those who authenticate, which is planned"
        elif service is not None and not truth(service.value):
            why = "these clients may not come by SMTP"
        if why:
            self._draft.leave(item.where, item.text, why)
        else:
            self._draft.add("relay_hosts", [network], item.where, item.text)

    def _virtual_mta(self, block: Block) -> None:
        place: Place = (("binding", block.key.lower()),)
        if self._draft.open(place, block.where, block.text):
            self._bindings[""].append(block.key.lower())
        for each in block.items:
            if isinstance(each, Block):
                if each.name == "domain":
                    self._domain(each, place)
                else:
                    self._block(each)
            elif each.name in ("smtp-source-host", "smtp-source-ip"):
                self._source_host(each, place)
            elif each.name == "host-name":
                self._draft.set("ehlo_hostname", each.value, each.where, each.text, place)
            else:
                self._mapped(each, DOMAIN, place)

    def _source_host(self, item: Directive, place: Place) -> None:
        """Take an address and a name, in either order; a binding has an address of each family."""
        words = item.value.replace("[", "").replace("]", "").split()
        addresses = [each for each in words if version_of(each)]
        names = [each for each in words if not version_of(each)]
        for address in addresses:
            held = self._draft.value("bind_address", place)
            if held is None:
                self._draft.set("bind_address", address, item.where, item.text, place)
            elif version_of(str(held)) == version_of(address) or not place:
                why = "a binding has one address of a family; make a group of bindings"
                self._draft.leave(item.where, item.text, why)
                return
            else:
                self._draft.set("bind_address_secondary", address, item.where, item.text, place)
        if not addresses:
            self._draft.leave(item.where, item.text, "names no address")
        elif names:
            self._draft.set("ehlo_hostname", names[0], item.where, item.text, place)

    def _pool(self, block: Block) -> None:
        name = block.key.lower()
        group: Place = (("binding_group", name),)
        inside = self._bindings.setdefault(name, [])
        self._draft.open(group, block.where, block.text)
        for each in block.items:
            if isinstance(each, Block):
                if each.name == "domain":
                    self._domain(each, group)
                else:
                    self._block(each)
            elif each.name == "virtual-mta":
                for word in filter(None, each.value.replace(" ", "").split(",")):
                    # What the binding is stands in its stanza at the top: it is looked at next.
                    if self._draft.open((*group, ("binding", word.lower())), each.where, each.text):
                        inside.append(word.lower())
            else:
                self._mapped(each, DOMAIN, group)

    def _domain(self, block: Block, outer: Place) -> None:
        for name in self._domains(block):
            place = outer if name == "*" else (*outer, ("domain", domain_name(name)))
            self._draft.open(place, block.where, block.text)
            for each in block.directives():
                self._of_domain(each, place)

    def _domains(self, block: Block) -> list[str]:
        if not block.key.startswith("$"):
            return [block.key or "*"]
        found = self._macros.get(block.key[1:].lower())
        if found is None:
            self._draft.leave(block.where, f"<domain {block.key}>", "there is no such domain-macro")
        return found or []

    def _of_domain(self, item: Directive, place: Place) -> None:
        if item.name == "route":
            found = [ROUTE.fullmatch(each) for each in re.split(r"[\s,]+", item.value) if each]
            hops = [
                Hop((each[1] or each[3]).strip(), each[2] or each[4] or "", exact=bool(each[1]))
                for each in found
                if each is not None
            ]
            if hops and all(found):
                send_to(self._draft, hops, item.where, item.text, place)
            else:
                self._draft.leave(item.where, item.text, "is no host")
        elif item.name == "type" and item.value == "discard":
            self._draft.set("blackhole", "internal", item.where, item.text, place)
        else:
            self._mapped(item, DOMAIN, place)

    def _rollup(self, item: Directive) -> None:
        """Take mx PATTERN DOMAIN: mail for hosts which match waits in the queue of one domain."""
        words = item.value.split()
        if item.name in ("mx", "mx-rollup") and len(words) == 2:
            self._moved.append((item, (("host", domain_name(words[0])),), words[1].lower()))
        else:
            self._draft.leave(item.where, item.text, "has no counterpart")

    def _move(self, item: Directive, place: Place, name: str) -> None:
        """Let mail wait under another domain, if that has hosts: there it need not."""
        there: Place = (("domain", name),)
        routed = self._draft.value("gateway", there) or self._draft.value("routes", there)
        if name.endswith(".rollup") and not routed:
            why = f"{name} has no hosts, and here mail goes to those; write limits in a host stanza"
            self._draft.leave(item.where, item.text, why)
        elif place and place[-1][0] == "host":
            self._draft.set("rollup_mx", "true", item.where, item.text, place)
            self._draft.set("rollup_mx_name", name, item.where, item.text, place)
        elif place[-1:] != there:
            self._draft.set("reroute_domain", name, item.where, item.text, place)

    def _mapped(self, item: Directive, known: Mapping[str, tuple[str, str]], place: Place) -> None:
        option, how = known.get(item.name, ("", "reason:has no counterpart"))
        if not option:
            self._draft.leave(item.where, item.text, how.partition(":")[2])
            return
        value = converted(item.value, how)
        if value == "0" and how == "count":
            value = NO_LIMIT.get(option, value)
        if value is None:
            self._draft.leave(item.where, item.text, f"{item.value!r} is not understood")
        elif option == "reroute_domain":
            self._moved.append((item, place, value.lower()))
        elif value and how == "rate":
            self._rates.append((option, value, item, place))
        elif option == "tls" and self._draft.value("tls", place) == "required":
            return  # a line before it asks for more
        elif value:
            self._draft.set(option, value, item.where, item.text, place)
            if option == "retry_interval":
                self._draft.set("max_retry_interval", value, item.where, item.text, place)

    def _rate(self, option: str, value: str, item: Directive, place: Place) -> None:
        """Set a rate, which there holds for each virtual MTA and domain by itself.

        Here all who get it from one stanza are counted together: so it goes to the domain in each
        binding, and has no place outside of a domain.
        """
        if not place or place[-1][0] != "domain":
            why = f"{option} would count all domains together; write it for those which need it"
            self._draft.leave(item.where, item.text, why)
            return
        *outer, domain = place
        if domain[1].startswith("/"):
            why = "would count all domains together which match; write it for each"
            self._draft.leave(item.where, item.text, why)
            return
        places = [place]
        if not outer or outer[0][0] == "binding_group":
            names = self._bindings.get(outer[0][1] if outer else "", [])
            places = [(*outer, ("binding", name), domain) for name in names]
            # Without a virtual MTA mail goes by the default one, which has a rate of its own.
            places += [] if outer and names else [place]
        for inner in places:
            if self._draft.value(option, inner) is None:
                self._draft.set(option, value, item.where, item.text, inner)


def domain_name(key: str) -> str:
    """Return the name of a domain stanza; [*.] is a name with all below it."""
    if key.startswith("[*.]"):
        tail = key[4:].lower().replace(".", "[.]")
        return f"/(^|[.]){tail}$/"
    return pattern_of(key)


def version_of(text: str) -> int:
    """Return 4 or 6 for an address, 0 for what is none."""
    try:
        return ipaddress.ip_address(text).version
    except ValueError:
        return 0
