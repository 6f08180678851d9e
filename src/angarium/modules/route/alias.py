"""alias: puts other addresses in the place of a recipient, as a datasource has them.

    alias "alias" {
      scheme "users" {
        cache = "aliases"
        query = "SELECT expansion FROM aliases WHERE address = :address"
        map = [ address = "%{rcptto}" ]
      }
    }
    domain "example.com" { alias_schemes = ( "users" ) }

The first scheme of a domain which knows an address counts. What an address becomes may be an alias
again; none is expanded twice, so a circle ends with whoever is left. Where the datasource does not
answer, the recipient is put off: mail that may be for somebody else is not guessed at.
"""

from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final

from angarium.config.section import Section
from angarium.core.address import routing_domain, split
from angarium.core.errors import Error
from angarium.core.message import Recipient
from angarium.core.reply import Reply
from angarium.data.rows import Row
from angarium.modules.means import Means
from angarium.modules.route.options.routes import Alias as Options
from angarium.modules.route.options.routes import AliasScheme
from angarium.modules.route.options.scoped import Aliases
from angarium.policy.hooks import PreEachRcpt, on
from angarium.policy.verdict import CONT, Verdict

STANZA: Final = "alias"
SCHEME: Final = "alias.scheme"
# Addresses which one recipient may become; what is above is a mistake, or an attack.
MOST: Final = 1000
TOO_MANY: Final = Reply(550, "the address is an alias of too many", "5.4.6")


@dataclass(frozen=True, slots=True)
class Scheme:
    """A query which expands an address; `values` have macros."""

    name: str
    source: str
    query: str
    column: str
    values: Mapping[str, str]

    def bound(self, address: str) -> dict[str, str]:
        """Return the values of the query for an address."""
        local, domain = split(address)
        known = {"%{rcptto}": address, "%{localpart}": local, "%{domain}": domain}
        return {name: _filled(value, known) for name, value in self.values.items()}


def _filled(value: str, known: Mapping[str, str]) -> str:
    # One after the other from the left, so that what an address contains is no macro.
    for macro, meaning in known.items():
        left, found, right = value.partition(macro)
        if found:
            return f"{_filled(left, known)}{meaning}{_filled(right, known)}"
    return value


class Alias:
    """The module."""

    def __init__(self, name: str, options: Options, means: Means) -> None:
        self._configuration = means.configuration
        self._sources = means.datasources
        section = means.configuration.root.get(STANZA, name)
        assert section is not None
        self._schemes = {
            each: self._scheme(each, inner) for each, inner in section.all(SCHEME).items()
        }

    def _scheme(self, name: str, section: Section) -> Scheme:
        options = self._configuration.of(AliasScheme, section)
        if not options.query or not options.cache:
            raise Error("a scheme of alias has a query and a cache, its datasource", scheme=name)
        for value in options.map.values():
            rest = _filled(value, {"%{rcptto}": "", "%{localpart}": "", "%{domain}": ""})
            if "%{" in rest:
                raise Error(
                    "a map of alias knows %{rcptto}, %{localpart} and %{domain}",
                    scheme=name, value=value,
                )  # fmt: skip
        return Scheme(name, options.cache, options.query, options.column or "", dict(options.map))

    def _of(self, domain: str) -> list[Scheme]:
        """Return the schemes of a domain, in order."""
        names = self._configuration.at(Aliases, domain=domain).alias_schemes
        return [self._schemes[name] for name in names if name in self._schemes]

    @on(PreEachRcpt)
    def expand(self, event: PreEachRcpt) -> Verdict | Coroutine[Any, Any, Verdict]:
        """Put the addresses of an alias in the place of a recipient."""
        recipient = event.mail.recipient
        assert recipient is not None
        domain = routing_domain(split(recipient.address)[1])
        if domain is None or not self._of(domain):
            return CONT
        return self._expanded(event, recipient)

    async def _expanded(self, event: PreEachRcpt, first: Recipient) -> Verdict:
        """Ask, for the recipient and what it becomes, until nobody is an alias any more."""
        final: dict[str, Recipient] = {}
        seen: set[str] = set()
        waiting = [first]
        while waiting:
            each = waiting.pop()
            key = each.address.lower()
            if key in seen:
                continue
            seen.add(key)
            found = await self._ask(each)
            if found is None:
                final[key] = each
            elif len(seen) + len(waiting) + len(found) > MOST:
                event.refuse(TOO_MANY)
                return CONT
            else:
                waiting += [_instead(first, address, domain) for address, domain in found]
        if list(final.values()) != [first]:
            event.mail.recipients[:] = final.values()
        return CONT

    async def _ask(self, recipient: Recipient) -> list[tuple[str, str]] | None:
        """Return what an address is an alias of, with its domain; None: it is none."""
        domain = routing_domain(split(recipient.address)[1])
        for scheme in self._of(domain or ""):
            rows = await self._sources.query(
                scheme.source, scheme.query, scheme.bound(recipient.address)
            )
            found = [
                (address, domain)
                for row in rows
                for address in _addresses(row, scheme)
                if (domain := routing_domain(split(address)[1])) is not None
            ]
            if found:
                return found
        return None


def _addresses(row: Row, scheme: Scheme) -> list[str]:
    """Return the addresses of a row; several may be written into one column, as sendmail does."""
    value = row.get(scheme.column) if scheme.column else row.at(1)
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")
    return [each.strip() for each in text.split(",") if "@" in each]


def _instead(first: Recipient, address: str, domain: str) -> Recipient:
    # RFC 3461 section 5.2.7.1: what was asked for about the alias holds for whom it stands for.
    orcpt = first.orcpt or f"rfc822;{first.address}"
    variables = dict(first.variables)
    return Recipient(address, domain, notify=first.notify, orcpt=orcpt, variables=variables)
