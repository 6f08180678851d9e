"""What a handshake has agreed on, and whom it has shown."""

import functools
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from angarium.net.tls.contexts import Connection, Context, end_point

_DER: Final = 2  # _ssl.ENCODING_DER


@dataclass(frozen=True, slots=True)
class Facts:
    """One connection's.

    Attributes:
        version: "TLSv1.3" or the like; empty when there is no TLS yet.
        cipher: the name of the suite, as OpenSSL has it, and `bits` of its key.
        resumed: it went on with an earlier session, so nobody showed a certificate again.
        certificate: the peer's, in DER, whether it was verified or not; empty when it has none.
        verified: it has shown a certificate, and the context trusts who signed it.
        verdict: OpenSSL's number of what is wrong with a certificate that was only judged.
        asked: the name by which a client has called us (SNI).
        chain: what the peer sent, in DER, its own certificate first; nothing of it is verified.
    """

    version: str = ""
    cipher: str = ""
    bits: int = 0
    resumed: bool = False
    certificate: bytes = b""
    verified: bool = False
    verdict: int = 0
    asked: str = ""
    chain: tuple[bytes, ...] = ()


def facts(tls: ssl.SSLObject) -> Facts:
    cipher = tls.cipher()
    version = tls.version()
    if cipher is None or version is None:
        return Facts()
    certificate = tls.getpeercert(binary_form=True) or b""
    return Facts(
        version=version,
        cipher=cipher[0],
        bits=cipher[2],
        resumed=bool(tls.session_reused),
        certificate=certificate,
        verified=_verified(tls),
        verdict=tls.verdict if isinstance(tls, Connection) else 0,
        asked=tls.asked if isinstance(tls, Connection) else "",
        chain=_chain(tls) if certificate else (),
    )


def _chain(tls: ssl.SSLObject) -> tuple[bytes, ...]:
    # A method of SSLObject from Python 3.13 on, which returns the octets.
    inner: Any = tls._sslobj  # type: ignore[attr-defined]
    return tuple(bytes(each.public_bytes(_DER)) for each in inner.get_unverified_chain() or ())


def _verified(tls: ssl.SSLObject) -> bool:
    if tls.context.verify_mode is ssl.CERT_NONE or not tls.getpeercert(binary_form=True):
        return False
    return not (isinstance(tls, Connection) and tls.verdict)


def _verified_peer(tls: ssl.SSLObject) -> object:
    """Return the peer's certificate as `ssl` tells it, None if it was not verified."""
    return tls.getpeercert() if _verified(tls) else None


def _bindings(tls: ssl.SSLObject) -> Mapping[str, bytes]:
    """Return what a login can be bound to (RFC 5929): the certificate of the server, of either."""
    context = tls.context
    if not tls.server_side:
        point = _end_point(tls.getpeercert(binary_form=True) or b"")
    else:
        point = context.end_point if isinstance(context, Context) else b""
    return {"tls-server-end-point": point} if point else {}


@functools.lru_cache(maxsize=256)
def _end_point(certificate: bytes) -> bytes:
    """Return the hash of a host's certificate, in DER; b"" if it is none, or has none."""
    try:
        return end_point(x509.load_der_x509_certificate(certificate))
    except (ValueError, UnsupportedAlgorithm):
        return b""


# What a transport is asked for (`get_extra_info`): asyncio's names, and two of ours.
EXTRA: Final[Mapping[str, Callable[[ssl.SSLObject], object]]] = {
    "ssl_object": lambda tls: tls,
    "sslcontext": lambda tls: tls.context,
    "peercert": lambda tls: tls.getpeercert(),
    "cipher": lambda tls: tls.cipher(),
    "compression": lambda tls: tls.compression(),
    "verified_peer": _verified_peer,
    "channel_bindings": _bindings,
}


def algorithm_bits(cipher: str, used: int) -> int:
    """Return the bits of the algorithm of a cipher; of them fewer may be used."""
    return _algorithm_bits().get(cipher, used)


@functools.cache
def _algorithm_bits() -> dict[str, int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL")
    return {str(each["name"]): int(each["alg_bits"]) for each in context.get_ciphers()}
