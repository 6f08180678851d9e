"""LDAP, by ldap3, which blocks: each connection has a thread, and all its waiting has bounds.

A query is an LDAP URL (`data/ldapurl`), a row an entry: an attribute with several values is a list.
A query which has a `bindname` and no name, attributes or filter asks only whether the directory
lets that name in by the password: one row with `bind` = 1, or none.

An empty password is never sent: to a directory that is a request to be nobody, which it grants
(RFC 4513 section 5.1.2), and somebody would take it for a right password. Referrals are followed
without our name and password, for any host may stand in them.
"""

import asyncio
import contextlib
import ssl
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from angarium.data.driver import Bound, Limits
from angarium.data.errors import LateError, StatementError, UnreachableError
from angarium.data.ldapurl import LdapUrl, as_it_is, in_filter, in_name, parse
from angarium.data.rows import Columns, Row, Rows, Scalar, Value, text
from angarium.data.statement import Template, dollars
from angarium.data.threads import Thread
from angarium.data.uri import Uri

with warnings.catch_warnings():
    # ldap3 takes things of pyasn1 by the names they had; there is no newer one.
    warnings.simplefilter("ignore", DeprecationWarning)
    import ldap3
    from ldap3.core.exceptions import (
        LDAPCommunicationError,
        LDAPException,
        LDAPResponseTimeoutError,
    )
    from ldap3.core.results import (
        RESULT_BUSY,
        RESULT_NO_SUCH_OBJECT,
        RESULT_REFERRAL,
        RESULT_SIZE_LIMIT_EXCEEDED,
        RESULT_SUCCESS,
        RESULT_TIME_LIMIT_EXCEEDED,
        RESULT_UNAVAILABLE,
    )

_SEARCH_SECONDS: Final = 6.0  # the manual's default of x-search-timeout
_SCOPES: Final = {"base": ldap3.BASE, "one": ldap3.LEVEL, "sub": ldap3.SUBTREE}
_ANYTHING: Final = "(objectClass=*)"  # RFC 4516 section 2
_TRUE: Final = frozenset({"1", "true", "yes", "on", ""})
_BIND: Final = Columns(["bind"])
_ENTRY: Final = "searchResEntry"


@dataclass(frozen=True, slots=True)
class Server:
    """Where a connection goes, and as whom."""

    scheme: str
    host: str
    port: int
    name: str
    password: str
    version: int
    start_tls: bool
    ca_file: str | None
    referrals: bool
    single: bool
    connect_seconds: float
    search_seconds: float

    def __repr__(self) -> str:
        return f"<Server {self.scheme}://{self.host}:{self.port}>"


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for; None where only a name is to be let in. `named`: the query says whose."""

    base: str
    filter: str
    scope: str
    attributes: tuple[str, ...]
    dn_as: str
    named: bool


class Tls(ldap3.Tls):  # type: ignore[misc]
    """TLS in which OpenSSL itself looks whether a certificate is for the host.

    ldap3 has a look of its own, by a function which Python has given up.
    """

    def __init__(self, ca_file: str | None) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED, ca_certs_file=ca_file)

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
        context = ssl.create_default_context(cafile=self.ca_certs_file)
        connection.socket = context.wrap_socket(
            connection.socket,
            server_hostname=connection.server.host,
            do_handshake_on_connect=do_handshake,
        )


class Connection:
    """A connection, in a thread of its own."""

    def __init__(self, server: Server, limits: Limits) -> None:
        self._server = server
        self._limits = limits
        self._thread: Thread | None = None
        self._link: Any = None
        self._alive = False
        self._refusal = ""  # why it does not let us in

    @property
    def alive(self) -> bool:
        return self._alive

    async def open(self) -> None:
        if self._server.name and not self._server.password:
            self._alive, self._refusal = True, "there is no password"
            return
        self._thread = Thread(asyncio.get_running_loop(), "datasource ldap")
        await self._thread.call(self._open)

    def _open(self) -> None:
        server = self._server
        target = ldap3.Server(
            server.host,
            server.port,
            use_ssl=server.scheme == "ldaps",
            tls=Tls(server.ca_file),
            get_info=ldap3.NONE,
            connect_timeout=server.connect_seconds,
            allowed_referral_hosts=[("*", False)],
        )
        try:
            self._link = ldap3.Connection(
                target,
                user=server.name or None,
                password=server.password or None,
                authentication=ldap3.SIMPLE if server.name else ldap3.ANONYMOUS,
                version=server.version,
                client_strategy=ldap3.SYNC,
                auto_referrals=server.referrals,
                read_only=True,
                check_names=False,
                receive_timeout=max(1, round(server.search_seconds)),
            )
            self._link.open(read_server_info=False)
            if server.start_tls and not self._link.start_tls(read_server_info=False):
                raise UnreachableError("it makes no TLS")
            if not self._link.bind(read_server_info=False):
                self._refusal = self._said
        except (LDAPException, OSError) as error:
            raise UnreachableError(str(error)) from None
        if self._code in (RESULT_BUSY, RESULT_UNAVAILABLE):
            raise UnreachableError(self._said)
        self._alive = True

    @property
    def _code(self) -> int:
        return int(self._link.result["result"])

    @property
    def _said(self) -> str:
        result = self._link.result
        return str(result["message"] or result["description"])

    async def run(self, bound: Bound, *, fetch: bool) -> Rows:
        search = bound.content
        if search is None:
            self._alive = False  # The next one who asks is asked for the password too.
            return () if self._refusal else (Row(_BIND, [1]),)
        assert isinstance(search, Search)
        if self._refusal:
            self._alive = False
            said = f"the directory does not let us in: {self._refusal}"
            # Somebody's wrong password is his own matter; that of the uri is everybody's.
            raise StatementError(said) if search.named else UnreachableError(said)
        assert self._thread is not None
        try:
            return await self._thread.call(self._run, search)
        finally:
            if self._server.single:
                self._alive = False

    def _run(self, search: Search) -> Rows:
        rows = self._limits.rows
        try:
            self._link.search(
                search.base,
                search.filter,
                search_scope=_SCOPES[search.scope],
                attributes=list(search.attributes) or ldap3.ALL_ATTRIBUTES,
                size_limit=max(rows, 0),
                time_limit=max(1, round(self._server.search_seconds)),
            )
        except LDAPResponseTimeoutError as error:
            self._alive = False
            raise LateError(str(error)) from None
        except (LDAPCommunicationError, OSError) as error:
            self._alive = False
            raise UnreachableError(str(error)) from None
        except (LDAPException, UnicodeEncodeError) as error:
            raise StatementError(str(error) or type(error).__name__) from None
        code = self._code
        if code in (RESULT_NO_SUCH_OBJECT, RESULT_REFERRAL):
            return ()
        if code == RESULT_TIME_LIMIT_EXCEEDED:
            raise LateError("the directory stopped searching", seconds=self._server.search_seconds)
        if code in (RESULT_BUSY, RESULT_UNAVAILABLE):
            raise UnreachableError(self._said)
        if code not in (RESULT_SUCCESS, RESULT_SIZE_LIMIT_EXCEEDED):
            raise StatementError(self._said, result=self._link.result["description"])
        entries = [each for each in self._link.response or () if each["type"] == _ENTRY]
        kept = entries if rows < 0 else entries[:rows]
        return tuple(self._row(search, each) for each in kept)

    def _row(self, search: Search, entry: Mapping[str, Any]) -> Row:
        found: Mapping[str, list[bytes]] = entry["raw_attributes"]
        by_folded = {name.lower(): values for name, values in found.items()}
        names = list(search.attributes)
        if not names or "*" in names:
            names = list(found)
        values = [self._value(by_folded.get(name.lower(), [])) for name in names]
        if search.dn_as:
            names, values = [*names, search.dn_as], [*values, str(entry["dn"])]
        return Row(Columns(names), values)

    def _value(self, values: list[bytes]) -> Value:
        found = [text(each, self._limits.charset) for each in values]
        if len(found) == 1:
            return found[0]
        return tuple(found) if found else None

    def close(self) -> "asyncio.Future[None] | None":
        self._alive = False
        if self._thread is None:
            return None
        return self._thread.stop(self._close)

    def _close(self) -> None:
        if self._link is None:
            return
        socket = self._link.socket  # which stays open where the connection was never made
        with contextlib.suppress(LDAPException, OSError):
            self._link.unbind()
        if socket is not None:
            socket.close()


class Driver:
    """A directory. `uri` says what queries leave out."""

    probe: Final = "ldap:///"

    def __init__(self, uri: Uri, limits: Limits) -> None:
        self.label = uri.label
        self._base = parse(f"{uri.kind}:{uri.rest}", literal=True)
        self._limits = limits

    def template(self, text: str) -> Template:
        parse(text)
        return dollars(text)

    def bind(self, text: str, template: Template, values: tuple[Scalar, ...]) -> Bound:
        own = parse(text)
        url = own.over(self._base)
        pairs = zip(template.names, values, strict=True)
        known = {str(name): _text(name, value) for name, value in pairs}
        extension = {name: piece.filled(known, as_it_is) for name, piece in url.extensions.items()}
        if "bindname" in url.extensions:
            extension["bindname"] = url.extensions["bindname"].filled(known, in_name)
        server = self._server(url, extension)
        only_bind = "bindname" in own.extensions and not (
            own.dn or own.attributes or own.scope or own.filter
        )
        if only_bind:
            return Bound(text, values, whom=server, content=None)
        return Bound(
            text,
            values,
            whom=server,
            content=Search(
                url.dn.filled(known, in_name) if url.dn else "",
                url.filter.filled(known, in_filter) if url.filter else _ANYTHING,
                url.scope or "base",
                url.attributes or (),
                extension.get("x-return-dn", ""),
                "bindname" in own.extensions,
            ),
        )

    def _server(self, url: LdapUrl, extension: Mapping[str, str]) -> Server:
        limits = self._limits
        scheme, host, port = url.server
        name, password = extension.get("bindname", ""), extension.get("x-bindpw", "")
        try:
            return Server(
                scheme,
                host or "localhost",
                port,
                name,
                password,
                int(extension.get("x-ldap-version", "3")),
                extension.get("x-start-tls", "0").lower() in _TRUE,
                extension.get("x-ca-file"),
                extension.get("x-ignore-referrals", "0").lower() not in _TRUE,
                extension.get("x-disable-connection-cache", "0").lower() in _TRUE,
                min(float(extension.get("x-connect-timeout", limits.connect_seconds)),
                    limits.query_seconds),
                min(float(extension.get("x-search-timeout", _SEARCH_SECONDS)),
                    limits.query_seconds),
            )  # fmt: skip
        except ValueError:
            raise StatementError("an extension of the LDAP URL is no number") from None

    def connection(self, bound: Bound) -> Connection:
        assert isinstance(bound.whom, Server)
        return Connection(bound.whom, self._limits)


def _text(name: object, value: Scalar) -> str:
    match value:
        case None:
            raise StatementError("a parameter is nothing", name=name)
        case str():
            return value
        case bytes():
            return value.decode("utf-8", "surrogateescape")
        case bool():
            return "TRUE" if value else "FALSE"  # RFC 4517 section 3.3.3
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)
