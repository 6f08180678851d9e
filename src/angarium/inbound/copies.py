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

# Asked in this order for each recipient; the first one expands aliases.
ALL: Final[Sequence[type[OfMail]]] = (
    hooks.PreEachRcpt,
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


def wanted(policy: Policy) -> tuple[type[OfMail], ...]:
    """Return the hooks for each recipient which anybody handles, in their order."""
    return tuple(hook for hook in ALL if policy.chain(hook) is not None)


# A coroutine only where somebody waits.
Coming = Coroutine[Any, Any, Reply | None]
Ask = Callable[[type[Hook], Mail, Session | None], Reply | Coming | None]


async def made(mail: Mail, ask: Ask, asked: Sequence[type[OfMail]] = ALL) -> Copies:
    """Ask for each recipient. `ask` returns what a hook refuses with; `asked`: these hooks only."""
    copies = Copies()
    each = tuple(hook for hook in asked if hook is not hooks.PreEachRcpt)
    expanding = len(each) < len(asked)
    for number, first in enumerate(mail.each(), 1):
        if number % TURN == 0:
            await Wait(others())
        if not expanding:
            await _judge(first, None, ask, each, copies)
            continue
        said = ask(hooks.PreEachRcpt, first, mail.session)
        refusal = said if said is None or isinstance(said, Reply) else await said
        # An alias may have put others in the place of the one.
        if len(first.recipients) > MOST:
            copies.refused.append((first, TOO_MANY))
            continue
        ones = list(first.each()) if _expanded(first) else [first]
        for one in ones:
            await _judge(one, refusal, ask, each, copies)
    return copies


def _expanded(one: Mail) -> bool:
    return len(one.recipients) != 1 or one.recipients[0] is not one.recipient


async def _judge(
    one: Mail,
    refusal: Reply | None,
    ask: Ask,
    each: Sequence[type[OfMail]],
    copies: Copies,
) -> None:
    for hook in each:
        if refusal is None and one.discarded is None:
            said = ask(hook, one, one.session)
            refusal = said if said is None or isinstance(said, Reply) else await said
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
