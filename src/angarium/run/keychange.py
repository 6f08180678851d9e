"""Another key for a domain: which stanza signs for it, and the edit that names the new one.

    change = planned(snapshot, "example.com", "s2027")
    change.old, change.new              a selector and the file of its key, each
    write(change.edited(), ...)         `config/writeback`

The path of a key has %{s} in it, so that selector and key change together: with one configuration a
worker signs by the old one, with the next by the new one, and never with a key under the other's
name. The edit is the smallest there is, and touches no other domain.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from angarium.config.errors import ConfigError, Severity
from angarium.config.load import check_snapshot
from angarium.config.path import words
from angarium.config.resolve import Configuration
from angarium.config.section import Section
from angarium.config.workspace import Workspace
from angarium.core.errors import Error
from angarium.modules.sign.options.dkim import (
    DkimSign,
    DkimSignDomain,
    OpenDkim,
    OpenDkimDomain,
)

# Stanzas which sign, and the stanzas of domains in them.
KINDS: Final[tuple[tuple[type[Any], type[Any]], ...]] = (
    (OpenDkim, OpenDkimDomain),
    (DkimSign, DkimSignDomain),
)


class Used(NamedTuple):
    """A selector, and the file of its key."""

    selector: str
    path: Path


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be done.

    Attributes:
        places: words of the stanzas in which the selector is set.
    """

    domain: str
    stanza: str
    old: Used
    new: Used
    places: tuple[tuple[str, ...], ...]
    snapshot: bytes

    def edited(self) -> bytes:
        """Return the configuration with the new selector. Raises Error, ConfigError."""
        workspace = Workspace(self.snapshot)
        for place in self.places:
            workspace.set(list(place), "selector", f'"{self.new.selector}"')
        checked = workspace.checked()
        errors = [each for each in checked.faults if each.severity is Severity.ERROR]
        if errors:
            raise ConfigError(errors)
        return workspace.snapshot()


def planned(snapshot: bytes, domain: str, selector: str, stanza: str = "") -> Change:
    """Return how a domain gets another key.

    Args:
        domain: which signs (d=).
        stanza: its name, where several stanzas sign for the domain.

    Raises:
        Error: it cannot be done so; the message says what stands in the way.
    """
    checked = check_snapshot(snapshot)
    errors = [each for each in checked.faults if each.severity is Severity.ERROR]
    if errors:
        raise ConfigError(errors)
    configuration = Configuration(checked.root)
    found = [each for each in _signing(configuration, domain) if stanza in ("", each.name)]
    if not found:
        which = f" {stanza}" if stanza else ""
        raise Error(f"no stanza{which} signs for {domain} with a selector and a key")
    if len(found) > 1:
        names = ", ".join([each.name or "the one without a name" for each in found])
        raise Error(f"several stanzas sign for {domain}: say --stanza, one of {names}")
    return found[0].change(domain, selector, snapshot)


@dataclass(frozen=True, slots=True)
class _Stanza:
    """A stanza which signs for a domain, and the stanzas in it which do so."""

    section: Section
    name: str
    selector: str
    key: str
    inner: tuple[str, ...]  # domains whose stanza is to have the selector
    kind: str  # of those

    def change(self, domain: str, selector: str, snapshot: bytes) -> Change:
        if "%{s}" not in self.key:
            raise Error(
                f"{words(self.section)}: the path of the key has no %{{s}}: key and selector could"
                " not change together",
                key=self.key,
            )
        if selector == self.selector:
            raise Error(f"{selector} is the selector of {domain} now: name another one")
        outer = words(self.section).split()
        return Change(
            domain,
            self.name,
            self._used(domain, self.selector),
            self._used(domain, selector),
            tuple([(*outer, self.kind, each) for each in self.inner]),
            snapshot,
        )

    def _used(self, domain: str, selector: str) -> Used:
        path = self.key.replace("%{d}", domain).replace("%{s}", selector)
        return Used(selector, Path(path))


def _signing(configuration: Configuration, domain: str) -> Iterator[_Stanza]:
    """Yield the stanzas which sign for a domain. Raises Error."""
    for outer, inner in KINDS:
        for name, section in configuration.root.all(outer.stanza).items():
            general = configuration.of(outer, section)
            particular = {
                each.lower(): configuration.of(inner, of_domain)
                for each, of_domain in section.all(inner.stanza).items()
            }
            wild = next((each for each in _above(domain) if each in particular), "")
            signs = {each for each, own in particular.items() if own.base_domain == domain}
            own = particular.get(domain)
            if own is not None and own.base_domain is None:
                signs.add(domain)
            elif own is None and wild and particular[wild].base_domain is None:
                raise Error(
                    f"{words(section)}: what holds for {domain} is said of {wild}: give it a stanza"
                    " of its own first"
                )
            elif own is None and not wild:
                signs.add(domain)
            used = {
                (own.selector or general.selector, own.key or general.key)
                if (own := particular.get(each))
                else (general.selector, general.key)
                for each in signs
            }
            yield from _one(section, name, inner.stanza, sorted(signs), used)


def _one(
    section: Section,
    name: str,
    kind: str,
    signs: list[str],
    used: set[tuple[str | None, str | None]],
) -> Iterator[_Stanza]:
    """Yield a stanza if it has what it needs to sign. Raises Error."""
    known = sorted((selector, key) for selector, key in used if selector and key)
    if not known:
        return
    if len({key for _, key in known}) > 1:
        raise Error(f"{words(section)}: its keys are in several places; exchange them by hand")
    selector, key = known[0]
    yield _Stanza(section, name, selector, key, tuple(signs), kind.rpartition(".")[2])


def _above(domain: str) -> Iterator[str]:
    """Yield the patterns which hold for a domain, the nearest first."""
    while domain := domain.partition(".")[2]:
        yield f"*.{domain}"
