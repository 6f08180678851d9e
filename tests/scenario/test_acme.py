"""A server which gets its certificates by ACME, from the first start to the renewal."""

import asyncio
import datetime
import re
from functools import partial
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from helpers.acme import AcmeServer
from helpers.browser import ask
from helpers.certificates import authority, client_context
from helpers.operators import Operator, operator
from helpers.world import World, reserved_port

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).parent.parent.parent / "examples/acme/ecelerity.conf"
NAME = "mx.example.com"


class Secured(World):
    """The example as it stands; only places are changed.

    Attributes:
        names: for which the certificate is.
    """

    names = NAME
    ports = (0, 0)  # of HTTP, and of TLS from the beginning
    ca: AcmeServer

    @property
    def pem(self) -> Path:
        return self.state / "acme" / "mx.pem"

    def configure(self, extra: str) -> None:
        text = EXAMPLE.read_text("utf-8")
        for before, after in {
            "https://ca.example.com/directory": self.ca.directory,
            "terms_agreed = true": f'terms_agreed = true\n  ca_file = "{self.folder}/root.pem"',
            f'( "{NAME}" )': f"( {self.names} )",
            "/var/spool/angarium": str(self.state),
            "/var/log/angarium": str(self.logs),
            "*:80": f"127.0.0.1:{self.ports[0]}",
            "*:25": f"127.0.0.1:{self.port}",
            "*:465": f"127.0.0.1:{self.ports[1]}",
        }.items():
            assert before in text, before
            text = text.replace(before, after)
        own = f"""
            remote_smtp_port = {self.sink.port}
            dns_servers = ( "127.0.0.1:{self.dns.port}" )
            eventloop "pool" {{ concurrency = 2 }}
        """
        self.config.write_text(text + own, encoding="utf-8")


async def offered(port: int) -> bool:
    """Say whether STARTTLS is."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await reader.readline()
    writer.write(b"EHLO peer.test\r\n")
    found = False
    while (line := await reader.readline()).startswith(b"250-"):
        found |= b"STARTTLS" in line
    writer.close()
    return found or b"STARTTLS" in line


async def shown(port: int) -> bytes:
    """Return the certificate which a client sees, checked by its name and authority."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await reader.readline()
    writer.write(b"STARTTLS\r\n")
    if not (await reader.readline()).startswith(b"220 "):
        writer.close()  # This worker has not heard of it yet.
        return b""
    await writer.start_tls(client_context(), server_hostname=NAME)
    found: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return found


async def tells(port: int) -> bytes:
    """Return the certificate which is shown where TLS is from the beginning."""
    try:
        _, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=client_context(), server_hostname=NAME
        )
    except OSError:
        return b""
    found: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return found


def der(chain: bytes) -> bytes:
    return x509.load_pem_x509_certificate(chain).public_bytes(serialization.Encoding.DER)


@pytest.mark.effect("acme.directory", "acme.ca_file", "acme.certificate", "acme.names")
@pytest.mark.effect("acme.terms_agreed", "only_challenges")
async def test_a_certificate_comes_is_used_and_is_renewed(tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_bytes(authority().pem)
    with reserved_port() as keeper, reserved_port() as other:
        ports = keeper.getsockname()[1], other.getsockname()[1]
        async with AcmeServer(ports[0]).serving() as ca:
            ca.stale, ca.broken = 2, 1
            world = Secured(tmp_path, zone="* A 127.0.0.1")
            world.ports, world.ca = ports, ca
            async with world:
                await comes(world)
                async with operator(world.state) as admin:
                    await is_renewed(world, admin)
                    await fails(world, admin)
                ca.refuses = ""
                await gets_another_name(world)
                await goes_on_after_a_restart(world)


async def gets_another_name(world: Secured) -> None:
    """Whatever has failed for other names, and however good the old one is."""
    world.names = f"{NAME} mail.example.com"
    await world.reload("")
    await world.until(lambda: len(world.ca.issued) == 3, "a certificate for both names")
    await world.eventually(partial(is_shown, world.port, world.ca.issued[2]), "it shown")


async def goes_on_after_a_restart(world: Secured) -> None:
    orders = len(world.ca.orders)
    assert await world.stop() == 0
    await world.start()
    assert await shown(world.port) == der(world.ca.issued[2])
    async with operator(world.state) as admin:
        await world.eventually(partial(knows, admin, "mail.example.com"), "its status")
    assert len(world.ca.orders) == orders


async def knows(admin: Operator, name: str) -> bool:
    said, end = await admin.ask("acme status")
    return not end.failed and name in said


async def is_shown(port: int, chain: bytes) -> bool:
    return await shown(port) == der(chain)


async def is_told(port: int, chain: bytes) -> bool:
    return await tells(port) == der(chain)


async def comes(world: Secured) -> None:
    """There was none at the start: STARTTLS is offered when there is one."""
    ca, (http, implicit) = world.ca, world.ports
    assert any("no TLS before ACME has brought it" in line for line in world.output)
    await world.eventually(lambda: offered(world.port), "STARTTLS to be offered")
    await world.eventually(partial(is_shown, world.port, ca.issued[0]), "it in all workers")
    await world.eventually(partial(is_told, implicit, ca.issued[0]), "it at the other port")
    assert world.pem.stat().st_mode & 0o777 == 0o600
    [account] = ca.accounts.values()
    assert account.contact == ["mailto:postmaster@example.com"]
    challenges = world.pem.parent / "challenges"
    await world.until(lambda: not list(challenges.iterdir()), "challenges gone")
    assert (await ask(http, "/status")).status == 404
    assert (await ask(http, "/status", host="evil.example")).status == 421
    assert (await ask(http, "/status", method="POST")).status == 405


async def is_renewed(world: Secured, admin: Operator) -> None:
    """New connections see the new one, and who is connected is not disturbed."""
    async with world.call() as before:
        assert await admin.say("acme renew mx") == f"{world.pem}: until {day(world.ca.ends)}"
        assert len(world.ca.issued) == 2
        await world.eventually(partial(is_shown, world.port, world.ca.issued[1]), "the new one")
        assert (await before.say("MAIL FROM:<a@sender.test>")).startswith("250")
    status = await admin.say("acme status")
    assert re.search(r"ends: \d{4}-\d\d-\d\d .* in (89\.9|90\.0) days", status)
    assert "failed" not in status


def day(at: datetime.datetime) -> str:
    return f"{at:%Y-%m-%d}"


async def fails(world: Secured, admin: Operator) -> None:
    """The old one stays, and people are told."""
    world.ca.refuses = "rateLimited"
    said = await admin.fails("acme renew")
    assert "the authority answers 429: too many orders" in said
    told = "no new certificate for"
    await world.until(lambda: any(told in line for line in world.output), "an alarm")
    assert await shown(world.port) == der(world.ca.issued[1])
    status = await admin.say("acme status")
    assert "1 order has failed: the authority answers 429" in status
