"""A session of reception which asks policy: how a hook is asked, and what the answer means.

    refusal = self._ask(hooks.Ehlo, context, name)      None, a reply, or a coroutine that brings it

The rule which keeps it simple: most handlers answer at once, and then no coroutine is made.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from angarium.core.reply import Reply
from angarium.inbound import replies
from angarium.inbound.authenticating import AuthenticatingSession
from angarium.inbound.services import Services
from angarium.policy.chain import Asked
from angarium.policy.context import Session
from angarium.policy.going import Wait
from angarium.policy.hooks import Hook, OfMail
from angarium.policy.mail import Mail
from angarium.policy.module import Policing
from angarium.policy.verdict import Verdict

# The longest a tarpit holds one answer, in seconds; the peer's patience is some 300.
LONGEST_TARPIT: Final = 600.0
# What a hook is refused with, when somebody who waits has said it.
Coming = Coroutine[Any, Any, Reply | None]


class AskingSession(AuthenticatingSession):
    """One connection."""

    __slots__ = ("_chain", "_policing", "context")

    context: Session

    def __init__(self, services: Services, listen: str, policing: Policing) -> None:
        super().__init__(services, listen)
        self._policing = policing
        self._chain = policing.policy.chain

    def _ask(self, hook: type[Hook], *arguments: Any) -> Reply | Coming | None:
        """Ask who handles this, and return what they refuse it with; to be awaited if they wait."""
        chain = self._chain(hook)
        return None if chain is None else self._refusal(chain.ask(hook(*arguments)))

    def _ask_about(
        self, hook: type[OfMail], mail: Mail, session: Session | None
    ) -> Reply | Coming | None:
        """As `_ask`, about a message."""
        chain = self._chain(hook)
        return None if chain is None else self._refusal(chain.ask(hook(mail, session)))

    def _refusal(self, answer: Asked) -> Reply | Coming | None:
        """As `_ask`, of who was asked already."""
        context = self.context
        if answer.__class__ is not Verdict or context.tarpit > 0.0:
            return self._answered(answer)
        if context.reply is None and not context.disconnect:
            return None
        return self._said()

    async def _answered(self, answer: Asked) -> Reply | None:
        """Wait for who is asked, and for what the peer is to wait besides."""
        await Wait(answer)
        context = self.context
        if context.tarpit > 0.0:
            seconds, context.tarpit = min(context.tarpit, LONGEST_TARPIT), 0.0
            await Wait(_asleep(seconds))
        return self._said()

    def _said(self) -> Reply | None:
        context = self.context
        reply, context.reply = context.reply, None
        if context.disconnect and (reply is None or reply.positive):
            return replies.UNAVAILABLE
        return None if reply is None or reply.positive else reply

    def _then(self, refusal: Reply | Coming | None, go_on: Callable[[Reply | None], None]) -> None:
        """Go on when a hook is answered, which mostly is at once."""
        if refusal is None or isinstance(refusal, Reply):
            go_on(refusal)
        else:
            self._go(_then(refusal, go_on))


async def _then(coming: Coming, go_on: Callable[[Reply | None], None]) -> None:
    go_on(await coming)


async def now(refusal: Reply | Coming | None) -> Reply | None:
    """Return a refusal, waited for if need be."""
    return refusal if refusal is None or isinstance(refusal, Reply) else await refusal


async def _asleep(seconds: float) -> Verdict:
    await asyncio.sleep(seconds)
    return Verdict.CONT
