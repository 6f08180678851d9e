"""dkim_validate: checks the DKIM signatures of what comes in, and tells what came out.

When the whole message is there (validate_data). Nothing is refused: what was found is told to
scripts in variables, to the modules behind it in `found`, and to readers of the message in
Authentication-Results, if it has a signature at all.
"""

from collections.abc import Awaitable, Mapping, Sequence
from typing import Final

from angarium.events.metrics import counter
from angarium.mail.auth import dkim
from angarium.mail.auth.dkim import Verdict as Judged
from angarium.mail.auth.keys import published
from angarium.mail.auth.signature import Outcome
from angarium.modules.means import Means
from angarium.modules.sign import reflect
from angarium.modules.sign.asked import Asked
from angarium.modules.sign.checking import checked
from angarium.modules.sign.found import found_of
from angarium.modules.sign.options.dkim import DkimValidate as Options
from angarium.modules.sign.signer import title_of
from angarium.policy.context import Session
from angarium.policy.hooks import Data, on
from angarium.policy.injected import TooDeepError
from angarium.policy.mail import Mail
from angarium.policy.module import Command
from angarium.policy.verdict import CONT, Verdict

STANZA: Final = "dkim_validate"
STATUS: Final = "dkim_status"
DOMAINS: Final = "dkim_domains"
# Which of several results is that of the message: the first of these which is there.
_BEST: Final = (
    Outcome.PASS, Outcome.TEMPERROR, Outcome.FAIL, Outcome.POLICY, Outcome.PERMERROR,
    Outcome.NEUTRAL, Outcome.NONE,
)  # fmt: skip

CHECKED: Final = counter(
    "dkim_checked",
    "Signatures checked by DKIM; none counts messages without one.",
    label="result",
    values=[each.value for each in Outcome],
)


class DkimValidate:
    """One stanza."""

    def __init__(self, name: str, options: Options, means: Means) -> None:
        self._title = title_of(STANZA, name)
        self._means = means
        self._ask = Asked(means.resolver)
        self._cells = {each: means.metrics.cell(CHECKED, each.value) for each in Outcome}
        self._counts = dict.fromkeys(Outcome, 0)

    @property
    def commands(self) -> Mapping[str, Command]:
        """What the console can ask of it."""
        return {
            f"{self._title} stats": self._stats,
            f"{self._title} flush keycache": self._flush,
        }

    @on(Data)
    def content(self, event: Data) -> Verdict | Awaitable[Verdict]:
        session = event.session
        if session is None:
            return CONT
        if dkim.FIELD in event.mail.draft.names:
            return self._check(event, session)
        self._note(event.mail, session, [])
        self._reflect(event, session, [])
        return CONT

    async def _check(self, event: Data, session: Session) -> Verdict:
        mail = event.mail
        verdicts = await checked(mail, self._means, self._ask)
        self._note(mail, session, verdicts)
        self._reflect(event, session, verdicts)
        found_of(session, mail).report(mail, self._means.host, dkim.reported(verdicts))
        return CONT

    def _note(self, mail: Mail, session: Session, verdicts: list[Judged]) -> None:
        for outcome in [each.outcome for each in verdicts] or [Outcome.NONE]:
            self._cells[outcome].value += 1
            self._counts[outcome] += 1
        found = found_of(session, mail)
        found.signatures, found.verdicts = dkim.reported(verdicts), verdicts
        variables = mail.message.variables
        variables[STATUS] = status(verdicts).value
        variables[DOMAINS] = ",".join(
            dict.fromkeys(each.domain for each in verdicts if each.passed)
        )
        for each in verdicts:
            self._means.tell("DEBUG", f"{each.domain or '?'}: {each.outcome.value} {each.reason}")

    def _reflect(self, event: Data, session: Session, verdicts: list[Judged]) -> None:
        """Send the outcome to those whom scripts have named."""
        for each in reflect.due(session):
            try:
                reflect.send(self._means, each, event.mail, verdicts, event)
            except TooDeepError as fault:
                self._means.tell("WARNING", fault.message)

    async def _stats(self, _words: Sequence[str]) -> str:
        return "".join([f"{each.value}: {count}\n" for each, count in self._counts.items()])

    async def _flush(self, _words: Sequence[str]) -> str:
        """Forget the keys; their records are in the cache of DNS, which goes by their time."""
        count = published.cache_info().currsize
        published.cache_clear()
        return f"{count} keys forgotten\n"


def status(verdicts: Sequence[Judged]) -> Outcome:
    """Return what all signatures of a message come to: one that passes is enough."""
    outcomes = {each.outcome for each in verdicts}
    return next((each for each in _BEST if each in outcomes), Outcome.NONE)
