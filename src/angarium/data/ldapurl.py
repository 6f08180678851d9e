"""LDAP URLs, RFC 4516, as a uri of a datasource and as a query.

    ldap://host:port/dn?attributes?scope?filter?extensions

What a query leaves out is that of the uri. Values of `$name` are put in after everything is taken
apart and decoded, each quoted for where it stands: in a filter as RFC 4515 has it, in a name as
RFC 4514. A value which is a whole name, as in `bindname=$user`, is taken as it is.

Extensions: bindname, x-bindpw, x-connect-timeout, x-search-timeout, x-ldap-version, x-return-dn,
x-ignore-referrals, x-disable-connection-cache; x-start-tls and x-ca-file are ours.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from angarium.data.errors import StatementError
from angarium.data.statement import Template, dollars

_SCHEMES: Final[Mapping[str, int]] = {"ldap": 389, "ldaps": 636}
_SCOPES: Final = ("base", "one", "sub")
_EXTENSIONS: Final = frozenset({
    "bindname", "x-bindpw", "x-connect-timeout", "x-search-timeout", "x-ldap-version",
    "x-return-dn", "x-ignore-referrals", "x-disable-connection-cache", "x-start-tls", "x-ca-file",
})  # fmt: skip
_URL: Final = re.compile(r"(?i:(ldaps?)):(?://([^/?]*))?(?:/?(.*))", re.DOTALL)
_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]@]*)(?::([0-9]{1,5}))?")
_IN_FILTER: Final = {ord(each): f"\\{ord(each):02x}" for each in "\\*()\0"}
_IN_NAME: Final = re.compile(r'[,+"\\<>;=\0]')


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a URL with $name in it, each of whose texts is decoded."""

    template: Template

    @classmethod
    def of(cls, raw: str, *, literal: bool) -> "Piece":
        found = Template((raw,), ()) if literal else dollars(raw)
        return cls(Template(tuple(map(unquote, found.texts)), found.names))

    def filled(self, values: Mapping[str, str], quote: Callable[[str], str]) -> str:
        """Return it with values; `quote` is for those which are not all of it."""
        texts, names = self.template.texts, self.template.names
        if len(names) == 1 and texts == ("", ""):
            return values[str(names[0])]
        return self.template.joined([quote(values[str(name)]) for name in names])


def in_filter(value: str) -> str:
    return value.translate(_IN_FILTER)


def in_name(value: str) -> str:
    """Quote a value in a distinguished name: RFC 4514 section 2.4."""
    quoted = _IN_NAME.sub(lambda each: f"\\{ord(each[0]):02x}", value)
    if quoted[:1] in ("#", " "):
        quoted = f"\\{ord(quoted[0]):02x}{quoted[1:]}"
    if quoted[-1:] == " ":
        quoted = f"{quoted[:-1]}\\20"
    return quoted


def as_it_is(value: str) -> str:
    return value


@dataclass(frozen=True, slots=True)
class LdapUrl:
    """A URL taken apart; what it leaves out is None."""

    scheme: str = "ldap"
    host: str | None = None
    port: int | None = None
    dn: Piece | None = None
    attributes: tuple[str, ...] | None = None
    scope: str | None = None
    filter: Piece | None = None
    extensions: Mapping[str, Piece] = field(default_factory=dict)

    def over(self, base: "LdapUrl") -> "LdapUrl":
        """Return this one with what it leaves out from another one."""
        elsewhere = self.host is not None and self.server != base.server
        return LdapUrl(
            self.scheme if elsewhere else base.scheme,
            self.host if elsewhere else base.host,
            self.port if elsewhere else base.port,
            self.dn or base.dn,
            self.attributes or base.attributes,
            self.scope or base.scope,
            self.filter or base.filter,
            # A password goes to the server only which it was written for.
            dict(self.extensions) if elsewhere else {**base.extensions, **self.extensions},
        )

    @property
    def server(self) -> tuple[str, str, int]:
        """Return the scheme, host and port of the server."""
        return self.scheme, (self.host or "").lower(), self.port or _SCHEMES[self.scheme]


@lru_cache(maxsize=1024)
def parse(text: str, *, literal: bool = False) -> LdapUrl:
    """Take a URL apart. Raises StatementError.

    Args:
        literal: a $ is a $, as in a password of the configuration.
    """
    url = _URL.fullmatch(text.strip())
    if url is None:
        raise StatementError(
            "this is no LDAP URL: ldap://host/dn?attributes?scope?filter?extensions"
        )
    scheme, where, rest = url[1].lower(), url[2] or "", url[3]
    address = _HOST.fullmatch(where)
    if address is None or (address[2] and int(address[2]) > 65535):
        raise StatementError("the host of the LDAP URL is none")
    parts = rest.split("?")
    if len(parts) > 5:
        raise StatementError("the LDAP URL has more than four ?")
    dn, attributes, scope, filter_, extensions = parts + [""] * (5 - len(parts))
    if scope and scope.lower() not in _SCOPES:
        raise StatementError("the scope of the LDAP URL is none of base, one, sub")
    return LdapUrl(
        scheme,
        address[1].strip("[]") or None,
        int(address[2]) if address[2] else None,
        Piece.of(dn, literal=literal) if dn else None,
        tuple(unquote(each.strip()) for each in attributes.split(",")) if attributes else None,
        scope.lower() or None,
        Piece.of(_joined(filter_), literal=literal) if filter_ else None,
        _extensions(extensions, literal=literal),
    )


def _joined(text: str) -> str:
    """Return a filter which goes over several lines as one."""
    return re.sub(r"\s*[\r\n]\s*", "", text)


def _extensions(text: str, *, literal: bool) -> dict[str, Piece]:
    found = {}
    for each in text.split(",") if text.strip() else ():
        name, _, value = each.strip().partition("=")
        name = name.lstrip("!").lower()
        if name not in _EXTENSIONS:
            raise StatementError("an extension of the LDAP URL is not known", name=name)
        found[name] = Piece.of(value, literal=literal)
    return found
