"""A command which is not done."""

from angarium.core.errors import Error


class CommandError(Error):
    """What was asked cannot be done, and why; what was there before is as it was."""


class UnknownError(CommandError):
    """There is no such command, of ours at least."""


class ConflictError(CommandError):
    """Somebody else has changed the configuration since the transaction began."""


class RefusedError(CommandError):
    """The one who asks may not do this."""
