"""Sender rewriting: bounces come back to one address for each recipient (VERP)."""

from angarium.policy.script import Message, on


@on.each_recipient
def verp(message: Message) -> None:
    if message.sender_domain == "shop.example":
        who = message.recipient.replace("@", "=")
        message.sender = f"bounces+{who}@bounce.shop.example"
