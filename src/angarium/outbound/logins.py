"""As whom a message logs in at the host it is sent to, and for which client it speaks there.

    login     by the options, or by variables of the message, which a hook may set
    claim     the client which brought the message, for hosts which take XCLIENT

Both belong to the message, so connections which carry several may have to say several.
"""

import secrets
from collections.abc import Callable
from typing import Final

from angarium.core.reply import Reply
from angarium.outbound.options import Transport
from angarium.policy import hooks
from angarium.policy.chain import Policy
from angarium.policy.context import Which
from angarium.policy.mail import Mail
from angarium.queue.entry import Entry
from angarium.wire.smtp_introduction import Claim, Login

KEY: Final = "outbound_smtp_auth_key"
NAMES: Final = ("outbound_smtp_auth_type", "outbound_smtp_auth_user", "outbound_smtp_auth_pass")
# The mechanisms, by their names in any case.
MECHANISMS: Final = {
    each.upper(): each
    for each in (
        "PLAIN", "LOGIN", "XOAUTH2", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-256",
        "SCRAM-SHA-256-PLUS", "OAUTHBEARER", "ANY",
    )
}  # fmt: skip
FAILED: Final = Reply(451, "[internal] policy could not say as whom to log in", "4.3.0")
UNKNOWN: Final = Reply(451, "[internal] outbound_smtp_auth_type names no mechanism", "4.3.5")
_UNAVAILABLE: Final = "[UNAVAILABLE]"


class HostLogins:
    """Who knows it, in the configuration and policy in force."""

    __slots__ = ("_nonce", "_policy", "by_message")

    def __init__(self, nonce: Callable[[], str] = secrets.token_hex) -> None:
        self._nonce = nonce
        self._policy: Policy | None = None
        self.by_message = False  # variables of messages count

    def use(self, policy: Policy, *, by_message: bool) -> None:
        """Go over to a policy."""
        self._policy = policy
        self.by_message = by_message or policy.chain(hooks.OutboundAuth) is not None

    def wanted(self, options: Transport) -> bool:
        """Say whether sessions by these options may have to introduce themselves."""
        return (
            self.by_message
            or options.xclient != "no"
            or (
                options.outbound_smtp_auth_type is not None
                and bool(options.outbound_smtp_auth_user)
            )
        )

    def login(self, entry: Entry, options: Transport) -> Login | Reply | None:
        """Return as whom a message logs in; None: as nobody. A reply: it cannot be found out."""
        mechanism, user, password = (
            options.outbound_smtp_auth_type,
            options.outbound_smtp_auth_user,
            options.outbound_smtp_auth_pass,
        )
        if self.by_message:
            mail = Mail(entry.message, [entry.recipient], None, entry.recipient)
            if not self._asked(mail, options.outbound_smtp_auth_key or ""):
                return FAILED
            told = [mail.get(Which.MESSAGE, name) for name in NAMES]
            mechanism, user, password = (
                known if one is None else one
                for one, known in zip(told, (mechanism, user, password), strict=True)
            )
        if not mechanism or not user:
            return None
        if mechanism.upper() not in MECHANISMS:
            return UNKNOWN
        return Login(
            MECHANISMS[mechanism.upper()],
            user,
            password or "",
            self._nonce(),
            options.outbound_smtp_auth_in_clear,
        )

    def _asked(self, mail: Mail, key: str) -> bool:
        """Ask policy; say whether it could answer.

        Args:
            key: what the options have for scripts, as a variable while they are asked: with the
                next attempt the message may go by another binding, which has another one.
        """
        chain = None if self._policy is None else self._policy.chain(hooks.OutboundAuth)
        if chain is None or self._policy is None:
            return True
        lent = key if mail.get(Which.MESSAGE, KEY) is None else ""
        if lent:
            mail.set(Which.MESSAGE, KEY, lent)
        chain.ask(hooks.OutboundAuth(mail, None))
        if lent and mail.get(Which.MESSAGE, KEY) == lent:
            mail.delete(Which.MESSAGE, KEY)
        return mail.reply is not self._policy.guard.failed


def claim(entry: Entry, options: Transport) -> Claim | None:
    """Return for which client a message speaks; None: for nobody."""
    if options.xclient == "no" or not entry.message.source:
        return None
    host, _, port = entry.message.source.rpartition(":")
    host = host.strip("[]")
    if not host:
        return None
    attributes = {
        "NAME": _UNAVAILABLE,
        "ADDR": f"IPV6:{host}" if ":" in host else host,
        "PORT": port if port.isdigit() and port != "0" else _UNAVAILABLE,
        "PROTO": "ESMTP",
        "HELO": _UNAVAILABLE,
        "LOGIN": _UNAVAILABLE,
    }
    return Claim(attributes, required=options.xclient == "required")
