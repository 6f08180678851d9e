"""Failures of TLS, which are the connection's: it is over when one of them is told.

TlsError            what went wrong, with whom, and OpenSSL's word for it
 +-- HandshakeError before the connection was secure: nothing has been said over it
"""

import asyncio
import enum
import ssl

from angarium.core.errors import Error


class Trouble(enum.Enum):
    """What kind of failure it is."""

    CERTIFICATE = "the peer's certificate was not accepted"
    PROTOCOL = "the peer and we do not agree, or it speaks something else"
    TIMEOUT = "the handshake took too long"
    CLOSED = "the peer hung up during the handshake"
    TOO_MUCH = "the peer sent too much for a handshake"
    CROWDED = "too many handshakes were under way, and this one was the oldest"
    GIVEN_UP = "we gave the handshake up"


class TlsError(Error):
    """TLS failed.

    Attributes:
        trouble: its kind.
        reason: the cause in a few words, OpenSSL's where it is OpenSSL's.
        peer: the address, with port; empty where there is none.
        verify_code: OpenSSL's number of what is wrong with a certificate; 0: nothing.
    """

    def __init__(self, trouble: Trouble, reason: str, peer: str, verify_code: int = 0) -> None:
        super().__init__(trouble.value, reason=reason, peer=peer)
        self.trouble = trouble
        self.reason = reason
        self.peer = peer
        self.verify_code = verify_code


class HandshakeError(TlsError):
    """It failed before the connection was secure."""


def explained(error: ssl.SSLError) -> tuple[Trouble, str, int]:
    """Return what kind of failure OpenSSL tells of, its reason, and the code of verification."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Trouble.CERTIFICATE, error.verify_message, error.verify_code
    reason = (getattr(error, "reason", None) or "").lower().replace("_", " ")
    return Trouble.PROTOCOL, reason or "unknown", 0


def peer_of(transport: asyncio.BaseTransport) -> str:
    """Return the peer's address as logs have it; empty where it has none."""
    name = transport.get_extra_info("peername")
    if not isinstance(name, tuple):
        return ""
    host, port = str(name[0]), int(name[1])
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
