"""Routing by header: mail of a class leaves by its own way, before other mail or after it."""

from angarium.policy.script import Message, Server, on

CLASSES = {
    "alert": ("alerts", 1),
    "bulk": ("bulk", 0),
}


@on.each_recipient
def route(message: Message) -> None:
    if message.headers.get("X-Route") == "partner":
        message.routing_domain = "gateway.partner.example"


@on.binding
def leave(message: Message, server: Server) -> None:
    binding, message.priority = CLASSES.get(message.headers.get("X-Class", ""), ("bulk", 0))
    server.bind(message, binding)
