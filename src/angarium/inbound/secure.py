"""A session of reception which speaks TLS: from the beginning, or by STARTTLS (RFC 3207).

    STARTTLS -> 220 -> the handshake -> the session begins anew, and knows nothing it heard in clear

The rule which keeps it simple: while the handshake is under way the session is held, so nothing
else happens here; what is between the session and the socket is `net/tls/layer`, a transport like
any other.
"""

from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from angarium.core.reply import Reply
from angarium.inbound import replies
from angarium.inbound.origin import endpoint
from angarium.inbound.services import Services
from angarium.inbound.waiting import WaitingSession
from angarium.net.tls.contexts import Context
from angarium.net.tls.errors import HandshakeError, Trouble
from angarium.net.tls.facts import Facts, algorithm_bits
from angarium.net.tls.layer import TlsLayer, secure
from angarium.wire.smtp_grammar import Command, Mail

_SETUP: Final = 21  # "esmtp setup phase", in rejectlog
_MAIL: Final = 4  # "awaiting mailfrom"


class SecureSession(WaitingSession):
    """One connection."""

    __slots__ = ("_shaking",)

    def __init__(self, services: Services, listen: str) -> None:
        super().__init__(services, listen)
        self._shaking = False

    def _admitted(self) -> None:
        if not self._profile.tls.implicit:
            super()._admitted()
        elif self._profile.tls.context is None or self._services.handshakes.full:
            self._leave(replies.TLS_TROUBLE, _SETUP)
        else:
            self._shake(self._profile.tls.context)

    def _leave(self, reply: Reply, phase: int) -> None:
        if self._shaking or (self._profile.tls.implicit and not self.origin.tls):
            # Said in clear it would be no answer to who expects TLS.
            self._reject(reply, phase)
            self.close()
        else:
            super()._leave(reply, phase)

    def lost(self, error: Exception | None) -> None:
        if self._shaking and isinstance(error, HandshakeError):
            self._shaking = False
            self._services.counts.unsecured(error.trouble)
            if error.trouble is not Trouble.GIVEN_UP:
                reason = f"{replies.TLS_FAILED.text} {error.reason}"
                self._reject(Reply(replies.TLS_FAILED.code, reason, "4.7.0"), _SETUP)
        super().lost(error)

    # STARTTLS.

    def _command(self, command: Command) -> None:
        if command.verb == "STARTTLS":
            self._starttls()
        else:
            super()._command(command)

    def _starttls(self) -> None:
        tls = self._profile.tls
        refusal = self._outdated()
        if refusal is None and self.origin.tls:
            refusal = replies.TLS_ALREADY
        if refusal is None and self._wire.pending and tls.rejects_injected:
            self._leave(replies.TLS_INJECTED, _SETUP)
            return
        if refusal is None and (tls.context is None or self._services.handshakes.full):
            refusal = replies.TLS_TROUBLE
        if refusal is not None:
            self._idle_verb(refusal)
            return
        self._wire.answer(replies.TLS_GO)
        self._flush()
        self._begin_anew()
        self._shake(tls.context)

    def _begin_anew(self) -> None:
        """Forget all that was said in clear."""
        self._end_transaction()
        self._wire.begin_anew()
        assert self.transport is not None
        peer = self.transport.get_extra_info("peername")
        self._profile = self._services.profiles.at(self._listen, endpoint(peer)[0])
        self.origin.forget(self._profile, peer)

    def _offered(self) -> str:
        offered, tls = super()._offered(), self._profile.tls
        if self.origin.tls:
            return f"{offered}\nREQUIRETLS"  # RFC 8689 section 3: never in clear
        return f"{offered}\nSTARTTLS" if tls.offered else offered

    def _mail(self, mail: Mail) -> None:
        if mail.requires_tls and not self.origin.tls:
            self._unwanted = True
            self._answer(replies.TLS_FIRST, _MAIL)
        else:
            super()._mail(mail)

    # The handshake.

    def _shake(self, context: Context | None) -> None:
        assert self.transport is not None
        assert context is not None
        self._held = self._shaking = True
        layer = secure(
            self.transport, self, context, self._services.handshakes, server_side=True,
            ready=self._shaken,
        )  # fmt: skip
        self.use(layer)

    def _shaken(self, layer: TlsLayer) -> None:
        """The connection is secure."""
        self._held = self._shaking = False
        facts = layer.facts
        self._services.counts.secured(facts)
        trusted = facts.verified and self._profile.tls.trusts_verified
        self.origin.secured(variables(facts), trusted=trusted)
        self._secured()
        self.pump()

    def _secured(self) -> None:
        """Go on, by TLS."""
        if self._profile.tls.implicit:
            self._welcome()


def variables(facts: Facts) -> dict[str, str]:
    """Return what policy and logs are told of a connection."""
    found = {
        "tls": "on",
        "tls_cipher": facts.cipher,
        "tls_cipher_algbits": str(algorithm_bits(facts.cipher, facts.bits)),
        "tls_cipher_usebits": str(facts.bits),
    }
    if facts.certificate:
        found |= _shown(facts.certificate)
        if facts.verified:
            found["tls_client_verified"] = "yes"
    return found


def _shown(der: bytes) -> dict[str, str]:
    """Return whom a client's certificate names, and who signed it."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        subject, issuer = certificate.subject, certificate.issuer
    except ValueError:
        return {}  # OpenSSL takes some which are not quite as they should be.
    return {
        "tls_client_cert_subject": subject.rfc4514_string(),
        "tls_client_cert_subject_cn": _common_name(subject),
        "tls_client_cert_issuer": issuer.rfc4514_string(),
        "tls_client_cert_issuer_cn": _common_name(issuer),
    }


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""
