"""Certificates for tests: an authority, and what it signs. Made once for each process."""

import datetime
import functools
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
YEARS = datetime.timedelta(days=3650)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, in PEM."""

    certificate: bytes
    key: bytes

    @property
    def whole(self) -> bytes:
        return self.certificate + self.key

    @property
    def der(self) -> bytes:
        return ssl.PEM_cert_to_DER_cert(self.certificate.decode())

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Write NAME.crt and NAME.key, and return where they are."""
        certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
        certificate.write_bytes(self.certificate)
        key.write_bytes(self.key)
        key.chmod(0o600)
        return certificate, key


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


class Authority:
    """Signs certificates which last some years, or did."""

    def __init__(self, name: str = "Test Authority") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.name = name
        signed = (
            self._builder(name, self._key, NOW, NOW + YEARS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.pem = signed.public_bytes(serialization.Encoding.PEM)

    def _builder(
        self,
        name: str,
        key: Key,
        begins: datetime.datetime,
        ends: datetime.datetime,
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(_name(self.name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(ends)
        )

    def signed(self, *names: str, ends: datetime.datetime = NOW + YEARS, old: bool = False) -> Pair:
        """Return a certificate for host names and addresses; the first is its common name too.

        Args:
            old: with a key of RSA.
        """
        key: Key = ec.generate_private_key(ec.SECP256R1())
        if old:
            key = rsa.generate_private_key(65537, 2048)
        begins = min(NOW, ends - datetime.timedelta(days=30))
        certificate = (
            self._builder(names[0], key, begins, ends)
            .add_extension(x509.SubjectAlternativeName([_general(each) for each in names]), False)
            .add_extension(
                x509.ExtendedKeyUsage(
                    [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
                ),
                False,
            )
            .sign(self._key, hashes.SHA256())
        )
        return Pair(certificate.public_bytes(serialization.Encoding.PEM), _pem(key))

    def granted(self, request: x509.CertificateSigningRequest, ends: datetime.datetime) -> bytes:
        """Return the certificate which a request asks for, in PEM, with ours after it."""
        wanted = request.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(request.subject)
            .issuer_name(_name(self.name))
            .public_key(request.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(ends - datetime.timedelta(days=90))
            .not_valid_after(ends)
            .add_extension(wanted.value, critical=not list(request.subject))
            .sign(self._key, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM) + self.pem


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@functools.cache
def authority() -> Authority:
    """Return the one of this process."""
    return Authority()


@functools.cache
def server() -> Pair:
    """Return the certificate of mx.example.com, localhost and 127.0.0.1."""
    return authority().signed("mx.example.com", "localhost", "127.0.0.1")


def server_context(folder: Path, pair: Pair | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*(pair or server()).write(folder, "server"))
    return context


def client_context() -> ssl.SSLContext:
    """Return one which trusts the authority of this process."""
    context = ssl.create_default_context(cadata=authority().pem.decode())
    context.check_hostname = True
    return context
