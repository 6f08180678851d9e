"""Why an attempt to deliver failed, and whom the failure concerns.

The replies that begin with "[internal]" are ours, in the words in which Momentum logs them, so
that what watches the logs goes on working.
"""

import enum
from typing import Final

from angarium.core.errors import Error
from angarium.core.reply import Reply
from angarium.wire.smtp_opening import NO_GO_AHEAD as NO_GO_AHEAD
from angarium.wire.smtp_opening import NOT_OFFERED as NOT_OFFERED
from angarium.wire.smtp_opening import NOT_STAYING as NOT_STAYING
from angarium.wire.smtp_transaction import Stage


class Reach(enum.Enum):
    """How far a failure reaches: what the scheduler does with the rest of the queue."""

    RECIPIENT = "this recipient only"
    MESSAGE = "every recipient of this message"
    HOST = "this host; try the next one"
    DOMAIN = "the whole domain; let it rest"


class DeliveryError(Error):
    """A recipient was not delivered to.

    Args:
        reply: what the host said, or what we say for it. Goes into bounces, hence
            holds nothing private; private detail belongs in the fields.
        reach: whom it concerns.
        stage: how far the session had come.
        octets: sent before the failure; 0 if no connection was made.
        remote: endpoint of the host; "" if none was reached.
        connection: id of the connection; 0 if none was made.
        tls: what the connection was, as events have it; "" in clear.
    """

    def __init__(
        self,
        reply: Reply,
        reach: Reach = Reach.RECIPIENT,
        stage: Stage = Stage.CONNECT,
        octets: int = 0,
        remote: str = "",
        connection: int = 0,
        tls: str = "",
        **fields: object,
    ) -> None:
        super().__init__(str(reply), **fields)
        self.reply = reply
        self.reach = reach
        self.stage = stage
        self.octets = octets
        self.remote = remote
        self.connection = connection
        self.tls = tls

    @property
    def temporary(self) -> bool:
        return self.reply.temporary


# No connection could be made.
UNREACHABLE: Final = Reply(
    421, "[internal] no MXs for this domain could be reached at this time", "4.4.0"
)
CONNECT_TIMEOUT: Final = Reply(450, "[internal] Connection Timed Out", "4.4.1")
NO_CONNECTION: Final = Reply(
    451, "[internal] No valid hosts (unable to make any connections)", "4.4.1"
)
# DNS has nothing to connect to.
NO_HOSTS: Final = Reply(451, "[internal] No valid hosts", "4.4.1")
NO_MX_OR_A: Final = Reply(454, "[internal] no MX or A for domain", "4.4.4")
LOOKUP_FAILED: Final = Reply(554, "[internal] Domain Lookup Failed", "5.4.4")
NULL_MX: Final = Reply(550, "[internal] NULL MX domain does not accept mail", "5.4.4")
PROHIBITED: Final = Reply(551, "[internal] Private/Loopback Address", "5.4.6")
NO_VALID_DOMAIN: Final = Reply(554, "No Valid Domain")
# Momentum has no words for these two; the codes are those of RFC 3463 section 3.5.
LOOPS_BACK: Final = Reply(554, "[internal] mail for this domain loops back to this host", "5.4.6")
SELF_IN_ROUTE: Final = Reply(451, "[internal] route names this host only", "4.4.6")
# The session broke off.
CLOSED: Final = Reply(451, "[internal] connection closed by remote host", "4.4.2")
NO_AUTH_RESPONSE: Final = Reply(451, "[internal] no AUTH response", "4.4.2")
# TLS. Momentum has no words for the last one.
NEGOTIATION_FAILED: Final = Reply(451, "[internal] TLS negotiation failed", "4.7.5")
NOT_SIGNED: Final = Reply(454, "[internal] SSL cert must be signed by a valid CA", "4.7.5")
NOT_CALLED: Final = Reply(454, "[internal] SSL cert common name does not match host", "4.7.5")
EXPIRED: Final = Reply(454, "certificate expired", "4.7.5")
NOT_YET: Final = Reply(454, "certificate not yet valid: possible clock skew", "4.7.5")
UNNAMED: Final = Reply(454, "[internal] certificate is not one which TLSA records name", "4.7.5")
UNVOUCHED: Final = Reply(
    451, "[internal] neither DNSSEC nor MTA-STS says that this is a host of the domain", "4.7.30"
)
# What a message may be spared which would rather arrive than be secure, and what one that has to
# stay secure is returned for.
OF_TLS: Final = (
    NOT_OFFERED, NO_GO_AHEAD, NEGOTIATION_FAILED, NOT_SIGNED, NOT_CALLED, EXPIRED, NOT_YET, UNNAMED,
    NOT_STAYING, UNVOUCHED,
)  # fmt: skip
NO_REPLY: Final = {
    Stage.CONNECT: CONNECT_TIMEOUT,
    Stage.BANNER: Reply(451, "[internal] no banner", "4.4.2"),
    Stage.EHLO: Reply(451, "[internal] no HELO/EHLO response", "4.4.2"),
    Stage.STARTTLS: NO_GO_AHEAD,
    Stage.TLS: NEGOTIATION_FAILED,
    Stage.XCLIENT: Reply(451, "[internal] no XCLIENT response", "4.4.2"),
    Stage.MAIL: Reply(451, "[internal] no MAIL FROM response", "4.4.2"),
    Stage.RCPT: Reply(451, "[internal] no RCPT TO response", "4.4.2"),
    Stage.DATA: Reply(451, "[internal] no DATA response", "4.4.2"),
    Stage.BODY: Reply(451, "[internal] send BODY failed", "4.4.2"),
    Stage.CONFIRM: Reply(451, "[internal] no BODY response", "4.4.2"),
    Stage.RSET: Reply(451, "[internal] no RSET response", "4.4.2"),
    Stage.IDLE: CLOSED,
}
# The message itself cannot go.
BLACKHOLED: Final = Reply(554, "[internal] Blackholed", "5.7.0")
BODY_MISSING: Final = Reply(550, "[internal] message body missing", "5.3.0")
UNREADABLE: Final = Reply(451, "[internal] message body cannot be read now", "4.3.0")
TOO_LARGE: Final = Reply(552, "[internal] message exceeds the size the host takes", "5.3.4")
NO_SMTPUTF8: Final = Reply(
    553, "[internal] host does not take internationalised addresses (SMTPUTF8)", "5.6.7"
)
NO_REQUIRETLS: Final = Reply(
    550, "[internal] no host of this domain offers REQUIRETLS and is sure to be it", "5.7.30"
)
NO_8BIT: Final = Reply(554, "[internal] host takes no 8-bit content", "5.6.3")
NO_BINARY: Final = Reply(554, "[internal] host takes no binary content", "5.6.1")
