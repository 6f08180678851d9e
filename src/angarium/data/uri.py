"""What a uri of a datasource says: a kind of database, a colon, and its parameters.

    pgsql:host=db.example.com;dbname=mail;user=mail;password=secret
    sqlite:/var/lib/angarium/preferences.db
    ldap://directory.example.com/ou=people,dc=example,dc=com

A uri is read when the configuration is checked, without the driver, so that a typing error is found
there. Each kind is imported when it is configured.
"""

import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Final
from urllib.parse import quote

from angarium.data.errors import StatementError
from angarium.data.ldapurl import as_it_is
from angarium.data.ldapurl import parse as parse_ldap

_PAIR: Final = re.compile(
    r"\s*(?P<name>\w+)\s*=\s*(?:'(?P<quoted>[^']*)'|(?P<bare>[^;]*))\s*(?:;|$)"
)
_SQL: Final = "host port dbname user password"
_TLS: Final = "sslmode sslrootcert sslcert sslkey"
TLS_MODES: Final = ("disable", "require", "verify-full")


@dataclass(frozen=True, slots=True)
class Uri:
    """A uri taken apart. `parameters` are those of pairs; `rest` is what follows the colon."""

    kind: str
    rest: str = field(repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def label(self) -> str:
        """Return what it is called in errors and lists: without a password."""
        if self.kind in PAIRS:
            given = self.parameters
            shown = [f"{each}={given[each]}" for each in _SHOWN if each in given]
            return f"{self.kind}:{';'.join(shown)}"
        if self.kind in URLS:
            return f"{self.kind}://{self.rest[2:].partition('/')[0]}"
        return f"{self.kind}:{self.rest}"

    @property
    def facility(self) -> str:
        """Return what it is called in a store of passwords."""
        return "ldap" if self.kind in URLS else self.kind

    @property
    def host(self) -> str:
        if self.kind in URLS:
            return parse_ldap(f"{self.kind}:{self.rest}", literal=True).host or ""
        return self.parameters.get("host", "")

    @property
    def user(self) -> str:
        """Return who asks; "" where that is nobody, or said elsewhere."""
        if self.kind in URLS:
            return self._extensions.get("bindname", "")
        return self.parameters.get("user", "")

    @property
    def has_password(self) -> bool:
        return "x-bindpw" in self._extensions or "password" in self.parameters

    def with_password(self, password: str) -> "Uri":
        """Return it with a password; as it is with none."""
        if not password:
            return self
        if self.kind not in URLS:
            return replace(self, parameters={**self.parameters, "password": password})
        parts = self.rest.split("?")
        parts += [""] * (_LDAP_PARTS - len(parts))
        parts[-1] = ",".join(filter(None, [parts[-1], f"x-bindpw={quote(password, safe='')}"]))
        return replace(self, rest="?".join(parts))

    @property
    def _extensions(self) -> Mapping[str, str]:
        if self.kind not in URLS:
            return {}
        url = parse_ldap(f"{self.kind}:{self.rest}", literal=True)
        return {name: each.filled({}, as_it_is) for name, each in url.extensions.items()}

    def driver(self) -> ModuleType:
        """Import what drives it."""
        return importlib.import_module(KINDS[self.kind])


# Names in a uri to the Python module which has the Driver.
KINDS: Final[Mapping[str, str]] = {
    "sqlite": "angarium.data.kinds.sqlite",
    "pgsql": "angarium.data.kinds.pgsql",
    "mysql": "angarium.data.kinds.mysql",
    "ldap": "angarium.data.kinds.ldap",
    "ldaps": "angarium.data.kinds.ldap",
    "redis": "angarium.data.kinds.redis",
    "csv": "angarium.data.kinds.csv",
    "cdb": "angarium.data.kinds.cdb",
    "iowrapper": "angarium.data.kinds.iowrapper",
}
ABSENT: Final[Mapping[str, str]] = {
    "odbc": "there is no driver for ODBC: it takes a driver manager and the driver of the "
    "database's maker; for PostgreSQL, MySQL and SQLite there are pgsql, mysql and sqlite",
}
URLS: Final = ("ldap", "ldaps")
_LDAP_PARTS: Final = 5  # of a URL, between question marks
# Which parameters a kind has, and which of them it must have.
PAIRS: Final[Mapping[str, tuple[frozenset[str], frozenset[str]]]] = {
    "pgsql": (frozenset(f"{_SQL} {_TLS}".split()), frozenset({"dbname"})),
    "mysql": (frozenset(f"{_SQL} {_TLS}".split()), frozenset({"dbname"})),
    "redis": (frozenset(f"host port db user password {_TLS}".split()), frozenset()),
}
_SHOWN: Final = ("host", "port", "dbname", "db")


def parse(text: str) -> Uri:
    """Take a uri apart. Raises ValueError, whose text has no password in it."""
    kind, colon, rest = text.partition(":")
    kind = kind.strip().lower()
    if not colon:
        raise ValueError(f"a kind and a colon come first, such as sqlite:; {_known()}")
    if kind in ABSENT:
        raise ValueError(ABSENT[kind])
    if kind not in KINDS:
        raise ValueError(f"{kind} is no kind of datasource; {_known()}")
    if kind in PAIRS:
        return Uri(kind, rest, _pairs(kind, rest))
    if kind in URLS:
        try:
            parse_ldap(f"{kind}:{rest}", literal=True)
        except StatementError as error:
            raise ValueError(error.message) from None
    if kind == "sqlite" and not rest:
        raise ValueError("the path of the database is missing: sqlite:/path/to/it")
    return Uri(kind, rest)


def _known() -> str:
    return f"there are {', '.join(KINDS)}"


def _pairs(kind: str, rest: str) -> dict[str, str]:
    allowed, needed = PAIRS[kind]
    found: dict[str, str] = {}
    place = 0
    while rest[place:].strip():
        pair = _PAIR.match(rest, place)
        if pair is None:
            raise ValueError(f"write {kind}:name=value;name=value; pair {len(found) + 1} is none")
        name, place = pair["name"].lower(), pair.end()
        if name not in allowed:
            raise ValueError(f"{kind} has no parameter {name}; it has {', '.join(sorted(allowed))}")
        if name in found:
            raise ValueError(f"{name} is there twice")
        found[name] = pair["quoted"] if pair["quoted"] is not None else pair["bare"].strip()
    for name in sorted(needed - found.keys()):
        raise ValueError(f"{name} is missing")
    for name, check in _CHECKS.items():
        if name in found:
            check(name, found[name])
    return found


def _number(most: int) -> Callable[[str, str], None]:
    def check(name: str, value: str) -> None:
        if not re.fullmatch(r"[0-9]{1,9}", value) or int(value) > most:
            raise ValueError(f"{name} is no number up to {most}")

    return check


def _mode(name: str, value: str) -> None:
    if value not in TLS_MODES:
        raise ValueError(f"{name} is none of {', '.join(TLS_MODES)}")


_CHECKS: Final[Mapping[str, Callable[[str, str], None]]] = {
    "port": _number(65535),
    "db": _number(2**20),
    "sslmode": _mode,
}
