"""Tenants: each message is tagged with whose it is; tenants take turns in every queue."""

from angarium.policy.script import Message, Session, on

NETWORKS = {"192.0.2.": "red", "198.51.100.": "blue"}


@on.connect
def tenant(session: Session) -> None:
    for network, name in NETWORKS.items():
        if session.address.startswith(network):
            session.variables["tenant"] = name


@on.message
def tag(message: Message) -> None:
    name = message.connection.get("tenant", "unknown")
    message.variables["tenant"] = name
    message.fairness_key = name
    message.headers.prepend("X-Tenant", name)
