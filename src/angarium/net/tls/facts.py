"""What a handshake has agreed on, and whom it has shown."""

import ssl
from dataclasses import dataclass
from typing import Any, Final

_DER: Final = 2  # _ssl.ENCODING_DER


@dataclass(frozen=True, slots=True)
class Facts:
    """One connection's.

    Attributes:
        version: "TLSv1.3" or the like; empty when there is no TLS yet.
        cipher: the name of the suite, as OpenSSL has it, and `bits` of its key.
        resumed: it went on with an earlier session, so nobody showed a certificate again.
        certificate: the peer's, in DER, whether it was verified or not; empty when it has none.
        chain: what the peer sent, in DER, its own certificate first; nothing of it is verified.
    """

    version: str = ""
    cipher: str = ""
    bits: int = 0
    resumed: bool = False
    certificate: bytes = b""
    chain: tuple[bytes, ...] = ()


def facts(tls: ssl.SSLObject) -> Facts:
    cipher = tls.cipher()
    version = tls.version()
    if cipher is None or version is None:
        return Facts()
    return Facts(
        version=version,
        cipher=cipher[0],
        bits=cipher[2],
        resumed=bool(tls.session_reused),
        certificate=tls.getpeercert(binary_form=True) or b"",
        chain=_chain(tls),
    )


def _chain(tls: ssl.SSLObject) -> tuple[bytes, ...]:
    # A method of SSLObject from Python 3.13 on, which returns the octets.
    inner: Any = tls._sslobj  # type: ignore[attr-defined]
    return tuple(bytes(each.public_bytes(_DER)) for each in inner.get_unverified_chain() or ())
