"""Options of Sieve: which script runs when."""

from typing import Final

from angarium.config.kinds import Choice, Duration, Int, Path, Text
from angarium.config.option import Options, option
from angarium.config.scope import Naming, Standing
from angarium.modules.options import Module, needless, not_yet

NO_SCRIPTS: Final[Standing] = not_yet(
    "There is no policy in scripts yet.",
    "its scripts do not run, and what they would refuse is taken",
)


class Sieve(
    Module,
    stanza="sieve",
    naming=Naming.MAYBE,
    direction="both",
    since="3.0",
    standing=NO_SCRIPTS,
):
    """Runs policy in Sieve at the phases of reception and at hooks."""

    cache_size = option(Int(), None, doc="Scripts which are kept compiled.", example="200")
    cache_life = option(
        Duration(), None, doc="Time for which a compiled script is kept.", example="260"
    )
    runtime_error = option(
        Choice(("fail", "continue")),
        "fail",
        doc="What becomes of a message whose script fails: refused for now, or let through.",
    )


class SieveScript(
    Options,
    stanza="sieve.script",
    inside=("sieve",),
    naming=Naming.ALWAYS,
    direction="both",
    since="3.0",
):
    """What runs at a phase: its name is such as rcptto_phase1, or set_binding_phase2."""

    source = option(Path(), None, doc="File of the script.", example="/etc/angarium/rcptto.siv")


class SieveHook(
    Options,
    stanza="sieve.hook",
    inside=("sieve",),
    naming=Naming.ALWAYS,
    direction="both",
    since="3.0",
):
    """What runs at a hook, by the hook's name."""

    source = option(Path(), None, doc="File of the script.", example="/etc/angarium/bounce.siv")
    script = option(
        Path(),
        None,
        doc="The same as `source`, as examples of the manual have it.",
        example="/etc/angarium/bounce.siv",
    )
    async_ = option(
        Choice(("false", "true", "ref", "snapshot")),
        "false",
        name="async",
        doc="Whether it runs beside the message, and on which of it: itself or a copy.",
    )
    pool = option(Text(), "CPU", doc="Pool of threads in which it runs then.")
    return_ = option(Int(-(2**31), 2**31 - 1), 0, name="return", doc="What the hook is answered.")


class SieveLib(
    Module,
    stanza="sievelib",
    since="3.0",
    standing=needless("It has no behaviour of its own: Sieve loads it."),
):
    """What the modules which run or extend Sieve share."""
