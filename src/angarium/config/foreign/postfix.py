"""Postfix: main.cf, master.cf and the tables they name, as postconf(5) and master(5) have them.

Only what is set in the files is taken over: Postfix's own defaults are not, ours are as good.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias

from angarium.config.foreign.draft import GLOBAL, Draft, Place, pattern_of
from angarium.config.foreign.postfix_files import (
    PORTS,
    Parameter,
    Service,
    endpoints,
    is_network,
    logical_lines,
    parameters,
    seconds_of,
    services,
    words_of,
)

Reader: TypeAlias = Callable[[str], str | None]  # the text of a file; None: there is none

DEPTH: Final = 20  # of $names inside of values
BODY: Final = ("smtp_data_init_timeout", "smtp_data_xfer_timeout", "smtp_data_done_timeout")
FILES: Final = ("hash", "btree", "lmdb", "texthash", "cdb", "dbm", "sdbm")  # kinds of tables
# Options of ours for times, with the unit Postfix takes where none is written.
TIMES: Final[Mapping[str, tuple[tuple[str, ...], str]]] = {
    "smtp_connect_timeout": (("connect_timeout",), "s"),
    "smtp_helo_timeout": (("banner_timeout", "ehlo_timeout"), "s"),
    "smtp_mail_timeout": (("mailfrom_timeout",), "s"),
    "smtp_rcpt_timeout": (("rcptto_timeout",), "s"),
    "smtp_rset_timeout": (("rset_timeout",), "s"),
    "minimal_backoff_time": (("retry_interval",), "s"),
    "maximal_backoff_time": (("max_retry_interval",), "s"),
    "maximal_queue_lifetime": (("message_expiration",), "d"),
    "smtp_connection_cache_time_limit": (("idle_timeout",), "s"),
}
SESSION_TIMES: Final[Mapping[str, tuple[str, str]]] = {"smtpd_timeout": ("idle_time", "s")}
# Whole numbers, and words, which mean the same under another name.
PLAIN: Final[Mapping[str, str]] = {
    "myhostname": "hostname",
    "smtp_destination_recipient_limit": "max_recipients_per_batch",
    "default_destination_recipient_limit": "max_recipients_per_batch",
    "smtp_destination_concurrency_limit": "max_outbound_connections",
    "default_destination_concurrency_limit": "max_outbound_connections",
    "smtp_connection_reuse_count_limit": "max_deliveries_per_connection",
    "smtp_mx_address_limit": "max_mx_hosts",
    "smtp_helo_name": "ehlo_hostname",
    "smtp_bind_address": "bind_address",
    "hopcount_limit": "received_header_limit",
    "header_size_limit": "max_header_size",
    "bounce_size_limit": "bounce_size_limit",
    "smtp_tls_CAfile": "tls_ca",
    "smtp_tls_cert_file": "tls_certificate",
    "smtp_tls_key_file": "tls_key",
}
SESSION_PLAIN: Final[Mapping[str, str]] = {
    "message_size_limit": "max_message_size",
    "smtpd_recipient_limit": "max_recipients_per_message",
    "smtpd_client_connection_count_limit": "sessions_per_address",
    "smtpd_hard_error_limit": "max_errors_per_connection",
    "smtpd_junk_command_limit": "max_idle_commands",
    "line_length_limit": "command_line_limit",
    "smtpd_tls_cert_file": "tls_certificate",
    "smtpd_tls_key_file": "tls_key",
}
TLS_LEVELS: Final[Mapping[str, str]] = {
    "none": "no",
    "may": "ifavailable",
    "encrypt": "required",
    "verify": "required",
    "secure": "required",
    "dane": "required",
    "dane-only": "required",
    "fingerprint": "required",
}
# Names whose absence here needs a better word than "no counterpart".
REASONS: Final[Mapping[str, str]] = {
    "mydestination": "there is no delivery to mailboxes; name a domain in relay_domains and give it"
    " a gateway, or delivery_method = LMTP",
    "local_recipient_maps": "there is no delivery to mailboxes",
    "home_mailbox": "there is no delivery to mailboxes",
    "mailbox_size_limit": "there is no delivery to mailboxes",
    "alias_maps": "aliases need the module alias",
    "virtual_alias_maps": "aliases need the module alias",
    "canonical_maps": "rewriting addresses is policy",
    "sender_canonical_maps": "rewriting addresses is policy",
    "header_checks": "checks of the content are policy",
    "body_checks": "checks of the content are policy",
    "milter_protocol": "there are no milters; what they do is policy",
    "smtpd_milters": "there are no milters; what they do is policy",
    "non_smtpd_milters": "there are no milters; what they do is policy",
    "sender_dependent_default_transport_maps": "policy chooses the binding of a message",
    "sender_dependent_relayhost_maps": "policy chooses the binding of a message",
    "always_bcc": "copies are made by policy",
    "smtpd_relay_restrictions": "relay_hosts and relay_domains say who may send",
    "smtpd_recipient_restrictions": "relay_hosts and relay_domains say who may send, the rest is"
    " policy",
    "smtpd_client_restrictions": "refusing clients is policy",
    "smtpd_helo_restrictions": "refusing clients is policy",
    "smtpd_sender_restrictions": "refusing senders is policy",
    "smtpd_data_restrictions": "refusing mail is policy",
    "smtpd_sasl_auth_enable": "authentication is planned",
    "smtpd_sasl_path": "authentication is planned",
    "smtpd_sasl_type": "authentication is planned",
    "smtp_sasl_auth_enable": "authentication to hosts is planned",
    "smtp_sasl_password_maps": "authentication to hosts is planned",
    "smtp_sasl_security_options": "authentication to hosts is planned",
    "myorigin": "addresses without a domain get domain_for_unqualified_sender_address",
    "recipient_delimiter": "there is no delivery to mailboxes",
    "alias_database": "aliases need the module alias",
    "queue_directory": "spoolbase is another form of spool; begin with an empty one",
    "queue_run_delay": "mail is tried when it is due, not in runs",
    "default_process_limit": "sessions are no processes; see max_sessions",
    "bounce_queue_lifetime": "reports live as long as other mail: message_expiration of a domain",
    "append_dot_mydomain": "addresses are not completed, but for those without a domain:"
    " domain_for_unqualified_sender_address",
}
SILENT: Final = frozenset(  # about programs and files of Postfix itself
    {
        "command_directory", "compatibility_level", "config_directory", "daemon_directory",
        "data_directory", "debug_peer_level", "debugger_command", "html_directory", "mail_owner",
        "mailq_path", "manpage_directory", "meta_directory", "newaliases_path", "readme_directory",
        "sample_directory", "sendmail_path", "setgid_group", "shlib_directory",
        "unknown_local_recipient_reject_code",
        "biff", "mydomain", "mail_name",
    }
)  # fmt: skip


def read(directory: str, reader: Reader) -> Draft:
    """Return what a directory with main.cf and master.cf becomes."""
    return _Import(directory, reader).run()


class _Import:
    def __init__(self, directory: str, reader: Reader) -> None:
        self._directory = directory
        self._reader = reader
        self._draft = Draft(f"From Postfix, {directory}.")
        main = f"{directory}/main.cf"
        self._main = parameters(reader(main) or "", main)
        master = f"{directory}/master.cf"
        self._services = services(reader(master) or "", master)
        self._taken: set[str] = set()

    def run(self) -> Draft:
        self._networks()
        self._relay()
        self._tls()
        self._reports()
        for parameter in self._main.values():
            self._simple(parameter, GLOBAL, (("esmtp_listener", ""),))
        self._longest_body()
        self._rate("default", GLOBAL)
        self._rate("smtp", GLOBAL)
        self._banner()
        self._listeners()
        self._transports()
        for parameter in self._main.values():
            if parameter.name not in self._taken and parameter.name not in SILENT:
                why = REASONS.get(parameter.name, "has no counterpart")
                self._leave(parameter, why)
        return self._draft

    # Values.

    def _expand(self, text: str, depth: int = 0) -> str:
        if depth > DEPTH:
            return text

        def replaced(found: re.Match[str]) -> str:
            name, mark, alternative = found[1] or found[2], found[3], found[4]
            known = self._main.get(name)
            now = known.text if known is not None else ""
            if mark == "?":
                return alternative if now else ""
            return alternative if mark == ":" and not now else now

        pattern = r"\$(?:([A-Za-z0-9_]+)|[{(]([A-Za-z0-9_]+)(?:([?:])([^{}()]*))?[})])"
        expanded = re.sub(pattern, replaced, text.replace("$$", "\0"))
        if expanded != text and "$" in expanded:
            expanded = self._expand(expanded, depth + 1)
        return expanded.replace("\0", "$")

    def _get(self, name: str) -> Parameter | None:
        """Return a parameter with its value expanded, and note that it was looked at."""
        self._taken.add(name)
        found = self._main.get(name)
        if found is None or not found.text:
            return None
        return Parameter(name, self._expand(found.text), found.where)

    def _set(
        self, option: str, value: str | tuple[str, ...], from_: Parameter, place: Place
    ) -> None:
        self._draft.set(option, value, from_.where, f"{from_.name} = {from_.text}", place)

    def _leave(self, parameter: Parameter, why: str) -> None:
        self._draft.leave(parameter.where, f"{parameter.name} = {parameter.text}", why)

    def _simple(self, given: Parameter, sending: Place, session: Place) -> bool:
        """Take what differs in its name only; say whether it was that."""
        name = given.name
        parameter = Parameter(name, self._expand(given.text), given.where)
        if name in TIMES:
            options, unit = TIMES[name]
            self._time(options, parameter, unit, sending)
        elif name in SESSION_TIMES:
            option, unit = SESSION_TIMES[name]
            self._time((option,), parameter, unit, session)
        elif name in PLAIN:
            if parameter.text:
                self._set(PLAIN[name], parameter.text, parameter, sending)
        elif name in SESSION_PLAIN:
            if parameter.text:
                self._set(SESSION_PLAIN[name], parameter.text, parameter, session)
        elif name == "smtpd_helo_required":
            self._set("require_ehlo", parameter.text or "no", parameter, session)
        else:
            return False
        self._taken.add(name)
        return True

    def _time(self, options: Iterable[str], parameter: Parameter, unit: str, place: Place) -> None:
        seconds = seconds_of(parameter.text, unit)
        if seconds is None:
            self._leave(parameter, f"{parameter.text!r} is no time")
            return
        for option in options:
            self._set(option, str(seconds), parameter, place)

    # What needs more than a name.

    def _networks(self) -> None:
        networks = self._get("mynetworks")
        if networks is None:
            style = self._get("mynetworks_style")
            if style is not None:
                self._leave(style, "name the networks in relay_hosts")
            return
        words = words_of(networks.text)
        plain = [each.replace("[", "").replace("]", "") for each in words if is_network(each)]
        if plain:
            self._draft.add("relay_hosts", plain, networks.where, f"mynetworks = {networks.text}")
        for each in words:
            if not is_network(each):
                self._leave(Parameter("mynetworks", each, networks.where), "is a table or a name")

    def _relay(self) -> None:
        domains = self._get("relay_domains")
        if domains is not None:
            words = words_of(domains.text)
            plain = [each for each in words if ":" not in each and "/" not in each]
            if plain:
                # A parent matches its subdomains, as parent_domain_matches_subdomains has it.
                both = [each for name in plain for each in (name, f"*.{name}")]
                self._draft.add(
                    "relay_domains", both, domains.where, f"relay_domains = {domains.text}"
                )
            for each in words:
                if each not in plain:
                    self._leave(Parameter("relay_domains", each, domains.where), "is a table")
        host = self._get("relayhost")
        if host is not None:
            self._hop(host.text, host, GLOBAL)

    def _hop(self, nexthop: str, parameter: Parameter, place: Place) -> None:
        """Set the way to a next hop; in brackets Postfix does not look for its MX."""
        found = re.fullmatch(
            r"\[([^\]]+)\](?::(\w+))?|([^\[\]:]+)(?::(\w+))?", nexthop.removeprefix("inet:")
        )
        if found is None:
            self._leave(parameter, f"{nexthop!r} is no next hop")
            return
        host, port = found[1] or found[3], found[2] or found[4] or ""
        port = PORTS.get(port, port)
        if found[1] and place and place[-1][0] != "domain":
            self._leave(parameter, "routes may stand in the file and in domains only")
            return
        if not found[1]:
            self._set("gateway", f"{host}:{port}" if port else host, parameter, place)
            return
        literal = f"[{host}]" if ":" in host else host
        url = f"smtp://{literal}?type=a" + (f"&port={port}" if port else "")
        self._set("routes", (url,), parameter, place)

    def _tls(self) -> None:
        level = self._get("smtp_tls_security_level")
        if level is not None:
            value = TLS_LEVELS.get(level.text)
            if value is None:
                self._leave(level, "is no security level")
            else:
                self._set("tls", value, level, GLOBAL)
        older = self._get("smtp_use_tls")
        if older is not None and level is None:
            self._set("tls", "ifavailable" if older.text == "yes" else "no", older, GLOBAL)
        incoming = self._get("smtpd_tls_security_level")
        if incoming is not None:
            self._leave(incoming, "a listener with tls_certificate offers STARTTLS")

    def _reports(self) -> None:
        delay = self._get("delay_warning_time")
        if delay is not None:
            seconds = seconds_of(delay.text, "h")
            if seconds:
                self._set("generate_delay_dsn", "true", delay, GLOBAL)
                self._set("delay_dsn_retry_interval", str(seconds), delay, GLOBAL)

    def _longest_body(self) -> None:
        given = [found for name in BODY if (found := self._get(name)) is not None]
        times = {each: seconds_of(each.text, "s") or 0 for each in given}
        if times:
            longest = max(times, key=lambda each: times[each])
            self._set("body_timeout", str(times[longest]), longest, GLOBAL)

    def _rate(self, transport: str, place: Place) -> None:
        delay = self._get(f"{transport}_destination_rate_delay")
        seconds = seconds_of(delay.text, "s") if delay is not None else None
        if delay is not None and seconds:
            self._set("outbound_throttle_messages", f"1/{seconds}", delay, place)

    def _banner(self) -> None:
        banner = self._get("smtpd_banner")
        if banner is not None:
            host = self._main.get("myhostname")
            if "$" in banner.text or (
                host is None and "myhostname" in self._main["smtpd_banner"].text
            ):
                self._leave(banner, "has names with no value; write static_banner")
                return
            self._set("static_banner", f"220 {banner.text}", banner, (("esmtp_listener", ""),))

    def _listeners(self) -> None:
        """The services of master.cf which take mail by the network."""
        addresses = self._get("inet_interfaces")
        for service in self._services:
            if service.type != "inet" or service.command != "smtpd":
                if service.type == "inet":
                    self._draft.leave(service.where, f"{service.name} {service.command}",
                                      "is no service we have")  # fmt: skip
                continue
            for name in endpoints(service.name, addresses.text if addresses is not None else "all"):
                place = (("esmtp_listener", ""), ("listen", name))
                self._draft.open(place, service.where, f"{service.name} smtpd")
                for override in service.overrides:
                    self._override(override, place)

    def _override(self, override: Parameter, place: Place) -> None:
        if override.name == "smtpd_tls_wrappermode":
            self._set("use_ssl", override.text, override, place)
        elif override.name == "smtpd_sasl_auth_enable":
            self._leave(override, "write authloginparameters or authplainparameters")
        elif not self._simple(override, place, place):
            self._leave(override, REASONS.get(override.name, "has no counterpart"))

    # Domains with a transport of their own.

    def _transports(self) -> None:
        maps = self._get("transport_maps")
        if maps is None:
            return
        known = {each.name: each for each in self._services if each.type == "unix"}
        for table in words_of(maps.text):
            kind, colon, path = table.partition(":")
            text = self._reader(path) if colon and kind in FILES else None
            if text is None:
                why = "cannot be read; write a domain stanza for each line of it"
                self._leave(Parameter("transport_maps", table, maps.where), why)
                continue
            for where, line in logical_lines(text, path):
                pattern, _, target = line.partition(" ")
                self._transport(Parameter(pattern, target.strip(), where), known)

    def _transport(self, line: Parameter, known: Mapping[str, Service]) -> None:
        transport, _, nexthop = line.text.partition(":")
        if "@" in line.name or line.name == "*":
            self._leave(line, "is for addresses or for all; only domains have stanzas")
            return
        place = (("domain", pattern_of(line.name)),)
        if transport in ("error", "retry", "discard", "local", "virtual", "maildrop"):
            self._leave(line, f"the transport {transport} has no counterpart")
            return
        service = known.get(transport)
        if transport not in ("", "smtp", "relay", "lmtp") and service is None:
            self._leave(line, f"master.cf has no service {transport}")
            return
        if transport == "lmtp" or (service is not None and service.command == "lmtp"):
            self._set("delivery_method", "LMTP", line, place)
        if nexthop:
            self._hop(nexthop, line, place)
        if service is not None and service.command in ("smtp", "lmtp"):
            self._of_transport(service, place)
        elif service is not None:
            self._leave(line, f"{transport} runs {service.command}, which has no counterpart")

    def _of_transport(self, service: Service, place: Place) -> None:
        """Take the limits which main.cf and master.cf have for one transport."""
        for suffix, option in (
            ("destination_concurrency_limit", "max_outbound_connections"),
            ("destination_recipient_limit", "max_recipients_per_batch"),
        ):
            limit = self._get(f"{service.name}_{suffix}")
            if limit is not None:
                self._set(option, limit.text, limit, place)
        self._rate(service.name, place)
        for override in service.overrides:
            if override.name in TIMES or override.name in PLAIN:
                self._simple(override, place, place)
            else:
                self._leave(override, REASONS.get(override.name, "has no counterpart"))
