"""`angarium certificate`, and `create_ssl_cert`: a key with a certificate, or a request for one.

    create_ssl_cert SERVICE HOSTNAME PREFIX [USER]      as Momentum: PREFIX/server.key, server.crt

The key is made here, written once and only for the server; a file that is there is never replaced.
"""

import ipaddress
import os
import pwd
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NoReturn, TypeAlias

import click
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from angarium.config import durable
from angarium.core.address import routing_domain
from angarium.run.secret_files import OWN as KEY_MODE
from angarium.run.secret_files import give

FAILED, USAGE = 1, 2
DAYS: Final = 365
BITS: Final = 2048
KINDS: Final = ("rsa:2048", "rsa:3072", "rsa:4096", "ec:p256", "ec:p384", "ed25519")
SERVICES: Final = ("msyspg", "ecconfigd")
USER: Final = "ecuser"
MODE: Final = 0o644
_MOST_NAME: Final = 64  # ub-common-name, RFC 5280 appendix A.1

# What cryptography calls a private key has no one type.
Key: TypeAlias = Any


@click.command(
    "certificate",
    short_help="make a key with a certificate, or a request for one",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, dir_okay=False),
    help="The certificate, or the request; PEM.",
)  # fmt: skip
@click.option(
    "--key", "key_path", required=True, type=click.Path(path_type=Path, dir_okay=False),
    help="The private key: made, for us and the server; with --use-key read.",
)  # fmt: skip
@click.option("--use-key", is_flag=True, help="Take the key that is there, as for a renewal.")
@click.option("--csr", is_flag=True, help="Make a request for an authority, not a certificate.")
@click.option("--kind", type=click.Choice(KINDS), default=KINDS[0], show_default=True, help="Key.")
@click.option(
    "--days", type=click.IntRange(1, 3650), default=DAYS, show_default=True, help="Valid so long."
)
def command(
    names: tuple[str, ...], out: Path, key_path: Path, *, use_key: bool, csr: bool, kind: str,
    days: int,
) -> None:  # fmt: skip
    """Make a self-signed certificate for host names and addresses, with a new key.

    Each NAME is a host name (*.example.com too) or an IP address; all of them are in
    subjectAltName, the first one is the common name. Files that are there are not replaced. Exit
    code 0 if they were made, 1 if not, 2 for wrong usage.
    """
    make(names, out, key_path, kind=kind, days=days, csr=csr, use_key=use_key)


@click.command("create_ssl_cert", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("service", type=click.Choice(SERVICES))
@click.argument("hostname")
@click.argument("prefix", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.argument("user", default=USER)
def create_ssl_cert(service: str, hostname: str, prefix: Path, user: str) -> None:
    """Make PREFIX/server.key and PREFIX/server.crt: RSA of 2048 bits, valid for a year.

    As root the files are given to USER. The old ones must have been removed.
    """
    owner: tuple[int, int] | None = None
    if os.geteuid() == 0:
        try:
            found = pwd.getpwnam(user)
        except KeyError:
            _fail(f"there is no user {user}")
        owner = (found.pw_uid, found.pw_gid)
    make([hostname], prefix / "server.crt", prefix / "server.key", owner=owner)


def make(
    names: Sequence[str], out: Path, key_path: Path, *, kind: str = KINDS[0], days: int = DAYS,
    csr: bool = False, use_key: bool = False, owner: tuple[int, int] | None = None,
) -> None:  # fmt: skip
    """Make the files, or end with what is wrong."""
    subjects = [_subject(each) for each in names]
    if out.exists() or (key_path.exists() and not use_key):
        _fail(f"{out if out.exists() else key_path} is there already; remove it, or name another")
    try:
        key = _read_key(key_path) if use_key else _new_key(kind)
        made = _request(subjects, key) if csr else _certificate(subjects, key, days)
        if not use_key:
            _write(key_path, _pem_of_key(key), KEY_MODE, owner)
        try:
            _write(out, made, MODE, owner)
        except OSError:
            if not use_key:
                with suppress(OSError):
                    key_path.unlink()
            raise
    except (OSError, ValueError) as error:
        _fail(str(error))


def _fail(text: str) -> NoReturn:
    click.echo(f"certificate: {text}", err=True)
    sys.exit(FAILED)


def _subject(name: str) -> x509.GeneralName:
    with suppress(ValueError):
        return x509.IPAddress(ipaddress.ip_address(name.strip("[]")))
    found = routing_domain(name.removeprefix("*."))
    if found is None or found.startswith("["):
        raise click.UsageError(f"{name!r} is no host name and no address")
    return x509.DNSName(f"*.{found}" if name.startswith("*.") else found)


def _named(subjects: Sequence[x509.GeneralName]) -> x509.Name:
    first = str(subjects[0].value)
    # RFC 6125: the common name is for people; where it is too long there is none.
    if len(first) > _MOST_NAME:
        return x509.Name([])
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, first)])


def _new_key(kind: str) -> Key:
    family, _, size = kind.partition(":")
    if family == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=int(size))
    if family == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(ec.SECP256R1() if size == "p256" else ec.SECP384R1())


def _digest(key: Key) -> Any:
    return None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()


def _certificate(subjects: Sequence[x509.GeneralName], key: Key, days: int) -> bytes:
    name, now = _named(subjects), datetime.now(UTC)
    usage = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))  # for peers whose clocks are late
        .not_valid_after(now + timedelta(days=days))
        # RFC 5280 section 4.2.1.6: critical where the subject is empty.
        .add_extension(x509.SubjectAlternativeName(subjects), critical=not list(name))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usage), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, _digest(key))
    )
    return made.public_bytes(Encoding.PEM)


def _request(subjects: Sequence[x509.GeneralName], key: Key) -> bytes:
    made = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(_named(subjects))
        .add_extension(x509.SubjectAlternativeName(subjects), critical=False)
        .sign(key, _digest(key))
    )
    return made.public_bytes(Encoding.PEM)


def _pem_of_key(key: Key) -> bytes:
    pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem


def _read_key(path: Path) -> Key:
    try:
        return load_pem_private_key(path.read_bytes(), None)
    except TypeError as error:
        raise ValueError(f"{path} is encrypted") from error


def _write(path: Path, octets: bytes, mode: int, owner: tuple[int, int] | None) -> None:
    """Write a file under a name that must not be there."""

    def own(handle: int) -> None:
        if owner is None and mode == KEY_MODE:
            give(handle)
            return
        if owner is not None:
            os.fchown(handle, *owner)
        os.fchmod(handle, mode)

    draft = path.with_name(f".{path.name}.new")
    durable.write(str(draft), octets, mode, prepare=own)
    try:
        os.link(draft, path)  # Not rename: that would replace one which has come meanwhile.
    finally:
        draft.unlink()
    durable.sync_folder(str(path.parent))


def main() -> None:
    create_ssl_cert()


if __name__ == "__main__":
    main()
