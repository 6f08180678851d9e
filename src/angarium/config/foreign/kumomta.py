"""KumoMTA: files of traffic shaping, TOML or JSON, as its shaping helper reads them.

    ["example.com"]                a domain, or "default"
    ["example.com".sources."ip1"]  the same for mail from one source
    [provider."Name"]              domains and mail servers by pattern

What such a file does not know (listeners, sources, queues) is in KumoMTA's Lua, which is not read.
"""

import bisect
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from angarium.config.foreign.draft import GLOBAL, Draft, Place, pattern_of
from angarium.config.spelling import HIDDEN, secret

Table: TypeAlias = Mapping[str, Any]

PERIODS: Final[Mapping[str, int]] = {
    "s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hr": 3600,
    "hour": 3600, "d": 86400, "day": 86400,
}  # fmt: skip
OWN_TLS: Final = (
    "reason:there is one library for TLS; how it is spoken say tls_protocols and others"
)
AUTH_LATER: Final = "reason:write outbound_smtp_auth_user and _pass into the stanza of the domain"
OPTIONS: Final[Mapping[str, tuple[str, str]]] = {
    "connection_limit": ("max_outbound_connections", "count"),
    "max_deliveries_per_connection": ("max_deliveries_per_connection", "count"),
    "max_recipients_per_batch": ("max_recipients_per_batch", "count"),
    "max_connection_rate": ("outbound_throttle_connections", "rate"),
    "max_message_rate": ("outbound_throttle_messages", "rate"),
    "source_selection_rate": ("", "reason:a binding is chosen by policy"),
    "provider_source_selection_rate": ("", "reason:a binding is chosen by policy"),
    "connect_timeout": ("connect_timeout", "time"),
    "banner_timeout": ("banner_timeout", "time"),
    "ehlo_timeout": ("ehlo_timeout", "time"),
    "mail_from_timeout": ("mailfrom_timeout", "time"),
    "rcpt_to_timeout": ("rcptto_timeout", "time"),
    "data_timeout": (
        "",
        "reason:body_timeout is one for DATA and for the end of the content; that of"
        " data_dot_timeout is taken",
    ),
    "data_dot_timeout": ("body_timeout", "time"),
    "rset_timeout": ("rset_timeout", "time"),
    "idle_timeout": ("idle_timeout", "time"),
    "smtp_port": ("remote_smtp_port", "count"),
    "ehlo_domain": ("ehlo_hostname", "word"),
    "lmtp_port": ("lmtp_port", "count"),
    "use_lmtp": ("delivery_method", "lmtp"),
    "enable_tls": ("tls", "tls"),
    "enable_mta_sts": ("use_mta_sts", "flag"),
    "enable_dane": ("use_dane", "flag"),
    "prohibited_hosts": ("prohibited_hosts", "list"),
    "skip_hosts": ("skip_hosts", "list"),
    "consecutive_connection_failures_before_delay": ("mx_failures_to_delay", "count"),
    "egress_interface": ("", "reason:bind_address of a binding chooses the address"),
    "ip_lookup_strategy": (
        "",
        "reason:use_ipv6 says whether mail goes by IPv6, from bindings with an address for it",
    ),
    "max_ready": ("max_resident_active_queue", "count"),
    "suspended": ("suspend_delivery", "flag"),
    "additional_connection_limits": (
        "",
        "reason:write scope_max_outbound_connections in the stanza of all which are to be counted",
    ),
    "additional_message_rate_throttles": (
        "",
        "reason:write outbound_throttle_messages in the stanza of all which are to be counted",
    ),
    "allow_smtp_auth_plain_without_tls": ("", AUTH_LATER),
    "smtp_auth_plain_username": ("", AUTH_LATER),
    "smtp_auth_plain_password": ("", AUTH_LATER),
    "opportunistic_tls_reconnect_on_failed_handshake": ("tls_ifavailable_fallback", "flag"),
    "openssl_cipher_list": ("tls_ciphers", "word"),
    "openssl_cipher_suites": ("", "reason:tlsv13_ciphersuites has the suites of TLS 1.3"),
    "openssl_options": ("", OWN_TLS),
    "remember_broken_tls": ("", "reason:a host whose TLS fails is remembered for a while"),
    "rustls_cipher_suites": ("", OWN_TLS),
    "starttls_timeout": ("", OWN_TLS),
    "tls_certificate": ("tls_certificate", "word"),
    "tls_prefer_openssl": ("", OWN_TLS),
    "tls_private_key": ("tls_key", "word"),
    "refresh_strategy": ("", "reason:answers of DNS live as long as they say"),
    "refresh_interval": ("", "reason:answers of DNS live as long as they say"),
    "dispatcher_wakeup_strategy": ("", "reason:queues are woken when mail is due"),
    "maintainer_wakeup_strategy": ("", "reason:queues are woken when mail is due"),
    "low_memory_reduction_policy": ("", "reason:memory_goal and memory_hwm say what happens"),
    "no_memory_reduction_policy": ("", "reason:memory_goal and memory_hwm say what happens"),
    "replace_base": ("", "reason:it changes how files are merged, here there is one"),
}
PROVIDER: Final[Mapping[str, tuple[str, str]]] = {
    "provider_connection_limit": ("scope_max_outbound_connections", "count"),
    "provider_max_message_rate": ("outbound_throttle_messages", "rate"),
}
OF_HOSTS: Final = (
    "a host stanza has limits of all that goes to its hosts and nothing else; write it for domains"
)
ROLLED_UP: Final = (
    "there it holds for all domains with the same mail servers, here for this one; to count them"
    " together name the servers in a host stanza, or use rollup_mx"
)
EACH_SOURCE: Final = "counts all bindings together, there each source is counted"
# `suspend`, `throttle`: rules which act upon what hosts say.
AUTOMATION: Final = "acting on replies is adaptive delivery"
TLS: Final[Mapping[str, str]] = {
    "disabled": "no",
    "opportunistic": "ifavailable",
    "opportunisticinsecure": "ifavailable",
    "required": "required",
    "requiredinsecure": "required",
}
WORD: Final = re.compile(r"[\"']([^\"']+)[\"']|([A-Za-z0-9_+-]+)")
MATCHES: Final = {"MXSuffix", "DomainSuffix", "HostName", "DomainName"}


def parse(text: str, path: str, draft: Draft) -> Table:
    """Return a file; a fault of its grammar goes to what is left out."""
    try:
        found = json.loads(text) if path.endswith(".json") else tomllib.loads(text)
    except (tomllib.TOMLDecodeError, json.JSONDecodeError) as fault:
        draft.leave(path, "the file", f"cannot be read: {fault}")
        return {}
    except RecursionError:
        draft.leave(path, "the file", "is nested too deep")
        return {}
    if not isinstance(found, dict):
        draft.leave(path, "the file", "is no table")
        return {}
    return found


def read(text: str, path: str) -> Draft:
    """Return what a file of shaping becomes."""
    draft = Draft(f"From KumoMTA, {path}.")
    lines = Lines(path, text)
    importing = _Import(draft, lines)
    for name, table in parse(text, path, draft).items():
        importing.entry(name, table)
    return draft


class Lines:
    """Where a key of a table stands, as tomllib does not say it: the first line which has both."""

    def __init__(self, path: str, text: str) -> None:
        self._path = path
        self._found: dict[str, list[int]] = {}  # the lines of each word, and of what is quoted
        for number, line in enumerate(text.split("\n"), 1):
            for quoted, word in WORD.findall(line):
                self._found.setdefault(quoted or word, []).append(number)

    def find(self, *names: str) -> str:
        """Return "path:line" of the last name, looked for after the ones before it."""
        at = 1
        for name in names:
            lines = self._found.get(name, ())
            later = bisect.bisect_left(lines, at)
            at = lines[later] if later < len(lines) else at
        return f"{self._path}:{at}"


class _Import:
    def __init__(self, draft: Draft, lines: Lines) -> None:
        self._draft = draft
        self._lines = lines

    def entry(self, name: str, table: Any) -> None:
        """Take a table of the top of the file."""
        where = self._lines.find(name)
        if not isinstance(table, dict):
            self._draft.leave(where, f"{name} = {shown(table)}", "is no table")
        elif name == "provider":
            for provider, inner in table.items():
                self._provider(provider, inner)
        elif name == "default":
            self._table(table, GLOBAL, (name,))
        else:
            self._table(table, (("domain", pattern_of(name)),), (name,))
            if table.get("mx_rollup", True) is not False:
                self._draft.leave(where, name, ROLLED_UP)

    def _provider(self, name: str, table: Any) -> None:
        """Take a provider: its patterns become domain stanzas, and one host stanza."""
        names = ("provider", name)
        where = self._lines.find(*names)
        if not isinstance(table, dict):
            self._draft.leave(where, f"provider {name}", "is no table")
            return
        table = dict(table)
        hosts, domains = list[str](), list[str]()
        for kind, pattern in patterns(table.pop("match", [])):
            if kind not in MATCHES or not isinstance(pattern, str) or not pattern:
                self._draft.leave(where, f"match {kind} = {shown(pattern)}", "is not understood")
            else:
                whole = kind in ("HostName", "DomainName")
                of_hosts = kind in ("MXSuffix", "HostName")
                (hosts if of_hosts else domains).append(expression(pattern, whole=whole))
        if hosts:  # one stanza, as all of them are counted together
            self._of_host((("host", f"/{'|'.join(hosts)}/"),), table, names)
        if domains:
            self._of_domains((("domain", f"/{'|'.join(domains)}/"),), table, names)

    def _of_host(self, place: Place, table: Table, names: tuple[str, ...]) -> None:
        """Set what may stand in a host stanza, where one counter holds for all who match."""
        for key, value in table.items():
            if key in PROVIDER:
                self._counted(key, value, place, names)
            else:
                self._leave((*names, key), value, OF_HOSTS)

    def _of_domains(self, place: Place, table: Table, names: tuple[str, ...]) -> None:
        rest = dict(table)
        for key in PROVIDER.keys() & table.keys():
            self._counted(key, rest.pop(key), place, names)
        for key in ("max_connection_rate", "max_message_rate"):
            if key in rest:
                why = "would count all domains which match together; write it for each"
                self._leave((*names, key), rest.pop(key), why)
        self._table(rest, place, names)

    def _counted(self, key: str, value: Any, place: Place, names: tuple[str, ...]) -> None:
        """Set a limit of a whole provider."""
        option, how = PROVIDER[key]
        taken = converted(value, how)
        if taken is None:
            self._leave((*names, key), value, "the value is not understood")
            return
        where, what = self._lines.find(*names, key), f"{key} = {shown(value, key)}"
        self._draft.set(option, taken, where, what, place)
        self._leave((*names, key), value, f"{option} {EACH_SOURCE}")

    def _leave(self, names: tuple[str, ...], value: Any, why: str) -> None:
        what = f"{names[-1]} = {shown(value, names[-1])}"
        self._draft.leave(self._lines.find(*names), what, why)

    def _table(self, table: Table, place: Place, names: tuple[str, ...]) -> None:
        if not self._draft.open(place, self._lines.find(*names), " ".join(names)):
            return
        for key, value in table.items():
            where = self._lines.find(*names, key)
            if key == "automation":
                for rule in value if isinstance(value, list) else [value]:
                    self._draft.leave(where, f"automation {shown(rule)}", AUTOMATION)
            elif key == "sources" and isinstance(value, dict):
                for source, inner in value.items():
                    self._source(source, inner, place, (*names, source))
            elif key in PROVIDER:
                self._draft.leave(where, key, "is for providers")
            elif key == "mx_rollup":
                continue  # told for the table as a whole
            else:
                self._one(key, value, place, (*names, key))
        if table.get("use_lmtp") is True:  # by the port of SMTP, which here is another option
            self._one("lmtp_port", table.get("smtp_port", 25), place, (*names, "use_lmtp"))

    def _source(self, name: str, table: Any, place: Place, names: tuple[str, ...]) -> None:
        if isinstance(table, dict):
            self._table(table, (("binding", name), *place), names)
        else:
            self._draft.leave(self._lines.find(*names), f"{name} = {shown(table)}", "is no table")

    def _one(self, key: str, value: Any, place: Place, names: tuple[str, ...]) -> None:
        where, what = self._lines.find(*names), f"{key} = {shown(value, key)}"
        option, how = OPTIONS.get(key, ("", "reason:has no counterpart"))
        if not option:
            self._draft.leave(where, what, how.partition(":")[2])
            return
        taken = converted(value, how)
        if taken is None:
            self._draft.leave(where, what, "the value is not understood")
        elif how == "rate" and (not place or place[-1][0] == "binding"):
            why = f"{option} would count all domains together; write it for those which need it"
            self._draft.leave(where, what, why)
        else:
            self._draft.set(option, taken, where, what, place)
            if how == "tls" and str(value).lower() == "required":
                # There a certificate is checked with it, unless its name says "Insecure".
                self._draft.set("tls_verify", "host", where, what, place)
            if how == "rate" and place[0][0] == "domain":
                self._draft.leave(where, what, f"{option} {EACH_SOURCE}")


def patterns(matches: Any) -> Iterator[tuple[str, Any]]:
    """Yield kind and pattern of each match of a provider."""
    for each in matches if isinstance(matches, list) else [matches]:
        if isinstance(each, dict):
            yield from each.items()
        else:
            yield "match", each


def expression(name: str, *, whole: bool) -> str:
    """Return what matches a name, or all names with that end."""
    escaped = re.escape(name.lower()).replace("\\.", "[.]").replace("/", "[/]")
    return f"^{escaped}$" if whole else f"{escaped}$"


def shown(value: Any, name: str = "") -> str:
    """Return a value for the list of what was left out, unless its name tells that it is secret."""
    if secret(None, name):
        return HIDDEN
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "..."


def converted(value: Any, how: str) -> "str | tuple[str, ...] | None":
    """Return a value of ours, None if it is not understood."""
    if how == "list":
        return tuple(map(str, value)) if isinstance(value, list) else None
    if how == "flag":
        return str(value).lower() if isinstance(value, bool) else None
    if how == "lmtp":
        return {True: "LMTP", False: "ESMTP"}[value] if isinstance(value, bool) else None
    if how == "tls":
        return TLS.get(str(value).lower())
    text = str(value).strip().replace("_", "").replace(",", "")
    if how == "count":
        limit = re.fullmatch(r"(?:local:)?(\d{1,12})", text)
        return limit[1] if limit is not None else None
    if how == "rate":
        return rate_of(text)
    if how == "time":
        seconds = seconds_of(text)
        return None if seconds is None else str(seconds)
    return text if isinstance(value, str) else None


def seconds_of(text: str) -> int | None:
    """Return a time such as "1h 30m" in seconds; a fraction of a second is rounded up."""
    if re.fullmatch(r"\d{1,12}", text):
        return int(text)
    parts = re.findall(r"(\d{1,12})\s*(ms|[a-z]+)\s*", text.lower())
    total = 0.0
    for count, unit in parts:
        size = 0.001 if unit == "ms" else float(unit_of(unit) or 0)
        if not size:
            return None
        total += int(count) * size
    return int(-(-total // 1)) if parts else None


def rate_of(text: str) -> str | None:
    """Return N/S for a rate such as 100/min; only what one node may do is understood."""
    found = re.fullmatch(r"(?:local:)?(\d{1,12})/(\d{0,6})([a-z]+)", text.lower())
    unit = unit_of(found[3]) if found is not None else None
    if found is None or unit is None:
        return None
    return f"{found[1]}/{int(found[2] or 1) * unit}".removesuffix("/1")


def unit_of(name: str) -> int | None:
    return PERIODS.get(name) or PERIODS.get(name.removesuffix("s"))
