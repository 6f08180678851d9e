"""Why an exchange of SASL ends without anybody being known."""

from angarium.core.errors import Error


class SaslError(Error):
    """An exchange failed; what was said is not in it."""


class MalformedError(SaslError):
    """The other side said what the mechanism does not know: RFC 4954 has 501 for it."""


class RefusedError(SaslError):
    """What proves it does not: RFC 4954 has 535 for it."""


class OtherwiseError(RefusedError):
    """The other side binds exchanges to their channel in a way of which we know nothing."""
