"""What becomes of a message for each of its recipients: a copy where policy made it differ.

    copies = await made(mail, ask)
    copies.kept, copies.refused, copies.discarded

The hooks for each recipient are asked here, recipient after recipient. Where nobody handles them
nothing is done per recipient.
"""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from angarium.core.reply import Reply
from angarium.policy import hooks
from angarium.policy.chain import Policy
from angarium.policy.context import Session
from angarium.policy.going import TURN, Wait, others
from angarium.policy.hooks import Hook, OfMail
from angarium.policy.mail import Mail

# Asked in this order for each recipient, when aliases have been expanded.
_EACH: Final[Sequence[type[OfMail]]] = (
    hooks.EachRcpt,
    hooks.PostEachRcpt,
    hooks.PostValidateEachRcpt,
)
# Recipients which one may become by aliases; what is above is a mistake or an attack.
MOST: Final = 10_000
TOO_MANY: Final = Reply(550, "an alias stands for too many recipients", "5.5.3")


@dataclass(slots=True)
class Copies:
    """The outcome for all recipients."""

    kept: list[Mail] = field(default_factory=list)
    refused: list[tuple[Mail, Reply]] = field(default_factory=list)
    discarded: list[Reply] = field(default_factory=list)


def wanted(policy: Policy) -> bool:
    """Say whether anybody handles a hook for each recipient."""
    each: tuple[type[OfMail], ...] = (hooks.PreEachRcpt, *_EACH)
    return any(policy.chain(hook) is not None for hook in each)


# A coroutine only where somebody waits.
Coming = Coroutine[Any, Any, Reply | None]
Ask = Callable[[type[Hook], Mail, Session | None], Reply | Coming | None]


async def made(mail: Mail, ask: Ask) -> Copies:
    """Ask for each recipient. `ask` returns what a hook refuses with."""
    copies = Copies()
    for number, first in enumerate(mail.each(), 1):
        if number % TURN == 0:
            await Wait(others())
        asked = ask(hooks.PreEachRcpt, first, mail.session)
        refusal = asked if asked is None or isinstance(asked, Reply) else await asked
        # An alias may have put others in the place of the one.
        if len(first.recipients) > MOST:
            copies.refused.append((first, TOO_MANY))
            continue
        ones = list(first.each()) if _expanded(first) else [first]
        for one in ones:
            await _judge(one, refusal, ask, copies)
    return copies


def _expanded(one: Mail) -> bool:
    return len(one.recipients) != 1 or one.recipients[0] is not one.recipient


async def _judge(
    one: Mail,
    refusal: Reply | None,
    ask: Ask,
    copies: Copies,
) -> None:
    for hook in _EACH:
        if refusal is None and one.discarded is None:
            asked = ask(hook, one, one.session)
            refusal = asked if asked is None or isinstance(asked, Reply) else await asked
            if refusal is None and one.reply is not None and not one.reply.positive:
                refusal = one.reply
    if refusal is not None:
        copies.refused.append((one, refusal))
    elif one.discarded is not None:
        copies.discarded.append(one.discarded)
    else:
        if one.own:
            one.finish()  # Here, as it may take a while for all of them.
        copies.kept.append(one)
