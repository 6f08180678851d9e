"""What becomes of a message for each of its recipients: a copy where policy made it differ.

    copies = await made(mail, ask)
    copies.kept, copies.refused, copies.discarded

The hooks for each recipient are asked here, recipient after recipient. Where nobody handles them
nothing is done per recipient.
"""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

from angarium.core.reply import Reply
from angarium.policy import hooks
from angarium.policy.chain import Policy
from angarium.policy.context import Session
from angarium.policy.going import TURN, Wait, others
from angarium.policy.hooks import OfMail
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


class Copies:
    """The outcome for all recipients."""

    __slots__ = ("discarded", "kept", "refused")

    def __init__(self) -> None:
        self.kept: list[Mail] = []
        self.refused: list[tuple[Mail, Reply]] = []
        self.discarded: list[Reply] = []

    def put(self, one: Mail, refusal: Reply | None) -> None:
        """Put a copy where it belongs, by what became of it."""
        if refusal is not None:
            self.refused.append((one, refusal))
        elif one.discarded is not None:
            self.discarded.append(one.discarded)
        else:
            if one.own:
                one.finish()  # Here, as it may take a while for all of them.
            self.kept.append(one)


def wanted(policy: Policy) -> tuple[type[OfMail], ...]:
    """Return the hooks for each recipient which anybody handles, in their order."""
    return tuple(hook for hook in ALL if policy.chain(hook) is not None)


# A coroutine only where somebody waits.
Coming = Coroutine[Any, Any, Reply | None]
Ask = Callable[[type[OfMail], Mail, Session | None], Reply | Coming | None]


async def made(mail: Mail, ask: Ask, asked: Sequence[type[OfMail]] = ALL) -> Copies:
    """Ask for each recipient. `ask` returns what a hook refuses with; `asked`: these hooks only."""
    copies = Copies()
    expanding = asked[0] is hooks.PreEachRcpt
    each = asked[1:] if expanding else asked
    views = [mail.alone()] if len(mail.recipients) == 1 else mail.each()
    for number, first in enumerate(views, 1):
        if number % TURN == 0:
            await Wait(others())
        refusal, ones = None, [first]
        if expanding:
            said = ask(hooks.PreEachRcpt, first, mail.session)
            refusal = said if said is None or isinstance(said, Reply) else await said
            # An alias may have put others in the place of the one.
            if len(first.recipients) > MOST:
                copies.refused.append((first, TOO_MANY))
                continue
            if _expanded(first):
                ones = list(first.each())
        for one in ones:
            no = refusal
            for hook in each:
                if no is None and one.discarded is None:
                    said = ask(hook, one, one.session)
                    no = said if said is None or isinstance(said, Reply) else await said
                    if no is None and one.reply is not None and not one.reply.positive:
                        no = one.reply
            copies.put(one, no)
    return copies


def _expanded(one: Mail) -> bool:
    return len(one.recipients) != 1 or one.recipients[0] is not one.recipient
