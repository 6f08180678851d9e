"""The module outbound_smtp_auth: variables of messages say as whom we log in at hosts.

What it does is done in `outbound/logins`; here is only whether it is wanted.
"""

from angarium.config.resolve import Configuration
from angarium.modules.auth.options import OutboundSmtpAuth


def counts(configuration: Configuration) -> bool:
    """Say whether variables of messages count."""
    there = configuration.has(OutboundSmtpAuth.stanza)
    return there and configuration.top(OutboundSmtpAuth).enabled
