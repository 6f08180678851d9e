"""Quota: so many recipients an hour for each account, counted for the node as a whole."""

from angarium.policy.script import Refuse, Server, Session, on

HOUR = 3600


@on.recipient
def quota(session: Session, server: Server) -> None:
    limit = int(server.settings.get("recipients_per_hour", "100"))
    account = session.variables.get("auth_user", session.address)
    used = server.series("recipients", account, seconds=HOUR)
    if used > limit:
        raise Refuse(452, f"4.5.3 {limit} recipients an hour are allowed, and these are used up")
