"""The other end of the console: a connection to a server, which is asked one thing after the other.

It is greeted, goes on by TLS where the server has it, and says who it is where that is asked
(`wire/control`). A password goes nowhere in clear but to this machine.
"""

import getpass
import secrets
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from angarium.console import endpoint as endpoints
from angarium.console.endpoint import Endpoint
from angarium.core.errors import Error
from angarium.wire.control import (
    VERSION,
    Answer,
    Ask,
    Bye,
    ControlError,
    Denied,
    End,
    Form,
    Greeting,
    Line,
    Login,
    Note,
    Part,
    Secure,
    Stop,
    Welcome,
    answers,
    line,
)
from angarium.wire.sasl.digest import Exchange, stored

SOCKET: Final = "control"  # in the folder `run` of a state directory
GREETING_SECONDS: Final = 10.0
DIGEST: Final = "DIGEST-MD5"
LOGIN: Final = "LOGIN"
ALLOW: Final = "ALWAYS-ALLOW"  # who we say we are is believed
_READ: Final = 64 << 10


class ConsoleError(Error):
    """There is no server to speak to, or not any more."""


class Name(endpoints.Name):
    """The name of our own socket in a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, SOCKET)


def no_password() -> str:
    """Return no password: nobody can be asked for one."""
    raise ConsoleError("the server asks for a password, and there is none")


@dataclass(frozen=True, slots=True)
class Access:
    """How to come in.

    Attributes:
        password: asks the operator, or whoever knows it.
        tls: nothing is said to a server without it.
        authorities: a file of those whose signatures count; "" are those of the system.
    """

    password: Callable[[], str] = no_password
    tls: bool = False
    authorities: str = ""

    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.authorities or None)


class Client:
    """A connection to a server.

    Args:
        where: an endpoint, or the folder with the server's own socket.

    Attributes:
        user: whom the server takes us for.

    Raises:
        ConsoleError: there is no server, or it does not want to speak to us.
    """

    def __init__(self, where: Endpoint | Path, access: Access | None = None) -> None:
        if isinstance(where, Path):
            where = Endpoint(path=str(where / SOCKET))
        self._where = where
        self._access = access or Access()
        self._reader = answers()
        self._waiting: list[Answer] = []
        self.transaction = self.failed = False
        try:
            self._socket = where.connected()
        except OSError as error:
            raise ConsoleError(f"no server answers there: {error.strerror or error}") from error
        try:
            self.greeting, self.user = self._entered()
        except BaseException:  # An operator may give up as well.
            self.close()
            raise
        self._socket.settimeout(self.greeting.patience or None)

    def _entered(self) -> tuple[Greeting, str]:
        try:
            self._socket.settimeout(GREETING_SECONDS)
            greeting = self._greeted()
            secure = greeting.tls
            if secure:
                greeting = self._secured()
            elif self._access.tls:
                raise ConsoleError("the server does not speak TLS there")
            return greeting, self._known(greeting, secure=secure)
        except ControlError as error:
            raise ConsoleError(str(error)) from error
        except ssl.SSLError as error:
            raise ConsoleError(f"no TLS with the server: {error.reason or error}") from error
        except OSError as error:
            raise ConsoleError(f"no server answers there: {error.strerror or error}") from error

    def _greeted(self) -> Greeting:
        greeting = self._next()
        if not isinstance(greeting, Greeting) or greeting.version != VERSION:
            raise ConsoleError("the server is of another version than this console")
        return greeting

    def _secured(self) -> Greeting:
        self._socket.sendall(line(Secure()))
        if not isinstance(self._next(), Secure):
            raise ConsoleError("the server said what is no answer")
        context = self._access.context()
        self._socket = context.wrap_socket(self._socket, server_hostname=self._where.host)
        return self._greeted()

    def _known(self, greeting: Greeting, *, secure: bool) -> str:
        """Say who we are, if it is asked or if we want to be somebody else."""
        wanted = self._where.user
        if not greeting.mechanisms:
            return greeting.user
        if ALLOW in greeting.mechanisms:
            return self._welcomed(Login(wanted or getpass.getuser(), ALLOW), "").user
        if not greeting.login and wanted in ("", greeting.user):
            return self._welcomed(Login(wanted, ""), "").user
        user = wanted or getpass.getuser()
        if DIGEST not in greeting.mechanisms and not (secure or self._where.private):
            raise ConsoleError("the server wants the password in clear, over a network")
        self._socket.settimeout(None)  # It is the operator who is slow.
        password = self._access.password()
        self._socket.settimeout(GREETING_SECONDS)
        if DIGEST not in greeting.mechanisms:
            return self._welcomed(Login(user, LOGIN, password=password), "").user
        said = Exchange(greeting.nonce, secrets.token_hex(16), f"console/{self._where.host}")
        secret = stored(user, greeting.realm, password)
        response = said.response(secret)
        login = Login(user, DIGEST, cnonce=said.cnonce, uri=said.uri, response=response)
        return self._welcomed(login, said.proof(secret)).user

    def _welcomed(self, login: Login, proof: str) -> Welcome:
        self._socket.sendall(line(login))
        answer = self._next()
        if isinstance(answer, Denied):
            raise ConsoleError(answer.reason)
        if not isinstance(answer, Welcome):
            raise ConsoleError("the server said what is no answer")
        if answer.proof != proof:
            raise ConsoleError("the server does not know the password: it is another one")
        return answer

    def ask(
        self,
        text: str,
        form: Form = "text",
        note: Callable[[str], object] = str,
        say: Callable[[str], object] = str,
    ) -> Iterator[str]:
        """Ask for one command and yield the pieces of the answer; `failed` has its end.

        A KeyboardInterrupt meanwhile stops the command; its answer is then waited for.

        Args:
            note: called with each line which tells how far it is.
            say: called with each line of an answer which goes on and on.

        Raises:
            ConsoleError: the server is gone, or does not answer.
        """
        stopped = False
        try:
            self._socket.sendall(line(Ask(text, form)))
            while True:
                try:
                    answer = self._next()
                except KeyboardInterrupt:
                    if stopped:
                        raise
                    stopped = True
                    self._socket.sendall(line(Stop()))
                    continue
                match answer:
                    case Part(text=piece):
                        yield piece
                    case Note(text=said):
                        note(said)
                    case Line(text=said):
                        say(said)
                    case End(failed=failed, transaction=transaction):
                        self.failed, self.transaction = failed, transaction
                        return
                    case _:
                        raise ConsoleError("the server said what is no answer")
        except TimeoutError as error:
            raise ConsoleError("the server does not answer; see control_client_timeout") from error
        except ControlError as error:
            raise ConsoleError(str(error)) from error
        except OSError as error:
            raise ConsoleError(f"the server is gone: {error.strerror}") from error

    def _next(self) -> Answer:
        while not self._waiting:
            octets = self._socket.recv(_READ)
            if not octets:
                self._hung_up()
            self._waiting = self._reader.feed(octets)
        answer = self._waiting.pop(0)
        if isinstance(answer, Bye):
            raise ConsoleError(answer.reason)
        return answer

    def _hung_up(self) -> NoReturn:
        gone = "; the open transaction is gone" if self.transaction else ""
        raise ConsoleError(f"the server has hung up{gone}")

    def close(self) -> None:
        self._socket.close()
