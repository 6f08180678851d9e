"""Contexts of servers: what a listener's options make of TLS, read from disk once a generation.

    contexts = Contexts(configuration.top(TlsLibrary))
    context = contexts.context(certificates, inbound)       None: there is no certificate

The rule which keeps it simple: a context is made of values only, and equal values share one. Files
are read when it is made, so a new generation has what is on disk when it begins, and an old one
keeps what it had.
"""

import os
import pwd
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from angarium.config.held import NOTHING, Held
from angarium.core.errors import Error
from angarium.net.options.acme import is_coming
from angarium.net.options.tls import Certificates, InboundTls, TlsLibrary
from angarium.net.tls import library

NO_FILE: Final = "none"  # what undoes a certificate of an outer scope
_VERSIONS: Final = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}
DEFAULT_CIPHERS: Final = "DEFAULT"
_NO_DHE: Final = ":!kDHE:!kDHEPSK"


def _untold(_text: str) -> None:
    """Nobody hears it."""


class ContextError(Error):
    """TLS cannot be as the options want it.

    Attributes:
        option: which one is to blame.
    """

    def __init__(self, option: str, message: str, **fields: object) -> None:
        super().__init__(f"{option}: {message}", **fields)
        self.option = option


class Connection(ssl.SSLObject):
    """One connection of a server.

    Attributes:
        asked: the name by which the client called us (SNI), in lower case; empty: by none.
        verdict: OpenSSL's number of what is wrong with the client's certificate; 0: nothing.
    """

    asked: str = ""
    verdict: int = 0

    def do_handshake(self) -> None:
        library.with_verdict(super().do_handshake, self.judged)

    def judged(self, wrong: list[int]) -> None:
        """Take what is wrong with the certificates the peer has shown."""
        self.verdict = self.verdict or wrong[0]


class Context(ssl.SSLContext):
    """A context, and our own certificate in it."""

    end_point: bytes  # its hash, by which a login is bound to the connection (RFC 5929 section 4)

    def __new__(cls, *arguments: Any, **named: Any) -> Self:
        made = super().__new__(cls, *arguments, **named)
        made.end_point = b""
        return made


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that a context is made of."""

    certificate: str
    key: str | None
    names: tuple[tuple[str, str], ...]
    client_ca: str | None
    verify: str | None
    protocols: str
    ciphers: str
    suites: str | None


def recipe(certificates: Certificates, inbound: InboundTls) -> Recipe | None:
    """Return what the options make; None: no certificate, hence no TLS."""
    certificate = named(certificates.tls_certificate)
    if certificate is None:
        return None
    return Recipe(
        certificate,
        named(certificates.tls_key),
        tuple(sorted(inbound.tls_sni_certificates.items())),
        named(inbound.tls_client_ca),
        inbound.tls_verify_mode,
        certificates.tls_protocols,
        certificates.tls_ciphers,
        certificates.tlsv13_ciphersuites or None,
    )


def named(path: str | None) -> str | None:
    """Return the file an option names, if it does."""
    return None if path is None or path == NO_FILE else path


def _never() -> float:
    return 0.0


@dataclass(frozen=True, slots=True)
class Made:
    """A context, and since when it is there; monotonic."""

    context: Context
    since: float


@dataclass(slots=True)
class Contexts:
    """Those of one generation of the configuration.

    Attributes:
        shared: options of the whole server.
        tell: told why there is no TLS somewhere.
        now: the monotonic time.
        awaited: certificates which come by themselves; as long as they do not, there are none.
        held: files which could be read at the start only.
    """

    shared: TlsLibrary
    tell: Callable[[str], None] = _untold
    now: Callable[[], float] = _never
    awaited: frozenset[str] = frozenset()
    held: Held = NOTHING
    _made: dict[Recipe, Made] = field(default_factory=dict)

    def context(self, certificates: Certificates, inbound: InboundTls) -> Context | None:
        """Return the context for a place; None: it has no certificate. Raises ContextError."""
        wanted = recipe(certificates, inbound)
        if wanted is None or is_coming(wanted.certificate, self.awaited):
            return None
        if wanted not in self._made:
            self._made[wanted] = Made(self._make(wanted), self.now())
        return self._made[wanted].context

    def made(self) -> Sequence[tuple[Recipe, Made]]:
        """Return those which are there."""
        return list(self._made.items())

    def renew(self) -> tuple[int, list[str]]:
        """Make all anew; return how many were, and why others stay as they are."""
        kept: list[str] = []
        for wanted in list(self._made):
            try:
                self._made[wanted] = Made(self._make(wanted), self.now())
            except ContextError as error:
                kept.append(str(error))
        return len(self._made) - len(kept), kept

    def usable(self, certificates: Certificates, inbound: InboundTls) -> Context | None:
        """Return the context for a place; where it cannot be made that is told, and there is none.

        For what the supervisor has looked at before: mail goes on without TLS.
        """
        try:
            return self.context(certificates, inbound)
        except ContextError as error:
            self.tell(f"there is no TLS: {error}")
            return None

    def _make(self, wanted: Recipe) -> Context:
        context = self._plain(wanted, wanted.certificate, wanted.key, "tls_certificate")
        others = {
            name.lower(): self._plain(wanted, path, None, "tls_sni_certificates")
            for name, path in wanted.names
            if not is_coming(path, self.awaited)
        }

        def called(tls: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
            name = (name or "").lower().rstrip(".")
            if isinstance(tls, Connection):
                tls.asked = name
            found = others.get(name) or others.get("*." + name.partition(".")[2])
            if found is not None:
                tls.context = found

        context.sni_callback = called
        return context

    def _plain(self, wanted: Recipe, path: str, key: str | None, option: str) -> Context:
        """Return a context for one certificate."""
        context = Context(ssl.PROTOCOL_TLS_SERVER)
        context.sslobject_class = Connection
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.num_tickets = 1  # clients of mail open one connection at a time
        limit(context, wanted.protocols)
        strengthen(context, wanted.ciphers, wanted.suites, self.shared)
        if self.shared.tls_dhparams_file is not None:
            load_dh(context, self.shared.tls_dhparams_file, self.held)
        elif self.shared.tls_enable_dhe_ciphers:
            library.set_own_dh(context)
        library.remember_few_sessions(context)
        context.end_point = load(context, path, key, option, self.held)
        _ask(context, wanted, self.held)
        return context


def limit(context: ssl.SSLContext, protocols: str) -> None:
    """Allow the versions of tls_protocols. Raises ContextError where none is left."""
    allowed: set[str] = set()
    for word in protocols.split(":"):
        meant = _VERSIONS.keys() if word[1:] == "ALL" else _VERSIONS.keys() & {word[1:]}
        allowed = allowed | meant if word[0] == "+" else allowed - meant
    versions = [_VERSIONS[each] for each in sorted(allowed)]
    if not versions:
        raise ContextError("tls_protocols", f"{protocols} leaves none of {', '.join(_VERSIONS)}")
    context.minimum_version, context.maximum_version = versions[0], versions[-1]


def strengthen(
    context: ssl.SSLContext, ciphers: str, suites: str | None, shared: TlsLibrary
) -> None:
    """Set ciphers, suites and groups, for connections of either direction. Raises ContextError."""
    choose_ciphers(context, ciphers + ("" if shared.tls_enable_dhe_ciphers else _NO_DHE))
    choose_suites(context, suites)
    choose_groups(context, shared.tls_ec_curve_names)


def choose_ciphers(context: ssl.SSLContext, ciphers: str) -> None:
    try:
        context.set_ciphers(ciphers)
    except ssl.SSLError:
        raise ContextError("tls_ciphers", f"OpenSSL knows no cipher in {ciphers!r}") from None


def choose_suites(context: ssl.SSLContext, suites: str | None) -> None:
    _chosen(context, "tlsv13_ciphersuites", suites, library.set_suites)


def choose_groups(context: ssl.SSLContext, groups: str | None) -> None:
    _chosen(context, "tls_ec_curve_names", groups, library.set_groups)


def _chosen(
    context: ssl.SSLContext,
    option: str,
    value: str | None,
    use: Callable[[ssl.SSLContext, str], None],
) -> None:
    if value:
        try:
            use(context, value)
        except library.UnsupportedError as error:
            raise ContextError(option, error.message) from None


def load(
    context: ssl.SSLContext, path: str, key: str | None, option: str, held: Held = NOTHING
) -> bytes:
    """Load our certificate and its key; return its hash of RFC 5929. Raises ContextError."""
    try:
        leaf = x509.load_pem_x509_certificate(held.read(path))
    except OSError as error:
        raise ContextError(option, unread(path, error)) from None
    except ValueError:
        raise ContextError(option, f"there is no certificate in PEM in {path}") from None
    key = key or path
    blamed = option if key == path else "tls_key"
    try:
        with held.place(path) as certificate, held.place(key) as secret:
            # Without an answer it would ask a terminal for the passphrase.
            context.load_cert_chain(certificate, secret, password=lambda: "")
    except ssl.SSLError as error:
        raise ContextError(blamed, f"{_unloaded(error, path, key)}") from None
    except OSError as error:
        raise ContextError(blamed, unread(key, error)) from None
    return end_point(leaf)


def _unloaded(error: ssl.SSLError, path: str, key: str) -> str:
    reason = (error.reason or "").lower().replace("_", " ")
    if "mismatch" in reason:
        return f"the key in {key} is not that of the certificate in {path}"
    if "decrypt" in reason or "password" in reason:
        return f"the key in {key} has a passphrase, which nobody can give"
    return f"there is no private key in PEM in {key}" if not reason else f"{key}: {reason}"


def end_point(leaf: x509.Certificate) -> bytes:
    """Return a server's hash of RFC 5929 section 4.1; b"" where none is defined.

    It is by the hash of its signature, where that is weak by SHA-256; Ed25519 has none.
    """
    used = leaf.signature_hash_algorithm
    if used is None:
        return b""
    return leaf.fingerprint(hashes.SHA256() if isinstance(used, hashes.MD5 | hashes.SHA1) else used)


def load_dh(context: ssl.SSLContext, path: str, held: Held = NOTHING) -> None:
    try:
        with held.place(path) as name:
            context.load_dh_params(name)
    except ssl.SSLError:
        message = f"there are no parameters in PEM in {path}"
        raise ContextError("tls_dhparams_file", message) from None
    except OSError as error:
        raise ContextError("tls_dhparams_file", unread(path, error)) from None


def _ask(context: ssl.SSLContext, wanted: Recipe, held: Held) -> None:
    """Ask clients for certificates, as tls_verify_mode has it."""
    if wanted.verify == "none":
        return
    if wanted.client_ca is None:
        if wanted.verify == "require":
            message = "nobody's certificates count: tls_client_ca is not set"
            raise ContextError("tls_verify_mode", message)
        return
    trust(context, wanted.client_ca, held)
    if wanted.verify == "require":
        context.verify_mode = ssl.CERT_REQUIRED
        return
    try:
        library.judge_only(context)
    except library.UnsupportedError as error:
        raise ContextError("tls_client_ca", error.message) from None


def trust(
    context: ssl.SSLContext, path: str, held: Held = NOTHING, option: str = "tls_client_ca"
) -> None:
    """Let the certificates which these authorities have signed count. Raises ContextError."""
    try:
        with held.place(path) as name:
            context.load_verify_locations(name)
    except ssl.SSLError:
        raise ContextError(option, f"there is no certificate in PEM in {path}") from None
    except OSError as error:
        raise ContextError(option, unread(path, error)) from None


def unread(path: str, error: OSError) -> str:
    """Say that a file cannot be read, and who cannot where others may."""
    if isinstance(error, PermissionError):
        return f"{path} cannot be read by {_user()}: {error.strerror}"
    return f"{path} cannot be read: {error.strerror}"


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"user {os.geteuid()}"
