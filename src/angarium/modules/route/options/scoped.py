"""Options of routing modules which stand in scopes of the core."""

from angarium.config.kinds import List, Text
from angarium.config.option import Options, option
from angarium.config.scope import DESTINATION, PATHWAYS


class Aliases(Options, direction="both"):
    """Which aliases there are."""

    alias_schemes = option(
        List(Text(), split=True),
        (),
        scopes=DESTINATION | PATHWAYS,
        example='( "users" "lists" )',
        doc="""
        Schemes of the module alias by which recipients become others, in order: the first which
        knows a recipient counts. An empty list: recipients stay who they are.
        """,
    )
