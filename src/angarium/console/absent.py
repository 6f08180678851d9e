"""Commands of Momentum which are not here, and what to say to who gives one.

An operator who knows a command is told what is missing, not that he has mistyped. The first words
of a command decide, an instance (`sieve:name`) aside. The rule: what is built leaves this table.
"""

from collections.abc import Mapping
from typing import Final

_MODULE: Final = "the module {name} is not built yet"
_CLUSTER: Final = "there are no clusters yet: this node is all there is; {instead}"

# Modules, by the word their commands begin with; what they are called where that differs.
MODULES: Final[Mapping[str, str]] = {
    "adaptive": "", "antivirus": "", "beik": "", "cloudmark": "", "curfew": "",
    "commtouch_ctasd": "commtouch", "bounce_classifier_override": "", "bounce_classifier": "",
    "delay_dsn": "", "dnsbuf": "", "sieve": "", "scriptlet": "",
}  # fmt: skip

# Modules which are here, and whose commands come with them where they are in the configuration.
BUILT: Final = ("dkim_sign", "dkim_validate", "dk_sign")

# What else is said to the first word or words of a command.
SAID: Final[Mapping[str, str]] = {
    "tls rekey": "there is no temporary RSA key: Momentum 5.3 has none any more, nor has this",
    "cluster": _CLUSTER.format(instead="see pid, threads stats and summary"),
    "broadcast": _CLUSTER.format(instead="give the command without broadcast"),
    "subcluster": _CLUSTER.format(instead="give the command itself"),
    "retrieve": _CLUSTER.format(instead="a command answers at once"),
    "retrieve_node": _CLUSTER.format(instead="a command answers at once"),
    "unicast": _CLUSTER.format(instead="give the command itself"),
    "flush control cache": _CLUSTER.format(instead="answers are not kept"),
    "info": _CLUSTER.format(instead="see sysinfo"),
    "show cluster": _CLUSTER.format(instead="see sysinfo"),
}


def said(line: str) -> str:
    """Return what is missing for a command of Momentum; "" if it is none of those."""
    words = [each.lower() for each in line.split()]
    for count in range(min(3, len(words)), 0, -1):
        if known := SAID.get(" ".join(words[:count])):
            return known
    first = words[0].partition(":")[0] if words else ""
    if first in BUILT:
        return f"no module of that name has such a command: is there a stanza {first}?"
    if first not in MODULES:
        return ""
    return _MODULE.format(name=MODULES[first] or first)


def built(line: str) -> bool:
    """Say whether a command is one of a module which may be in the configuration."""
    words = line.split()
    return bool(words) and words[0].lower().partition(":")[0] in BUILT
