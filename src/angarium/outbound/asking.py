"""Policy is asked how TLS to hosts is to be: by the message, and of the certificate shown.

asking = asked(policy)                  None where nobody would be asked
terms = asking.terms(terms, entry)
good = asking.good(...)
"""

from dataclasses import replace
from typing import Final

from cryptography import x509

from angarium.core.errors import Error
from angarium.core.reply import Reply
from angarium.outbound.terms import IF_AVAILABLE, NAMED, NO, REQUIRED, SIGNED, UNCHECKED, Terms
from angarium.policy import hooks
from angarium.policy.chain import Policy
from angarium.policy.hook import TlsParameters
from angarium.policy.mail import Mail
from angarium.queue.entry import Entry

# By their numbers in scripts.
_USES: Final = (NO, IF_AVAILABLE, REQUIRED)
_CHECKS: Final = (UNCHECKED, SIGNED, NAMED)
FAILED: Final = Reply(451, "[internal] policy could not say what TLS is to be", "4.3.0")


class PolicyTlsError(Error):
    """A handler failed, or gave something that is nothing."""


class Asking:
    """Who asks, by the policy in force."""

    __slots__ = ("_ciphers", "_parameters", "_policy", "_verify")

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._parameters = policy.chain(hooks.OutboundTls)
        self._ciphers = policy.chain(hooks.OutboundCiphers)
        self._verify = policy.chain(hooks.OutboundVerify)

    @property
    def about_messages(self) -> bool:
        """Whether it depends on the message."""
        return self._parameters is not None or self._ciphers is not None

    @property
    def about_certificates(self) -> bool:
        return self._verify is not None

    def terms(self, terms: Terms, entry: Entry) -> Terms:
        """Return what a connection for a message is to be. Raises PolicyTlsError."""
        mail = Mail(entry.message, [entry.recipient], None, entry.recipient)
        if self._parameters is not None:
            event = hooks.OutboundTls(mail, None, parameters(terms))
            self._parameters.ask(event)
            self._failed(mail)
            terms = changed(terms, event.params)
        if self._ciphers is not None:
            wanted = hooks.OutboundCiphers(mail)
            self._ciphers.ask(wanted)
            self._failed(mail)
            if wanted.ciphers:
                terms = replace(terms, recipe=replace(terms.recipe, ciphers=wanted.ciphers))
        return terms

    def _failed(self, mail: Mail) -> None:
        if mail.reply is self._policy.guard.failed:
            raise PolicyTlsError("a handler failed")

    def good(self, certificate: bytes, host: str, domain: str, *, good: bool) -> bool:
        """Return whether a certificate is good, in the eyes of policy."""
        if self._verify is None:
            return good
        subject = issuer = ""
        try:
            known = x509.load_der_x509_certificate(certificate)
            subject, issuer = known.subject.rfc4514_string(), known.issuer.rfc4514_string()
        except ValueError:
            pass  # It is none; nobody can say it is good but policy.
        event = hooks.OutboundVerify(good, host, domain, subject, issuer, certificate)
        self._verify.ask(event)
        return event.good


def asked(policy: Policy) -> Asking | None:
    """Return who asks; None where nobody would be asked."""
    found = Asking(policy)
    return found if found.about_messages or found.about_certificates else None


def parameters(terms: Terms) -> TlsParameters:
    """Return what the options say, as scripts know it."""
    recipe = terms.recipe
    verify = _CHECKS.index(terms.verify) if terms.verify in _CHECKS else 0
    return TlsParameters(
        _USES.index(terms.use), verify, recipe.certificate or "", recipe.key or "",
        recipe.authorities or "", recipe.ciphers,
    )  # fmt: skip


def changed(terms: Terms, given: TlsParameters) -> Terms:
    """Return the terms as policy has left them. Raises PolicyTlsError."""
    before = parameters(terms)
    if given == before:
        return terms
    if given.use_tls not in range(len(_USES)) or given.tls_verify not in range(len(_CHECKS)):
        numbers = f"use_tls {given.use_tls}, tls_verify {given.tls_verify}"
        raise PolicyTlsError("there is no such number", numbers=numbers)
    use, verify = _USES[given.use_tls], _CHECKS[given.tls_verify]
    if given.tls_verify == before.tls_verify:
        verify = terms.verify  # `optional` has no number.
    recipe = replace(
        terms.recipe,
        certificate=given.certfile or None,
        key=given.keyfile or None,
        authorities=given.ca or None,
        ciphers=given.cipherlist or terms.recipe.ciphers,
    )
    return replace(terms, use=use, verify=verify, recipe=recipe)
