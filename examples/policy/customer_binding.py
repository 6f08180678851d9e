"""A binding for each customer, named by a header field which nobody else gets to see."""

from angarium.policy.script import Message, Refuse, Server, on


@on.message
def customer(message: Message) -> None:
    name = message.headers.get("X-Customer", "")
    if not name:
        raise Refuse(550, "5.7.1 which customer? say X-Customer")
    message.variables["customer"] = name
    del message.headers["X-Customer"]


@on.binding
def leave(message: Message, server: Server) -> None:
    name = message.variables.get("customer", "")
    if not server.bind(message, f"customer_{name}"):
        server.bind(message, group="shared")
