"""What can be wrong with the value of each option of TLS, in the library's eyes and on the disk.

for warning in LOOKS["tls_certificate"](value, key): ...        raises ContextError
"""

import datetime
import ssl
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from cryptography import x509

from angarium.net.tls import contexts

SOON_DAYS: Final = 14  # a certificate of ACME is renewed when it has 30 left


def _context() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)


def _certificate(value: Any, key: str | None) -> Iterator[str]:
    if (path := contexts.named(value)) is not None:
        contexts.load(_context(), path, contexts.named(key), "tls_certificate")
        yield from dates(path)


def _by_name(value: Any, _key: str | None) -> Iterator[str]:
    for path in value.values():
        contexts.load(_context(), path, None, "tls_sni_certificates")
        yield from dates(path)


def dates(path: str) -> Iterator[str]:
    """Say what is wrong with the dates of a certificate."""
    leaf = x509.load_pem_x509_certificate(Path(path).read_bytes())
    now = datetime.datetime.now(datetime.UTC)
    begins, ends = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    if ends < now:
        yield f"the certificate in {path} has expired on {ends:%Y-%m-%d}"
    elif (left := (ends - now).days) < SOON_DAYS:
        yield f"the certificate in {path} expires in {left} days"
    if begins > now:
        yield f"the certificate in {path} is valid from {begins:%Y-%m-%d} on"


def _nothing(call: Callable[[ssl.SSLContext, Any], None]) -> Callable[..., Iterator[str]]:
    """Return what looks at a value which is right or wrong, without a warning between."""

    def look(value: Any, _key: str | None) -> Iterator[str]:
        if value is not None and value != contexts.NO_FILE:
            call(_context(), value)
        return iter(())

    return look


LOOKS: Final[Mapping[str, Callable[[Any, str | None], Iterator[str]]]] = {
    "tls_certificate": _certificate,
    "tls_sni_certificates": _by_name,
    "tls_client_ca": _nothing(contexts.trust),
    "tls_protocols": _nothing(contexts.limit),
    "tls_ciphers": _nothing(contexts.choose_ciphers),
    "tlsv13_ciphersuites": _nothing(contexts.choose_suites),
    "tls_ec_curve_names": _nothing(contexts.choose_groups),
    "tls_dhparams_file": _nothing(contexts.load_dh),
}
