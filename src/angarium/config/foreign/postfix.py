"""Postfix: main.cf, master.cf and the tables they name, as postconf(5) and master(5) have them.

Only what is set in the files is taken over: Postfix's own defaults are not, ours are as good. Names
are in `postfix_names`, what is allowed to whom in `postfix_access`, ways in `postfix_routes`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from angarium.config.foreign import postfix_access, postfix_routes
from angarium.config.foreign.draft import GLOBAL, Draft, Place, pattern_of
from angarium.config.foreign.hop import send_to
from angarium.config.foreign.postfix_files import (
    Parameter,
    Service,
    endpoints,
    parameters,
    seconds_of,
    services,
    table,
    words_of,
)
from angarium.config.foreign.postfix_names import (
    NO_LIMIT,
    PLAIN,
    REASONS,
    SESSION_PLAIN,
    SESSION_TIMES,
    SILENT,
    TIMES,
    TLS_LEVELS,
)
from angarium.config.foreign.postfix_values import Unusable, Values
from angarium.config.spelling import HIDDEN, secret

Reader: TypeAlias = Callable[[str], str | None]  # the text of a file; None: there is none

LISTENER: Final[Place] = (("esmtp_listener", ""),)
FILES: Final = ("hash", "btree", "lmdb", "texthash", "cdb", "dbm", "sdbm")  # kinds of tables


def read(directory: str, reader: Reader) -> Draft:
    """Return what a directory with main.cf and master.cf becomes."""
    return _Import(directory, reader).run()


class _Import:
    def __init__(self, directory: str, reader: Reader) -> None:
        self._reader = reader
        self._draft = Draft(f"From Postfix, {directory}.")
        self._main_path = f"{directory}/main.cf"
        self._main = parameters(reader(self._main_path) or "", self._main_path)
        texts = {"config_directory": directory, **{k: v.text for k, v in self._main.items()}}
        self._values = Values(texts)
        master = f"{directory}/master.cf"
        self._services = services(reader(master) or "", master)
        self._taken: set[str] = set()

    def run(self) -> Draft:
        self._networks()
        self._relay()
        self._tls()
        self._reports()
        # What is for all transports comes first, so that what is for SMTP wins.
        for given in sorted(self._main.values(), key=lambda each: each.name[:8] != "default_"):
            self._simple(given, GLOBAL, LISTENER)
        self._banner()
        self._listeners()
        self._transports()
        for given in self._main.values():
            asks = given.text or given.name in postfix_access.RESTRICTIONS
            if asks and given.name not in self._taken and given.name not in SILENT:
                self._leave(given, REASONS.get(given.name, "has no counterpart"))
        return self._draft

    # Values.

    def _usable(self, given: Parameter) -> Parameter | None:
        """Return a parameter with the names in it replaced; left out if that cannot be."""
        try:
            return Parameter(given.name, self._values.expand(given.text), given.where)
        except Unusable as why:
            self._leave(given, str(why))
            return None

    def _get(self, name: str) -> Parameter | None:
        """Return a parameter with its value, None if it has none, and note that it was asked."""
        again = name in self._taken
        self._taken.add(name)
        found = self._main.get(name)
        if found is None or not found.text:
            return None
        if not again:
            return self._usable(found)
        try:
            return Parameter(name, self._values.expand(found.text), found.where)
        except Unusable:
            return None  # told the first time

    def _set(
        self, option: str, value: str | tuple[str, ...], from_: Parameter, place: Place
    ) -> None:
        self._draft.set(option, value, from_.where, told(from_), place)

    def _leave(self, parameter: Parameter, why: str) -> None:
        self._draft.leave(parameter.where, told(parameter), why)

    def _simple(self, given: Parameter, sending: Place, session: Place) -> bool:
        """Take what differs in its name only; say whether it was that."""
        name = given.name
        if name not in {*TIMES, *SESSION_TIMES, *PLAIN, *SESSION_PLAIN, "smtpd_helo_required"}:
            return False
        self._taken.add(name)
        found = self._usable(given) if given.text else None
        if found is None:
            return True
        if name in TIMES:
            options, unit = TIMES[name]
            self._time(options, found, unit, sending)
        elif name in SESSION_TIMES:
            option, unit = SESSION_TIMES[name]
            self._time((option,), found, unit, session)
        elif name in PLAIN:
            self._limit(PLAIN[name], found, sending)
        elif name in SESSION_PLAIN:
            self._set(SESSION_PLAIN[name], found.text, found, session)
        else:
            self._set("require_ehlo", found.text, found, session)
        return True

    def _limit(self, option: str, from_: Parameter, place: Place) -> None:
        """Set a limit; 0 is no limit there."""
        self._set(option, NO_LIMIT.get(option, "0") if from_.text == "0" else from_.text,
                  from_, place)  # fmt: skip

    def _time(self, options: Iterable[str], parameter: Parameter, unit: str, place: Place) -> None:
        seconds = seconds_of(parameter.text, unit)
        if seconds is None:
            self._leave(parameter, f"{parameter.text!r} is no time")
            return
        for option in options:
            self._set(option, str(seconds), parameter, place)

    # Who may relay.

    def _networks(self) -> None:
        networks = self._get("mynetworks")
        style = self._get("mynetworks_style")
        if networks is not None:
            self._relay_hosts(networks, self._restrictions(), GLOBAL)
        elif style is not None:
            self._leave(style, "name the networks in relay_hosts")
        elif "mynetworks" not in self._main and self._main:
            why = "is not set; there the machine itself may relay: write relay_hosts"
            self._draft.leave(self._main_path, "mynetworks", why)

    def _restrictions(self, overrides: Iterable[Parameter] = ()) -> dict[str, str]:
        """Return the restrictions which are set, those of a service before those of main.cf."""
        given = {each.name: each for each in self._main.values()}
        given |= {each.name: each for each in overrides}
        found: dict[str, str] = {}
        for name in postfix_access.RESTRICTIONS:
            if name in given:
                try:
                    found[name] = self._values.expand(given[name].text)
                except Unusable:
                    found[name] = "reject"  # who knows
        return found

    def _relay_hosts(
        self, networks: Parameter, restrictions: Mapping[str, str], place: Place
    ) -> None:
        words = words_of(networks.text)
        known, others = postfix_access.networks(words)
        if any(each.startswith("!") for each in words):
            self._leave(networks, "has exceptions, which relay_hosts has not; write it without")
            return
        if not postfix_access.networks_may_relay(restrictions):
            self._leave(networks, "restrictions do not let these clients relay")
            return
        if known:
            self._set("relay_hosts", tuple(dict.fromkeys(known)), networks, place)
        for each in others:
            self._leave(Parameter(networks.name, each, networks.where), "is a table or a name")

    def _relay(self) -> None:
        domains = self._get("relay_domains")
        if domains is not None:
            words = [word for each in words_of(domains.text) for word in self._listed(each)]
            parents = self._get("parent_domain_matches_subdomains")
            known, others = postfix_access.domains(words, parents.text if parents else None)
            if any(each.startswith("!") for each in words):
                self._leave(domains, "has exceptions, which relay_domains has not")
            elif known:
                self._set("relay_domains", tuple(dict.fromkeys(known)), domains, GLOBAL)
            for each in others:
                self._leave(Parameter("relay_domains", each, domains.where), "is a table")
        host = self._get("relayhost")
        if host is not None:
            found = postfix_routes.hops(host.text)
            if found:
                send_to(self._draft, found, host.where, told(host), GLOBAL)
            else:
                self._leave(host, f"{host.text!r} is no next hop")

    def _listed(self, word: str) -> list[str]:
        """Return the keys of a table which is a file, else the word itself."""
        text = self._table(word)
        return [word] if text is None else [key for _, key, _ in table(*text)]

    def _table(self, word: str) -> tuple[str, str] | None:
        """Return the text and the path of a table such as hash:/etc/postfix/transport."""
        kind, colon, path = word.removeprefix("proxy:").partition(":")
        text = self._reader(path) if colon and kind in FILES else None
        return None if text is None else (text, path)

    # What needs more than a name.

    def _tls(self) -> None:
        level = self._get("smtp_tls_security_level")
        enforced, used = self._get("smtp_enforce_tls"), self._get("smtp_use_tls")
        if level is not None and level.text not in TLS_LEVELS:
            self._leave(level, "is no security level")
        elif level is not None:
            for option, value in TLS_LEVELS[level.text].items():
                self._set(option, value, level, GLOBAL)
        elif enforced is not None and enforced.text == "yes":
            self._set("tls", "required", enforced, GLOBAL)
        elif used is not None:
            self._set("tls", "ifavailable" if used.text == "yes" else "no", used, GLOBAL)

    def _reports(self) -> None:
        delay = self._get("delay_warning_time")
        if delay is not None:
            seconds = seconds_of(delay.text, "h")
            if seconds is None:
                self._leave(delay, f"{delay.text!r} is no time")
            elif seconds:
                self._set("generate_delay_dsn", "true", delay, GLOBAL)
                self._set("delay_dsn_retry_interval", str(seconds), delay, GLOBAL)
                self._leave(delay, "further reports follow here, each after twice the time")

    def _banner(self) -> None:
        banner = self._get("smtpd_banner")
        if banner is not None:
            self._set("static_banner", f"220 {banner.text}", banner, LISTENER)

    # Services which take mail by the network.

    def _listeners(self) -> None:
        addresses = self._get("inet_interfaces")
        interfaces = "all" if addresses is None else addresses.text
        for service in self._services:
            if service.type != "inet":
                continue
            what = f"{service.name} {service.command}"
            overrides = service.overrides
            if service.command == "postscreen":
                self._draft.leave(service.where, what, "what it asks of clients is policy")
                behind = (each for each in self._services if each.type == "pass")
                overrides = [each for smtpd in behind for each in smtpd.overrides]
            elif service.command != "smtpd":
                self._draft.leave(service.where, what, "is no service we have")
                continue
            for name in endpoints(service.name, interfaces):
                place = (*LISTENER, ("listen", name))
                if self._draft.open(place, service.where, what):
                    self._listener(service, overrides, place)

    def _listener(self, service: Service, overrides: list[Parameter], place: Place) -> None:
        set_here = {each.name for each in overrides}
        restrictions = self._restrictions(overrides)
        narrower = set_here & set(postfix_access.RESTRICTIONS) and "mynetworks" not in set_here
        if narrower and not postfix_access.networks_may_relay(restrictions):
            nobody = Parameter(service.name, "its restrictions", service.where)
            self._set("relay_hosts", (), nobody, place)
        for override in overrides:
            given = self._usable(override) if override.text else None
            if given is None:
                continue
            if given.name == "mynetworks":
                self._relay_hosts(given, restrictions, place)
            elif given.name == "smtpd_tls_wrappermode":
                self._set("use_ssl", "true" if given.text == "yes" else "false", given, place)
            elif not self._simple(given, place, place):
                self._leave(given, REASONS.get(given.name, "has no counterpart"))

    # Domains with a transport of their own.

    def _transports(self) -> None:
        maps = self._get("transport_maps")
        seen: set[str] = set()
        for where, key, value in self._lines(maps) if maps is not None else ():
            line = Parameter(key, value, where)
            if key in seen:  # the first table which has it is asked, and no other
                self._leave(line, "a line before it has the same name")
            elif key == "*":
                self._leave(line, "is for all domains: write gateway or routes at the top")
            elif "@" in key or not value:
                self._leave(line, "is for an address; only domains have stanzas")
            else:
                self._transport(line)
            seen.add(key)

    def _lines(self, maps: Parameter) -> Iterator[tuple[str, str, str]]:
        for word in words_of(maps.text):
            text = self._table(word)
            if text is None:
                why = "cannot be read; write a domain stanza for each line of it"
                self._leave(Parameter(maps.name, word, maps.where), why)
            else:
                yield from table(*text)

    def _transport(self, line: Parameter) -> None:
        transport, _, nexthop = line.text.partition(":")
        place = (("domain", pattern_of(line.name)),)
        found = [each for each in self._services
                 if each.name == transport and each.type == "unix"]  # fmt: skip
        command = found[-1].command if found else transport or "smtp"
        if command == "discard":
            self._set("blackhole", "internal", line, place)
            return
        if command not in ("smtp", "relay", "lmtp"):
            self._leave(line, f"the transport {transport} has no counterpart")
            return
        lmtp = command == "lmtp"
        hops = postfix_routes.hops(nexthop, lmtp=lmtp)
        if bool(nexthop) != bool(hops):
            self._leave(line, f"{nexthop!r} is no next hop")
            return
        if lmtp:
            self._set("delivery_method", "LMTP", line, place)
        if hops:
            send_to(self._draft, hops, line.where, told(line), place)
        elif transport:
            postfix_routes.send_directly(self._draft, line.name, line, place)
        if found and transport not in ("smtp", "relay", "lmtp"):
            self._of_transport(found[-1], place)

    def _of_transport(self, service: Service, place: Place) -> None:
        """Take the limits which main.cf and master.cf have for one transport."""
        for suffix, option in (
            ("destination_concurrency_limit", "max_outbound_connections"),
            ("destination_recipient_limit", "max_recipients_per_batch"),
        ):
            limit = self._get(f"{service.name}_{suffix}")
            if limit is not None:
                self._limit(option, limit, place)
        self._rate(service.name, place)
        for override in service.overrides:
            if override.name in TIMES or override.name in PLAIN:
                self._simple(override, place, place)
            elif override.text:
                self._leave(override, REASONS.get(override.name, "has no counterpart"))

    def _rate(self, transport: str, place: Place) -> None:
        """Take the wait between two messages, which holds for each domain by itself."""
        delay = self._get(f"{transport}_destination_rate_delay")
        seconds = seconds_of(delay.text, "s") if delay is not None else None
        if delay is None or not seconds:
            return
        if place[-1][1].startswith("/"):
            why = "would count all domains together which match; write it for each"
            self._leave(delay, why)
        else:
            self._set("outbound_throttle_messages", f"1/{seconds}", delay, place)


def told(parameter: Parameter) -> str:
    """Return what stands there, unless its name tells that it is secret."""
    hidden = secret(None, parameter.name, parameter.text)
    return f"{parameter.name} = {HIDDEN if hidden else parameter.text}"
