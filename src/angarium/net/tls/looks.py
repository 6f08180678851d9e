"""What can be wrong with the value of each option of TLS, in the library's eyes and on the disk.

for warning in LOOKS["tls_certificate"](value, key, held): ...        raises ContextError
"""

import datetime
import ssl
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from cryptography import x509

from angarium.config.held import NOTHING, Held
from angarium.net.tls import contexts

Look = Callable[..., Iterator[str]]  # by value and key; and what could be read once only

SOON_DAYS: Final = 14  # a certificate of ACME is renewed when it has 30 left


def _context() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)


def _certificate(value: Any, key: str | None, held: Held = NOTHING) -> Iterator[str]:
    if (path := contexts.named(value)) is not None:
        contexts.load(_context(), path, contexts.named(key), "tls_certificate", held)
        yield from dates(path, held)


def _by_name(value: Any, _key: str | None, held: Held = NOTHING) -> Iterator[str]:
    for path in value.values():
        contexts.load(_context(), path, None, "tls_sni_certificates", held)
        yield from dates(path, held)


def dates(path: str, held: Held = NOTHING) -> Iterator[str]:
    """Say what is wrong with the dates of a certificate."""
    leaf = x509.load_pem_x509_certificate(held.read(path))
    now = datetime.datetime.now(datetime.UTC)
    begins, ends = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    if ends < now:
        yield f"the certificate in {path} has expired on {ends:%Y-%m-%d}"
    elif (left := (ends - now).days) < SOON_DAYS:
        yield f"the certificate in {path} expires in {left} days"
    if begins > now:
        yield f"the certificate in {path} is valid from {begins:%Y-%m-%d} on"


def _nothing(call: Callable[[ssl.SSLContext, Any], None]) -> Look:
    """Return what looks at a value which is right or wrong, without a warning between."""
    return _nothing_of_files(lambda context, value, _held: call(context, value))


def _nothing_of_files(call: Callable[[ssl.SSLContext, Any, Held], None]) -> Look:
    """Return the same for a value which names a file."""

    def look(value: Any, _key: str | None, held: Held = NOTHING) -> Iterator[str]:
        if value is not None and value != contexts.NO_FILE:
            call(_context(), value, held)
        return iter(())

    return look


LOOKS: Final[Mapping[str, Look]] = {
    "tls_certificate": _certificate,
    "tls_sni_certificates": _by_name,
    "tls_client_ca": _nothing_of_files(contexts.trust),
    "tls_ca": _nothing_of_files(partial(contexts.trust, option="tls_ca")),
    "tls_protocols": _nothing(contexts.limit),
    "tls_ciphers": _nothing(contexts.choose_ciphers),
    "tlsv13_ciphersuites": _nothing(contexts.choose_suites),
    "tls_ec_curve_names": _nothing(contexts.choose_groups),
    "tls_dhparams_file": _nothing_of_files(contexts.load_dh),
}
