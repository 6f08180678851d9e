"""Clients which say who they are, on a real server: by every mechanism, through TLS, from anywhere.

Foreign clients speak what they can; what none of them speaks our own side does.
"""

import asyncio
import base64
import hashlib
import smtplib
import socket
import sqlite3
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from angarium.core.reply import Reply
from angarium.wire.sasl.digest import stored
from angarium.wire.sasl.exchange import Credentials
from angarium.wire.sasl.mechanisms import client
from angarium.wire.sasl.secrets import ScramSecret
from helpers.certificates import Authority
from helpers.radius import FakeRadius
from helpers.world import World

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]
PASSWORD = "correct horse"
SECRET = "a secret of RADIUS"
Program = Callable[[str], str]

CONFIG = """
relay_hosts = ()
datasource "people" {{ uri = ( "sqlite:{folder}/people.db" ) }}
auth_ds {{
  scheme "people" {{
    authenticate {{
      query = "SELECT password FROM people WHERE name = :user"
      cache = "people"  returns_password = true  map = [ user = "%{{username}}" ]
    }}
  }}
}}
auth_radius {{ server "r" {{ host = "127.0.0.1:{radius}" secret = "{secret}" max_tries = 1 }} }}
ac_auth {{ }}
scriptlet "scriptlet" {{ script "auth" {{ source = "{folder}/auth" }} }}
"""
LISTENER = """
  tls_certificate = "{folder}/mx.crt"
  tls_key = "{folder}/mx.key"
  tls_client_ca = "{folder}/ca.pem"
  smtp_extensions = ( "AUTH" )
  auth_failure_delay = 0.05
  authplainparameters = [ uri = "file://{folder}/clear" log_authentication = true ]
  authloginparameters = [ uri = "passwd://{folder}/hashes" log_authentication = true ]
  authcrammd5parameters = [ uri = "people://" ]
  authdigestmd5parameters = [ uri = "digest://{folder}/digests" realm = "tests" ]
  authscramparameters = [ uri = "passwd://{folder}/hashes" ]
  authoauthparameters = [ uri = "ac_auth://" ]
  authexternalparameters = [ name = dns log_authentication = true ]
  peer "127.0.0.2" {{ authplainparameters = [ uri = "radius://" ] }}
  peer "127.0.0.3" {{ authplainparameters = [ uri = "scripted://here" ] }}
  peer "127.0.0.4" {{ auth_failures_per_address = 2 auth_failures_per_connection = 9 }}
  peer "127.0.0.5" {{ enable_authentication = true }}
"""
SCRIPT = """
require "msys.core"
local mod, auth = {}, {}
function mod:ac_auth_perform_auth(username, password, ac, response)
  if password == "good.token" then return msys.core.EC_AUTH_OK end
  response:write("535 5.7.8 stale", 15)
  return msys.core.EC_AUTH_FAIL
end
function auth:authenticate(filename, params, username, password)
  if filename == "here" and password == "by script" then return msys.core.EC_AUTH_OK end
  return msys.core.EC_AUTH_FAIL
end
function mod:validate_data_spool_each_rcpt(msg, accept, vctx)
  local conn = msys.core.VCTX_CONN
  msg:header("X-Known", tostring(vctx:get(conn, "auth_user")) .. " " ..
    tostring(vctx:get(conn, "auth_name")) .. " " .. tostring(vctx:get(conn, "auth_status")))
  return msys.core.VALIDATE_CONT
end
function mod:init()
  msys.registerAuth("scripted", auth)
  return true
end
msys.registerModule("auth", mod)
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("world")
    authority = Authority()
    (folder / "ca.pem").write_bytes(authority.pem)
    authority.signed("localhost", "127.0.0.1").write(folder, "mx")
    authority.signed("client.test").write(folder, "client")
    (folder / "clear").write_text(f"tim:{PASSWORD}\n")
    (folder / "hashes").write_text(f"tim:{ScramSecret.of(PASSWORD, b'some salt')}\n")
    (folder / "digests").write_text(f"tim:tests:{stored('tim', 'tests', PASSWORD)}\n")
    (folder / "auth.lua").write_text(SCRIPT)
    with sqlite3.connect(folder / "people.db") as people:
        people.execute("CREATE TABLE people (name TEXT, password TEXT)")
        people.execute("INSERT INTO people VALUES ('tim', ?)", [PASSWORD])
    people.close()
    async with FakeRadius(SECRET.encode()) as radius:
        radius.answers = [2]
        config = CONFIG.format(folder=folder, radius=radius.port, secret=SECRET)
        listener = LISTENER.format(folder=folder)
        async with World(folder, config, "* A 127.0.0.1", listener=listener) as world:
            yield world


class Voice:
    """A connection which says what it is told to."""

    def __init__(self, world: World, source: str, *, certificate: bool = False) -> None:
        self._world = world
        self._source = source
        self._certificate = certificate
        self.words: dict[str, str] = {}

    async def __aenter__(self) -> "Voice":
        self._reader, self._writer = await asyncio.open_connection(
            "127.0.0.1", self._world.port, local_addr=(self._source, 0)
        )
        await self.heard()
        await self.hello()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def heard(self) -> Reply:
        lines: list[str] = []
        while True:
            line = (await asyncio.wait_for(self._reader.readline(), 60)).decode().rstrip()
            lines.append(line[4:])
            if line[3:4] != "-":
                return Reply(int(line[:3] or "421"), "\n".join(lines))

    async def say(self, line: str) -> Reply:
        self._writer.write(f"{line}\r\n".encode())
        return await self.heard()

    async def hello(self) -> None:
        rows = (await self.say("EHLO peer.test")).text.split("\n")
        self.words = {row.partition(" ")[0]: row.partition(" ")[2] for row in rows[1:]}

    async def secure(self) -> bytes:
        """Begin TLS; return the certificate of the server."""
        assert (await self.say("STARTTLS")).code == 220
        context = ssl.create_default_context(cafile=self._world.folder / "ca.pem")
        if self._certificate:
            folder = self._world.folder
            context.load_cert_chain(folder / "client.crt", folder / "client.key")
        await self._writer.start_tls(context, server_hostname="localhost")
        await self.hello()
        found = self._writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        assert isinstance(found, bytes)
        return found

    async def authenticate(self, mechanism: str, who: Credentials) -> Reply:
        there = client(mechanism, who, "nonceofus")
        first = there.initial()
        said = "" if first is None else f" {base64.b64encode(first).decode() or '='}"
        reply = await self.say(f"AUTH {mechanism}{said}")
        while reply.code == 334:
            response = there.respond(base64.b64decode(reply.text))
            reply = await self.say(base64.b64encode(response).decode())
        if reply.code == 235:
            there.finish()
        return reply

    async def deliver(self, to: str) -> Reply:
        await self.say("MAIL FROM:<a@peer.test>")
        reply = await self.say(f"RCPT TO:<{to}>")
        if reply.code != 250:
            return reply
        await self.say("DATA")
        return await self.say("Subject: hello\r\n\r\nhello\r\n.")


def known(world: World, to: str) -> str:
    """Return what policy knew of who sent a message which has arrived."""
    [mail] = [each for each in world.sink.accepted if to in each.recipients]
    content = (mail.content or b"").decode()
    return next(row for row in content.splitlines() if row.startswith("X-Known: "))[9:]


async def ran(*command: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode("utf-8", "replace")


@pytest.mark.peer
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5"])
async def test_swaks_gets_in(world: World, program: Program, mechanism: str) -> None:
    to = f"swaks.{mechanism.lower()}@x.test"
    status, said = await ran(
        program("swaks"), "--server", f"127.0.0.1:{world.port}", "--tls", "--auth", mechanism,
        "--auth-user", "tim", "--auth-password", PASSWORD, "--auth-extra", "realm=tests",
        "--from", "a@peer.test", "--to", to,
    )  # fmt: skip
    if "Required modules" in said or "not available" in said:
        pytest.skip(f"swaks has no {mechanism} here")
    assert status == 0, said
    await world.arrived(to)
    assert known(world, to) == f"tim {mechanism} pass"
    [mail] = [each for each in world.sink.accepted if to in each.recipients]
    assert b"with ESMTPSA" in (mail.content or b"")


@pytest.mark.peer
async def test_curl_gets_in(world: World, program: Program, tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("Subject: curl\r\n\r\nhello\r\n")
    status, said = await ran(
        program("curl"), "-sS", "--ssl-reqd", "--cacert", str(world.folder / "ca.pem"),
        "--url", f"smtp://localhost:{world.port}", "--user", f"tim:{PASSWORD}", "-4",
        "--mail-from", "a@peer.test", "--mail-rcpt", "curl@x.test", "-T", str(tmp_path / "mail"),
    )  # fmt: skip
    assert status == 0, said
    await world.arrived("curl@x.test")
    assert known(world, "curl@x.test").startswith("tim ")


async def test_smtplib_gets_in(world: World) -> None:
    context = ssl.create_default_context(cafile=world.folder / "ca.pem")

    def spoken() -> None:
        with smtplib.SMTP("localhost", world.port, source_address=("127.0.0.1", 0)) as smtp:
            smtp.starttls(context=context)
            smtp.login("tim", PASSWORD)  # CRAM-MD5, which it likes best
            smtp.sendmail("a@peer.test", ["smtplib@x.test"], "Subject: x\r\n\r\nhello\r\n")

    await asyncio.to_thread(spoken)
    await world.arrived("smtplib@x.test")
    assert known(world, "smtplib@x.test") == "tim CRAM-MD5 pass"


async def test_in_clear_nothing_is_offered_and_nobody_gets_in(world: World) -> None:
    async with Voice(world, "127.0.0.1") as voice:
        assert "AUTH" not in voice.words
        assert (await voice.authenticate("PLAIN", Credentials("tim", PASSWORD))).code == 538
        assert (await voice.deliver("clear@x.test")).code == 550


async def test_scram_is_bound_to_the_certificate(world: World) -> None:
    async with Voice(world, "127.0.0.1") as voice:
        certificate = await voice.secure()
        assert "SCRAM-SHA-256-PLUS" in voice.words["AUTH"].split()
        bound = (("tls-server-end-point", hashlib.sha256(certificate).digest()),)
        wrong = (("tls-server-end-point", hashlib.sha256(b"between").digest()),)
        who = Credentials("tim", PASSWORD, binding=wrong)
        assert (await voice.authenticate("SCRAM-SHA-256-PLUS", who)).code == 535
        who = Credentials("tim", PASSWORD, binding=bound)
        assert (await voice.authenticate("SCRAM-SHA-256-PLUS", who)).code == 235
        assert (await voice.deliver("scram@x.test")).code == 250
    await world.arrived("scram@x.test")
    assert known(world, "scram@x.test") == "tim SCRAM-SHA-256-PLUS pass"


async def test_a_certificate_says_who_it_is(world: World) -> None:
    async with Voice(world, "127.0.0.1", certificate=True) as voice:
        await voice.secure()
        assert voice.words["AUTH"].split()[0] == "EXTERNAL"
        assert (await voice.authenticate("EXTERNAL", Credentials(""))).code == 235
        assert (await voice.deliver("external@x.test")).code == 250
    await world.arrived("external@x.test")
    assert known(world, "external@x.test") == "client.test EXTERNAL pass"
    async with Voice(world, "127.0.0.1") as voice:
        await voice.secure()
        assert "EXTERNAL" not in voice.words["AUTH"].split()


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
async def test_a_script_looks_at_tokens(world: World, mechanism: str) -> None:
    async with Voice(world, "127.0.0.1") as voice:
        await voice.secure()
        reply = await voice.authenticate(mechanism, Credentials("tim", "bad.token"))
        assert (reply.code, reply.text) == (535, "5.7.8 stale")
        assert (await voice.authenticate(mechanism, Credentials("tim", "good.token"))).code == 235


@pytest.mark.parametrize(
    ("source", "password", "code"),
    [("127.0.0.2", "whatever", 235), ("127.0.0.3", "by script", 235), ("127.0.0.3", "x", 535)],
)
async def test_whom_a_peer_stanza_asks(world: World, source: str, password: str, code: int) -> None:
    """RADIUS, and a scheme which a script has registered."""
    async with Voice(world, source) as voice:
        await voice.secure()
        assert (await voice.authenticate("PLAIN", Credentials("tim", password))).code == code


async def test_who_guesses_is_shut_out_by_all_workers(world: World) -> None:
    for _ in range(2):
        async with Voice(world, "127.0.0.4") as voice:
            await voice.secure()
            assert (await voice.authenticate("PLAIN", Credentials("tim", "guess"))).code == 535
    async with Voice(world, "127.0.0.4") as voice:
        await voice.secure()
        reply = await voice.authenticate("PLAIN", Credentials("tim", PASSWORD))
        assert (reply.code, reply.text) == (421, "4.7.0 Failed SMTP AUTH rate limit exceeded")


async def test_where_it_is_asked_for_it_comes_first(world: World) -> None:
    async with Voice(world, "127.0.0.5") as voice:
        assert "STARTTLS" in (await voice.say("MAIL FROM:<a@peer.test>")).text
        await voice.secure()
        reply = await voice.say("MAIL FROM:<a@peer.test>")
        assert (reply.code, reply.text) == (530, "5.7.0 authentication required")
        assert (await voice.authenticate("LOGIN", Credentials("tim", PASSWORD))).code == 235
        assert (await voice.deliver("first@x.test")).code == 250


async def test_attempts_stand_in_acctlog_and_passwords_nowhere(world: World) -> None:
    async with Voice(world, "127.0.0.1") as voice:
        await voice.secure()
        await voice.authenticate("PLAIN", Credentials("tim", "no such secret"))
        await voice.authenticate("PLAIN", Credentials("tim", PASSWORD))
    await world.until(
        lambda: [line for line in world.log("acctlog") if line.endswith("@tim@1")], "acctlog"
    )
    lines = [line.split("@")[1:] for line in world.log("acctlog")]
    where = f"127.0.0.1:{world.port}"
    assert ["N", where] in [line[:2] for line in lines]
    assert {line[-1] for line in lines if line[0] == "N"} == {"0", "1"}
    for told in ("no such secret", PASSWORD):
        secrets = (told, base64.b64encode(told.encode()).decode().rstrip("="))
        texts = [path.read_bytes() for path in world.state.rglob("*") if path.is_file()]
        assert not [text for text in texts for each in secrets if each.encode() in text]
        assert not [line for line in world.output for each in secrets if each in line]


async def test_a_connection_which_goes_in_the_middle_leaves_the_server_alone(world: World) -> None:
    for line in ("AUTH LOGIN", "AUTH PLAIN =", f"AUTH SCRAM-SHA-256 {'A' * 12000}"):
        async with Voice(world, "127.0.0.6") as voice:
            await voice.secure()
            voice._writer.write(f"{line}\r\n".encode())
    with socket.create_connection(("127.0.0.1", world.port)) as plain:
        plain.sendall(b"EHLO x\r\nAUTH PLAIN AAAA\r\nAUTH\r\n*\r\n")
    async with Voice(world, "127.0.0.1") as voice:
        await voice.secure()
        assert (await voice.authenticate("PLAIN", Credentials("tim", PASSWORD))).code == 235
