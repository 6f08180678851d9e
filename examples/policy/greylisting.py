"""Greylisting: who is not known has to come again, as mail servers do and bots do not."""

from angarium.policy.script import Refuse, Server, Session, on

WAIT, KNOWN = 300, 35 * 86400


@on.recipient
def greylist(address: str, session: Session, server: Server) -> None:
    if session.trusted:
        return
    network = session.address.rpartition(".")[0]
    message = session.message
    sender = message.sender if message is not None else ""
    triplet = f"{network} {sender} {address}"
    first = server.recall("greylist", triplet)
    if first is None:
        server.remember("greylist", triplet, str(server.now()), KNOWN)
    if first is None or server.now() - float(first) < WAIT:
        raise Refuse(451, "4.7.1 please come again in five minutes")
