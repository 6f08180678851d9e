"""Faults across options: what is allowed one by one and makes no sense together.

A rule is a function which looks at the sections and reports; `@rule` registers it. It compares
what is set in the file; where one side is not set there is nothing to report. What looks at files
which options name is a `@rule_of_files`, and left out where a process builds what was checked
already.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from angarium.config.check import Checked
from angarium.config.errors import Severity
from angarium.config.option import OPTIONS, State
from angarium.config.section import Section

Rule: TypeAlias = Callable[[Checked], None]

RULES: Final[list[Rule]] = []
FILE_RULES: Final[list[Rule]] = []
SWITCHES: Final = ("enabled", "enable", "state")  # of modules, of listeners, of SNMP


def rule(function: Rule) -> Rule:
    """Register a rule."""
    RULES.append(function)
    return function


def rule_of_files(function: Rule) -> Rule:
    """Register a rule which looks at files that options name."""
    FILE_RULES.append(function)
    return function


def apply(checked: Checked, *, files: bool = True) -> None:
    """Let every rule look at the configuration; those of files if they are to."""
    for each in (*RULES, *(FILE_RULES if files else ())):
        if checked.full:
            return
        each(checked)


def report(
    checked: Checked,
    section: Section,
    option: str,
    message: str,
    advice: str = "",
    severity: Severity = Severity.ERROR,
) -> None:
    """Report at the place where an option is set, or where the section stands."""
    place = checked.place(section, option) or checked.place(section)
    file, offset = place or (checked.document.main, 0)
    checked.report(file, offset, message, advice, severity)


def effective(section: Section, option: str) -> object:
    """Return what is set here, else globally, else the default."""
    top = section
    while top.parent is not None:
        top = top.parent
    default = OPTIONS[option].default if option in OPTIONS else None
    return section.values.get(option, top.values.get(option, default))


@rule
def an_interval_below_its_maximum(checked: Checked) -> None:
    pairs = (
        ("retry_interval", "max_retry_interval"),
        ("delay_dsn_retry_interval", "delay_dsn_max_retry_interval"),
    )
    for first, longest in pairs:
        for section in checked.sections_with(first):
            least, most = effective(section, first), effective(section, longest)
            if isinstance(least, float) and isinstance(most, float) and least > most:
                report(
                    checked,
                    section,
                    first,
                    f"{first} ({least:g}) is longer than {longest} ({most:g})",
                    "every wait will be the latter",
                    Severity.WARNING,
                )


@rule
def memory_refuses_later_than_it_trims(checked: Checked) -> None:
    goal, mark = effective(checked.root, "memory_goal"), effective(checked.root, "memory_hwm")
    if isinstance(goal, float) and isinstance(mark, float) and goal > mark:
        name = "memory_goal" if "memory_goal" in checked.root.values else "memory_hwm"
        report(
            checked,
            checked.root,
            name,
            f"memory_goal ({goal:g}) is above memory_hwm ({mark:g})",
            "mail would be refused before anything leaves the memory",
        )


@rule
def ttl_bounds_in_order(checked: Checked) -> None:
    low, high = effective(checked.root, "min_dns_ttl"), effective(checked.root, "max_dns_ttl")
    if isinstance(low, int) and isinstance(high, int) and low > high:
        name = "min_dns_ttl" if "min_dns_ttl" in checked.root.values else "max_dns_ttl"
        report(checked, checked.root, name, f"min_dns_ttl ({low}) is above max_dns_ttl ({high})")


@rule
def a_pathway_exists(checked: Checked) -> None:
    known = set(checked.root.all("pathway"))
    for group in checked.root.all("pathway_group").values():
        known |= set(group.all("pathway"))
    for section in checked.sections_with("pathway"):
        name = section.values["pathway"]
        if name not in known:
            report(checked, section, "pathway", f"there is no pathway {name}")


@rule
def a_banner_is_a_reply(checked: Checked) -> None:
    for section in checked.sections_with("static_banner"):
        if not str(section.values["static_banner"]).startswith("220"):
            report(
                checked,
                section,
                "static_banner",
                "static_banner does not begin with 220",
                'write such as static_banner = "220 mx.example.com ESMTP"',
            )


@rule
def an_open_relay_is_meant(checked: Checked) -> None:
    """Mail for anybody from anybody is how a server gets on every block list in a day."""
    for section in checked.sections_with("open_relay"):
        wide = section.kind.key != "peer" or section.instance in ("0.0.0.0/0", "::/0")
        if section.values["open_relay"] and wide:
            report(
                checked,
                section,
                "open_relay",
                "everybody who can connect may send to anybody",
                "put open_relay into a peer stanza, or use relay_hosts",
                Severity.WARNING,
            )
    for section in checked.sections_with("relay_for_sending_domains"):
        if not section.values["relay_for_sending_domains"]:
            report(
                checked,
                section,
                "relay_for_sending_domains",
                "an empty relay_for_sending_domains lets every sender send to anybody",
                "name the domains, or remove it",
                Severity.WARNING,
            )
    for section in checked.sections_with("relay_hosts"):
        networks = section.values["relay_hosts"]
        assert isinstance(networks, tuple)
        if any(network.prefixlen == 0 for network in networks):
            report(
                checked,
                section,
                "relay_hosts",
                "relay_hosts has a network of all addresses: everybody may send to anybody",
                severity=Severity.WARNING,
            )


@rule
def a_line_length_policy_has_its_number(checked: Checked) -> None:
    for section in checked.sections_with("rfc2822_max_line_length_policy"):
        length = effective(section, "rfc2822_max_line_length")
        if section.values["rfc2822_max_line_length_policy"] != "none" and isinstance(length, str):
            report(
                checked,
                section,
                "rfc2822_max_line_length_policy",
                "rfc2822_max_line_length_policy needs a number in rfc2822_max_line_length",
                "it has no effect",
                Severity.WARNING,
            )


@rule
def a_listener_listens(checked: Checked) -> None:
    for name in ("esmtp_listener", "control_listener"):
        listener = checked.root.get(name)
        if listener is not None and not listener.all("listen"):
            report(
                checked,
                listener,
                "",
                f"{name} has no listen stanza, so nothing listens",
                'write such as listen ":25" { }',
                Severity.WARNING,
            )


@rule
def an_endpoint_is_used_once(checked: Checked) -> None:
    used: dict[str, str] = {}
    for section in checked.root.walk():
        if section.kind.key == "listen" and section.parent is not None:
            first = used.setdefault(section.instance, section.parent.kind.name)
            if first != section.parent.kind.name:
                report(checked, section, "", f"{section.instance} is used by {first} too")


@rule
def unsafe_choices_are_told(checked: Checked) -> None:
    """What trades safety away is honoured, and named each time the file is read."""
    unsafe = {
        "force_fsync": (False, "accepted mail can be lost at a power cut"),
        "_unsafe_spool": (True, "accepted mail can be lost when the server dies"),
        "unlink_on_spool_in_failure": (True, "mail which cannot be read ends, and nobody is told"),
    }
    for name, (value, consequence) in unsafe.items():
        if checked.root.values.get(name) is value:
            report(
                checked,
                checked.root,
                name,
                f"{name} = {str(value).lower()}: {consequence}",
                severity=Severity.WARNING,
            )


CLAIMS: Final = frozenset({"XCLIENT", "XREMOTEIP", "XSETCONTEXT"})
ALWAYS_OFFERED: Final = frozenset({"ENHANCEDSTATUSCODES", "PIPELINING", "8BITMIME", "SMTPUTF8",
                                   "CHUNKING", "BINARYMIME", "DSN", "SIZE"})  # fmt: skip


@rule
def extensions_are_had_and_claims_are_trusted(checked: Checked) -> None:
    for section in checked.sections_with("smtp_extensions"):
        words = section.values["smtp_extensions"]
        assert isinstance(words, tuple)
        asked = [str(each).upper() for each in words]
        for word in asked:
            if word.split("=")[0].split(" ")[0] == "AUTH":
                continue  # see `authentication`
            if word not in CLAIMS | ALWAYS_OFFERED | {"XDUMPCONTEXT"}:
                report(
                    checked,
                    section,
                    "smtp_extensions",
                    f"the extension {word} is not supported yet, and not offered",
                    severity=Severity.WARNING,
                )
        claims = [each for each in asked if each in CLAIMS]
        if claims and section.kind.key != "peer":
            report(
                checked,
                section,
                "smtp_extensions",
                f"everybody who can connect may say by {', '.join(claims)} who they are",
                "put it into a peer stanza of clients you trust",
                Severity.WARNING,
            )


@rule
def descriptors_for_all_connections(checked: Checked) -> None:
    files = checked.root.values.get("server_max_file_descriptors")
    cap = checked.root.values.get("server_max_outbound_connections")
    count = getattr(cap, "count", None)
    if isinstance(files, int) and isinstance(count, int) and files < count:
        report(
            checked,
            checked.root,
            "server_max_file_descriptors",
            f"server_max_file_descriptors ({files}) is less than "
            f"server_max_outbound_connections ({count})",
            "four times as many are advised",
            Severity.WARNING,
        )


@rule
def a_stanza_without_effect_is_told(checked: Checked) -> None:
    """Once for each, and not for one which is off: it asks for nothing."""
    for section in checked.sections_with(""):
        standing = section.kind.standing
        outer = section.parent
        inner = outer is not None and outer.kind.standing.state is not State.WORKS
        off = any(section.values.get(each) is False for each in SWITCHES)
        if standing.state is State.WORKS or inner or off:
            continue
        loss = f": {standing.loss}" if standing.loss else ""
        report(
            checked,
            section,
            "",
            f"the stanza {section.kind.name} is {standing.state.value}{loss}",
            standing.reason,
            standing.severity,
        )


# Who knows users, by the option which names them: the schemes we have.
USERS: Final = {
    "authdigestmd5parameters": ("digest://", "file://"),
    "authloginparameters": ("digest://", "file://"),
    "authorizationparameters": ("groups://",),
}


@rule
def the_console_knows_its_users(checked: Checked) -> None:
    """Where they are not known nobody gets in: that is safe, and has to be told."""
    for option, schemes in USERS.items():
        for section in checked.sections_with(option):
            value = section.values[option]
            uri = str(value.get("uri", "")) if isinstance(value, Mapping) else ""
            if _of_console(section) and not uri.startswith(schemes):
                report(
                    checked,
                    section,
                    option,
                    f"{option}: nobody is known by {uri!r} here",
                    f"write {' or '.join(schemes)} with the path of a file",
                    Severity.WARNING,
                )


@rule
def the_console_is_not_open_to_a_network(checked: Checked) -> None:
    listener = checked.root.get("control_listener")
    if listener is None or listener.values.get("enable") is False:
        return
    for section in listener.all("listen").values():
        if "/" in section.instance:
            continue
        asked = section.values.get(
            "enable_authentication", listener.values.get("enable_authentication")
        )
        if asked is False:
            message = f"whoever can connect to {section.instance} may give every command"
            advice = "set authdigestmd5parameters, or listen on a Unix socket"
            report(checked, section, "enable_authentication", message, advice, Severity.WARNING)
        host = section.instance.rpartition(":")[0]
        if not host.startswith(("127.", "[::1]")) and "tls_certificate" not in section.values:
            message = f"what is said by way of {section.instance} is not encrypted"
            advice = "set tls_certificate and tls_key in its listen stanza, or listen on 127.0.0.1"
            report(checked, section, "", message, advice, Severity.WARNING)


def _of_console(section: Section) -> bool:
    outer: Section | None = section
    while outer is not None and outer.kind.key != "control_listener":
        outer = outer.parent
    return outer is not None
