"""TLS of a sink, by asyncio's own: no line of it is shared with the server it judges.

sink = Sink(script, tls=context)      it offers STARTTLS then
"""

import asyncio
import ssl
from dataclasses import dataclass
from typing import Final

SECONDS: Final = 30.0  # for a handshake


@dataclass(frozen=True, slots=True)
class Secured:
    """What a handshake came to.

    Attributes:
        name: by which the client called us (SNI).
        certificate: the client's, in DER.
    """

    version: str
    cipher: str
    resumed: bool
    name: str = ""
    certificate: bytes = b""


class _Called(ssl.SSLObject):
    name: str = ""


def offering(context: ssl.SSLContext) -> ssl.SSLContext:
    """Let a context note by which names it is called."""

    def noted(connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        if isinstance(connection, _Called):
            connection.name = name or ""

    context.sslobject_class = _Called
    context.sni_callback = noted
    return context


async def secured(
    transport: asyncio.Transport, protocol: asyncio.Protocol, context: ssl.SSLContext
) -> tuple[asyncio.Transport, Secured] | None:
    """Make a connection secure; None: it failed, and is closed."""
    loop = asyncio.get_running_loop()
    try:
        made = await loop.start_tls(
            transport, protocol, context, server_side=True, ssl_handshake_timeout=SECONDS
        )
    except (OSError, TimeoutError):  # What OpenSSL says is one too.
        return None
    if made is None:
        return None
    tls = made.get_extra_info("ssl_object")
    return made, Secured(
        tls.version() or "",
        (tls.cipher() or ("",))[0],
        bool(tls.session_reused),
        getattr(tls, "name", ""),
        tls.getpeercert(binary_form=True) or b"",
    )
