"""Commands of loggers, which name an instance: `ec_logger:main reopen logs`."""

from angarium.console.access import Rank
from angarium.console.command import command
from angarium.console.result import Result, Said
from angarium.console.session import Session

_HELP = "ec_logger:NAME reopen logs    close and open the logs: they have been renamed"


@command("ec_logger help", who=Rank.VIEWER)
def help_loggers(session: Session) -> Result:
    """Say which commands an ec_logger has."""
    return Said(_HELP, {"help": _HELP})


@command("ec_logger reopen logs", who=Rank.OPERATOR)
def reopen_ec_logger(session: Session) -> Result:
    """Close and open the logs: those of all loggers, as `reopen logs` does."""
    session.node.reopen()
    return Said("", {"reopened": True})


@command("bounce_logger reopen logs", who=Rank.OPERATOR)
def reopen_bounce_logger(session: Session) -> Result:
    """Close and open the logs: those of all loggers, as `reopen logs` does."""
    session.node.reopen()
    return Said("", {"reopened": True})
