"""The example of TLS at all doors works as it stands: only places are changed here."""

import asyncio
import contextlib
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from helpers.browser import Answer, read
from helpers.certificates import authority, client_context
from helpers.world import PATIENCE, World, reserved_port

EXAMPLE = Path(__file__).parent.parent.parent / "examples/tls/ecelerity.conf"
pytestmark = pytest.mark.slow


@pytest.fixture
def ports() -> Iterator[list[int]]:
    with ExitStack() as stack:
        yield [stack.enter_context(reserved_port()).getsockname()[1] for _ in range(2)]


class Doors(World):
    ports: list[int]

    def configure(self, extra: str) -> None:
        text = EXAMPLE.read_text("utf-8")
        text = text.replace("/etc/angarium", str(self.folder))
        text = text.replace("/var/log/angarium", str(self.logs))
        for shown, port in (("25", self.port), ("465", self.ports[0]), ("8443", self.ports[1])):
            text = text.replace(f'"*:{shown}"', f'"127.0.0.1:{port}"')
        own = f"""
            remote_smtp_port = {self.sink.port}
            dns_servers = ( "127.0.0.1:{self.dns.port}" )
            eventloop "pool" {{ concurrency = 1 }}
        """
        self.config.write_text(text + own, encoding="utf-8")


async def ask(port: int, context: ssl.SSLContext) -> Answer:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await writer.start_tls(context, server_hostname="localhost")
    writer.write(b"GET /status.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    try:
        return await asyncio.wait_for(read(reader), PATIENCE)
    finally:
        writer.close()


async def test_partners_send_anywhere_and_the_status_is_for_who_is_known(
    tmp_path: Path, ports: list[int]
) -> None:
    authority().signed("localhost").write(tmp_path, "mx")
    (tmp_path / "example.net.pem").write_bytes(authority().signed("mx.example.net").whole)
    (tmp_path / "partners.pem").write_bytes(authority().pem)
    (tmp_path / "users").write_text("tim:{SSHA}x\n")
    partner = client_context()
    partner.load_cert_chain(*authority().signed("partner.example").write(tmp_path, "partner"))

    def sent(port: int, context: ssl.SSLContext) -> str:
        with smtplib.SMTP_SSL("localhost", port, context=context) as smtp:
            try:
                smtp.sendmail("a@partner.example", ["b@anywhere.test"], "Subject: x\r\n\r\nhi\r\n")
            except smtplib.SMTPException as error:
                return str(error)
        return "sent"

    world = Doors(tmp_path, zone="* A 127.0.0.1")
    world.ports = ports
    async with world:
        assert await asyncio.to_thread(sent, ports[0], partner) == "sent"
        await world.arrived("b@anywhere.test")
        with pytest.raises(OSError):  # noqa: PT011 - as the two versions of TLS end it
            await asyncio.to_thread(sent, ports[0], client_context())
        reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
        await reader.readline()
        writer.write(b"STARTTLS\r\n")
        assert (await reader.readline()).startswith(b"220 ")
        await writer.start_tls(client_context(), server_hostname="mx.example.net")
        writer.close()

        async def status() -> bool:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                return (await ask(ports[1], partner)).status == 200
            return False

        await world.eventually(status, "the status for who is known")
        assert (await ask(ports[1], client_context())).status == 401
