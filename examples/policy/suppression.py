"""Suppression: mail to those who do not want any is dropped, by a look into a database."""

from angarium.policy.script import Discard, Message, Server, on

WANTED = "SELECT reason FROM suppressed WHERE address = :address"


@on.each_recipient
async def suppressed(message: Message, server: Server) -> None:
    found = await server.query("lists", WANTED, address=message.recipient.lower())
    if found:
        raise Discard(f"5.7.1 suppressed: {found[0]['reason']}")
