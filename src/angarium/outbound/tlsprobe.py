"""Looks at the TLS of a host as a delivery would: a session up to EHLO over TLS, and no message.

The verdict is that of the code which sends mail; only what is written over the connection is ours.
"""

import asyncio
import os
from dataclasses import dataclass
from typing import Final, cast

from angarium.core.errors import Error
from angarium.core.reply import Reply
from angarium.net import address
from angarium.net.tls.clients import Recipe
from angarium.net.tls.errors import TlsError
from angarium.net.tls.layer import TlsLayer
from angarium.outbound.route import Hop
from angarium.outbound.secured import Plan, Securing, Verdict, reply_of
from angarium.outbound.terms import IF_AVAILABLE, TOLD, Terms
from angarium.wire.smtp_client import SmtpClient

CLOSED: Final = Reply(451, "the host ended the connection", "4.4.2")
SILENT: Final = Reply(451, "the host does not answer", "4.4.1")


@dataclass(frozen=True, slots=True)
class Looked:
    """What a host has shown.

    Attributes:
        failure: why nothing could be sent; "" if it could.
        in_clear: it could, but without TLS.
        version, cipher: of TLS, "" where it did not come to it.
        certificate: the host's, in DER.
        result: of RFC 8460 section 4.3; "" where nothing is wrong with the certificate.
        reason: a few words, where something is.
    """

    failure: str = ""
    in_clear: bool = False
    version: str = ""
    cipher: str = ""
    certificate: bytes = b""
    result: str = ""
    reason: str = ""


async def look(
    securing: Securing,
    hop: Hop,
    domain: str,
    name: str,
    seconds: float,
    authorities: str | None = None,
) -> Looked:
    """Connect to a host and return what it shows; never an exception for what is the host's.

    Args:
        domain: to which mail would go.
        name: what we call ourselves.
        seconds: for all of it.
        authorities: a file; None: those of the system.
    """
    recipe = Recipe(authorities=authorities)
    wanted = Terms(IF_AVAILABLE, TOLD, fallback=False, recipe=recipe)
    try:
        plan = securing.plan(hop, wanted, domain, seconds)
    except Error as error:
        return Looked(str(error))
    assert plan is not None  # Something is wanted.
    client = SmtpClient(name, tls=plan.wish.tls)
    begun = asyncio.get_running_loop().time()
    try:
        transport, session = await address.connect(
            lambda: _Session(client, plan), hop.address, hop.port, within=seconds
        )
    except TimeoutError:
        return Looked(SILENT.text)
    except OSError as error:
        code = error.errno
        return Looked(str(error) or type(error).__name__ if code is None else os.strerror(code))
    left = seconds - (asyncio.get_running_loop().time() - begun)
    try:
        async with asyncio.timeout(max(left, 0.1)):
            return await session.done
    except TimeoutError:
        return Looked(SILENT.text)
    finally:
        transport.abort()


class _Session(asyncio.Protocol):
    """One connection."""

    def __init__(self, client: SmtpClient, plan: Plan) -> None:
        self._client = client
        self._plan = plan
        self._transport: asyncio.Transport | None = None
        self._verdict: Verdict | None = None
        self.done: asyncio.Future[Looked] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._client.receive(data)
        self._advance()
        if self._client.shaking and self._transport is not None:
            self._transport = self._plan.begin(self._transport, self, self._secured)

    def connection_lost(self, error: Exception | None) -> None:
        reply = reply_of(error, CLOSED)
        reason = error.reason if isinstance(error, TlsError) else ""
        self._end(f"{reply.text}: {reason}" if reason else reply.text)

    def _secured(self, layer: TlsLayer) -> None:
        self._verdict = verdict = self._plan.judge(layer)
        if verdict.refusal is not None:
            self._end(verdict.refusal.text)
            return
        self._client.secured()
        self._advance()

    def _advance(self) -> None:
        client, transport = self._client, self._transport
        if transport is not None:
            while out := client.data_to_send():
                transport.writelines(out)
        if client.lost is not None:
            self._end(client.lost.reply.text)
        elif client.extensions is not None:
            self._end("")

    def _end(self, failure: str) -> None:
        if self.done.done():
            return
        verdict = self._verdict
        if verdict is None:
            self.done.set_result(Looked(failure, in_clear=not failure))
            return
        assured = verdict.assured
        self.done.set_result(
            Looked(
                failure, False, assured.version, assured.cipher, assured.certificate,
                verdict.result, verdict.reason,
            )
        )  # fmt: skip
