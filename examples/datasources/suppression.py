"""Refuse recipients who are in a table."""

from angarium.policy.script import Refuse, Server, on


@on.recipient
async def suppressed(address: str, server: Server) -> None:
    rows = await server.query(
        "suppression",
        "SELECT reason FROM suppressed WHERE address = :address",
        address=address.lower(),
    )
    if rows:
        raise Refuse(550, f"5.7.1 this address {rows[0]['reason']}")
