"""Contents, each with its recipients: what is left of one message when policy has looked at it for
each of them. Those whose mail nobody changed share one content, those with equal ones can.
"""

from collections.abc import Sequence
from typing import Final

from angarium.core.message import Message, Recipient
from angarium.policy.mail import Mail

Parcel = tuple[Message, list[Recipient]]

# Octets of a content above which nobody looks whether another one is equal.
COMPARED: Final = 1 << 20


def parcels(shared: Message, kept: Sequence[Mail], *, compare: bool = False) -> list[Parcel]:
    """Return the contents to be kept, each with its recipients.

    Args:
        shared: the message of those who have none of their own.
        compare: look for equal copies, which then go in one transaction
            (`expensive_batch_assessment`).
    """
    if len(kept) == 1 and kept[0].recipient is not None:
        return [(kept[0].finish() if kept[0].own else shared, [kept[0].recipient])]
    common: list[Recipient] = []
    made: list[Parcel] = [(shared, common)] if any(not each.own for each in kept) else []
    known: dict[tuple[object, ...], list[Recipient]] = {}
    for each in kept:
        recipient = each.recipient
        assert recipient is not None
        if not each.own:
            common.append(recipient)
            continue
        message = each.finish()
        message.batch = 0 if made else message.batch
        if compare:
            key = _key(message)
            if key in known:
                known[key].append(recipient)
                continue
            known[key] = [recipient]
            made.append((message, known[key]))
        else:
            made.append((message, [recipient]))
    return made


def _key(message: Message) -> tuple[object, ...]:
    whole = message.body.whole() if message.body.size <= 1 << 20 else id(message.body)
    return (
        message.sender, message.header, whole, message.priority, message.fairness_key,
        tuple(sorted(message.variables.items())),
    )  # fmt: skip
