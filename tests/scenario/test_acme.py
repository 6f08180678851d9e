"""A server which gets its certificates by ACME, from the first start to the renewal."""

import asyncio
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

ZONE = "example.com MX 10 mx.example.com\nmx.example.com A 127.0.0.1"
NAME = "mx.node.test"
CONFIG = """
http_listener {{
  listen "127.0.0.1:{http}" {{ only_challenges = true }}
}}
esmtp_listener {{
  listen "127.0.0.1:{implicit}" {{
    use_ssl = true
    tls_certificate = "{folder}/tls/mx.pem"
  }}
}}
acme "mx" {{
  directory = "{directory}"
  terms_agreed = true
  names = ( {names} )
  certificate = "{folder}/tls/mx.pem"
  ca_file = "{folder}/root.pem"
  contact = ( "postmaster@node.test" )
}}
"""
LISTENER = 'tls_certificate = "{folder}/tls/mx.pem"'


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
    assert (await reader.readline()).startswith(b"220 ")
    await writer.start_tls(client_context(), server_hostname=NAME)
    found: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return found


async def tells(port: int) -> bytes:
    """Return the certificate which is shown where TLS is from the beginning."""
    _, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=client_context(), server_hostname=NAME
    )
    found: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return found


def der(chain: bytes) -> bytes:
    return x509.load_pem_x509_certificate(chain).public_bytes(serialization.Encoding.DER)


def configured(folder: Path, ca: AcmeServer, ports: tuple[int, int], names: str = NAME) -> str:
    return CONFIG.format(
        http=ports[0], implicit=ports[1], folder=folder, directory=ca.directory, names=names
    )


@pytest.mark.effect("acme.directory", "acme.ca_file", "acme.certificate", "acme.names")
@pytest.mark.effect("acme.terms_agreed", "only_challenges")
async def test_a_certificate_comes_is_used_and_is_renewed(tmp_path: Path) -> None:
    (tmp_path / "tls").mkdir()
    (tmp_path / "root.pem").write_bytes(authority().pem)
    listener = LISTENER.format(folder=tmp_path)
    with reserved_port() as keeper, reserved_port() as other:
        ports = keeper.getsockname()[1], other.getsockname()[1]
        async with AcmeServer(ports[0]).serving() as ca:
            ca.stale, ca.broken = 2, 1
            config = configured(tmp_path, ca, ports)
            async with World(tmp_path, config, ZONE, listener=listener, workers=2) as world:
                await comes(world, ca, ports)
                async with operator(world.state) as admin:
                    await is_renewed(world, ca, admin)
                    await fails(world, ca, admin)
                ca.refuses = ""
                await world.reload(configured(tmp_path, ca, ports, f"{NAME} mail.node.test"))
                await world.until(lambda: len(ca.issued) == 3, "a certificate for both names")
                await world.eventually(partial(is_shown, world.port, ca.issued[2]), "it shown")
                await world.settled()
                orders = len(ca.orders)
                assert await world.stop() == 0
                await world.start()
                assert await shown(world.port) == der(ca.issued[2])
                async with operator(world.state) as admin:
                    await world.eventually(partial(knows, admin, "mail.node.test"), "its status")
                assert len(ca.orders) == orders


async def knows(admin: Operator, name: str) -> bool:
    said, end = await admin.ask("acme status")
    return not end.failed and name in said


async def is_shown(port: int, chain: bytes) -> bool:
    return await shown(port) == der(chain)


async def comes(world: World, ca: AcmeServer, ports: tuple[int, int]) -> None:
    """There was none at the start: STARTTLS is offered when there is one."""
    assert any("no TLS before ACME has brought it" in line for line in world.output)
    await world.eventually(lambda: offered(world.port), "STARTTLS to be offered")
    assert await shown(world.port) == await tells(ports[1]) == der(ca.issued[0])
    assert (world.folder / "tls" / "mx.pem").stat().st_mode & 0o777 == 0o600
    account = next(iter(ca.accounts.values()))
    assert account.contact == ["mailto:postmaster@node.test"]
    await world.until(lambda: not list(kept(world, "challenges").iterdir()), "challenges gone")
    assert (await ask(ports[0], "/status")).status == 404
    assert (await ask(ports[0], "/status", host="evil.example")).status == 421
    assert (await ask(ports[0], "/status", method="POST")).status == 405


def kept(world: World, name: str) -> Path:
    return world.state / "acme" / name


async def is_renewed(world: World, ca: AcmeServer, admin: Operator) -> None:
    """New connections see the new one, and who is connected is not disturbed."""
    async with world.call() as before:
        said = await admin.say("acme renew mx")
        assert said.startswith(f"{world.folder}/tls/mx.pem: until ")
        assert len(ca.issued) == 2
        await world.eventually(partial(is_shown, world.port, ca.issued[1]), "the new one")
        assert (await before.say("MAIL FROM:<a@sender.test>")).startswith("250")
    status = await admin.say("acme status")
    assert re.search(r"ends: \d{4}-\d\d-\d\d .* in (89\.9|90\.0) days", status)
    assert "failed" not in status


async def fails(world: World, ca: AcmeServer, admin: Operator) -> None:
    """The old one stays, and people are told."""
    ca.refuses = "rateLimited"
    said = await admin.fails("acme renew")
    assert "the authority answers 429: too many orders" in said
    told = "no new certificate for"
    await world.until(lambda: any(told in line for line in world.output), "an alarm")
    assert await shown(world.port) == der(ca.issued[1])
    status = await admin.say("acme status")
    assert "1 order has failed: the authority answers 429" in status
