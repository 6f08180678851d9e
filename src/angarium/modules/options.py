"""What the options of all modules have in common."""

from typing import Final

from angarium.config.kinds import Bool, Choice
from angarium.config.option import Options, accepted, option
from angarium.config.scope import Scope, Standing, State

LEVELS: Final = ("DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL")
LOG_MODE: Final = 0o644


def not_yet(reason: str, loss: str = "", *, refused: bool = False) -> Standing:
    """Return the standing of a module which we do not have yet; see `Standing`."""
    return Standing(State.PLANNED, reason, loss, refused)


def needless(reason: str, loss: str = "") -> Standing:
    """Return the standing of a module which has nothing to do here, now or later."""
    return Standing(State.ACCEPTED, reason, loss)


class Module(Options, template=True):
    """A module: a stanza which may be off, and says how much it tells about itself."""

    enabled = option(
        Bool(),
        True,
        doc="Whether it does its work by itself. Off, it is there for scripts which call it.",
    )
    debug_level = option(
        Choice(LEVELS), "ERROR", doc="The least serious message of its own that goes to paniclog."
    )


class PolicyModule(Module, template=True):
    """A module whose methods handle hooks; `run/policing` makes it."""

    enabled = option(
        Bool(),
        True,
        doc="Whether it does its work by itself. Off, it is there for scripts which call it.",
    )
    debug_level = option(
        Choice(LEVELS), "ERROR", doc="The least serious message of its own that goes to paniclog."
    )


class Logger(Module, template=True):
    """A module which writes a log."""

    enabled = option(Bool(), True, doc="Whether it writes.")
    debug_level = accepted(
        Choice(LEVELS),
        "ERROR",
        scopes=Scope.OWN,
        reason="A logger has nothing to tell about itself but faults, and tells those always.",
        doc="What it tells about itself in paniclog.",
    )


class Wrapper(Module, template=True):
    """A kind of destination, for logs which name it."""

    enabled = accepted(
        Bool(),
        True,
        scopes=Scope.OWN,
        reason="A destination which names it uses it, and nothing else does.",
        doc="Whether it may be used.",
    )
    debug_level = accepted(
        Choice(LEVELS),
        "ERROR",
        scopes=Scope.OWN,
        reason="It has nothing to tell about itself but faults, and tells those always.",
        doc="What it tells about itself in paniclog.",
    )
