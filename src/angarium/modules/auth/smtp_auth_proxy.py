"""smtp_auth_proxy: another SMTP server says whether it knows a user.

    AuthPlainParameters = [ uri = "smtp_auth_proxy://" ]

What the client has said is said there, by the best mechanism that server offers. The rule: its yes
counts only after what it had to prove; what it cannot say now is no no.
"""

import asyncio
import contextlib
import secrets
import ssl
from collections import deque
from collections.abc import Mapping
from typing import Final

from angarium.core.errors import Error
from angarium.core.reply import Reply
from angarium.data.errors import DataError
from angarium.inbound.authenticators import PASSWORDS, Authenticator, Found, Visit
from angarium.inbound.errors import TroubleError
from angarium.modules.auth import expand
from angarium.modules.auth.options import DatasourceOptions
from angarium.modules.auth.options import SmtpAuthProxy as Options
from angarium.modules.means import Means
from angarium.wire.sasl.exchange import Claim, Credentials
from angarium.wire.sasl.names import TOKENS
from angarium.wire.smtp_login import VERIFY, Done, Secure, speaking
from angarium.wire.smtp_reply import ReplyReader

SCHEME: Final = "smtp_auth_proxy"
MOST_QUESTIONS: Final = 200  # at once, of a worker
_READ: Final = 4096
QUIT: Final = b"QUIT\r\n"


class SmtpAuthProxy:
    """The module. A stanza with a name is smtp_auth_proxy://NAME."""

    def __init__(self, name: str, options: Options, means: Means) -> None:
        """Raises Error: nobody is named who could be asked."""
        if not options.host and not (options.ds_cache and options.query):
            raise Error("smtp_auth_proxy needs host, or ds_cache and query", name=name)
        known = {each for each, _ in means.configuration.instances(DatasourceOptions)}
        if options.ds_cache and options.ds_cache not in known:
            raise Error(f"there is no datasource {options.ds_cache!r}", name=name)
        self._name = name
        self._means = means
        self._authenticator = ByProxy(options, means)

    @property
    def schemes(self) -> Mapping[str, Authenticator]:
        """The last one without a name of its own, or of several, is the one of the bare uri."""
        return {SCHEME: ByStanza(self._means)}

    @property
    def authenticator(self) -> Authenticator:
        return self._authenticator

    @property
    def name(self) -> str:
        return self._name


class ByStanza(Authenticator):
    """Finds the stanza which a uri names; the first one where it names none."""

    mechanisms = PASSWORDS | TOKENS

    def __init__(self, means: Means) -> None:
        self._modules = means.modules

    def check(self, claim: Claim, visit: Visit) -> Found[str]:
        wanted = visit.path.strip("/").lower()
        for each in self._modules.get(SCHEME, []):
            if not wanted or each.name.lower() == wanted:
                found: Found[str] = each.authenticator.check(claim, visit)
                return found
        raise TroubleError("there is no such smtp_auth_proxy", uri=visit.uri)


class ByProxy(Authenticator):
    """Asks the server."""

    mechanisms = PASSWORDS | TOKENS

    def __init__(self, options: Options, means: Means) -> None:
        self._options = options
        self._means = means
        self._room = asyncio.Semaphore(MOST_QUESTIONS)

    def check(self, claim: Claim, visit: Visit) -> Found[str]:
        return self._checked(claim, visit)

    async def _checked(self, claim: Claim, visit: Visit) -> str | None:
        try:
            async with self._room, asyncio.timeout(self._options.timeout):
                host = await self._host(claim, visit)
                if host is None:
                    return None
                known = await self._asked(host, claim)
        except TimeoutError:
            raise TroubleError("the server does not answer in time") from None
        except OSError as error:
            raise TroubleError("the server cannot be asked", reason=str(error)) from error
        return claim.user if known else None

    async def _host(self, claim: Claim, visit: Visit) -> str | None:
        """Return whose user it is; None: nobody's."""
        options = self._options
        if not (options.ds_cache and options.query):
            return options.host
        source = self._means.datasources.sources.get(options.ds_cache)
        if source is None:
            raise TroubleError("the datasource is gone", cache=options.ds_cache)
        values = expand.values_of(claim, visit)
        parameters = {
            "username": values["username"],
            "localpart": values["username_localpart"],
            "domain": values["username_domain"],
        }
        try:
            row = await source.fetch_row(options.query, parameters)
        except DataError as error:
            raise TroubleError(error.message, **error.fields) from error
        found = None if row is None or not row.line else row.line[0]
        return str(found) if found else options.host

    async def _asked(self, host: str, claim: Claim) -> bool:
        """Return whether the server knows the user. Raises TroubleError, OSError."""
        name, colon, port = host.rpartition(":")
        place = (name.strip("[]"), int(port)) if colon and port.isdecimal() and name else None
        name, number = place or (host.strip("[]"), self._options.port)
        addresses = await self._means.resolver.address(name)
        if not addresses.records:
            raise TroubleError("the server has no address", host=name)
        reader, writer = await asyncio.open_connection(addresses.records[0], number, limit=_READ)
        try:
            done = await self._spoken(reader, writer, name, claim)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        if done.known is None:
            self._means.tell("WARNING", f"{name} cannot say who somebody is: {done.reply}")
            raise TroubleError("the server cannot say", host=name, reply=str(done.reply))
        return done.known

    async def _spoken(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        host: str,
        claim: Claim,
    ) -> Done:
        who = Credentials(claim.user, claim.password, host=host, port=self._options.port)
        session = speaking(
            self._means.host, who, secrets.token_hex(16),
            tls=self._options.tls, token=claim.crypt == "token",
        )  # fmt: skip
        replies = Replies(reader)
        step = next(session)
        try:
            while True:
                if isinstance(step, Secure):
                    await writer.start_tls(self._context(), server_hostname=host)
                    replies.forget()
                    step = session.send(None)
                else:
                    writer.write(step.data)
                    step = session.send(await replies.next())
        except StopIteration as over:
            found = over.value
            assert isinstance(found, Done)
            writer.write(QUIT)
            return found

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._options.tls != VERIFY:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


class Replies:
    """What a server says, one reply after the other."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._replies = ReplyReader()
        self._read: deque[Reply] = deque()

    def forget(self) -> None:
        """What came before TLS and was not asked for is not said by the server."""
        self._replies = ReplyReader()
        self._read.clear()

    async def next(self) -> Reply:
        """Return the next one. Raises TroubleError: there is none."""
        while not self._read:
            octets = await self._reader.read(_READ)
            if not octets:
                raise TroubleError("the server has hung up")
            self._read.extend(self._replies.feed(octets))
            if self._replies.fault:
                raise TroubleError("the server does not speak SMTP")
        return self._read.popleft()
