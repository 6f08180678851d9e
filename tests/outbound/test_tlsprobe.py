"""A host's TLS is looked at as a delivery would, and no message is sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from angarium.lab.sink import Sink
from angarium.net.loop import RealClock
from angarium.net.options.tls import TlsLibrary
from angarium.net.tls.handshakes import Handshakes
from angarium.net.tlspolicy.demand import NOTHING, STS, Demand
from angarium.outbound.broken import Broken
from angarium.outbound.route import Hop
from angarium.outbound.secured import Securing
from angarium.outbound.tlsprobe import Looked, look
from angarium.policy.shared.node import Shared
from helpers.addresses import free_port
from helpers.certificates import Authority, Pair, authority, server_context

ENFORCED = Demand(STS, "example.com", (), required=True, checked=True)
OWN = "mx.example.com"


@asynccontextmanager
async def host(folder: Path, pair: Pair | None, script: str = "") -> AsyncIterator[int]:
    """Yield the port of a host."""
    context = None if pair is None else server_context(folder, pair)
    sink = Sink(script, [("127.0.0.1", 0)], tls=context)
    await sink.start()
    try:
        yield sink.port
    finally:
        await sink.stop()


async def looked(folder: Path, port: int, demand: Demand = NOTHING) -> Looked:
    ca = folder / "ca.pem"
    ca.write_bytes(authority().pem)
    loop = asyncio.get_running_loop()
    securing = Securing(
        RealClock(), Handshakes(loop), Broken(Shared(RealClock())), TlsLibrary.make()
    )
    hop = Hop(OWN, "127.0.0.1", port, demand=demand)
    return await look(securing, hop, "example.com", "us.test", 5.0, str(ca))


async def test_what_is_right_is_told_with_what_is_spoken(tmp_path: Path) -> None:
    pair = authority().signed(OWN)
    async with host(tmp_path, pair) as port:
        found = await looked(tmp_path, port)
    assert (found.failure, found.result, found.version) == ("", "", "TLSv1.3")
    assert found.certificate == pair.der


@pytest.mark.parametrize(
    ("pair", "result"),
    [
        (authority().signed("mx.elsewhere.test"), "certificate-host-mismatch"),
        (Authority("Nobody").signed(OWN), "certificate-not-trusted"),
    ],
)
@pytest.mark.parametrize("demand", [NOTHING, ENFORCED])
async def test_what_is_wrong_counts_where_it_is_demanded(
    tmp_path: Path, pair: Pair, result: str, demand: Demand
) -> None:
    async with host(tmp_path, pair) as port:
        found = await looked(tmp_path, port, demand)
    assert bool(found.failure) is demand.required
    if not demand.required:
        assert found.result == result


async def test_a_host_without_tls_takes_mail_in_clear_where_it_may(tmp_path: Path) -> None:
    async with host(tmp_path, None) as port:
        assert await looked(tmp_path, port) == Looked(in_clear=True)
        assert "STARTTLS" in (await looked(tmp_path, port, ENFORCED)).failure


@pytest.mark.parametrize(
    "script", ["at starttls reply 220 2.0.0 go then drop", "at banner reply 554 5.0.0 no"]
)
async def test_a_host_which_breaks_off_is_told(tmp_path: Path, script: str) -> None:
    async with host(tmp_path, authority().signed(OWN), script) as port:
        assert (await looked(tmp_path, port)).failure


async def test_where_nobody_listens_it_is_told(tmp_path: Path) -> None:
    port = free_port()
    assert "refused" in (await looked(tmp_path, port)).failure
