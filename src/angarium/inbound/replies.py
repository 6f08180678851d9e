"""What sessions of reception say. Texts and codes as Momentum has them, where it has them.

Made once: a reply keeps its octets.
"""

from typing import Final

from angarium.core.reply import Reply
from angarium.journal.errors import SpoolError

MAIL_OK: Final = Reply(250, "MAIL FROM accepted", "2.0.0")
RCPT_OK: Final = Reply(250, "RCPT TO accepted.", "2.0.0")
GO_ON: Final = Reply(354, 'continue.  finished with "\\r\\n.\\r\\n"')
OK: Final = Reply(250, "OK", "2.0.0")
CHUNK_OK: Final = Reply(250, "chunk received", "2.0.0")
# RFC 5321 section 3.5.3: 252 says neither yes nor no, so addresses cannot be harvested by it.
VRFY: Final = Reply(252, "send some mail, and it will be tried", "2.0.0")
EXPN: Final = Reply(502, "lists are not expanded", "5.5.1")
HELP: Final = Reply(
    214,
    "EHLO HELO MAIL RCPT DATA BDAT\nRSET NOOP VRFY HELP QUIT\nsee RFC 5321",
    "2.0.0",
)

# The connection.
BUSY: Final = Reply(421, "Service unavailable, concurrency limit reached", "4.4.5")
UNAVAILABLE: Final = Reply(421, "Service unavailable", "4.4.5")
EXHAUSTED: Final = Reply(421, "allocated resources exceeded", "4.3.4")
TOO_MANY_ERRORS: Final = Reply(421, "too many errors", "4.7.0")
TOO_MANY_IDLE: Final = Reply(421, "too many commands which bring no mail", "4.7.0")
IDLE: Final = Reply(421, "idle for too long", "4.4.2")
TOO_LATE: Final = Reply(421, "the message took too long", "4.4.2")
TOO_SLOW: Final = Reply(421, "the message comes too slowly", "4.4.2")

# Who it is (RFC 4954 section 6).
AUTHENTICATED: Final = Reply(235, "authentication successful", "2.7.0")
WRONG_PASSWORD: Final = Reply(535, "authentication credentials invalid", "5.7.8")
MALFORMED: Final = Reply(501, "malformed authentication exchange", "5.5.2")
AUTH_TROUBLE: Final = Reply(454, "temporary authentication failure", "4.7.0")
USER_LOCKED: Final = Reply(454, "too many failed attempts, please try later", "4.7.0")
NO_MECHANISM: Final = Reply(504, "unrecognized authentication type", "5.5.4")
TOO_WEAK: Final = Reply(534, "authentication mechanism is too weak", "5.7.9")
ENCRYPT: Final = Reply(538, "encryption required for requested authentication mechanism", "5.7.11")
AUTH_FIRST: Final = Reply(530, "authentication required", "5.7.0")
TLS_FIRST: Final = Reply(530, "must issue a STARTTLS command first", "5.7.0")  # RFC 3207
TOO_MANY_GUESSES: Final = Reply(421, "Failed SMTP AUTH rate limit exceeded", "4.7.0")
TOO_MANY_FAILURES: Final = Reply(421, "too many failed authentications", "4.7.0")

# STARTTLS (RFC 3207 section 4).
TLS_GO: Final = Reply(220, "ready to start TLS", "2.0.0")
TLS_TROUBLE: Final = Reply(454, "TLS not available due to temporary reason", "4.7.0")
TLS_ALREADY: Final = Reply(503, "TLS is on already", "5.5.1")
TLS_INJECTED: Final = Reply(554, "commands were sent behind STARTTLS", "5.5.0")
TLS_FAILED: Final = Reply(421, "TLS Negotiation failed.", "4.7.0")

# The envelope.
NULL_SENDER: Final = Reply(550, "null sender not accepted", "5.7.1")
RELAYING_DENIED: Final = Reply(550, "relaying denied", "5.7.1")
BLACKHOLED: Final = Reply(551, "recipient blackholed", "5.7.1")
NO_MORE_MESSAGES: Final = Reply(452, "Service unavailable, batch limit reached", "4.5.3")
NO_MORE_RECIPIENTS: Final = Reply(
    452, "Service unavailable, recipients per message limit reached", "4.5.3"
)
NO_MORE_ON_CONNECTION: Final = Reply(
    452, "Service unavailable, recipients per connection limit reached", "4.5.3"
)
NO_RECIPIENTS: Final = Reply(554, "no recipient is left", "5.5.1")

# The message.
TOO_LARGE: Final = Reply(552, "message size limit exceeded", "5.3.4")
SHORT_OF_RESOURCES: Final = Reply(451, "Resource limitations, please try later", "4.3.0")
DISK_FULL: Final = Reply(452, "insufficient system storage", "4.3.1")
FAILED: Final = Reply(451, "transaction failed", "4.3.0")


def of(error: SpoolError) -> Reply:
    """Return what a peer is told when its message could not be made safe."""
    return DISK_FULL if error.full else FAILED
