"""auth_ds: a query to a datasource says who a client is, or what its password is.

    auth_ds {
      scheme "users" { authenticate { query = "..." cache = "..." map = [ user = "%{username}" ] } }
    }
    AuthPlainParameters = [ uri = "users://" ]          or "auth_ds://users"

Without `returns_password` the first column of the first row says yes, if it is neither empty nor
zero. Answers are kept as the datasource keeps them.
"""

import inspect
from collections.abc import Mapping
from typing import Final, TypeVar

from angarium.config.resolve import Configuration
from angarium.config.section import Section
from angarium.core.errors import Error
from angarium.data import hashes
from angarium.data.errors import DataError
from angarium.data.rows import Row, Rows
from angarium.inbound.authenticators import (
    KEPT,
    PASSWORDS,
    Authenticator,
    Found,
    Visit,
    scram_of,
    unscrambled,
)
from angarium.inbound.errors import TroubleError
from angarium.modules.auth import expand
from angarium.modules.auth.options import AuthDs as Options
from angarium.modules.auth.options import Authenticate, DatasourceOptions, Query, QueryGroups
from angarium.modules.means import Means
from angarium.wire.sasl import digest
from angarium.wire.sasl.exchange import Claim, DigestWanted, ScramWanted
from angarium.wire.sasl.names import CRAM_MD5, TOKENS
from angarium.wire.sasl.secrets import ScramSecret

STANZA: Final = "auth_ds"
GROUPS: Final = "auth_groups"
_NO: Final = ("", "0", "0.0", "f", "false")
T = TypeVar("T")


class AuthDs:
    """The module: a scheme for each stanza in it."""

    def __init__(self, name: str, options: Options, means: Means) -> None:
        """Raises Error: a scheme cannot be."""
        configuration = means.configuration
        section = configuration.root.get(STANZA, name)
        found = {} if section is None else section.all("auth_ds.scheme")
        self._schemes = {
            each.lower(): Scheme(each, inner, configuration, means) for each, inner in found.items()
        }

    @property
    def schemes(self) -> Mapping[str, Authenticator]:
        return {**self._schemes, STANZA: ByName(self._schemes)}


class Scheme(Authenticator):
    """One way to authenticate."""

    def __init__(
        self, name: str, section: Section, configuration: Configuration, means: Means
    ) -> None:
        self._name = name
        self._means = means
        self._sources = {each for each, _ in configuration.instances(DatasourceOptions)}
        inner = section.get("auth_ds.scheme.authenticate")
        if inner is None:
            raise Error("a scheme of auth_ds has no authenticate", scheme=name)
        self._asked = configuration.of(Authenticate, inner)
        self._check(self._asked)
        expand.checked(self._asked.map)
        inner = section.get("auth_ds.scheme.querygroups")
        self._groups = None if inner is None else configuration.of(QueryGroups, inner)
        if self._groups is not None:
            self._check(self._groups)
            expand.checked(self._groups.map)
        self.mechanisms = PASSWORDS | TOKENS | {CRAM_MD5}
        if self._asked.returns_password:
            self.mechanisms = PASSWORDS | KEPT

    def _check(self, query: Query) -> None:
        if not query.query or not query.cache:
            raise Error("a scheme of auth_ds needs query and cache", scheme=self._name)
        if query.cache not in self._sources:
            raise Error(f"there is no datasource {query.cache!r}", scheme=self._name)

    def check(self, claim: Claim, visit: Visit) -> Found[str]:
        return self._checked(claim, visit)

    async def _checked(self, claim: Claim, visit: Visit) -> str | None:
        options = self._asked
        values = expand.values_of(claim, visit)
        rows = await self._rows(options, options.map, values)
        known: str | None = None
        if options.returns_password:
            for kept, kind in self._kept(rows):
                known = known or await _waited(unscrambled(claim, kept, kind, visit.realm))
        elif rows and _is_true(rows[0]):
            known = claim.user
        if known is not None:
            await self._note_groups(values, visit)
        return known

    def digest(self, wanted: DigestWanted, visit: Visit) -> Found[str]:
        return self._digest(wanted, visit)

    async def _digest(self, wanted: DigestWanted, visit: Visit) -> str | None:
        values = expand.values_of(wanted, visit)
        for kept, kind in self._kept(await self._rows(self._asked, self._asked.map, values)):
            await self._note_groups(values, visit)
            if kind == hashes.DIGEST or (self._unsaid and not visit.cleartext):
                return kept.strip().lower()
            if kind == hashes.CLEAR:
                return digest.stored(wanted.user, wanted.realm, kept)
        return None

    def scram(self, wanted: ScramWanted, visit: Visit) -> Found[ScramSecret]:
        return self._scram(wanted, visit)

    async def _scram(self, wanted: ScramWanted, visit: Visit) -> ScramSecret | None:
        values = expand.values_of(wanted, visit)
        for kept, kind in self._kept(await self._rows(self._asked, self._asked.map, values)):
            await self._note_groups(values, visit)
            return await _waited(scram_of(kept, kind, wanted.user, visit.key))
        return None

    @property
    def _unsaid(self) -> bool:
        return not self._asked.type and not self._asked.type_column

    def _kept(self, rows: Rows) -> list[tuple[str, str]]:
        """Return the passwords of the first row, of which a directory may have several."""
        if not rows:
            return []
        row, options = rows[0], self._asked
        kept = _column(row, options.password_column)
        said = options.type
        if not said and options.type_column:
            word = _texts(_column(row, options.type_column))
            said = options.type_map.get(word[0]) if word else None
            if said is None:
                self._means.tell("WARNING", f"scheme {self._name}: type_map has no {word!r}")
                return []
        return [(each, said or hashes.guessed(each)) for each in _texts(kept)]

    async def _note_groups(self, values: Mapping[str, str], visit: Visit) -> None:
        """Keep the groups of a user for policy."""
        query = self._groups
        if query is None or visit.session is None:
            return
        rows = await self._rows(query, query.map, values)
        named = [name for row in rows for name in _texts(_column(row, query.group_column))]
        visit.session.variables[GROUPS] = ",".join(named)

    async def _rows(
        self, query: Query, templates: Mapping[str, str], values: Mapping[str, str]
    ) -> Rows:
        """Ask the datasource. Raises TroubleError."""
        source = self._means.datasources.sources.get(query.cache or "")
        if source is None:
            raise TroubleError("the datasource is gone", scheme=self._name, cache=query.cache)
        parameters = {key: expand.expanded(each, values) for key, each in templates.items()}
        try:
            return await source.query(query.query or "", parameters)
        except DataError as error:
            raise TroubleError(error.message, scheme=self._name, **error.fields) from error


class ByName(Authenticator):
    """auth_ds://NAME: the scheme of that name."""

    def __init__(self, schemes: Mapping[str, Authenticator]) -> None:
        self._schemes = schemes
        self.mechanisms = frozenset(name for each in schemes.values() for name in each.mechanisms)

    def _of(self, visit: Visit) -> Authenticator:
        found = self._schemes.get(visit.path.strip("/").lower())
        if found is None:
            raise TroubleError("auth_ds has no such scheme", uri=visit.uri)
        return found

    def check(self, claim: Claim, visit: Visit) -> Found[str]:
        return self._of(visit).check(claim, visit)

    def digest(self, wanted: DigestWanted, visit: Visit) -> Found[str]:
        return self._of(visit).digest(wanted, visit)

    def scram(self, wanted: ScramWanted, visit: Visit) -> Found[ScramSecret]:
        return self._of(visit).scram(wanted, visit)


async def _waited(found: Found[T]) -> T | None:
    if inspect.isawaitable(found):
        return await found
    return found


def _column(row: Row, name: str | None) -> object:
    """Return a column, the first one where none is named; None: it is not there."""
    if not name:
        return row.line[0] if row.line else None
    return row.get(name)


def _texts(value: object) -> list[str]:
    """Return the texts of a value; a directory gives several."""
    found = value if isinstance(value, tuple | list) else [value]
    return [
        each.decode("utf-8", "replace") if isinstance(each, bytes) else str(each)
        for each in found
        if each is not None
    ]


def _is_true(row: Row) -> bool:
    """Say whether the first column is neither nothing nor zero."""
    return any(each.strip().lower() not in _NO for each in _texts(_column(row, None)))
