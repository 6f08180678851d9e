"""What a listener's options say of TLS, made ready for its sessions."""

from dataclasses import dataclass
from typing import Final

from angarium.net.options.tls import InboundTls
from angarium.net.tls.contexts import Context


@dataclass(frozen=True, slots=True)
class Terms:
    """For one client.

    Attributes:
        context: None: there is no certificate, or it cannot be used.
        implicit: the connection begins with TLS.
        rejects_injected: who sends anything behind STARTTLS has to go; else it is forgotten.
        trusts_verified: a client whose certificate was verified may send to any domain.
    """

    context: Context | None = None
    implicit: bool = False
    rejects_injected: bool = True
    trusts_verified: bool = False

    @property
    def offered(self) -> bool:
        """Whether there is STARTTLS."""
        return self.context is not None and not self.implicit


CLEAR: Final = Terms()


def terms(options: InboundTls, context: Context | None) -> Terms:
    return Terms(
        context,
        implicit=options.use_ssl,
        rejects_injected=options.starttls_injection_policy == "reject",
        trusts_verified=options.tls_verified_peer_can_relay,
    )
