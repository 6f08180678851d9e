"""A connection to which somebody listens writes what any other does."""

import dataclasses
from pathlib import Path

import pytest

from angarium.net.tracing import Tracer, Tracing
from angarium.outbound.traced import Heard
from helpers.hosts import Story, right


class Transport:
    def __init__(self) -> None:
        self.written = b""
        self.abort = self.close = self.set_write_buffer_limits = self.get_extra_info = None

    def writelines(self, pieces: list[bytes]) -> None:
        self.written += b"".join(pieces)


class Ear:
    def __init__(self) -> None:
        self.heard = b""

    def client(self, octets: bytes) -> None:
        self.heard += octets


def test_all_that_is_written_is_heard_even_of_an_iterator() -> None:
    transport, ear = Transport(), Ear()
    heard = Heard(transport, ear)  # type: ignore[arg-type]
    heard.writelines(iter([b"MAIL ", b"FROM"]))
    assert transport.written == ear.heard == b"MAIL FROM"


@pytest.mark.parametrize("script", ["", "at starttls reply 220 2.0.0 go then drop"])
async def test_who_listens_hears_a_secure_connection_in_clear_text(
    tmp_path: Path, script: str
) -> None:
    told: list[str] = []
    async with Story(tmp_path, right(), script=script, tls="ifavailable") as story:
        tracing = Tracing(story.sending.clock)
        tracing.tracers[1] = Tracer(told.append, story.sending.clock.monotonic() + 1000.0, 1 << 20)
        pool = story.sending.pool
        pool.dialer = dataclasses.replace(pool.dialer, tracing=tracing)
        await story.sent()
    text = "\n".join(told)
    assert "C: STARTTLS" in text
    assert "TLS begins" in text
    assert "C: MAIL FROM:<a@sender.test>" in text
    if script:
        assert "TLS failed: " in text
    else:
        assert "TLSv1.3 TLS_AES_256_GCM_SHA384" in text
        assert text.index("TLSv1.3") < text.rindex("C: EHLO") < text.index("C: MAIL")
