"""`authz`: who one is to the server, and which roles there are."""

from angarium.console.access import Rank
from angarium.console.authorize import rules
from angarium.console.command import command
from angarium.console.result import Result, Said
from angarium.console.session import Session


@command("authz id", who=Rank.VIEWER)
def show_id(session: Session) -> Result:
    """Print who the server takes you for, and your roles."""
    peer = session.peer
    roles = list(peer.authority.roles) if peer.authority is not None else []
    text = f"User: {peer.user or '(nobody)'}\nRoles: {', '.join(roles) or '(all commands)'}"
    return Said(text, {"username": peer.user, "roles": roles})


@command("authz roles list", who=Rank.VIEWER)
def list_roles(session: Session) -> Result:
    """Print the roles which the Authorization stanza defines."""
    names = [name for name, _ in rules(session.server.live.configuration)]
    return Said("\n".join(names), [{"name": each} for each in names])
