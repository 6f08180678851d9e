"""One host with TLS for a worker's outbound, and a domain which may demand something of it.

async with Story(tmp_path, right(), demand, "at starttls reply 454 no", tls="required") as story:
    assert await story.sent() == "TLSv1.3"
    story.told.results
"""

import asyncio
import dataclasses
import hashlib
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self, cast

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from angarium.lab.sink import Sink
from angarium.net.options.tls import OutboundTls, TlsLibrary
from angarium.net.options.tlspolicy import Dane
from angarium.net.tls.handshakes import Handshakes
from angarium.net.tlspolicy.dane import Tlsa
from angarium.net.tlspolicy.demand import NOTHING, TLSA, Demand
from angarium.outbound.broken import Broken
from angarium.outbound.demands import Demands, Wanted
from angarium.outbound.route import Hop
from angarium.outbound.secured import Securing
from angarium.policy.shared.node import Shared
from helpers.certificates import Pair, authority, server_context
from helpers.sending import Sending


class Told:
    """Demands which are known, and what is heard of them."""

    def __init__(self, demand: Demand) -> None:
        self.demand = demand
        self.results: list[tuple[str, str, str]] = []

    async def rule(self, _domain: str, hops: Sequence[Hop], _wanted: Wanted) -> list[Hop]:
        return [dataclasses.replace(hop, demand=self.demand) for hop in hops]

    def heard(self, _demand: Demand, host: str, *rest: str) -> None:
        _address, _source, result, reason = rest
        self.results.append((host, result, reason))


class Story:
    """Mail to one host, which shows a certificate."""

    def __init__(
        self,
        folder: Path,
        pair: Pair | None,
        demand: Demand = NOTHING,
        script: str = "",
        **tls: Any,
    ) -> None:
        (folder / "ca.pem").write_bytes(authority().pem)
        self._context = None if pair is None else server_context(folder, pair)
        self._script, self._tls = script, {"tls_ca": str(folder / "ca.pem"), **tls}
        self.told = Told(demand)

    async def __aenter__(self) -> Self:
        self._stack = AsyncExitStack()
        self.sink = await self._stack.enter_async_context(Sink(self._script, tls=self._context))
        self.sending = sending = Sending(
            self.sink.port, transport={"idle_timeout": 0.0}, max_outbound_connections=1
        )
        configuration = cast(Any, sending.queues.configuration)
        configuration.tls = OutboundTls.make(**self._tls)
        configuration.dane = Dane.make(use_dane=True)
        handshakes = Handshakes(asyncio.get_running_loop())
        broken = Broken(Shared(sending.clock))
        self.securing = Securing(sending.clock, handshakes, broken, TlsLibrary.make())
        sending.pool.dialer = dataclasses.replace(
            sending.pool.dialer,
            securing=self.securing,
            demands=cast(Demands, self.told),
        )
        await self._stack.enter_async_context(sending)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def sent(self) -> str:
        """Send a message; return the version of TLS it went over."""
        before = len(self.sink.accepted)
        self.sending.put("b@example.test")
        await self.sending.until(lambda: len(self.sink.accepted) > before)
        await self.settled()
        return self.sink.accepted[-1].tls

    async def settled(self) -> None:
        """Wait until all connections have ended."""
        await self.sending.quiet()
        await self.sending.later(1.0)
        await self.sending.until(lambda: not self.sink.counts.open)

    async def put_off(self) -> tuple[int, str]:
        """Send a message which has to wait; return the stage and the reason."""
        self.sending.put("b@example.test")
        await self.sending.until(lambda: self.sending.delays)
        return self.sending.delays[-1].stage, self.sending.delays[-1].reason


def right() -> Pair:
    return authority().signed("mx.example.test")


def pinned(pair: Pair) -> Demand:
    key = x509.load_pem_x509_certificate(pair.certificate).public_key()
    digest = hashlib.sha256(
        key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).digest()
    found = (Tlsa(3, 1, 1, digest),)
    names = ("mx.example.test", "example.test")
    return Demand(TLSA, "mx.example.test", required=True, found=found, names=names)
