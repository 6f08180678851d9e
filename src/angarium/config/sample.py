"""An example of each option as it stands in a file, for the manual; the tests load all of them.

What a declaration gives as its `example` is taken; else a value which differs from the default
where that is easy to say, and the default where it is a good example of itself.
"""

from collections.abc import Mapping
from typing import Any, Final

from angarium.config.describe import text
from angarium.config.kinds import Bool, CapKind, Choice, Int, IntOr, Pattern, ThrottleKind
from angarium.config.option import Option
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
# What an example needs beside itself, by the key of the option.
NEEDS: Final[Mapping[str, str]] = {"pathway": 'pathway "submission" {\n}'}
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
    text = inside(place(declared), f"{declared.name} = {value(declared)}")
    needed = NEEDS.get(declared.key)
    return text if needed is None else f"{text}\n{needed}"


def inside(kind: StanzaKind | None, line: str) -> str:
    """Return a line put into a stanza, and that into those it stands in."""
    while kind is not None:
        indented = "\n".join(f"  {each}" for each in line.split("\n"))
        line = f"{opened(kind)} {{\n{indented}\n}}"
        # The shortest way up: at the top if it may stand there, else in what is shown first.
        kind = None if "" in kind.parents else STANZAS[_outer(kind)]
    return line


def opened(kind: StanzaKind) -> str:
    """Return what stands before the brace: `binding "newsletter"`."""
    if kind.naming is Naming.NEVER or (kind.naming is Naming.MAYBE and kind.key not in NAMES):
        return kind.name
    return f'{kind.name} "{NAMES.get(kind.key, "example")}"'


def _outer(kind: StanzaKind) -> str:
    # Those which options fall back through are declared together, in an order which is meant.
    shown = [each for each in STANZAS if each in kind.parents and STANZAS[each].scope != Scope.OWN]
    return shown[0] if shown else min(kind.parents)
