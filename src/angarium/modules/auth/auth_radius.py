"""auth_radius: RADIUS servers say who a client is; a listener names them as radius://.

They are asked in the order of the file: each `max_tries` times, and the next one if none of these
was answered. The rule: only who knows the secret is believed, and what else comes is not heard.
"""

import asyncio
import secrets
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from angarium.config.section import Section
from angarium.core.errors import Error
from angarium.inbound.authenticators import PASSWORDS, Authenticator, Found, Visit
from angarium.inbound.errors import TroubleError
from angarium.modules.auth import expand
from angarium.modules.auth.options import AuthRadius as Options
from angarium.modules.auth.options import RadiusServer
from angarium.modules.means import Means
from angarium.wire import radius
from angarium.wire.radius import Answer, Code, RadiusError
from angarium.wire.sasl.exchange import Claim

STANZA: Final = "auth_radius"
SCHEME: Final = "radius"
PORT: Final = 1812
TRIES: Final = 3
SECONDS: Final = 5.0
MOST_SERVERS: Final = 10
ALL_FAMILIES: Final = (socket.AF_INET, socket.AF_INET6)
MOST_QUESTIONS: Final = 200  # at once, of a worker: each has a socket of its own


@dataclass(frozen=True, slots=True)
class Server:
    """One server, as the options have it."""

    name: str
    host: str
    port: int
    secret: bytes = field(repr=False)
    tries: int
    seconds: float


class AuthRadius:
    """The module."""

    def __init__(self, name: str, options: Options, means: Means) -> None:
        """Raises Error: a server cannot be asked."""
        configuration = means.configuration
        section = configuration.root.get(STANZA, name)
        found = {} if section is None else section.all("auth_radius.server")
        if not 1 <= len(found) <= MOST_SERVERS:
            raise Error(f"auth_radius has 1 to {MOST_SERVERS} servers", found=len(found))
        expand.checked(options.map, expand.OF_RADIUS)
        servers = [
            _server(each, inner, configuration.of(RadiusServer, inner))
            for each, inner in found.items()
        ]
        self._authenticator = ByRadius(servers, options, means)

    @property
    def schemes(self) -> Mapping[str, Authenticator]:
        return {SCHEME: self._authenticator}


def _server(name: str, _section: Section, options: RadiusServer) -> Server:
    if options.host is None or not options.secret:
        raise Error("a server of auth_radius needs host and secret", server=name)
    return Server(
        name,
        options.host.host,
        options.host.port or PORT,
        options.secret.encode(),
        TRIES if options.max_tries is None else max(options.max_tries, 1),
        SECONDS if options.timeout is None else options.timeout,
    )


class ByRadius(Authenticator):
    """Asks the servers."""

    mechanisms = PASSWORDS

    def __init__(self, servers: Sequence[Server], options: Options, means: Means) -> None:
        self._servers = tuple(servers)
        self._means = means
        self._map = options.map
        self._demands = options.require_message_authenticator
        self._sealing: set[str] = set()  # servers which have sent a Message-Authenticator
        self._known = [radius.number(radius.SERVICE_TYPE, radius.AUTHENTICATE_ONLY)]
        if options.nas_ip_address is not None:
            self._known.append(radius.address(str(options.nas_ip_address)))
        if options.nas_identifier is not None:
            self._known.append(radius.text(radius.NAS_IDENTIFIER, str(options.nas_identifier)))
        self._room = asyncio.Semaphore(MOST_QUESTIONS)

    def check(self, claim: Claim, visit: Visit) -> Found[str]:
        return self._checked(claim, visit)

    async def _checked(self, claim: Claim, visit: Visit) -> str | None:
        values = expand.values_of(claim, visit)
        user = expand.expanded(self._map.get("username", "%{username}"), values)
        password = expand.expanded(self._map.get("password", "%{password}"), values)
        async with self._room:
            for server in self._servers:
                answer = await self._asked(server, user, password, visit)
                if answer is not None:
                    return self._meant(claim, server, answer)
        raise TroubleError("no RADIUS server has answered")

    def _meant(self, claim: Claim, server: Server, answer: Answer) -> str | None:
        if answer.code is Code.ACCEPT:
            return claim.user
        if answer.code is Code.CHALLENGE:
            said = "asks for more than a password, which SMTP does not know"
            self._means.tell("WARNING", f"server {server.name} {said}")
        elif answer.message:
            self._means.tell("INFO", f"server {server.name} refuses a user: {answer.message}")
        return None

    async def _asked(self, server: Server, user: str, password: str, visit: Visit) -> Answer | None:
        """Return what a server says; None: nothing, or nothing to be believed."""
        authenticator, ident = secrets.token_bytes(16), secrets.randbelow(256)
        try:
            known = [radius.text(radius.USER_NAME, user), *self._known]
            if visit.host:
                known.append(radius.text(radius.CALLING_STATION_ID, visit.host))
            packet = radius.request(ident, authenticator, server.secret, known, password)
        except RadiusError:
            return Answer(Code.REJECT, (), sealed=True)  # too long for RADIUS: nobody has it
        address = await self._address(server)
        if address is None:
            return None
        sealed = self._demands == "yes" or (
            self._demands == "auto" and server.name in self._sealing
        )
        listening = Listening(ident, authenticator, server.secret, sealed=sealed)
        loop = asyncio.get_running_loop()
        try:
            transport, _ = await loop.create_datagram_endpoint(
                lambda: listening, remote_addr=(address, server.port)
            )
        except OSError as error:
            self._means.tell("ERROR", f"server {server.name}: {error}")
            return None
        try:
            for _ in range(server.tries):
                transport.sendto(packet)
                answer = await listening.within(server.seconds)
                if answer is not None:
                    if answer.sealed:
                        self._sealing.add(server.name)
                    return answer
        finally:
            transport.close()
        told = f": {listening.ignored}" if listening.ignored else ""
        self._means.tell("ERROR", f"server {server.name} has not answered{told}")
        return None

    async def _address(self, server: Server) -> str | None:
        found = await self._means.resolver.address(server.host, ALL_FAMILIES)
        if not found.records:
            self._means.tell("ERROR", f"server {server.name}: {server.host} has no address")
            return None
        return found.records[0]


class Listening(asyncio.DatagramProtocol):
    """Waits for the answer to one question."""

    def __init__(self, ident: int, authenticator: bytes, secret: bytes, *, sealed: bool) -> None:
        self._question = (ident, authenticator, secret)
        self._sealed = sealed
        self._answer: Answer | None = None
        self._there = asyncio.Event()
        self.ignored = ""  # why something that came was not believed

    def datagram_received(self, data: bytes, addr: object) -> None:
        try:
            answer = radius.response(data, *self._question)
        except RadiusError as error:
            self.ignored = error.message
            return
        if self._sealed and not answer.sealed:
            self.ignored = (
                "its answer has no Message-Authenticator; see require_message_authenticator"
            )
            return
        self._answer = self._answer or answer
        self._there.set()

    def error_received(self, exc: Exception) -> None:
        self.ignored = str(exc)

    async def within(self, seconds: float) -> Answer | None:
        """Wait for it, so long at most."""
        try:
            async with asyncio.timeout(seconds):
                await self._there.wait()
        except TimeoutError:
            return None
        return self._answer
