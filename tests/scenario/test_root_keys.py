"""Keys of TLS and of signatures which only root may read: read before rights are given up."""

import asyncio
import contextlib
import os
import signal
import smtplib
import ssl
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from angarium.lab.sink import Sink
from helpers.browser import read
from helpers.certificates import authority, client_context, server
from helpers.operators import operator
from helpers.proving import keep, proven
from helpers.served import PATIENCE, Served, python_for, serving
from helpers.upgrade import upgrade
from helpers.world import reserved_port

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root has privileges to drop"),
]

CONFIG = """
esmtp_listener {{ listen "127.0.0.1:{smtp}" {{ {files} }} }}
http_listener {{ listen "127.0.0.1:{http}" {{ use_ssl = true {files} }} }}
eventloop {{ concurrency = 1 }}
security {{ user = "nobody" group = "nogroup" }}
hostname = "{name}"
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return one which everybody may go into; into that of the tests only its owner may."""
    with tempfile.TemporaryDirectory(prefix="angarium-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture
def ports() -> Iterator[list[int]]:
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(reserved_port()).getsockname()[1] for _ in range(2)]


class Place:
    """A configuration whose key is for root, and what clients see of it."""

    def __init__(self, folder: Path, smtp: int, http: int) -> None:
        self.folder, self.smtp, self.http = folder, smtp, http
        self.secret = folder / "secret"
        self.secret.mkdir(mode=0o700)
        server().write(self.secret, "own")
        self.config = folder / "ecelerity.conf"
        self.state = folder / "state"

    def write(self, name: str) -> None:
        files = f'tls_certificate = "{self.secret}/own.crt" tls_key = "{self.secret}/own.key"'
        text = CONFIG.format(smtp=self.smtp, http=self.http, files=files, name=name)
        self.config.write_text(text)
        self.config.chmod(0o644)

    async def secure(self) -> str:
        """Return our name as it is said by TLS, after HTTP by TLS was answered too."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.http)
        await writer.start_tls(client_context(), server_hostname="localhost")
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert (await asyncio.wait_for(read(reader), PATIENCE)).status == 200
        writer.close()
        return await asyncio.to_thread(self._said)

    def _said(self) -> str:
        with smtplib.SMTP("127.0.0.1", self.smtp, timeout=PATIENCE) as client:
            client.starttls(context=client_context_for_address())
            client.ehlo("client.test")
            return (client.ehlo_resp or b"").decode().split()[0]

    async def until(self, name: str) -> None:
        """Wait until both are secure, under this name."""
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE
        while True:
            found: object = None
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, smtplib.SMTPException):
                found = await self.secure()
            if found == name:
                return
            assert loop.time() < end, f"{found} is no {name}"
            await asyncio.sleep(0.05)


def client_context_for_address() -> ssl.SSLContext:
    context = client_context()
    context.check_hostname = False
    return context


def children(server: Served) -> list[int]:
    text = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text()
    return [int(each) for each in text.split()]


async def test_a_key_of_root_is_used_by_who_cannot_read_it(folder: Path, ports: list[int]) -> None:
    ours = [each for each in sys.path if each.endswith(("site-packages", "src"))]
    environment = {"PYTHONPATH": ":".join(ours)}
    python = python_for("nobody", environment)
    place = Place(folder, *ports)
    place.write("first.test")
    words = ("--config", str(place.config), "--state", str(place.state))
    async with serving(*words, python=python, **environment) as served:
        assert any(f"what {place.secret}/own.key holds now counts" in each for each in served.said)
        await place.until("first.test")
        # A reload keeps it, whatever is there now, and says so.
        authority().signed("other.example").write(place.secret, "own")
        place.write("second.test")
        os.kill(served.pid, signal.SIGHUP)
        await place.until("second.test")
        # Who has died begins with it again.
        for pid in children(served):
            os.kill(pid, signal.SIGKILL)
        await place.until("second.test")
        # And the program which takes the supervisor's place has it too.
        place.write("third.test")
        code, said = await upgrade(place.state)
        assert code == 0, said
        await place.until("third.test")
        key = server().key.splitlines()[1]
        kept = [each for each in place.state.rglob("*") if each.is_file()]
        assert kept
        assert not [each for each in kept if key in each.read_bytes()]
        os.kill(served.pid, signal.SIGTERM)
        assert await served.ended() == 0
        counts = "held at the start counts until a restart"
        assert any(counts in each for each in served.said), served.said
        assert not any("BEGIN PRIVATE" in each for each in served.said)


async def test_a_key_which_came_later_refuses_the_reload_and_says_who_cannot_read_it(
    folder: Path, ports: list[int]
) -> None:
    ours = [each for each in sys.path if each.endswith(("site-packages", "src"))]
    environment = {"PYTHONPATH": ":".join(ours)}
    python = python_for("nobody", environment)
    place = Place(folder, *ports)
    place.write("first.test")
    words = ("--config", str(place.config), "--state", str(place.state))
    async with serving(*words, python=python, **environment):
        await place.until("first.test")
        text = place.config.read_text().replace("own.", "newer.")
        server().write(place.secret, "newer")
        place.config.write_text(text.replace("first.test", "second.test"))
        async with operator(place.state) as console:
            refusal = await console.fails("config reload")
        assert "newer.crt cannot be read by nobody: Permission denied" in refusal
        assert await place.secure() == "first.test"


SIGNS = """
esmtp_listener {{ listen "127.0.0.1:{smtp}" {{ }} }}
relay_hosts = ( "127.0.0.1" )
eventloop {{ concurrency = 1 }}
security {{ user = "nobody" group = "nogroup" }}
hostname = "{name}"
gateway = "127.0.0.1"
remote_smtp_port = {sink}
opendkim "rsa" {{ key = "{secret}/%{{s}}.key" selector = "{rsa}" header_canon = "relaxed" }}
opendkim "ed" {{
  key = "{secret}/%{{d}}/%{{s}}.key" header_canon = "relaxed"
  dkim_domain "ours.test" {{ selector = "ed" }}
}}
"""
LETTER = b"From: Joe <joe@ours.test>\r\nSubject: hello\r\n\r\nhi\r\n"


async def test_a_key_of_root_signs_after_a_reload_and_a_death_too(
    folder: Path, ports: list[int]
) -> None:
    ours = [each for each in sys.path if each.endswith(("site-packages", "src"))]
    environment = {"PYTHONPATH": ":".join(ours)}
    python = python_for("nobody", environment)
    secret, state, config = folder / "secret", folder / "state", folder / "ecelerity.conf"
    secret.mkdir(mode=0o700)
    keep(secret)
    keep(secret / "ours.test")

    async with Sink() as sink:

        def write(name: str, rsa: str = "rsa") -> None:
            config.write_text(
                SIGNS.format(smtp=ports[0], sink=sink.port, secret=secret, name=name, rsa=rsa)
            )
            config.chmod(0o644)

        async def signed(recipient: str, name: str, count: int = 2) -> list[bytes]:
            """Send a message when the server has this name; return by which keys it is signed."""
            before = len(sink.accepted)
            end = asyncio.get_running_loop().time() + PATIENCE
            while not await asyncio.to_thread(sent, ports[0], recipient, name):
                assert asyncio.get_running_loop().time() < end, name
                await asyncio.sleep(0.05)
            await sink.until(before + 1, PATIENCE)
            assert sink.accepted[before].recipients == [recipient]
            return proven(sink.accepted[before], count=count)

        write("first.test")
        words = ("--config", str(config), "--state", str(state))
        async with serving(*words, python=python, **environment) as served:
            assert await signed("one@a.test", "first.test") == [b"ed", b"rsa"]
            write("second.test")
            os.kill(served.pid, signal.SIGHUP)
            assert await signed("two@a.test", "second.test") == [b"ed", b"rsa"]
            for pid in children(served):
                os.kill(pid, signal.SIGKILL)
            assert await signed("three@a.test", "second.test") == [b"ed", b"rsa"]
            # One which was not named at the start cannot be had, and the other one signs on.
            write("third.test", rsa="next")
            os.kill(served.pid, signal.SIGHUP)
            assert await signed("four@a.test", "third.test", count=1) == [b"ed"]
            os.kill(served.pid, signal.SIGTERM)
            assert await served.ended() == 0
            assert any("next.key: Permission denied; nothing is" in each for each in served.said)


def sent(port: int, recipient: str, name: str) -> bool:
    """Send a message, if the server says this name."""
    with (
        contextlib.suppress(OSError, smtplib.SMTPException),
        smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as client,
    ):
        client.ehlo("client.test")
        if (client.ehlo_resp or b"").decode().split()[0] != name:
            return False
        client.sendmail("joe@ours.test", [recipient], LETTER)
        return True
    return False
