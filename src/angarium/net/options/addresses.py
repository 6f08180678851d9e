"""Options of this machine's addresses, which bindings send from."""

from angarium.config.kinds import Bool, Duration
from angarium.config.option import Options, planned
from angarium.config.scope import Scope

BY_THE_SYSTEM = """
Give the machine its addresses by its own means. A binding whose address is missing rests, with an
alarm, and goes on when the address is there.
"""


class Plumbing(Options, direction="both"):
    """Addresses of bindings which the machine should have and has not."""

    binding_auto_replumb = planned(
        Bool(),
        False,
        scopes=Scope.GLOBAL,
        since="4.2.1.11",
        reason=BY_THE_SYSTEM,
        doc="""
        Whether addresses of bindings which the machine has lost are added to it again. It needs
        the right to change network interfaces.
        """,
    )
    binding_auto_replumb_interval = planned(
        Duration(minimum=1.0),
        60.0,
        scopes=Scope.GLOBAL,
        since="4.2.1.11",
        reason=BY_THE_SYSTEM,
        doc="Time between two looks for addresses which are missing.",
    )
