"""`cidrdb`: the sets of addresses which scripts have defined."""

from angarium.console.access import Rank
from angarium.console.command import command
from angarium.console.errors import UnknownError
from angarium.console.result import Result
from angarium.console.scripted import scripted
from angarium.console.session import Session

_NONE = "no script has defined a set of addresses"


@command("cidrdb list", who=Rank.VIEWER)
async def listed(session: Session) -> Result:
    """List the sets of addresses which scripts have defined, and when each is loaded again."""
    return await scripted(session.node, "cidrdb list", UnknownError(_NONE))


@command("cidrdb reload", who=Rank.OPERATOR)
async def reload(session: Session, name: str) -> Result:
    """Load a set of addresses again, in each worker; if that fails what was known stays."""
    return await scripted(session.node, f'cidrdb reload "{name}"', UnknownError(_NONE))
