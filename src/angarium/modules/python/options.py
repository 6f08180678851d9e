"""Options of policy in Python."""

from angarium.config.kinds import Text
from angarium.config.option import OURS, Options, option
from angarium.config.scope import Naming
from angarium.modules.options import PolicyModule


class Python(PolicyModule, stanza="python", naming=Naming.MAYBE, direction="both", since=OURS):
    """Runs policy in Python. Momentum has none; there it is written in Lua."""


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
