"""smtp_auth_proxy: what another server says, through TLS, in clear, and not at all."""

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from angarium.core.errors import Error
from angarium.data.source import Settings
from angarium.data.sources import Datasources
from angarium.events.metrics import Metrics
from angarium.inbound.authenticators import Visit
from angarium.inbound.errors import TroubleError
from angarium.modules.auth.smtp_auth_proxy import SmtpAuthProxy
from angarium.net.answer import Answer, Status
from angarium.net.loop import RealClock
from angarium.run.programs.certificate import make
from angarium.wire.sasl.exchange import Claim
from helpers.guards import Place

GOOD = base64.b64encode(b"\0tim\0secret").decode()


class Names:
    async def address(self, name: str) -> Answer[str]:
        there = name in ("127.0.0.1", "mail.test")
        return Answer(Status.NOERROR, ("127.0.0.1",) if there else ())


class Server:
    """An SMTP server which knows tim.

    Attributes:
        offers: lines of the answer to EHLO.
        heard: what clients have said.
        answer: what is said to AUTH instead; "" for the truth.
        silent: it says nothing at all.
    """

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.offers = ["STARTTLS", "AUTH PLAIN"]
        self.heard: list[str] = []
        self.answer = ""
        self.silent = False
        self.port = 0
        self._context = context

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._spoken(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _spoken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.silent:
            writer.write(b"220 mail.test\r\n")
        while line := await reader.readline():
            said = line.decode().strip()
            self.heard.append(said)
            if said == "STARTTLS":
                writer.write(b"220 go\r\n")
                await writer.drain()
                assert self._context is not None
                await writer.start_tls(self._context)
            elif said.startswith("EHLO"):
                rows = ["mail.test", *self.offers]
                told = [f"250-{row}" for row in rows[:-1]] + [f"250 {rows[-1]}"]
                writer.write("".join(f"{row}\r\n" for row in told).encode())
            elif said.startswith("AUTH"):
                right = said.endswith(GOOD)
                told_off = self.answer or ("235 yes" if right else "535 5.7.8 no")
                writer.write(f"{told_off}\r\n".encode())
            elif said == "QUIT":
                break


@asynccontextmanager
async def running(context: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    made = Server(context)
    serving: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.ensure_future(made.serve(reader, writer)))

    listening = await asyncio.start_server(accept, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        listening.close()
        for each in serving:
            each.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


def certificate(folder: Path) -> ssl.SSLContext:
    file, key = folder / "cert.pem", folder / "key.pem"
    make(["mail.test"], file, key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    return context


class Stage:
    """The module."""

    def __init__(self, folder: Path, inside: str, outside: str = "") -> None:
        self.place = Place(folder, f"{outside} smtp_auth_proxy {{ {inside} }}")
        self.place.resolver = Names()
        self.module = self.place.module(SmtpAuthProxy)
        self.who = self.place.policing.schemes.get("smtp_auth_proxy")

    async def known(self, password: str = "secret", uri: str = "smtp_auth_proxy://") -> Any:
        assert self.who is not None
        found: Any = self.who.check(Claim("LOGIN", "tim", "clear", password), Visit(uri=uri))
        return await found


@pytest.mark.effect("smtp_auth_proxy.host", "smtp_auth_proxy.port", "smtp_auth_proxy.tls")
async def test_another_server_says_who_it_is(tmp_path: Path) -> None:
    async with running() as server:
        server.offers = ["AUTH PLAIN"]
        here = Stage(tmp_path, f"host = mail.test port = {server.port} tls = no")
        assert await here.known() == "tim"
        assert await here.known("wrong") is None
        assert server.heard[:2] == ["EHLO mx.node.test", f"AUTH PLAIN {GOOD}"]


async def test_through_tls_where_that_is_offered(tmp_path: Path) -> None:
    async with running(certificate(tmp_path)) as server:
        here = Stage(tmp_path, f"host = mail.test port = {server.port}")
        assert await here.known() == "tim"
        assert server.heard[1:4] == ["STARTTLS", "EHLO mx.node.test", f"AUTH PLAIN {GOOD}"]
        strict = Stage(tmp_path, f"host = mail.test port = {server.port} tls = verify")
        with pytest.raises(TroubleError):
            await strict.known()
        assert server.heard[-1] == "STARTTLS"


async def test_no_password_goes_in_clear_unasked(tmp_path: Path) -> None:
    async with running() as server:
        server.offers = ["AUTH PLAIN LOGIN"]
        here = Stage(tmp_path, f"host = mail.test port = {server.port}")
        with pytest.raises(TroubleError, match="cannot say"):
            await here.known()
        assert not any(each.startswith("AUTH") for each in server.heard)


async def test_trouble_there_is_no_no(tmp_path: Path) -> None:
    async with running() as server:
        server.offers, server.answer = ["AUTH PLAIN"], "454 4.7.0 later"
        inside = f"host = mail.test port = {server.port} tls = no debug_level = WARNING"
        here = Stage(tmp_path, inside)
        with pytest.raises(TroubleError):
            await here.known()
        said = "mail.test cannot say who somebody is: 454 4.7.0 later"
        assert here.place.panics == [("smtp_auth_proxy", said)]
        port = server.port
    with pytest.raises(TroubleError, match="cannot be asked"):
        await Stage(tmp_path, f"host = mail.test port = {port} tls = no").known()
    with pytest.raises(TroubleError, match="no address"):
        await Stage(tmp_path, f"host = none.test port = {port} tls = no").known()


@pytest.mark.effect("smtp_auth_proxy.debug_level")
async def test_it_tells_no_more_than_it_should(tmp_path: Path) -> None:
    async with running() as server:
        server.offers, server.answer = ["AUTH PLAIN"], "454 4.7.0 later"
        here = Stage(tmp_path, f"host = mail.test port = {server.port} tls = no")
        with pytest.raises(TroubleError):
            await here.known()
        assert here.place.panics == []


@pytest.mark.effect("smtp_auth_proxy.timeout")
async def test_who_says_nothing_is_left(tmp_path: Path) -> None:
    async with running() as server:
        server.silent = True
        here = Stage(tmp_path, f"host = mail.test port = {server.port} timeout = 0.1")
        with pytest.raises(TroubleError, match="in time"):
            await here.known()


@pytest.mark.effect("smtp_auth_proxy.ds_cache", "smtp_auth_proxy.query")
async def test_whose_server_is_whose_is_looked_up(tmp_path: Path) -> None:
    async with running() as server:
        server.offers = ["AUTH PLAIN"]
        query = (
            f"SELECT 'mail.test:{server.port}' WHERE :username || :localpart || :domain = 'timtim'"
        )
        text = f'ds_cache = "d" query = "{query}" tls = no host = none.test'
        here = Stage(tmp_path, text, 'datasource "d" { uri = ( "sqlite::memory:" ) }')
        sources = Datasources(RealClock(), Random(1), Metrics())
        sources.configure([Settings(name="d", uris=("sqlite::memory:",))])
        here.place.datasources = sources
        here = _with(here, sources)
        try:
            assert await here.known() == "tim"
        finally:
            await sources.close()


def _with(stage: Stage, sources: Datasources) -> Stage:
    """Make the module anew, now that there is a datasource."""
    stage.module = stage.place.module(SmtpAuthProxy)
    stage.who = stage.place.policing.schemes["smtp_auth_proxy"]
    return stage


async def test_a_uri_may_name_a_stanza(tmp_path: Path) -> None:
    async with running() as server:
        server.offers = ["AUTH PLAIN"]
        text = f'host = mail.test port = {server.port} tls = no }} smtp_auth_proxy "b" {{ host = x'
        place = Place(tmp_path, f'smtp_auth_proxy "a" {{ {text} }}')
        place.resolver = Names()
        with pytest.raises(ValueError, match="too many"):
            place.module(SmtpAuthProxy)
        who = place.policing.schemes["smtp_auth_proxy"]
        claim = Claim("PLAIN", "tim", "clear", "secret")
        found: Any = who.check(claim, Visit(uri="smtp_auth_proxy://A"))
        assert await found == "tim"
        found = who.check(claim, Visit(uri="smtp_auth_proxy://b"))
        with pytest.raises(TroubleError):
            await found
        with pytest.raises(TroubleError, match="no such"):
            who.check(claim, Visit(uri="smtp_auth_proxy://c"))


@pytest.mark.parametrize(
    ("inside", "what"),
    [("", "needs host"), ('ds_cache = "x"', "needs host"),
     ('ds_cache = "x" query = "SELECT 1"', "no datasource")],
)  # fmt: skip
async def test_what_cannot_be_refuses_the_configuration(
    tmp_path: Path, inside: str, what: str
) -> None:
    with pytest.raises(Error, match=what):
        Stage(tmp_path, inside)


@pytest.mark.effect("smtp_auth_proxy.enabled")
async def test_off_it_asks_nobody(tmp_path: Path) -> None:
    assert Stage(tmp_path, "host = x enabled = false").who is None
    assert Stage(tmp_path, "host = x").who is not None
