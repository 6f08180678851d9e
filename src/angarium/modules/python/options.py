"""Options of policy in Python."""

from angarium.config.kinds import Duration, Text
from angarium.config.option import OURS, Options, option
from angarium.config.scope import Naming
from angarium.modules.options import PolicyModule


class Python(PolicyModule, stanza="python", naming=Naming.MAYBE, direction="both", since=OURS):
    """Runs policy in Python. Momentum has none; there it is written in Lua."""

    time_limit = option(
        Duration(),
        2.0,
        since=OURS,
        doc="""
        How long a function of a script may run without giving the loop back: while it computes, or
        waits without `await`, its worker does nothing else. Then it is stopped, and the call has
        failed. 0 is no limit but that of the watchdog. `await` ends the time; for what is waited
        for there is policy_wait_limit.
        """,
    )


class Script(
    Options,
    stanza="python.script",
    inside=("python",),
    naming=Naming.ALWAYS,
    free=True,
    direction="both",
):
    """One script. What else stands in its stanza it finds in `server.settings`."""

    source = option(
        Text(),
        None,
        since=OURS,
        doc="Its file, absolute or beside the configuration.",
        example='"policy.py"',
    )
