"""A server whose listeners speak TLS, as clients of other makers see it."""

import asyncio
import functools
import shutil
import signal
from pathlib import Path

import pytest

from helpers.certificates import Pair, authority, client_context, server
from helpers.world import World, reserved_port

pytestmark = pytest.mark.slow

ZONE = "example.com MX 10 mx.example.com\nmx.example.com A 127.0.0.1"
OTHERS = """
esmtp_listener {{
  listen "127.0.0.1:{implicit}" {{
    use_ssl = true
    tls_certificate = "{folder}/own.crt"
    tls_key = "{folder}/own.key"
  }}
}}
"""
LISTENER = """
  tls_certificate = "{folder}/own.crt"
  tls_key = "{folder}/own.key"
  tls_sni_certificates = [ "other.example" = "{folder}/other.pem" ]
"""
LETTER = "Subject: hello\r\n\r\nby TLS\r\n"


@functools.cache
def other() -> Pair:
    return authority().signed("other.example")


def prepared(folder: Path, port: int) -> tuple[str, str]:
    """Write certificates; return the configuration, and the options of the other listener."""
    server().write(folder, "own")
    (folder / "other.pem").write_bytes(other().whole)
    return (
        OTHERS.format(implicit=port, folder=folder),
        LISTENER.format(folder=folder),
    )


async def shown(port: int, name: str, *, implicit: bool = False) -> bytes:
    """Return the certificate which is shown to who calls the host so."""
    context = client_context()
    how = {"ssl": context, "server_hostname": name} if implicit else {}
    reader, writer = await asyncio.open_connection("127.0.0.1", port, **how)  # type: ignore[arg-type]
    assert (await reader.readline()).startswith(b"220 ")
    if not implicit:
        writer.write(b"STARTTLS\r\n")
        assert (await reader.readline()).startswith(b"220 ")
        await writer.start_tls(context, server_hostname=name)
    writer.write(b"QUIT\r\n")
    assert (await reader.readline()).startswith(b"221 ")
    tls = writer.get_extra_info("ssl_object")
    found: bytes = tls.getpeercert(binary_form=True)
    writer.close()
    return found


@pytest.mark.effect("tls_certificate", "tls_key")
async def test_a_certificate_is_changed_by_a_reload_and_a_bad_one_by_none(tmp_path: Path) -> None:
    with reserved_port() as keeper:
        implicit = keeper.getsockname()[1]
        more, listener = prepared(tmp_path, implicit)
        async with World(tmp_path, more, ZONE, listener=listener) as world:
            assert await shown(world.port, "localhost") == server().der
            assert await shown(world.port, "other.example") == other().der
            assert await shown(implicit, "localhost", implicit=True) == server().der
            newer = authority().signed("localhost")
            newer.write(tmp_path, "own")
            await world.reload(more)

            async def both() -> bool:
                clear = await shown(world.port, "localhost")
                return (clear, await shown(implicit, "localhost", implicit=True)) == (
                    newer.der,
                    newer.der,
                )

            await world.eventually(both, "the new certificate")
            (tmp_path / "own.key").write_bytes(server().key)
            world.signal(signal.SIGHUP)
            wrong = "is not that of the certificate"
            await world.until(lambda: any(wrong in line for line in world.output), "a refusal")
            assert await shown(world.port, "localhost") == newer.der


@pytest.mark.peer
@pytest.mark.skipif(shutil.which("swaks") is None, reason="needs swaks")
async def test_mail_comes_in_by_swaks(tmp_path: Path) -> None:
    with reserved_port() as keeper:
        implicit = keeper.getsockname()[1]
        more, listener = prepared(tmp_path, implicit)
        async with World(tmp_path, more, ZONE, listener=listener) as world:
            for port, how in ((world.port, "--tls"), (implicit, "--tlsc")):
                process = await asyncio.create_subprocess_exec(
                    *("swaks", "--server", f"127.0.0.1:{port}", how, "--to", "b@example.com"),
                    *("--from", "a@client.example", "--data", LETTER.replace("\r\n", "\\n")),
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.STDOUT,
                )
                said, _ = await process.communicate()
                assert process.returncode == 0, said.decode()
            for mail in await world.delivered(2):
                assert b"with ESMTPS" in mail.content
            await world.settled()
