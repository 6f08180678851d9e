"""What a message is marked with for its queue: its priority and its fairness key.

The options say where to look; policy and the API set the same two fields of the message. Header
fields are looked up once, while the header is at hand, and only those which an option names.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from angarium.core.address import split
from angarium.core.message import Message

KEY_SIZE: Final = 128  # characters of a key which count
FIELD: Final = "header:"


class Marks:
    """The marks of one profile; made only where an option asks for some.

    Args:
        priority: the field that holds the priority; "" for none.
        keys: where a key may stand, as the option fairness_key has it; the first one found counts.

    Attributes:
        fields: the header fields to keep, by lower case name.
    """

    __slots__ = ("_keys", "_priority", "fields")

    def __init__(self, priority: str, keys: Sequence[str]) -> None:
        self._priority = priority.lower().encode()
        self._keys = tuple(keys)
        named = [each.removeprefix(FIELD).encode() for each in keys if each.startswith(FIELD)]
        self.fields = tuple(each for each in (self._priority, *named) if each)

    def put_on(self, message: Message, fields: Mapping[bytes, bytes], client: str) -> None:
        """Mark a message, given the fields it has of those to keep."""
        if self._priority:
            value = fields.get(self._priority, b"")
            message.priority = int(value[:9]) if value.isdigit() else 0
        for source in self._keys:
            key = _key(source, message, fields, client)
            if key:
                message.fairness_key = key
                return


def _key(source: str, message: Message, fields: Mapping[bytes, bytes], client: str) -> str:
    match source:
        case "sender":
            key = message.sender.lower()
        case "sender_domain":
            key = split(message.sender)[1].lower() if message.sender else ""
        case "client":
            key = client
        case _:
            key = fields.get(source.removeprefix(FIELD).encode(), b"").decode(errors="replace")
    return key[:KEY_SIZE]
