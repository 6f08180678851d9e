"""Clients of TLS which are not Python's, before our listeners: OpenSSL's s_client and GnuTLS's.

Python has OpenSSL in it, so what it and we agree on might be wrong on both sides; GnuTLS is
another library.
"""

import asyncio
import socket
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from helpers.certificates import Authority, authority, server
from helpers.world import PATIENCE, World, reserved_port

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.peer]

Find = Callable[[str], str]
LISTENER = """
  tls_certificate = "{folder}/own.crt"
  tls_key = "{folder}/own.key"
  tls_sni_certificates = [ "other.example" = "{folder}/other.pem" ]
  listen "127.0.0.1:{judging}" {{
    tls_client_ca = "{folder}/ca.pem"
    tls_verified_peer_can_relay = true
    peer "127.0.0.1" {{ relay_hosts = () }}
  }}
  listen "127.0.0.1:{implicit}" {{ use_ssl = true }}
"""


class Doors(World):
    """Three listening sockets: TLS, TLS with a look at who comes, TLS from the first octet."""

    judging = 0
    implicit = 0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def doors(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Doors]:
    folder = tmp_path_factory.mktemp("doors")
    server().write(folder, "own")
    authority().signed("client.example").write(folder, "known")
    Authority("Nobody").signed("client.example").write(folder, "unknown")
    (folder / "other.pem").write_bytes(authority().signed("other.example").whole)
    (folder / "ca.pem").write_bytes(authority().pem)
    with ExitStack() as stack:
        judging, implicit = (stack.enter_context(reserved_port()) for _ in range(2))
        ports = {"judging": port(judging), "implicit": port(implicit)}
        listener = LISTENER.format(folder=folder, **ports)
        async with Doors(folder, "", "* A 127.0.0.1", listener=listener) as world:
            world.judging, world.implicit = ports["judging"], ports["implicit"]
            yield world


def port(keeper: socket.socket) -> int:
    return int(keeper.getsockname()[1])


async def ran(*command: str, told: str = "") -> tuple[int, str]:
    """Run a program which is told lines; return its exit code and what it says."""
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=STDOUT)
    text = "".join(f"{line.strip()}\r\n" for line in told.splitlines())
    output, _ = await asyncio.wait_for(process.communicate(text.encode()), PATIENCE)
    return process.returncode or 0, output.decode("utf-8", "replace")


def letter(recipient: str) -> str:
    """Return a session; in small letters, as s_client has commands of its own in large ones."""
    return f"""ehlo peer.test
    mail from:<a@sender.test>
    rcpt to:<{recipient}>
    data
    Subject: by TLS

    hi
    .
    quit"""


def envelope(recipient: str) -> str:
    """Return a session which ends before there is a message."""
    return f"ehlo peer.test\nmail from:<a@sender.test>\nrcpt to:<{recipient}>\nquit"


# OpenSSL's s_client


class OpenSsl:
    """s_client, for one listener."""

    def __init__(self, doors: Doors, program: Find) -> None:
        self._doors = doors
        self._command = [program("openssl"), "s_client", "-ign_eof"]

    async def ran(
        self, *words: str, told: str = "quit", port: int = 0, starttls: bool = True
    ) -> tuple[int, str]:
        where = ["-connect", f"127.0.0.1:{port or self._doors.port}"]
        how = ["-starttls", "smtp", "-name", "peer.test"] if starttls else []
        return await ran(*self._command, *where, *how, *words, told=told)


@pytest.fixture
def openssl(doors: Doors, program: Find) -> OpenSsl:
    return OpenSsl(doors, program)


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
async def test_s_client_sends_a_message(doors: Doors, openssl: OpenSsl, version: str) -> None:
    recipient = f"b{version}@x.test"
    trust = ["-CAfile", str(doors.folder / "ca.pem"), "-verify_return_error"]
    status, said = await openssl.ran(version, "-brief", *trust, told=letter(recipient))
    assert status == 0, said
    assert f"Protocol version: TLSv1.{version[-1]}" in said
    assert "Verification: OK" in said
    assert "\n250-STARTTLS" not in said
    assert "221 2.0.0" in said
    assert b"with ESMTPS" in ((await doors.arrived(recipient)).content or b"")


async def test_s_client_speaks_tls_at_once(doors: Doors, openssl: OpenSsl) -> None:
    told = letter("implicit@x.test")
    status, said = await openssl.ran("-brief", told=told, port=doors.implicit, starttls=False)
    assert status == 0, said
    assert "220 mx.node.test ESMTP" in said
    await doors.arrived("implicit@x.test")


async def test_s_client_gets_the_certificate_of_the_name_it_asks_for(
    doors: Doors, openssl: OpenSsl
) -> None:
    trust = ["-CAfile", str(doors.folder / "ca.pem"), "-verify_return_error", "-brief"]
    for asked, verified, good in (
        ("other.example", "other.example", True),
        ("mx.example.com", "mx.example.com", True),
        ("nobody.example", "mx.example.com", True),
        ("mx.example.com", "other.example", False),
    ):
        names = ["-servername", asked, "-verify_hostname", verified]
        status, said = await openssl.ran(*trust, *names)
        assert (status == 0) is good, said
        assert (f"Verified peername: {verified}" in said) is good


async def test_s_client_is_refused_what_is_too_old(doors: Doors, openssl: OpenSsl) -> None:
    # Its own library would not let it try without this.
    status, said = await openssl.ran("-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0")
    assert status != 0
    assert "SSL alert number 70" in said  # protocol_version
    await doors.logged("rejectlog", "unsupported protocol")


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
async def test_s_client_goes_on_with_a_session(
    doors: Doors, openssl: OpenSsl, tmp_path: Path, version: str
) -> None:
    kept = str(tmp_path / "session")
    first = await openssl.ran(version, "-sess_out", kept)
    second = await openssl.ran(version, "-sess_in", kept)
    assert f"New, TLSv1.{version[-1]}" in first[1]
    assert f"Reused, TLSv1.{version[-1]}" in second[1]


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
async def test_s_client_may_relay_by_a_certificate_we_know_who_signed(
    doors: Doors, openssl: OpenSsl, tmp_path: Path, version: str
) -> None:
    told = envelope("b@x.test")
    for name, reply in (("known", "250 2.0.0 RCPT TO"), ("unknown", "550 5.7.1 relaying denied")):
        files = [str(doors.folder / f"{name}.{kind}") for kind in ("crt", "key")]
        words = [version, "-cert", files[0], "-key", files[1]]
        kept = tmp_path / name
        _, said = await openssl.ran(*words, "-sess_out", str(kept), told=told, port=doors.judging)
        assert reply in said
        if kept.exists():  # A session which could go on would not be judged again.
            words += ["-sess_in", str(kept)]
            _, said = await openssl.ran(*words, told=told, port=doors.judging)
            assert reply in said
            assert "Reused" not in said


# GnuTLS's gnutls-cli


class GnuTls:
    """gnutls-cli, for one listener."""

    def __init__(self, doors: Doors, program: Find) -> None:
        self._doors = doors
        self._command = [program("gnutls-cli"), "--starttls-proto=smtp"]
        self._command += ["--x509cafile", str(doors.folder / "ca.pem")]

    async def ran(self, *words: str, told: str = "quit", port: int = 0) -> tuple[int, str]:
        where = ["--port", str(port or self._doors.port), "localhost"]
        return await ran(*self._command, *words, *where, told=told)


@pytest.fixture
def gnutls(doors: Doors, program: Find) -> GnuTls:
    return GnuTls(doors, program)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
async def test_gnutls_sends_a_message(doors: Doors, gnutls: GnuTls, version: str) -> None:
    """It says that nothing follows as soon as all is said, and reads the answers after that."""
    recipient = f"gnutls{version}@x.test"
    only = f"--priority=NORMAL:-VERS-ALL:+VERS-TLS{version}"
    status, said = await gnutls.ran(only, told=letter(recipient))
    assert status == 0, said
    assert f"(TLS{version}-X.509)" in said
    assert "The certificate is trusted." in said
    assert "221 2.0.0" in said
    assert b"with ESMTPS" in ((await doors.arrived(recipient)).content or b"")


async def test_gnutls_gets_the_certificate_of_the_name_it_asks_for(gnutls: GnuTls) -> None:
    asked = ["--sni-hostname=other.example"]
    status, said = await gnutls.ran(*asked, "--verify-hostname=other.example")
    assert (status, "CN=other.example" in said) == (0, True), said
    status, said = await gnutls.ran(*asked, "--verify-hostname=localhost")
    assert status != 0
    assert "The name in the certificate does not match" in said


async def test_gnutls_goes_on_with_a_session(gnutls: GnuTls) -> None:
    for version in ("1.2", "1.3"):
        only = f"--priority=NORMAL:-VERS-ALL:+VERS-TLS{version}"
        status, said = await gnutls.ran("--resume", "--waitresumption", only)
        assert (status, "This is a resumed session" in said) == (0, True), said


async def test_gnutls_is_refused_what_is_too_old(gnutls: GnuTls) -> None:
    status, said = await gnutls.ran("--priority=NORMAL:-VERS-ALL:+VERS-TLS1.1")
    assert status != 0
    assert "Received alert [70]" in said


@pytest.mark.parametrize("version", ["1.2", "1.3"])
async def test_gnutls_may_relay_by_a_certificate_we_know_who_signed(
    doors: Doors, gnutls: GnuTls, version: str
) -> None:
    only = f"--priority=NORMAL:-VERS-ALL:+VERS-TLS{version}"
    for name, reply in (("known", "250 2.0.0 RCPT TO"), ("unknown", "550 5.7.1 relaying denied")):
        pair = [
            f"--x509certfile={doors.folder}/{name}.crt",
            f"--x509keyfile={doors.folder}/{name}.key",
        ]
        _, said = await gnutls.ran(only, *pair, told=envelope("b@x.test"), port=doors.judging)
        assert "Successfully sent 1 certificate(s)" in said
        assert reply in said
