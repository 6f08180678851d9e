"""An example of each option as it stands in a file, for the manual; the tests load all of them.

What a declaration gives as its `example` is taken; else a value which differs from the default
where that is easy to say, and the default where it is a good example of itself.
"""

from collections.abc import Mapping
from typing import Any, Final

from angarium.config.describe import text
from angarium.config.kinds import Bool, CapKind, Choice, Int, IntOr, Pattern, ThrottleKind
from angarium.config.option import OPTIONS, Option
from angarium.config.places import Cidr, DomainGlob, Hostname, HostPort, SourceAddress
from angarium.config.scope import STANZAS, Naming, Scope, StanzaKind

# Instances in examples, by the key of the stanza.
NAMES: Final[Mapping[str, str]] = {
    "binding_group": "customers",
    "binding": "newsletter",
    "domain": "example.com",
    "host": "mx.example.com",
    "pathway_group": "inside",
    "pathway": "submission",
    "listen": ":25",
    "peer": "192.0.2.0/24",
}
# Where an option is shown, if it may stand there: the first which fits.
SHOWN: Final = (
    Scope.DOMAIN,
    Scope.BINDING,
    Scope.HOST,
    Scope.BINDING_GROUP,
    Scope.ESMTP_LISTENER,
    Scope.HTTP_LISTENER,
    Scope.ECSTREAM_LISTENER,
    Scope.CONTROL_LISTENER,
    Scope.LISTEN,
    Scope.PEER,
    Scope.PATHWAY,
)
# The stanza an example needs, by the key of the option.
NEEDS: Final[Mapping[str, str]] = {"pathway": 'pathway "submission" {\n}'}
# Options of the same stanza without which an example makes no sense, by the key of the option, or
# by that of a stanza whose options are its own.
BESIDE: Final[Mapping[str, tuple[str, ...]]] = {
    "use_ssl": ("tls_certificate", "tls_key"),
    "tls_key": ("tls_certificate",),
    "socks_pass": ("socks_user",),
    "ha_proxy_server": ("ha_proxy_src_addr",),
    "acme": ("acme.directory", "acme.terms_agreed", "acme.names", "acme.certificate"),
    "acme.external_key": ("acme.external_key_id",),
    "acme.external_key_id": ("acme.external_key",),
}
# A value of each kind, for options which have no default.
VALUES: Final[Mapping[type, str]] = {
    CapKind: "100",
    ThrottleKind: '"100/60"',
    Int: "10",
    IntOr: "10",
    Cidr: '"192.0.2.0/24"',
    Pattern: '"[.]example[.]com$"',
    Hostname: "mx.example.com",
    HostPort: '"mx.example.com:25"',
    DomainGlob: '"*.example.com"',
    SourceAddress: "192.0.2.1",
}


def value(declared: Option[Any]) -> str:
    """Return a value as it is written in a file; "" for an option which needs an `example`."""
    kind, default = declared.kind, declared.default
    if declared.example:
        return declared.example
    if isinstance(kind, Bool):
        return "false" if default else "true"
    if isinstance(kind, Choice):
        return next((each for each in kind.words if each != default), kind.words[0])
    shown = text(declared, default)
    return shown if shown not in ("", "***", "( )", "[ ]") else VALUES.get(type(kind), "")


def place(declared: Option[Any]) -> StanzaKind | None:
    """Return the stanza in which an option is shown, None for the file itself."""
    if declared.stanza:
        return STANZAS[declared.stanza]
    for name in filter(None, declared.only):
        if STANZAS[name].scope in declared.scopes:
            return STANZAS[name]
    for scope in (*SHOWN, *declared.scopes):
        if scope in declared.scopes and scope is not Scope.GLOBAL:
            return next(each for each in STANZAS.values() if each.scope is scope)
    return None


def example(declared: Option[Any]) -> str:
    """Return an option in its stanza, as lines of a file without a line end at the end."""
    keys = (declared.key, *BESIDE.get(declared.stanza, ()), *BESIDE.get(declared.key, ()))
    shown = (OPTIONS[key] for key in dict.fromkeys(keys))
    text = inside(place(declared), "\n".join(f"{each.name} = {value(each)}" for each in shown))
    needed = NEEDS.get(declared.key)
    return text if needed is None else f"{text}\n{needed}"


def inside(kind: StanzaKind | None, lines: str) -> str:
    """Return lines put into a stanza, and that into those it stands in."""
    while kind is not None:
        indented = "\n".join(f"  {each}" for each in lines.split("\n"))
        lines = f"{opened(kind)} {{\n{indented}\n}}"
        # The shortest way up: at the top if it may stand there, else in what is shown first.
        kind = None if "" in kind.parents else STANZAS[_outer(kind)]
    return lines


def opened(kind: StanzaKind) -> str:
    """Return what stands before the brace: `binding "newsletter"`."""
    if kind.naming is Naming.NEVER or (kind.naming is Naming.MAYBE and kind.key not in NAMES):
        return kind.name
    return f'{kind.name} "{NAMES.get(kind.key, "example")}"'


def _outer(kind: StanzaKind) -> str:
    # Those which options fall back through are declared together, in an order which is meant.
    shown = [each for each in STANZAS if each in kind.parents and STANZAS[each].scope != Scope.OWN]
    return shown[0] if shown else min(kind.parents)
