"""The door of a Control_Listener: who may come in, by which name, and what he may do there."""

import asyncio
import getpass
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from angarium.config.resolve import Configuration, Endpoint
from angarium.console.access import Peer
from angarium.console.attempts import AT_ONCE, Attempts
from angarium.console.client import Access, Client, ConsoleError
from angarium.console.endpoint import Endpoint as Where
from angarium.run import gate
from angarium.run.control import Control
from angarium.run.gate import LISTENER, Gate
from angarium.wire.control import Ask, Bye, Greeting, Login, line
from angarium.wire.sasl.digest import stored
from helpers.clock import FakeClock
from helpers.consoles import FakeServer
from helpers.operators import Operator

REALM = "Momentum Console"


class Log(list[str]):
    def _note(self, event: str, **fields: Any) -> None:
        self.append(" ".join([event, *(f"{name}={value}" for name, value in fields.items())]))

    warning = error = _note


class Place:
    """A listener, and what is noted of those who come."""

    def __init__(self, folder: Path, text: str, *, unix: bool = False) -> None:
        self.folder = folder
        (folder / "users").write_text(f"john:{REALM}:{stored('john', REALM, 'secret')}\n")
        (folder / "clear").write_text("john:secret\n")
        (folder / "groups").write_text("looking:john\n")
        text = text.replace("FOLDER", str(folder))
        name = f"{folder}/socket" if unix else "127.0.0.1:2025"
        listener = f'control_listener {{ listen "{name}" {{ {text} }} }}'
        rules = 'authorization { role "looking" { allow = ( "^pid$" "^authz" ) } }'
        self.server = FakeServer(folder, f"{listener}\n{rules}\n")
        self.server.account = self.account  # type: ignore[method-assign]
        self.log = Log()
        self.notes: list[tuple[str, str, int]] = []
        family = socket.AF_UNIX if unix else socket.AF_INET
        self.listening = socket.socket(family)
        self.listening.bind(name if unix else ("127.0.0.1", 0))
        self.listening.listen()
        self.listening.setblocking(False)
        where = Endpoint(LISTENER, name, "" if unix else "127.0.0.1", 2025, name if unix else "")
        self.gate = Gate(where, "here", self.live, Attempts(FakeClock()), self.account, self.log)
        node = self.server.node
        self.control = Control(self.listening, self.server, node, self.gate, self.log)

    def live(self) -> Configuration:
        return self.server.live.configuration

    def account(self, peer: Peer, line: str, verdict: int) -> None:
        self.notes.append((peer.user, line, verdict))

    def where(self, user: str) -> Where:
        name = self.listening.getsockname()
        return Where(user, path=name) if isinstance(name, str) else Where(user, "", *name[:2])

    async def client(self, user: str = "", password: str = "", **access: Any) -> Client:
        """Come in. Raises ConsoleError."""
        come = partial(Client, self.where(user), Access(lambda: password, **access))
        return await asyncio.to_thread(come)

    async def says(self, client: Client, text: str) -> str:
        return "".join(await asyncio.to_thread(lambda: list(client.ask(text)))).rstrip("\n")

    @asynccontextmanager
    async def raw(self) -> AsyncIterator[Operator]:
        reader, writer = await asyncio.open_connection(*self.listening.getsockname()[:2])
        try:
            yield Operator(reader, writer)
        finally:
            writer.close()


async def gone(here: Place, but: int) -> None:
    """Wait until only so many are connected."""
    clients = here.control._clients
    async with asyncio.timeout(90):
        while len(clients) > but:
            await asyncio.wait(clients, return_when=asyncio.FIRST_COMPLETED)


@asynccontextmanager
async def place(folder: Path, text: str, **kind: Any) -> AsyncIterator[Place]:
    made = Place(folder, text, **kind)
    await made.control.start()
    try:
        yield made
    finally:
        made.control.close()
        await asyncio.gather(*made.control._clients, return_exceptions=True)


DIGEST = 'authdigestmd5parameters = [ uri = "digest://FOLDER/users" log_authentication = true ]'
LOGIN = 'authloginparameters = [ uri = "file://FOLDER/clear" ]'


@pytest.mark.effect("authdigestmd5parameters", "authloginparameters")
@pytest.mark.parametrize("how", [DIGEST, LOGIN])
async def test_by_tcp_one_has_to_know_the_password(tmp_path: Path, how: str) -> None:
    async with place(tmp_path, how) as here:
        client = await here.client("john", "secret")
        assert client.user == "john"
        assert (await here.says(client, "authz id")).startswith("User: john")
        client.close()
        for user, password in (("john", "guess"), ("jane", "secret"), ("", "")):
            with pytest.raises(ConsoleError, match="wrong user or password"):
                await here.client(user, password)
        assert here.log[0].startswith("console login failed user=john address=127.0.0.1:")
        noted = [each for each in here.notes if each[1].startswith("login")]
        assert noted[:2] == ([("john", "login DIGEST-MD5", 1), ("john", "login DIGEST-MD5", 0)]
                             if how is DIGEST else [])  # fmt: skip


async def test_who_tries_passwords_is_sent_away(tmp_path: Path) -> None:
    async with place(tmp_path, DIGEST) as here:
        for _ in range(AT_ONCE):
            with pytest.raises(ConsoleError, match="wrong"):
                await here.client("john", "guess")
        with pytest.raises(ConsoleError, match="too many failed logins; wait 10 s"):
            await here.client("john", "secret")
        async with here.raw() as caller:  # ... also on one connection
            await caller.next()
            caller.writer.write(line(Login("john", "LOGIN", password="secret")))
            assert isinstance(await caller.next(), Bye)


@pytest.mark.effect("enable_authentication", "always_allow", "always_deny")
@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("", "nobody can log in here"),
        ("enable_authentication = true", "nobody can log in here"),
        ("enable_authentication = false", ""),
        (f"enable_authentication = false {DIGEST}", ""),
        ("always_allow = true", ""),
        ('peer "127.0.0.0/8" { always_allow = true }', ""),
        (f'peer "192.0.2.0/24" {{ always_allow = true }} {DIGEST}', "wrong user"),
        ("always_allow = true always_deny = true", "may not connect"),
    ],
)
async def test_the_configuration_may_let_everybody_in_or_nobody(
    tmp_path: Path, text: str, outcome: str
) -> None:
    async with place(tmp_path, text) as here:
        if outcome:
            with pytest.raises(ConsoleError, match=outcome):
                await here.client("jane", "x")
            return
        client = await here.client("" if DIGEST in text else "jane")
        assert await here.says(client, "pid") == "4711"
        assert client.user == ("jane" if "always_allow" in text else "")
        client.close()


@pytest.mark.effect("enable_authorization", "authorizationparameters")
@pytest.mark.parametrize(
    ("text", "pid", "other"),
    [
        ("", True, True),
        ("enable_authorization = true", False, False),
        ('authorizationparameters = [ uri = "groups://FOLDER/groups" ]', True, False),
        ('authorizationparameters = [ uri = "groups://FOLDER/groups" ] '
         "enable_authorization = false", True, True),
    ],
)  # fmt: skip
async def test_what_somebody_may_do_is_said_by_the_roles(
    tmp_path: Path, text: str, pid: bool, other: bool
) -> None:
    refused = "Not Authorized for this command"
    async with place(tmp_path, f"{DIGEST} {text}") as here:
        client = await here.client("john", "secret")
        assert (await here.says(client, "pid") == "4711") is pid
        assert (await here.says(client, "config get hostname") != refused) is other
        assert ("john", "config get hostname", 1 if other else 0) in here.notes
        client.close()


async def test_by_a_unix_socket_the_kernel_says_who_it_is(tmp_path: Path) -> None:
    async with place(tmp_path, LOGIN, unix=True) as here:
        client = await here.client()
        assert client.user == getpass.getuser()
        client.close()
        client = await here.client("john", "secret")  # He may be somebody else as well.
        assert client.user == "john"
        client.close()
        with pytest.raises(ConsoleError, match="wrong"):
            await here.client("john", "guess")


async def test_a_file_which_cannot_be_read_is_told_to_us_only(tmp_path: Path) -> None:
    async with place(tmp_path, DIGEST) as here:
        (tmp_path / "users").unlink()
        with pytest.raises(ConsoleError, match="wrong user or password"):
            await here.client("john", "secret")
        assert here.log[0].startswith("nobody can log in to the console")


@pytest.mark.parametrize(
    "octets",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"x" * 100_000,
        line(Ask("pid")),
        line(Login("john", "DIGEST-MD5")) * 2,
        line(Login("john", "PLAIN", password="secret")),
        bytes(range(256)),
    ],
)
async def test_who_is_not_known_is_told_nothing(tmp_path: Path, octets: bytes) -> None:
    async with place(tmp_path, DIGEST) as here, here.raw() as caller:
        assert isinstance(await caller.next(), Greeting)
        caller.writer.write(octets)
        if b"\n" in octets or len(octets) > gate.MAX_LOGIN:
            assert isinstance(await caller.next(), Bye)
        caller.writer.close()
    assert [each for each in here.log if "session failed" in each] == []
    assert here.notes == []


async def test_who_says_nothing_is_sent_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "LOGIN_SECONDS", 0.01)
    async with place(tmp_path, DIGEST) as here, here.raw() as caller:
        await caller.next()
        assert isinstance(await caller.next(), Bye)


@pytest.mark.effect("timeout")
async def test_who_asks_nothing_for_the_timeout_is_sent_away(tmp_path: Path) -> None:
    async with place(tmp_path, "enable_authentication = false") as here:
        conf = here.server.path.read_text()
        here.server.path.write_text(conf.replace("{ listen", "{ timeout = 1 listen", 1))
        here.server.use(2, await here.server.read())
        async with here.raw() as caller:
            await caller.next()
            assert isinstance(await caller.next(), Bye)


async def test_only_so_many_may_be_connected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "MAX_CLIENTS", 1)
    async with place(tmp_path, DIGEST) as here, here.raw() as one:
        assert isinstance(await one.next(), Greeting)
        async with here.raw() as two:
            assert isinstance(await two.next(), Bye)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    path = tmp_path / "pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    subprocess.run(
        ["openssl", *words.split(), "-subj", "/CN=127.0.0.1", "-addext",
         "subjectAltName=IP:127.0.0.1", "-keyout", path, "-out", tmp_path / "cert"],
        check=True, capture_output=True,
    )  # fmt: skip
    path.write_text(path.read_text() + (tmp_path / "cert").read_text())
    return path


async def test_with_a_certificate_nothing_is_said_in_clear(
    tmp_path: Path, certificate: Path
) -> None:
    async with place(tmp_path, LOGIN) as here:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        here.gate.context = context
        client = await here.client("john", "secret", tls=True, authorities=str(certificate))
        assert await here.says(client, "pid") == "4711"
        client.close()
        with pytest.raises(ConsoleError, match="no TLS with the server"):
            await here.client("john", "secret")  # Nobody we trust has signed it.
        async with here.raw() as caller:
            greeting = await caller.next()
            assert isinstance(greeting, Greeting)
            assert greeting.tls
            caller.writer.write(line(Login("john", "LOGIN", password="secret")))
            assert isinstance(await caller.next(), Bye)


async def test_of_a_burst_the_first_ones_have_a_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "MAX_CLIENTS", 3)
    made = Place(tmp_path, DIGEST)
    ends = [socket.create_connection(made.listening.getsockname()) for _ in range(20)]
    await made.control.start()
    heard = [(await asyncio.to_thread(each.recv, 4096)).decode() for each in ends]
    assert [each.startswith('{"is":"greeting"') for each in heard] == [True] * 3 + [False] * 17
    made.control.close()
    await asyncio.gather(*made.control._clients, return_exceptions=True)
    for each in ends:
        each.close()


async def test_strangers_of_one_address_leave_places_to_others(tmp_path: Path) -> None:
    async with place(tmp_path, DIGEST) as here:
        where = here.listening.getsockname()
        ends = [socket.create_connection(where) for _ in range(gate.MAX_STRANGERS + 1)]
        heard = [(await asyncio.to_thread(each.recv, 4096)).decode() for each in ends]
        assert "too many are logging in from there" in heard[-1]
        other = socket.create_connection(where, source_address=("127.0.0.2", 0))
        assert "greeting" in (await asyncio.to_thread(other.recv, 4096)).decode()
        for each in ends:
            each.close()

        await gone(here, 1)
        client = await here.client("john", "secret")
        client.close()
        other.close()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2", True),
    ],
)
def test_another_address_of_the_same_customer_is_no_new_try(
    one: str, other: str, same: bool
) -> None:
    assert (gate.network(one) == gate.network(other)) is same
