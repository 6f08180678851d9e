"""PowerMTA: its configuration file, as the directives of versions 4 and 5 are.

    name value          a directive; `#` begins a comment
    <name key> ... </name>     a block, which may have other blocks inside

Virtual MTAs are bindings, pools are binding groups, domains and sources are what they are here.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from angarium.config.foreign.draft import GLOBAL, Draft, Place, pattern_of

Reader: TypeAlias = Callable[[str], str | None]

MAX_DEPTH: Final = 16  # of blocks, and of files
PERIODS: Final[Mapping[str, int]] = {
    "s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hr": 3600,
    "hour": 3600, "d": 86400, "day": 86400, "w": 604800, "week": 604800,
}  # fmt: skip
SIZES: Final[Mapping[str, int]] = {
    "": 1, "b": 1, "kb": 1024, "k": 1024, "mb": 1024**2, "m": 1024**2, "gb": 1024**3, "g": 1024**3
}  # fmt: skip
LISTENER: Final[Place] = (("esmtp_listener", ""),)
# Directives of domains: the options they become, and how the value is read.
DOMAIN: Final[Mapping[str, tuple[str, str]]] = {
    "max-smtp-out": ("max_outbound_connections", "count"),
    "max-msg-per-connection": ("max_deliveries_per_connection", "count"),
    "max-rcpt-per-message": ("max_recipients_per_batch", "count"),
    "max-rcpt-per-connection": ("max_recipients_per_connection", "count"),
    "max-msg-rate": ("outbound_throttle_messages", "rate"),
    "max-connect-rate": ("outbound_throttle_connections", "rate"),
    "retry-after": ("retry_interval", "time"),
    "retry-upon-new-mail": ("", "reason:mail is tried when it is due, and new mail at once"),
    "bounce-after": ("message_expiration", "time"),
    "connect-timeout": ("connect_timeout", "time"),
    "smtp-greeting-timeout": ("banner_timeout", "time"),
    "mail-from-timeout": ("mailfrom_timeout", "time"),
    "rcpt-to-timeout": ("rcptto_timeout", "time"),
    "data-send-timeout": ("body_timeout", "time"),
    "idle-timeout": ("idle_timeout", "time"),
    "smtp-port": ("remote_smtp_port", "count"),
    "queue-to": ("reroute_domain", "word"),
    "ehlo-hostname": ("ehlo_hostname", "word"),
    "pix-bug-workaround": ("", "reason:contents are sent as RFC 5321 has them"),
    "dkim-sign": ("opendkim_sign", "flag"),
    "dkim-key": ("", "reason:keys are those of the module opendkim"),
    "dkim-domain": ("", "reason:keys are those of the module opendkim"),
    "dkim-selector": ("", "reason:keys are those of the module opendkim"),
    "domain-key": ("", "reason:keys are those of the module opendkim"),
    "max-errors-per-connection": ("", "reason:a connection which works is kept"),
    "auth-username": ("", "reason:authentication is planned"),
    "auth-password": ("", "reason:authentication is planned"),
    "use-starttls": ("tls", "tls"),
    "require-starttls": ("tls", "required"),
    "deliver-local-dsn": ("", "reason:reports go the way of other mail"),
    "max-cold-virtual-mta-msg": ("", "reason:warming up is adaptive delivery"),
    "smtp-pattern-list": ("", "reason:acting on replies is adaptive delivery"),
    "backoff-mode": ("", "reason:acting on replies is adaptive delivery"),
    "assume-delivery-upon-data-termination-timeout": ("", "reason:a delivery is what was answered"),
    "replace-smtp-421-service-response": ("", "reason:replies are told as they came"),
    "backoff-to-normal-after": ("", "reason:acting on replies is adaptive delivery"),
    "backoff-to-normal-after-delivery": ("", "reason:acting on replies is adaptive delivery"),
    "backoff-max-msg-rate": ("", "reason:acting on replies is adaptive delivery"),
    "backoff-retry-after": ("", "reason:acting on replies is adaptive delivery"),
    "backoff-notify": ("", "reason:acting on replies is adaptive delivery"),
    "backoff-reroute-to-virtual-mta": ("", "reason:acting on replies is adaptive delivery"),
    "log-connections": ("", "reason:connections are not logged one by one"),
    "log-commands": ("", "reason:connections are not logged one by one"),
    "log-data": ("", "reason:connections are not logged one by one"),
    "log-resolution": ("", "reason:connections are not logged one by one"),
    "log-transfer-failures": ("", "reason:transient failures are in mainlog"),
}
SOURCE: Final[Mapping[str, tuple[str, str]]] = {
    "max-message-size": ("max_message_size", "size"),
    "max-rcpts-per-message": ("max_recipients_per_message", "count"),
    "max-smtp-msgs-per-connection": ("max_receptions_per_connection", "count"),
    "require-auth": ("enable_authentication", "flag"),
    "smtp-service": ("", "reason:every client may connect; relay_hosts says who may send"),
    "log-connections": ("", "reason:connections are not logged one by one"),
    "log-commands": ("", "reason:connections are not logged one by one"),
    "process-x-virtual-mta": ("", "reason:policy chooses the binding of a message"),
    "default-virtual-mta": ("", "reason:policy chooses the binding of a message"),
    "process-x-envid": ("", "reason:the client says ENVID"),
    "process-x-job": ("", "reason:policy reads header fields"),
    "process-x-dkim-options": ("", "reason:policy reads header fields"),
    "hide-message-source": ("", "reason:policy changes the Received field"),
    "add-received-header": ("rfc2822_trace_headers", "flag"),
    "add-message-id-header": ("", "reason:rfc2822_messageid_header is for the whole server"),
    "add-date-header": ("", "reason:rfc2822_date_header is for the whole server"),
    "retain-x-job": ("", "reason:header fields stay"),
    "jobid-header": ("", "reason:policy reads header fields"),
    "allow-api-submission": ("", "reason:SMTP is the way in"),
    "pattern-list": ("", "reason:policy does it"),
}
GLOBALS: Final[Mapping[str, tuple[str, str]]] = {
    "host-name": ("hostname", "word"),
    "postmaster": ("", "reason:reports come from mailerdaemon"),
    "total-max-smtp-out": ("server_max_outbound_connections", "count"),
    "total-max-smtp-in": ("max_sessions", "count"),
    "run-as-root": ("", "reason:the security stanza says whose the processes are"),
    "http-mgmt-port": ("", "reason:there is no management by HTTP yet"),
    "http-access": ("", "reason:there is no management by HTTP yet"),
    "log-file": ("", "reason:the service log is standard error, the logs are ec_logger's"),
    "relay-address": ("", "reason:name the domains in relay_domains"),
    "use-ipv6": ("use_ipv6", "flag"),
}
BLOCKS: Final[Mapping[str, str]] = {
    "acct-file": "ec_logger and bounce_logger write the logs; there is no CSV",
    "bounce-category-patterns": "classes of failures are not configurable yet",
    "smtp-pattern-list": "acting on replies is adaptive delivery",
    "feedback-loop-processor": "feedback loops need the module fbl",
    "bounce-processor": "bounces which come as mail are policy",
    "spool": "spoolbase is another form of spool; begin with an empty one",
    "auth-method": "authentication is planned",
    "smtp-user": "authentication is planned",
    "pattern-list": "choosing by pattern is policy",
    "mail-merge": "messages are made by the client",
    "address-list": "suppression is policy",
    "pickup": "mail comes by SMTP, or by `angarium spool import`",
}


@dataclass(slots=True)
class Directive:
    name: str
    value: str
    where: str

    @property
    def text(self) -> str:
        return f"{self.name} {self.value}".strip()


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
    """Return a file with what it includes; faults go to what is left out of the draft."""
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
    top = parse(reader(path) or "", path, reader, draft)
    _Import(draft).run(top)
    return draft


class _Import:
    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._macros: dict[str, list[str]] = {}
        self._bindings: list[str] = []
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
        host = host.strip("[]")
        if not port.isdigit():
            host, port = endpoint.strip("[]"), "25"
        name = f"[{host}]:{port}" if ":" in host else f"{'*' if host == '0.0.0.0' else host}:{port}"
        self._draft.open((*LISTENER, ("listen", name)), item.where, item.text)
        if " " in item.value:
            self._draft.leave(item.where, item.text, "only the address was taken")

    def _source(self, block: Block) -> None:
        """What holds for clients: relay_hosts where all may relay, else a peer stanza."""
        network = block.key
        if not re.fullmatch(r"[0-9a-fA-F.:]+(/\d{1,3})?", network):
            self._draft.leave(block.where, f"<source {network}>", "is no address or network")
            return
        everybody = network in ("0/0", "0.0.0.0/0", "::/0")
        network = "0.0.0.0/0" if network == "0/0" else network
        place = LISTENER if everybody else (*LISTENER, ("peer", network))
        for each in block.directives():
            if each.name in ("always-allow-relaying", "always-allow-api-submission"):
                if each.name == "always-allow-relaying" and truth(each.value):
                    self._relay(network, each, everybody=everybody)
            else:
                self._mapped(each, SOURCE, place)

    def _relay(self, network: str, item: Directive, *, everybody: bool) -> None:
        if everybody:
            why = "would let everybody send to anybody; name the networks in relay_hosts"
            self._draft.leave(item.where, item.text, why)
        else:
            self._draft.add("relay_hosts", [network], item.where, item.text)

    def _virtual_mta(self, block: Block) -> None:
        place: Place = (("binding", block.key.lower()),)
        if self._draft.open(place, block.where, block.text):
            self._bindings.append(block.key.lower())
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
        address, _, name = item.value.partition(" ")
        if re.search(r"[g-z]", address) and name:
            address, name = name.strip(), address
        second = "bind_address_secondary" if self._draft.value("bind_address", place) else ""
        self._draft.set(second or "bind_address", address, item.where, item.text, place)
        if name:
            self._draft.set("ehlo_hostname", name.strip(), item.where, item.text, place)

    def _pool(self, block: Block) -> None:
        group: Place = (("binding_group", block.key.lower()),)
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
                    self._draft.open((*group, ("binding", word.lower())), each.where, each.text)
            else:
                self._mapped(each, DOMAIN, group)

    def _domain(self, block: Block, outer: Place) -> None:
        for name in self._domains(block):
            place = outer if name == "*" else (*outer, ("domain", pattern_of(name)))
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
            hosts = [word for word in re.split(r"[\s,]+", item.value) if word]
            literal = [re.fullmatch(r"\[([^\]]+)\](:\d+)?", each) for each in hosts]
            if len(hosts) == 1 and literal[0] is None:
                self._draft.set("gateway", hosts[0], item.where, item.text, place)
            elif place and place[-1][0] != "domain":
                self._draft.leave(item.where, item.text, "routes may stand in domains only")
            else:
                routes = tuple(each.replace("[", "").replace("]", "") for each in hosts)
                self._draft.set("routes", routes, item.where, item.text, place)
        elif item.name == "type" and item.value == "discard":
            self._draft.set("blackhole", "internal", item.where, item.text, place)
        else:
            self._mapped(item, DOMAIN, place)

    def _rollup(self, item: Directive) -> None:
        """Take mx PATTERN DOMAIN: mail for hosts which match waits in the queue of one domain."""
        words = item.value.split()
        if item.name in ("mx", "mx-rollup") and len(words) == 2:
            place: Place = (("host", pattern_of(words[0])),)
            self._draft.set("rollup_mx", "true", item.where, item.text, place)
            self._draft.set("rollup_mx_name", words[1], item.where, item.text, place)
        else:
            self._draft.leave(item.where, item.text, "has no counterpart")

    def _mapped(self, item: Directive, known: Mapping[str, tuple[str, str]], place: Place) -> None:
        option, how = known.get(item.name, ("", "reason:has no counterpart"))
        if not option:
            self._draft.leave(item.where, item.text, how.partition(":")[2])
            return
        value = converted(item.value, how)
        if value is None:
            self._draft.leave(item.where, item.text, f"{item.value!r} is not understood")
        elif value and how == "rate":
            self._rates.append((option, value, item, place))
        elif value:
            self._draft.set(option, value, item.where, item.text, place)

    def _rate(self, option: str, value: str, item: Directive, place: Place) -> None:
        """Set a rate, which there holds for each virtual MTA and domain by itself.

        Here all who get it from one stanza are counted together: so it goes to the domain in each
        binding, and has no place outside of a domain.
        """
        if not place or place[-1][0] != "domain":
            why = f"{option} would count all domains together; write it for those which need it"
            self._draft.leave(item.where, item.text, why)
            return
        each_binding: list[Place] = [(("binding", name), *place) for name in self._bindings]
        for inner in each_binding if len(place) == 1 and each_binding else [place]:
            if self._draft.value(option, inner) is None:
                self._draft.set(option, value, item.where, item.text, inner)


def converted(text: str, how: str) -> str | None:
    """Return a value of ours; "" where the default says the same, None if it is not understood."""
    lower = text.lower().replace(" ", "")
    if how == "count":
        return {"unlimited": "0", "none": "0"}.get(lower, lower) if lower else None
    if how == "time":
        seconds = seconds_of(lower)
        return None if seconds is None else str(seconds)
    if how == "size":
        found = re.fullmatch(r"(\d{1,15})([a-z]*)", lower)
        unit = SIZES.get(found[2]) if found is not None else None
        if lower in ("0", "unlimited"):
            return "0"
        return str(int(found[1]) * unit) if found is not None and unit else None
    if how == "rate":
        return rate_of(lower)
    if how == "flag":
        return "true" if truth(text) else "false"
    if how in ("tls", "required"):
        positive = "ifavailable" if how == "tls" else "required"
        return positive if truth(text) else ""
    return text


def truth(text: str) -> bool:
    return text.strip().lower() in ("yes", "true", "on", "1", "")


def seconds_of(text: str) -> int | None:
    """Return a time such as 1d12h or 90 in seconds."""
    if re.fullmatch(r"\d{1,12}", text):
        return int(text)
    parts = re.findall(r"(\d{1,12})([a-z]+)", text)
    if not parts or "".join(a + b for a, b in parts) != text:
        return None
    units = [PERIODS.get(unit) or PERIODS.get(unit.rstrip("s")) for _, unit in parts]
    if None in units:
        return None
    return sum(int(count) * (unit or 0) for (count, _), unit in zip(parts, units, strict=True))


def rate_of(text: str) -> str | None:
    """Return N/S for a rate such as 100/h; "0" for none."""
    if text in ("unlimited", "0"):
        return "0"
    found = re.fullmatch(r"(\d{1,12})/(\d{0,6})([a-z]+)", text)
    unit = PERIODS.get(found[3]) or PERIODS.get(found[3].rstrip("s")) if found is not None else None
    if found is None or unit is None:
        return None
    return f"{found[1]}/{int(found[2] or 1) * unit}".removesuffix("/1")
