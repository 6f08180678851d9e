"""A session of reception whose policy hears who the client is: the hooks of AUTH.

    the exchange is over -> validate_auth, core_validate_auth_hook -> the answer

The rule which keeps it simple: policy may refuse whom we know, and never lets in whom we do not;
who decides by policy is an authenticator (`modules/auth/ac_auth`).
"""

from collections.abc import Coroutine, Mapping
from dataclasses import replace
from typing import Final

from angarium.core.reply import Reply, from_text
from angarium.inbound import replies
from angarium.inbound.asking import AskingSession
from angarium.inbound.authenticating import ERROR, FAIL, PASS, Attempt
from angarium.inbound.authenticators import Visit
from angarium.policy import hooks
from angarium.policy.hooks import Hook
from angarium.policy.verdict import Verdict
from angarium.wire.smtp_grammar import Command

_SETUP: Final = 21  # "esmtp setup phase", in rejectlog
VARIABLES: Final = ("auth_name", "auth_status", "auth_user")
# What is no longer true, whoever has set it, when the client turns out to be another.
RIGHT: Final = "can_relay"
OF_ANOTHER: Final = (RIGHT, "ehlo_domain", "ehlo_string")


class JudgingSession(AskingSession):
    """One connection; `PolicedSession` says how policy is asked."""

    __slots__ = ()

    def _trusts(self) -> bool:
        return self.context.trusted

    @property
    def _wants_off(self) -> bool:
        return self.context.disconnect

    def _begin_anew(self) -> None:
        was, right = self.origin.variables(), self.context.variables.get(RIGHT)
        super()._begin_anew()
        self._forget(was)
        if right == "false":  # It is the same client, who was heard or not.
            self.context.variables[RIGHT] = right
        self._told()

    def _secured(self) -> None:
        self._told()
        self._held = True
        self._go(self._tls_accepted())

    async def _tls_accepted(self) -> None:
        context = self.context
        refusal = self._ask(hooks.TlsAccepted, context, self._services.clock.time())
        if isinstance(refusal, Coroutine):
            refusal = await refusal
        self._held = False
        if refusal is not None and context.disconnect:
            note = context.variables.get("_tls_note")
            self._leave(from_text(note) if note else replies.TLS_FAILED, _SETUP)
        else:
            super()._secured()

    def _told(self) -> None:
        context, origin = self.context, self.origin
        context.address, context.port = origin.address, origin.port
        context.pathway = origin.profile.pathway
        for name in VARIABLES:
            context.variables.pop(name, None)
        told = origin.variables()
        if not origin.known and context.variables.get(RIGHT) == "false":
            told.pop(RIGHT, None)  # Policy took it away; the address alone does not give it back.
        context.variables.update(told)

    def _forget(self, was: Mapping[str, str]) -> None:
        """Take away what stood there of who the client was, and the rights of that one."""
        for name in (*OF_ANOTHER, *was):
            self.context.variables.pop(name, None)

    def _trusted(self, command: Command) -> None:
        origin = self.origin
        was, who = origin.variables(), (origin.address, origin.known)
        super()._trusted(command)
        if who != (origin.address, origin.known):
            self._forget(was)
        self._told()

    def _visit(self, attempt: Attempt) -> Visit:
        return replace(super()._visit(attempt), session=self.context, ask=self._asked_by)

    async def _asked_by(self, hook: Hook) -> Verdict:
        """Ask policy for an authenticator."""
        chain = self._policing.policy.chain(type(hook))
        if chain is None:
            return Verdict.CONT
        answer = chain.ask(hook)
        return answer if isinstance(answer, Verdict) else await answer

    async def _judged(self, attempt: Attempt, status: str) -> Reply | None:
        variables, user = self.context.variables, attempt.user
        said = status if status in (PASS, ERROR) else FAIL
        known = {"auth_name": attempt.mechanism, "auth_status": said, "auth_user": user}
        variables.pop("auth_user", None)
        variables.update({name: value for name, value in known.items() if value})
        refusal = self._ask(hooks.ValidateAuth, self.context)
        if isinstance(refusal, Coroutine):
            refusal = await refusal
        if refusal is None:
            refusal = self._ask(hooks.AuthResult, self.context, user, attempt.mechanism, said)
        return await refusal if isinstance(refusal, Coroutine) else refusal
