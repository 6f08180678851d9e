"""Archiving: a blind copy of what certain people send goes to the archive."""

from angarium.policy.script import Message, on

ARCHIVED = {"board.example", "legal.example"}
ARCHIVE = "archive@vault.example"


@on.message
def copy(message: Message) -> None:
    if message.sender_domain in ARCHIVED:
        message.add_recipient(ARCHIVE)


@on.each_recipient
def envelope(message: Message) -> None:
    if message.recipient == ARCHIVE:
        message.headers["X-Original-Sender"] = message.sender
        message.sender = "archive@board.example"
