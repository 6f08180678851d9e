"""Listeners of HTTP which speak TLS, as curl and OpenSSL see them."""

import asyncio
import contextlib
import shutil
import signal
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from angarium.wire.proxy import encode_line
from helpers.browser import Answer, read
from helpers.certificates import authority, client_context, server
from helpers.exposition import families
from helpers.operators import operator
from helpers.world import PATIENCE, World, reserved_port

pytestmark = pytest.mark.slow

ZONE = "* A 127.0.0.1"
LISTENER = """
http_listener {{
  use_ssl = true
  tls_certificate = "{folder}/own.crt"
  tls_key = "{folder}/own.key"
  listen "127.0.0.1:{port}" {{ {more} }}
}}
http_logger {{ log = "{folder}/httplog" }}
"""


@pytest.fixture
def port() -> Iterator[int]:
    with contextlib.closing(reserved_port()) as keeper:
        yield keeper.getsockname()[1]


def configured(folder: Path, port: int, more: str = "") -> str:
    return LISTENER.format(folder=folder, port=port, more=more)


async def ask(
    port: int, path: str, context: ssl.SSLContext | None = None, *, header: bytes = b"",
    name: str = "localhost", more: str = "",
) -> tuple[Answer, bytes]:  # fmt: skip
    """Ask by TLS; return the answer, and the certificate which was shown."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(header)
        await writer.start_tls(context or client_context(), server_hostname=name)
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{more}Connection: close\r\n\r\n"
        writer.write(request.encode())
        answer = await asyncio.wait_for(read(reader), PATIENCE)
        shown: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return answer, shown
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def until_up(world: World, port: int) -> None:
    async def up() -> bool:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            return (await ask(port, "/healthz"))[0].status == 200
        return False

    await world.eventually(up, "an answer by TLS")


async def run(*words: str, said: bytes = b"") -> tuple[int, bytes]:
    process = await asyncio.create_subprocess_exec(
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(said), PATIENCE)
    return process.returncode or 0, output


@pytest.mark.peer
@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.effect("use_ssl", "tls_certificate", "tls_key")
async def test_curl_and_openssl_are_answered_and_the_log_has_a_line(
    tmp_path: Path, port: int
) -> None:
    server().write(tmp_path, "own")
    (tmp_path / "ca.pem").write_bytes(authority().pem)
    trusting = ("--cacert", str(tmp_path / "ca.pem"))
    async with World(tmp_path, configured(tmp_path, port), ZONE) as world:
        await until_up(world, port)
        assert any(f"status on https://127.0.0.1:{port}/status" in line for line in world.output)
        code, said = await run("curl", "-sS", *trusting, f"https://localhost:{port}/healthz")
        assert (code, said) == (0, b"alive\n")
        # One connection for several requests, and one which is not trusted.
        twice = [f"https://localhost:{port}/healthz"] * 2
        assert await run("curl", "-sS", *trusting, *twice) == (0, b"alive\nalive\n")
        assert (await run("curl", "-sS", twice[0]))[0] == 60
        # In clear there is no answer.
        assert (await run("curl", "-sS", f"http://localhost:{port}/healthz"))[0] != 0
        request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        code, said = await run(
            "openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost",
            "-CAfile", str(tmp_path / "ca.pem"), "-verify_return_error", "-quiet", "-ign_eof",
            said=request,
        )  # fmt: skip
        assert b"HTTP/1.1 200 OK" in said
        # By another name of ours than the listener knows it is refused as in clear.
        code, said = await run(
            "curl", "-sS", *trusting, "-H", "Host: evil.example", twice[0], "-w", "%{http_code}"
        )
        assert said.endswith(b"421")
        log = tmp_path / "httplog"
        await world.until(
            lambda: log.exists() and log.read_text().count('"GET healthz HTTP/1.1" 200') >= 4,
            "lines of httplog",
        )


@pytest.mark.effect("tls_sni_certificates")
async def test_a_certificate_is_changed_by_a_reload_and_by_the_console_and_names_have_theirs(
    tmp_path: Path, port: int
) -> None:
    server().write(tmp_path, "own")
    other = authority().signed("other.example")
    (tmp_path / "other.pem").write_bytes(other.whole)
    names = f'tls_sni_certificates = [ "other.example" = "{tmp_path}/other.pem" ]'
    config = configured(tmp_path, port, names)
    async with World(tmp_path, config, ZONE) as world:
        await until_up(world, port)
        assert (await ask(port, "/healthz"))[1] == server().der
        assert (await ask(port, "/healthz", name="other.example"))[1] == other.der
        newer = authority().signed("localhost")
        newer.write(tmp_path, "own")
        await world.reload(config)

        async def shown() -> bool:
            return (await ask(port, "/healthz"))[1] == newer.der

        await world.eventually(shown, "the new certificate")
        (tmp_path / "own.key").write_bytes(server().key)
        world.signal(signal.SIGHUP)
        wrong = "is not that of the certificate"
        await world.until(lambda: any(wrong in line for line in world.output), "a refusal")
        assert (await ask(port, "/healthz"))[1] == newer.der
        latest = authority().signed("localhost")
        latest.write(tmp_path, "own")
        async with operator(world.state) as console:
            assert await console.say("tls flush cache") == "Cache flush request submitted."
            assert f"{tmp_path}/own.crt" in await console.say("tls show cache")
        assert (await ask(port, "/healthz"))[1] == latest.der


CLIENTS = """
  tls_client_ca = "{folder}/ca.pem"
  tls_verified_peer_is_authorized = true
  enable_authentication = true
  authplainparameters = [ uri = "file://{folder}/users" ]
"""


@pytest.mark.effect("tls_verified_peer_is_authorized", "enable_authentication")
@pytest.mark.effect("tls_client_ca", "authplainparameters")
async def test_who_shows_a_certificate_needs_no_password_and_others_do(
    tmp_path: Path, port: int
) -> None:
    server().write(tmp_path, "own")
    (tmp_path / "ca.pem").write_bytes(authority().pem)
    (tmp_path / "users").write_text("tim:secret\n")
    known = client_context()
    known.load_cert_chain(*authority().signed("scraper.example").write(tmp_path, "client"))
    more = CLIENTS.format(folder=tmp_path)
    async with World(tmp_path, configured(tmp_path, port, more), ZONE) as world:
        await until_refused(world, port)
        assert (await ask(port, "/healthz", known))[0].status == 200
        asked = (await ask(port, "/healthz"))[0]
        assert (asked.status, asked.fields["www-authenticate"][:12]) == (401, "Basic realm=")
        tim = "Authorization: Basic dGltOnNlY3JldA==\r\n"
        assert (await ask(port, "/healthz", more=tim))[0].status == 200
        tom = "Authorization: Basic dG9tOnNlY3JldA==\r\n"
        assert (await ask(port, "/healthz", more=tom))[0].status == 401


@pytest.mark.effect("always_deny", "always_allow")
async def test_some_clients_are_turned_away_and_others_not_asked(tmp_path: Path, port: int) -> None:
    server().write(tmp_path, "own")
    (tmp_path / "users").write_text("tim:secret\n")
    more = f"""
      enable_authentication = true
      authplainparameters = [ uri = "file://{tmp_path}/users" ]
    """
    tim = "Authorization: Basic dGltOnNlY3JldA==\r\n"

    async def statuses() -> list[int]:
        return [(await ask(port, "/healthz", more=said))[0].status for said in ("", tim)]

    async with World(tmp_path, configured(tmp_path, port, more), ZONE) as world:
        await until_refused(world, port)
        assert await statuses() == [401, 200]
        for words, wanted in (
            ("always_deny = true", [403, 403]),
            ('always_deny = true peer "127.0.0.1" { always_deny = false }', [401, 200]),
            ('peer "127.0.0.0/8" { always_allow = true }', [200, 200]),
            ('peer "127.0.0.1" { always_allow = true always_deny = true }', [403, 403]),
        ):
            await world.reload(configured(tmp_path, port, f"{more} {words}"))

            async def so(wanted: list[int] = wanted) -> bool:
                return await statuses() == wanted

            await world.eventually(so, words)


@pytest.mark.effect("tls_verify_mode", "tls_protocols")
async def test_a_certificate_may_be_required_and_versions_forbidden(
    tmp_path: Path, port: int
) -> None:
    server().write(tmp_path, "own")
    (tmp_path / "ca.pem").write_bytes(authority().pem)
    known = client_context()
    known.load_cert_chain(*authority().signed("scraper.example").write(tmp_path, "client"))
    more = f"""
      tls_verify_mode = require tls_client_ca = "{tmp_path}/ca.pem" tls_protocols = "+TLSv1.3"
    """
    async with World(tmp_path, configured(tmp_path, port, more), ZONE) as world:

        async def answered() -> bool:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                return (await ask(port, "/healthz", known))[0].status == 200
            return False

        await world.eventually(answered, "an answer to who is known")
        with pytest.raises((OSError, asyncio.IncompleteReadError)):
            await ask(port, "/healthz")
        known.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises((OSError, asyncio.IncompleteReadError)):
            await ask(port, "/healthz", known)
        known.maximum_version = ssl.TLSVersion.TLSv1_3

        async def counted() -> bool:
            text = (await ask(port, "/metrics", known))[0].text
            found = families(text, openmetrics=False)["angarium_tls_handshakes_http_total"]
            failed = found.value(outcome="certificate") + found.value(outcome="protocol")
            return found.value(outcome="secure") >= 1 and failed >= 2

        await world.eventually(counted, "handshakes to be counted")


async def test_behind_a_proxy_tls_begins_after_its_header(tmp_path: Path, port: int) -> None:
    server().write(tmp_path, "own")
    more = """
      proxy_protocol = true
      peer "198.51.100.7" { use_ssl = false }
    """
    async with World(tmp_path, configured(tmp_path, port, more), ZONE) as world:
        header = encode_line(("192.0.2.9", 40000), ("198.51.100.1", 443))

        async def answered() -> bool:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                return (await ask(port, "/healthz", header=header))[0].status == 200
            return False

        await world.eventually(answered, "an answer behind a proxy")
        log = tmp_path / "httplog"
        await world.until(lambda: log.exists() and "192.0.2.9:40000" in log.read_text(), "a line")
        # Whether it begins with TLS is decided for the client whom the proxy names.
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        clear = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        writer.write(encode_line(("198.51.100.7", 1), ("198.51.100.1", 443)) + clear)
        assert (await asyncio.wait_for(read(reader), PATIENCE)).status == 200
        writer.close()


async def until_refused(world: World, port: int) -> None:
    async def up() -> bool:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            return (await ask(port, "/healthz"))[0].status == 401
        return False

    await world.eventually(up, "a question for a password")
