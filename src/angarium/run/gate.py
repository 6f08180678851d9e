"""The door of one Control_Listener socket: who may come in, by which name, to do what.

    Unix socket    the kernel says who it is; file_mode says who may connect
    TCP            he has to log in, by DIGEST-MD5 or LOGIN, unless the configuration lets him in

Options are looked at for each client, so that a reload counts from the next one on. The rule: who
is not known yet can send little, for a short time, and try few passwords.
"""

import asyncio
import ipaddress
import secrets
import ssl
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import msgspec

from angarium.config.resolve import Configuration, Endpoint
from angarium.console.access import Peer, Rank, user_name
from angarium.console.attempts import Attempts
from angarium.console.authorize import GROUPS, Authority
from angarium.console.options.authorization import Authorization
from angarium.console.passwords import ALLOW, DIGEST, LOGIN, PasswordError, Passwords
from angarium.net.options.authentication import Authentication
from angarium.net.options.sockets import ListenSocket
from angarium.run.control import Guest
from angarium.run.conversation import send
from angarium.run.sockets import user_of
from angarium.wire.control import (
    Bye,
    ControlError,
    Denied,
    Greeting,
    Login,
    Request,
    Secure,
    Welcome,
    line,
    requests,
)
from angarium.wire.sasl.digest import Exchange

LISTENER: Final = "control_listener"
MAX_CLIENTS: Final = 100
MAX_STRANGERS: Final = 10  # not known yet, of one address: they leave places to others
LOGIN_SECONDS: Final = 60.0  # a person types a password
TLS_SECONDS: Final = 10.0
CUSTOMER: Final = 64  # bits of an address; the others are his to choose
MAX_TRIES: Final = 3  # a connection
MAX_LOGIN: Final = 16 << 10  # octets of a message of who is not known yet
NO_WAY: Final = (
    "nobody can log in here: set authdigestmd5parameters and a file of users, or let everybody in "
    "by enable_authentication = false"
)

Account = Callable[[Peer, str, int], None]


class HungUpError(Exception):
    """He does not go on."""


class Gate:
    """The door of one socket.

    Args:
        endpoint: as it is written in logs.
        live: returns the configuration in force.
        account: notes a login in the acctlogs.
        context: of TLS; None where it is not spoken.
    """

    def __init__(
        self,
        where: Endpoint,
        endpoint: str,
        live: Callable[[], Configuration],
        attempts: Attempts,
        account: Account,
        log: Any,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._where = where
        self._endpoint = endpoint
        self._live = live
        self._attempts = attempts
        self._account = account
        self._log = log
        self._visiting: Counter[str] = Counter()  # who is not known yet, by address
        self.context = context

    @property
    def most(self) -> int:
        return MAX_CLIENTS

    async def admit(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, greeting: Greeting
    ) -> Guest | None:
        visit = Visit(self, self._where, reader, writer, greeting)
        coming = network(visit.host)
        if self._visiting[coming] >= MAX_STRANGERS:
            await send(writer, line(Bye("too many are logging in from there; try again soon")))
            return None
        self._visiting[coming] += 1
        try:
            return await self._admitted(visit, writer)
        finally:
            self._visiting[coming] -= 1
            if not self._visiting[coming]:
                del self._visiting[coming]

    async def _admitted(self, visit: "Visit", writer: asyncio.StreamWriter) -> Guest | None:
        try:
            async with asyncio.timeout(LOGIN_SECONDS):
                peer = await visit.admitted()
        except (HungUpError, ssl.SSLError):
            return None
        except TimeoutError:
            await send(writer, line(Bye(f"no login within {LOGIN_SECONDS:g} s")))
            return None
        except ControlError as error:
            await send(writer, line(Bye(str(error))))
            return None
        if peer is None:
            return None
        options = self._live().at(ListenSocket, listener=LISTENER, listen=self._where.name)
        return Guest(peer, options.timeout)

    # What a visit needs.

    def at(self, cls: Any, host: str) -> Any:
        """Return the options for a client; a Unix socket counts as the loopback address."""
        return self._live().at(cls, listener=LISTENER, listen=self._where.name, peer=host)

    def peer(self, user: str, host: str, address: str) -> Peer:
        return Peer(user, Rank.OPERATOR, self._endpoint, address, self._authority(user, host))

    def _authority(self, user: str, host: str) -> Authority | None:
        options = self.at(Authorization, host)
        parameters = options.authorizationparameters
        asked = options.enable_authorization
        if not (parameters is not None if asked is None else asked):
            return None
        uri = str(parameters["uri"]) if parameters is not None else ""
        return Authority(user, uri if uri.startswith(GROUPS) else "")  # `rules` tells of others

    def tried(self, passwords: Passwords, peer: Peer, mechanism: str, *, done: bool) -> None:
        """Note a login."""
        host = peer.address.rpartition(":")[0]
        if done:
            self._attempts.succeeded(network(host))
        else:
            self._attempts.failed(network(host))
            self._log.warning("console login failed", user=peer.user, address=peer.address)
        if passwords.log:
            self._account(peer, f"login {mechanism}", 1 if done else 0)

    def unreadable(self, error: PasswordError) -> None:
        self._log.error("nobody can log in to the console", reason=str(error))

    def wait(self, host: str) -> float:
        return self._attempts.wait(network(host))


def network(host: str) -> str:
    """Return who tries passwords: an address, or of IPv6 the network of one customer."""
    if ":" not in host:
        return host
    address = ipaddress.IPv6Address(host.partition("%")[0])
    return str(ipaddress.IPv6Network((address, CUSTOMER), strict=False))


class Visit:
    """One client on his way in. `host`: his address, "" by a Unix socket."""

    def __init__(
        self,
        gate: Gate,
        where: Endpoint,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        greeting: Greeting,
    ) -> None:
        self._gate = gate
        self._reader = reader
        self._writer = writer
        self._asked = requests(MAX_LOGIN)
        self._uid = user_of(writer.get_extra_info("socket")) if where.path else None
        name = () if where.path else writer.get_extra_info("peername")[:2]
        self.host = str(name[0]).removeprefix("::ffff:") if name else ""
        self._address = f"{self.host}:{name[1]}" if name else ""
        self._nonce = secrets.token_hex(16)
        options = gate.at(Authentication, self.host)
        self._options = options
        self._known = {} if options.always_allow else self._passwords(options)
        realm = next((each.realm for each in self._known.values()), "")
        self._user = "" if self._uid is None else user_name(self._uid)
        self._greeting = msgspec.structs.replace(
            greeting,
            user=self._user,
            mechanisms=[ALLOW] if options.always_allow else list(self._known),
            login=self._must_log_in,
            realm=realm,
            nonce=self._nonce,
            tls=gate.context is not None and self._uid is None,
        )

    def _passwords(self, options: Authentication) -> dict[str, Passwords]:
        found = {}
        if options.authdigestmd5parameters is not None:
            found[DIGEST] = Passwords.of(options.authdigestmd5parameters)
        if options.authloginparameters is not None:
            found[LOGIN] = Passwords.of(options.authloginparameters)
        return found

    @property
    def _must_log_in(self) -> bool:
        if self._options.always_allow or self._uid is not None:
            return False
        return self._options.enable_authentication is not False

    async def admitted(self) -> Peer | None:
        if self._options.always_deny:
            await self._say(Bye("this address may not connect"))
            return None
        if self._must_log_in and not self._known:
            await self._say(Bye(NO_WAY))
            return None
        await self._say(self._greeting)
        if self._greeting.tls:
            await self._secured()
        if not self._greeting.mechanisms:
            return self._gate.peer(self._user, self.host, self._address)
        return await self._logged_in()

    async def _secured(self) -> None:
        if not isinstance(await self._next(), Secure):
            raise ControlError("this listener speaks TLS only: connect with --tls")
        context = self._gate.context
        assert context is not None
        # He may begin when he has heard this, and no octet of that is for our reader.
        self._writer.transport.pause_reading()  # type: ignore[attr-defined]
        await self._say(Secure())
        await self._writer.start_tls(context, ssl_handshake_timeout=TLS_SECONDS)
        await self._say(msgspec.structs.replace(self._greeting, tls=False))

    async def _logged_in(self) -> Peer | None:
        """Let him say who he is. Who need not may be welcomed as who he is already."""
        for _ in range(MAX_TRIES):
            said = await self._next()
            if not isinstance(said, Login):
                raise ControlError("who are you? log in first")
            if said.mechanism in ("", ALLOW) and not self._must_log_in:
                user = said.user if self._options.always_allow else self._user
                await self._say(Welcome(user))
                return self._gate.peer(user, self.host, self._address)
            wait = self._gate.wait(self.host)
            if wait:
                await self._say(Bye(f"too many failed logins; wait {wait:.0f} s"))
                return None
            peer = self._gate.peer(said.user, self.host, self._address)
            proof = self._proved(said, peer)
            if proof is not None:
                await self._say(Welcome(said.user, proof))
                return peer
            await self._say(Denied("wrong user or password"))
        await self._say(Bye(f"{MAX_TRIES} failed logins"))
        return None

    def _proved(self, said: Login, peer: Peer) -> str | None:
        """Return what is answered to a proof; None if it is none."""
        passwords = self._known.get(said.mechanism)
        if passwords is None:
            raise ControlError(f"there is no {said.mechanism} here")
        try:
            if said.mechanism == DIGEST:
                exchange = Exchange(self._greeting.nonce, said.cnonce, said.uri)
                proof = passwords.proof(said.user, exchange, said.response)
            else:
                proof = "" if passwords.knows(said.user, said.password) else None
        except PasswordError as error:
            self._gate.unreadable(error)
            proof = None
        self._gate.tried(passwords, peer, said.mechanism, done=proof is not None)
        return proof

    async def _next(self) -> Request:
        while True:
            octets = await self._reader.read(MAX_LOGIN)
            if not octets:
                raise HungUpError
            found = self._asked.feed(octets)
            if len(found) > 1:
                raise ControlError("one thing after the other, please")
            if found:
                return found[0]

    async def _say(self, message: Greeting | Secure | Welcome | Denied | Bye) -> None:
        await send(self._writer, line(message))
