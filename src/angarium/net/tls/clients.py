"""Contexts of clients: what the options make of TLS to a host, and the sessions to go on with.

    clients = Clients(configuration.top(TlsLibrary), clock)
    context = clients.context(recipe)
    kept = clients.kept(context, place)         an earlier session, and what was seen in it
    clients.keep(context, place, session, seen)

The rule which keeps it simple: OpenSSL says who signed a certificate, and we whether its name is
the host's; a context knows no host. Equal recipes share a context, as long as there are not too
many; a new generation begins without any.
"""

import enum
import functools
import ipaddress
import ssl
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from angarium.config.held import NOTHING, Held
from angarium.core.clock import Clock
from angarium.net.options.acme import is_coming
from angarium.net.options.tls import Certificates, OutboundTls, TlsLibrary
from angarium.net.tls import library
from angarium.net.tls.contexts import (
    Connection,
    Context,
    limit,
    load,
    named,
    strengthen,
    trust,
)
from angarium.net.tlspolicy.dane import is_called

# Each with the authorities of a file of its own has up to 2 MB.
MOST_CONTEXTS: Final = 128
# Each has some 4 KB, the most of it the host's certificate.
MOST_SESSIONS: Final = 2000
# After that a host is looked at anew, although its tickets may be good for days.
SESSION_SECONDS: Final = 3600.0
NOT_JUDGED: Final = 1  # X509_V_ERR_UNSPECIFIED: the library did not let us ask

Place = tuple[str, str, int]  # the name the host is called by, its address and port


class Trust(enum.Enum):
    """Who signed a host's certificate."""

    ANYBODY = "nobody looks"
    JUDGED = "it is found out, and told"
    NEEDED = "one of the authorities, or there is no connection"


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that a context is made of."""

    certificate: str | None = None
    key: str | None = None
    authorities: str | None = None  # None: the system's
    protocols: str = "+ALL"
    ciphers: str = "DEFAULT"
    suites: str | None = None
    trust: Trust = Trust.ANYBODY


def recipe(outbound: OutboundTls, certificates: Certificates) -> Recipe:
    """Return what the options make, whoever is trusted."""
    return Recipe(
        named(certificates.tls_certificate),
        named(certificates.tls_key),
        named(outbound.tls_ca),
        certificates.tls_protocols,
        certificates.tls_ciphers,
        certificates.tlsv13_ciphersuites or None,
    )


class HostConnection(Connection):
    """One connection to a host.

    Attributes:
        wrong: OpenSSL's numbers of all that is wrong with the certificates it has shown.
    """

    wrong: tuple[int, ...] = ()

    def judged(self, wrong: list[int]) -> None:
        Connection.judged(self, wrong)
        self.wrong += tuple(wrong)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a host has shown, once.

    Attributes:
        wrong: see HostConnection; of contexts which judge.
        chain: its certificates, in DER.
    """

    wrong: tuple[int, ...] = ()
    chain: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """A session to go on with, until a time of the monotonic clock."""

    session: ssl.SSLSession
    seen: Seen
    until: float


class Clients:
    """Those of one generation.

    Args:
        awaited: certificates of ours which come by themselves; until then none is shown.
        held: files which could be read at the start only.
    """

    def __init__(
        self,
        shared: TlsLibrary,
        clock: Clock,
        awaited: frozenset[str] = frozenset(),
        held: Held = NOTHING,
    ) -> None:
        self._shared = shared
        self._awaited = awaited
        self._held = held
        self._clock = clock
        self._made: OrderedDict[Recipe, Context] = OrderedDict()
        self._since: dict[Recipe, float] = {}
        self._kept: OrderedDict[tuple[Context, Place], Kept] = OrderedDict()

    def context(self, wanted: Recipe) -> Context:
        """Return the context of a recipe. Raises ContextError."""
        found = self._made.get(wanted)
        if found is None:
            if len(self._made) >= MOST_CONTEXTS:
                oldest, old = self._made.popitem(last=False)
                del self._since[oldest]
                for key in [key for key in self._kept if key[0] is old]:
                    del self._kept[key]
            known = wanted
            if wanted.certificate is not None and is_coming(wanted.certificate, self._awaited):
                known = replace(wanted, certificate=None, key=None)
            found = self._made[wanted] = made(known, self._shared, self._held)
            self._since[wanted] = self._clock.monotonic()
        else:
            self._made.move_to_end(wanted)
        return found

    def kept(self, context: Context, place: Place) -> Kept | None:
        """Return a session of a host."""
        kept = self._kept.get((context, place))
        if kept is not None and kept.until <= self._clock.monotonic():
            del self._kept[context, place]
            return None
        return kept

    def keep(self, context: Context, place: Place, session: ssl.SSLSession, seen: Seen) -> None:
        """Keep a session for the next connections to the host, if it can be gone on with."""
        if not session.has_ticket and not session.id:
            return
        key = (context, place)
        self._kept.pop(key, None)
        if len(self._kept) >= MOST_SESSIONS:
            self._kept.popitem(last=False)
        self._kept[key] = Kept(session, seen, self._clock.monotonic() + SESSION_SECONDS)

    def forget(self, context: Context, place: Place) -> None:
        """Begin anew with a host: going on did not work."""
        self._kept.pop((context, place), None)

    def flush(self) -> None:
        """Forget all: files are read again, hosts are looked at anew."""
        self._made.clear()
        self._since.clear()
        self._kept.clear()

    def contexts(self) -> Mapping[Recipe, float]:
        """Return what there are contexts of, and since which time of the monotonic clock."""
        return self._since

    @property
    def sizes(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return how many contexts there are, and at most; and the same of sessions."""
        return (len(self._made), MOST_CONTEXTS), (len(self._kept), MOST_SESSIONS)


def made(wanted: Recipe, shared: TlsLibrary, held: Held = NOTHING) -> Context:
    """Make a context. Raises ContextError."""
    context = Context(ssl.PROTOCOL_TLS_CLIENT)
    context.sslobject_class = HostConnection
    context.check_hostname = False
    context.options |= ssl.OP_NO_RENEGOTIATION
    limit(context, wanted.protocols)
    strengthen(context, wanted.ciphers, wanted.suites, shared)
    if wanted.certificate is not None:
        load(context, wanted.certificate, wanted.key, "tls_certificate", held)
    if wanted.trust is Trust.ANYBODY:
        context.verify_mode = ssl.CERT_NONE
        return context
    if wanted.authorities is None:
        context.set_default_verify_paths()
    else:
        trust(context, wanted.authorities, held, "tls_ca")
    context.verify_mode = ssl.CERT_REQUIRED
    if wanted.trust is Trust.JUDGED:
        try:
            library.judge_host(context)
        except library.UnsupportedError:
            context.verify_mode = ssl.CERT_NONE
    return context


def wrong_with(connection: ssl.SSLObject, context: ssl.SSLContext) -> tuple[int, ...]:
    """Return what is wrong with the certificates of a host whose context judges them."""
    if context.verify_mode is ssl.CERT_NONE or not isinstance(connection, HostConnection):
        return (NOT_JUDGED,)
    return connection.wrong


def called(certificate: bytes, names: Iterable[str]) -> bool:
    """Say whether a certificate, in DER, is for a host which goes by one of these names.

    By its alternative names; one which has none by its common name, as RFC 6125 section 6.4.4
    still has it.
    """
    return any(_called(certificate, name) for name in names)


@functools.lru_cache(maxsize=256)
def _called(der: bytes, name: str) -> bool:
    try:
        certificate = x509.load_der_x509_certificate(der)
    except ValueError:
        return False
    return _is_called(certificate, name)


def _is_called(certificate: x509.Certificate, name: str) -> bool:
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return is_called(certificate, name) or _commonly(certificate, name)
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        return address in found.value.get_values_for_type(x509.IPAddress)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return False


def _commonly(certificate: x509.Certificate, name: str) -> bool:
    try:
        certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        pass
    except (x509.DuplicateExtension, ValueError):
        return False
    else:
        return False
    common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    label, _, parent = name.lower().removesuffix(".").partition(".")
    wanted = {f"{label}.{parent}", f"*.{parent}"} if "." in parent else {name.lower()}
    return any(str(each.value).lower().removesuffix(".") in wanted for each in common)
