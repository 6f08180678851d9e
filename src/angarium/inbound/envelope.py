"""The envelope of one message: what MAIL and RCPT may say here, and what they said.

Each question is answered by a reply; a positive one has been noted.
"""

from collections.abc import Callable

from angarium.core.address import split
from angarium.core.message import Recipient
from angarium.core.reply import Reply
from angarium.inbound import replies
from angarium.inbound.profile import Profile
from angarium.wire.smtp_grammar import BAD_MAIL, BAD_RCPT, NEEDS_UTF8, Mail, Rcpt


def nothing_blackholed(domain: str) -> bool:
    return False


class Envelope:
    """Made by an accepted MAIL; lives until the transaction ends.

    Args:
        trusted: the client may send to any domain; see `trust`.
        on_connection: recipients which the session named before.
    """

    __slots__ = (
        "_blackholed",
        "_domain",
        "_on_connection",
        "_profile",
        "mail",
        "recipients",
        "sender",
        "trusted",
    )

    def __init__(
        self,
        profile: Profile,
        mail: Mail,
        *,
        trusted: bool,
        on_connection: int = 0,
        blackholed: Callable[[str], bool] = nothing_blackholed,
    ) -> None:
        self._profile = profile
        self._blackholed = blackholed
        self._on_connection = on_connection
        self.mail = mail
        self.sender = mail.address
        self.recipients: list[Recipient] = []
        self.trusted = trusted
        self._domain = ""  # of the sender

    def begin(self) -> Reply:
        """Say whether this sender may begin a message."""
        profile, mail = self._profile, self.mail
        options = profile.options
        if 0 < options.max_message_size < mail.size:
            return replies.TOO_LARGE
        domain = mail.domain
        if not mail.address:
            if not options.allow_null_envelope_sender:
                return replies.NULL_SENDER
        elif not domain:
            added = options.domain_for_unqualified_sender_address
            if not added:
                return BAD_MAIL
            self.sender = f"{mail.address}@{added}"
            domain = added.lower()
        self._domain = domain
        if not self.trusted:
            self.trust(client=False)
        return replies.MAIL_OK

    def trust(self, *, client: bool) -> None:
        """Let it go to any domain, or not: by its client, or else by the sender it has named."""
        domain = self._domain
        self.trusted = client or (bool(domain) and self._profile.relay.trusts_sender(domain))

    def add(self, rcpt: Rcpt) -> Reply:
        """Say whether mail for this recipient is taken, and note it if so."""
        profile, recipients = self._profile, self.recipients
        options = profile.options
        address, domain = rcpt.address, rcpt.domain
        if 0 < options.max_recipients_per_message <= len(recipients):
            return replies.NO_MORE_RECIPIENTS
        if 0 < options.max_recipients_per_connection <= self._on_connection + len(recipients):
            return replies.NO_MORE_ON_CONNECTION
        if not domain:
            added = options.domain_for_unqualified_recipient_addresses
            if not added:
                return BAD_RCPT
            address, domain = f"{address}@{added}", added.lower()
        if domain[0] == "[" and not options.allow_ip_literal:
            return BAD_RCPT
        if not self.mail.utf8 and not address.isascii():
            return NEEDS_UTF8
        if not self.trusted and not profile.relay.accepts(domain):
            return replies.RELAYING_DENIED
        if self._blackholed(domain):
            return replies.BLACKHOLED
        recipients.append(Recipient(address, domain, notify=rcpt.notify, orcpt=rcpt.orcpt))
        return replies.RCPT_OK

    @property
    def is_ascii(self) -> bool:
        return self.sender.isascii() and all(each.address.isascii() for each in self.recipients)

    def variables(self, rcpt: Rcpt | None = None) -> dict[str, str]:
        """Return the message context as logs show it, `rcpt` being the last recipient named."""
        mail = self.mail
        local, domain = split(mail.address)
        variables = {
            "mailfrom_domain": domain,
            "mailfrom_string": f"MAIL {mail.text}",
            "mailfrom_localpart": local,
        }
        if rcpt is not None:
            note(rcpt, variables)
        return variables


def note(rcpt: Rcpt, variables: dict[str, str]) -> None:
    """Set those variables which a recipient sets by being the last one named."""
    local, domain = split(rcpt.address)
    variables["rcptto_domain"] = domain
    variables["rcptto_string"] = f"RCPT {rcpt.text}"
    variables["rcptto_localpart"] = local
