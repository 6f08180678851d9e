"""TLS of the sink, against the client of the standard library."""

import asyncio
import smtplib
import ssl
from pathlib import Path

import pytest

from angarium.lab.sink import Sink
from helpers.certificates import authority, client_context, server_context

LETTER = "Subject: hi\r\n\r\nhello\r\n"


def deliver(port: int, context: ssl.SSLContext) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        client._host = "localhost"  # type: ignore[attr-defined]
        client.starttls(context=context)
        client.sendmail("a@x.test", ["b@y.test"], LETTER)


async def test_a_session_becomes_secure_and_is_told(tmp_path: Path) -> None:
    async with Sink(tls=server_context(tmp_path)) as sink:
        await asyncio.to_thread(deliver, sink.port, client_context())
        (letter,) = sink.accepted
        assert letter.tls == "TLSv1.3"
        secured = sink.sessions[0].secured
        assert secured is not None
        assert (secured.name, secured.resumed, secured.certificate) == ("localhost", False, b"")
        assert sink.counts.handshakes == {"TLSv1.3": 1}


async def test_a_client_which_asks_for_more_is_told_no_and_counted(tmp_path: Path) -> None:
    async with Sink(tls=server_context(tmp_path)) as sink:
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.to_thread(deliver, sink.port, ssl.create_default_context())
        while not sink.counts.handshakes:  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert sink.counts.handshakes == {"failed": 1}
        while sink.counts.open:  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert sink.counts.open == 0


async def test_the_certificate_of_a_client_is_kept(tmp_path: Path) -> None:
    context = server_context(tmp_path)
    context.load_verify_locations(cadata=authority().pem.decode())
    context.verify_mode = ssl.CERT_REQUIRED
    ours = client_context()
    ours.load_cert_chain(*authority().signed("client.test").write(tmp_path, "client"))
    async with Sink(tls=context) as sink:
        await asyncio.to_thread(deliver, sink.port, ours)
        secured = sink.sessions[0].secured
        assert secured is not None
        assert b"client.test" in secured.certificate


async def test_without_a_context_it_is_no_command() -> None:
    async with Sink() as sink:
        with pytest.raises(smtplib.SMTPNotSupportedError):
            await asyncio.to_thread(deliver, sink.port, client_context())
