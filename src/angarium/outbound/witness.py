"""Policy at the end of an attempt: what scripts are told of it, and what they may still change.

Handlers answer at once here: the event is about to be written. What they set in the message's
dictionary goes into that event, and is there at the next attempt as long as the worker lives,
reloads included; it is not written to the disk, for that would be a write for each attempt;
`msg:set_code` changes what is logged and reported.
"""

from typing import Final

from angarium.core.reply import Reply
from angarium.mail.report.dsn import Action
from angarium.policy import hooks
from angarium.policy.chain import Policy
from angarium.policy.hooks import OfMail
from angarium.policy.mail import Mail
from angarium.queue.entry import Entry

# Messages whose variables were changed after an attempt, and are kept until the next one.
KEPT: Final = 100_000

ASKED: Final = (
    hooks.LogDelivery,
    hooks.LogPermanentFailure,
    hooks.LogTransientFailure,
    hooks.Requeue,
    hooks.GenerateReport,
)


class Witness:
    """Asks the hooks of the end of an attempt."""

    __slots__ = ("_kept", "_policy")

    def __init__(self, policy: Policy, before: "Witness | None" = None) -> None:
        """Args: `before`: of the policy which was in force; what is kept goes on to be kept."""
        self._policy = policy
        self._kept: dict[int, dict[str, str]] = {} if before is None else before._kept  # by entry

    def delivered(self, entry: Entry, reply: Reply, now: float) -> Reply:
        """Return the reply as it is logged."""
        mail = self._mail(entry, last=True)
        return self._asked(hooks.LogDelivery(mail, None, entry.line.domain, now, str(reply)), reply)

    def failed(self, entry: Entry, reply: Reply, now: float) -> Reply:
        """Return the reply as it is logged and reported."""
        mail = self._mail(entry, last=True)
        event = hooks.LogPermanentFailure(mail, None, entry.line.domain, now, str(reply))
        return self._asked(event, reply)

    def deferred(self, entry: Entry, reply: Reply, now: float) -> Reply:
        """Return the reply as it is logged."""
        mail = self._mail(entry)
        before = dict(entry.recipient.variables)
        event = hooks.LogTransientFailure(mail, None, entry.line.domain, now, str(reply))
        said = self._asked(event, reply)
        if entry.recipient.variables != before:
            while len(self._kept) >= KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[entry.id] = dict(entry.recipient.variables)
        return said

    def requeued(self, entry: Entry, now: float) -> Reply | None:
        """Return why the message is dropped instead of waiting again; None: it waits."""
        chain = self._policy.chain(hooks.Requeue)
        if chain is None:
            return None
        mail = self._mail(entry)
        chain.ask(hooks.Requeue(mail, None, now))
        return mail.discarded

    def report(self, entry: Entry, action: Action, content: bytes) -> bytes | None:
        """Return the report as it is sent; None keeps it back."""
        chain = self._policy.chain(hooks.GenerateReport)
        if chain is None:
            return content
        event = hooks.GenerateReport(self._mail(entry), None, action.value, content)
        chain.ask(event)
        return event.report

    def _mail(self, entry: Entry, *, last: bool = False) -> Mail:
        """Return the message, with what was noted at earlier attempts."""
        kept = self._kept.pop(entry.id, None) if last else self._kept.get(entry.id)
        if kept is not None:
            entry.recipient.variables = {**entry.recipient.variables, **kept}
        return Mail(entry.message, [entry.recipient], None, entry.recipient)

    def _asked(self, event: OfMail, reply: Reply) -> Reply:
        chain = self._policy.chain(type(event))
        if chain is None:
            return reply
        mail = event.mail
        mail.reply = reply
        chain.ask(event)
        # A handler which failed is told of in paniclog; what happened to the mail stays true.
        return reply if mail.reply is self._policy.guard.failed else mail.reply


def witness(policy: Policy, before: Witness | None = None) -> Witness | None:
    """Return who asks; None where nobody would be asked."""
    if any(policy.chain(hook) is not None for hook in ASKED):
        return Witness(policy, before)
    return None
