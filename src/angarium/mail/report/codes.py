"""The bounce classes and connection stages, as logs and reports number them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class BounceClass:
    """What kind of failure a reply is; codes below 100 may be added by configuration."""

    code: int
    name: str
    category: str  # Undetermined, Hard, Soft, Admin or Block
    meaning: str

    @property
    def symbol(self) -> str:
        """The name scripts know it by, as BC_SOFT_TIMEOUT."""
        name = re.sub("[^A-Z]+", "_", self.name.upper())
        soft = SOFT < self.code < ADMIN_FAILURE
        return f"BC_SOFT_{name}" if soft else f"BC_{name}"


UNDETERMINED: Final = 1
INVALID_RECIPIENT: Final = 10
SOFT: Final = 20
DNS_FAILURE: Final = 21
MAILBOX_FULL: Final = 22
TOO_LARGE: Final = 23
TIMEOUT: Final = 24
ADMIN_FAILURE: Final = 25
NO_RCPT: Final = 30
GENERIC: Final = 40
MAIL_BLOCK: Final = 50
SPAM_BLOCK: Final = 51
SPAM_CONTENT: Final = 52
PROHIBITED_ATTACHMENT: Final = 53
RELAYING_DENIED: Final = 54
AUTO_REPLY: Final = 60
TRANSIENT: Final = 70
SUBSCRIBE: Final = 80
UNSUBSCRIBE: Final = 90
CHALLENGE: Final = 100

CLASSES: Final[Mapping[int, BounceClass]] = {
    each.code: each
    for each in (
        BounceClass(UNDETERMINED, "Undetermined", "Undetermined", "no rule knows the reply"),
        BounceClass(INVALID_RECIPIENT, "Invalid Recipient", "Hard", "there is no such address"),
        BounceClass(SOFT, "Soft Bounce", "Soft", "refused for now"),
        BounceClass(DNS_FAILURE, "DNS Failure", "Soft", "the domain could not be looked up"),
        BounceClass(MAILBOX_FULL, "Mailbox Full", "Soft", "the mailbox is over its quota"),
        BounceClass(TOO_LARGE, "Too Large", "Soft", "the message is too large for the host"),
        BounceClass(TIMEOUT, "Timeout", "Soft", "its time in the queue was over"),
        BounceClass(ADMIN_FAILURE, "Admin Failure", "Admin", "our own policy failed it"),
        BounceClass(NO_RCPT, "Generic Bounce: No RCPT", "Hard", "a bounce of an unknown recipient"),
        BounceClass(GENERIC, "Generic Bounce", "Soft", "refused without a reason"),
        BounceClass(MAIL_BLOCK, "Mail Block", "Block", "the host refuses our mail"),
        BounceClass(SPAM_BLOCK, "Spam Block", "Block", "the sender is known for spam"),
        BounceClass(SPAM_CONTENT, "Spam Content", "Block", "the content looks like spam"),
        BounceClass(
            PROHIBITED_ATTACHMENT, "Prohibited Attachment", "Block", "an attachment is refused"
        ),
        BounceClass(RELAYING_DENIED, "Relaying Denied", "Block", "the host does not relay for us"),
        BounceClass(AUTO_REPLY, "Auto-Reply", "Soft", "an automatic answer"),
        BounceClass(TRANSIENT, "Transient Failure", "Soft", "delivery is put off"),
        BounceClass(SUBSCRIBE, "Subscribe", "Admin", "a request to join a list"),
        BounceClass(UNSUBSCRIBE, "Unsubscribe", "Hard", "a request to leave a list"),
        BounceClass(CHALLENGE, "Challenge-Response", "Soft", "the sender shall prove itself"),
    )
}

STAGES: Final[Mapping[int, str]] = dict(
    enumerate(
        (
            "while not connected",
            "while idle",
            "during MAIL FROM",
            "after MAIL FROM",
            "during RCPT TO",
            "after RCPT TO",
            "during DATA",
            "after DATA",
            "while sending BODY",
            "reading confirmation",
            "during EHLO",
            "after EHLO",
            "reading BANNER",
            "during RSET",
            "after RSET",
            "during STARTTLS",
            "after STARTTLS",
            "handshaking TLS",
            "renegotiating TLS",
            "during XCLIENT",
            "after XCLIENT",
            "out of band bounce",
            "in unknown state",
        )
    )
)
OUT_OF_BAND: Final = 21
