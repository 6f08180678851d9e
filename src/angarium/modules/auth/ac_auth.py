"""ac_auth: policy says who a client is: `ac_auth_perform_auth` in Lua, and in Python.

    AuthPlainParameters = [ uri = "ac_auth://" ]

Who is asked first and knows decides; where nobody does, nobody is let in.
"""

from collections.abc import Mapping

from angarium.core.reply import from_text
from angarium.inbound.authenticators import PASSWORDS, Authenticator, Found, Visit
from angarium.inbound.errors import AnsweredError, TroubleError
from angarium.modules.auth.options import AcAuth as Options
from angarium.modules.means import Means
from angarium.policy.context import Session
from angarium.policy.hooks import AuthFailure, PerformAuth
from angarium.wire.sasl.exchange import Claim
from angarium.wire.sasl.names import TOKENS

SCHEME = "ac_auth"
REFUSED = 535


class AcAuth:
    """The module."""

    def __init__(self, name: str, options: Options, means: Means) -> None:
        self._authenticator = ByPolicy(means)

    @property
    def schemes(self) -> Mapping[str, Authenticator]:
        return {SCHEME: self._authenticator}


class ByPolicy(Authenticator):
    """Asks the handlers of a session's policy."""

    mechanisms = PASSWORDS | TOKENS

    def __init__(self, means: Means) -> None:
        self._failed = means.guard.failed
        self._tell = means.tell

    def check(self, claim: Claim, visit: Visit) -> Found[str]:
        return None if visit.session is None else self._asked(claim, visit, visit.session)

    async def _asked(self, claim: Claim, visit: Visit, session: Session) -> str | None:
        event = PerformAuth(session, claim.user, claim.password, claim.mechanism)
        await visit.ask(event)
        reply, session.reply = session.reply, None
        if event.known is None or reply is self._failed:
            raise TroubleError("policy cannot say who it is")
        if event.known and (reply is None or reply.positive):
            return claim.user
        self._tell("INFO", f"{claim.user} at {visit.host} is refused by policy")
        await visit.ask(AuthFailure(session, claim.user, event.response))
        session.reply = None
        if event.response:
            reply = from_text(event.response, REFUSED)
        if reply is not None and not reply.positive:
            raise AnsweredError(reply)
        return None
