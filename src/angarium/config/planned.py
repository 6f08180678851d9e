"""Momentum's options and stanzas which are not declared yet, by name, and what we say of them.

A file which uses one is told so. Where what was asked for protects somebody, and leaving it out
would send in clear or let strangers in, the file is refused instead: see REFUSED.
"""

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Final

# option: the values which ask for no protection; any other is refused until we have it.
REFUSED: Final[Mapping[str, frozenset[str]]] = {
    "tls": frozenset({"no", "ifavailable"}),
    "tls_verify": frozenset({"no", "optional"}),
    "tls_verify_mode": frozenset({"none"}),
    "tls_ifavailable_fallback": frozenset({"true", "on", "enabled", "1", "yes"}),
    "use_ssl": frozenset({"false", "off", "disabled", "0", "no"}),
    "proxy_protocol": frozenset({"false", "off", "disabled", "0", "no"}),
    "use_dane": frozenset({"false", "off", "disabled", "0", "no"}),
    "use_mta_sts": frozenset({"false", "off", "disabled", "0", "no"}),
    "enable_authentication": frozenset({"false", "off", "disabled", "0", "no"}),
    "enable_authorization": frozenset({"false", "off", "disabled", "0", "no"}),
    "always_deny": frozenset({"false", "off", "disabled", "0", "no"}),
}


@dataclass(frozen=True, slots=True)
class Planned:
    """What Momentum has: options with the stanzas they stand in, stanzas with their own options."""

    options: Mapping[str, frozenset[str]]
    stanzas: Mapping[str, frozenset[str]]

    def has(self, option: str, stanza: str) -> bool:
        """Say whether the option exists in a stanza; "global" is the file itself."""
        return stanza in self.options.get(option, ()) or option in self.stanzas.get(stanza, ())


@functools.cache
def planned() -> Planned:
    """Read the names; only a file with faults or with planned options needs them."""
    text = resources.files("angarium.config").joinpath("planned.toml").read_text("utf-8")
    tables = tomllib.loads(text)
    options, stanzas = (
        {name: frozenset(words.split()) for name, words in tables[table].items()}
        for table in ("options", "stanzas")
    )
    return Planned(options, stanzas)


def refused(option: str, value: object) -> bool:
    """Say whether a planned option with this value must not be passed over."""
    harmless = REFUSED.get(option)
    return harmless is not None and not (isinstance(value, str) and value.lower() in harmless)
