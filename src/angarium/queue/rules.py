"""Where policy says by which binding and domain a message leaves, and signs it.

Every way in comes through here, and mail of our own too. It is asked for each recipient; what comes
out are contents with their recipients, as few as there are different ones.
"""

from collections.abc import Callable, Sequence
from typing import Final

from angarium.config.pcre import Regex
from angarium.core.message import Message, Recipient
from angarium.core.reply import Reply
from angarium.journal.errors import SpoolError
from angarium.policy import hooks
from angarium.policy.chain import Policy
from angarium.policy.context import Session
from angarium.policy.going import TURN, Wait, others
from angarium.policy.hooks import OfMail
from angarium.policy.mail import Mail
from angarium.policy.options import Variables
from angarium.policy.parcels import Parcel, parcels

_WHERE: Final[Sequence[type[OfMail]]] = (hooks.RoutingDomain, hooks.SetBinding)
_LAST: Final[Sequence[type[OfMail]]] = (
    hooks.FinalValidation2,
    hooks.FinalValidation,
    hooks.PostFinalValidation,
)
Place = Callable[[Sequence[Recipient]], SpoolError | None]
Report = Callable[[Message, Recipient, Reply], Parcel | None]
Refuse = Callable[[Reply], SpoolError]


class Forgetting:
    """Variables which do not go with a message to the disk.

    Args:
        at: the options for a group, binding and domain.
    """

    __slots__ = ("_at",)

    def __init__(self, at: Callable[[str, str, str], Variables]) -> None:
        self._at = at

    def apply(self, message: Message, recipients: Sequence[Recipient]) -> None:
        """Forget what is to be forgotten where the first recipient goes."""
        first = recipients[0]
        options = self._at(first.binding_group, first.binding, first.domain)
        if options.exclude_vctx_conn:
            kept = _kept(message.session_variables, options.exclude_vctx_conn)
            message.session_variables = kept
        if options.exclude_vctx_mess:
            message.variables = _kept(message.variables, options.exclude_vctx_mess)
            for each in recipients:
                each.variables = _kept(each.variables, options.exclude_vctx_mess)


def _kept(variables: dict[str, str], patterns: Sequence[Regex]) -> dict[str, str]:
    return {
        name: value
        for name, value in variables.items()
        if name.startswith("#") or not any(each.search(name) for each in patterns)
    }


class Ruled:
    """What policy made of a message.

    Attributes:
        kept: contents with their recipients.
        refused: why nothing is kept, if nothing is.
    """

    __slots__ = ("kept", "refused")

    def __init__(self) -> None:
        self.kept: list[Parcel] = []
        self.refused: SpoolError | None = None


class Rules:
    """Asks the hooks from set_binding on.

    Args:
        report: makes what a sender is told of one recipient that was refused while others were not.
        refuse: makes the refusal of the whole message.
    """

    __slots__ = ("_policy", "_refuse", "_report")

    def __init__(self, policy: Policy, report: Report, refuse: Refuse) -> None:
        self._policy = policy
        self._report = report
        self._refuse = refuse

    async def apply(
        self, given: Sequence[tuple[Message, Sequence[Recipient]]], session: Session | None,
        place: Place,
    ) -> Ruled:  # fmt: skip
        """Ask for each recipient of these contents. `place` gives one what policy did not."""
        ruled = Ruled()
        reports: list[Parcel] = []
        asked = 0
        for message, recipients in given:
            kept: list[Mail] = []
            for one in Mail(message, list(recipients), session).each():
                asked += 1
                if asked % TURN == 0:
                    await Wait(others())
                refusal = await self._rule(one, session, place)
                if refusal is None:
                    if one.own:
                        one.finish()
                    kept.append(one)
                    continue
                if isinstance(refusal, SpoolError) or refusal.temporary:
                    # A report would end what is only put off: who brought it keeps all of it.
                    put_off = Ruled()
                    put_off.refused = self._error(refusal)
                    return put_off
                ruled.refused = self._error(refusal)
                report = self._report(one.message, one.recipients[0], refusal)
                reports += [report] if report is not None else []
            ruled.kept += parcels(message, kept, compare=True)
        if ruled.kept:
            for report in reports:
                if place(report[1]) is None:
                    ruled.kept.append(report)
        return ruled

    def _error(self, refusal: Reply | SpoolError) -> SpoolError:
        return refusal if isinstance(refusal, SpoolError) else self._refuse(refusal)

    async def _rule(
        self, one: Mail, session: Session | None, place: Place
    ) -> Reply | SpoolError | None:
        for hook in _WHERE:
            refusal = await self._ask(hook(one, session))
            if refusal is not None:
                return refusal
        unplaced = place(one.recipients)
        if unplaced is not None:
            return unplaced
        for hook in _LAST:
            refusal = await self._ask(hook(one, session))
            if refusal is not None:
                return refusal
        return None

    async def _ask(self, event: OfMail) -> Reply | None:
        chain = self._policy.chain(type(event))
        if chain is None:
            return None
        await Wait(chain.ask(event))
        session = event.session
        reply = event.mail.reply
        if session is not None and session.reply is not None:
            reply, session.reply = session.reply, None
        return reply if reply is not None and not reply.positive else None


def rules(policy: Policy, report: Report, refuse: Refuse) -> Rules | None:
    """Return who asks; None where nobody would be asked."""
    if any(policy.chain(hook) is not None for hook in (*_WHERE, *_LAST)):
        return Rules(policy, report, refuse)
    return None
