"""dk_validate: checks the DomainKeys signature (RFC 4870) of what comes in, and tells the outcome.

When the whole message is there (validate_data). Scripts read `dk_status`; readers of the message
find DomainKey-Status, and none but ours: those which came with it are removed. Nothing is refused.
"""

import asyncio
from collections.abc import Awaitable
from typing import Final

from angarium.core.body import Body
from angarium.events.metrics import counter
from angarium.mail.auth.domainkeys import SIGNATURE, Check, Status
from angarium.mail.auth.fields import Fields
from angarium.modules.means import Means
from angarium.modules.sign.asked import Asked
from angarium.modules.sign.checking import LARGE, SECONDS
from angarium.modules.sign.options.dkim import DomainKeysValidate as Options
from angarium.policy.hooks import Data, on
from angarium.policy.mail import Mail
from angarium.policy.verdict import CONT, Verdict

STATUS: Final = "dk_status"
FIELD: Final = "DomainKey-Status"
WORDS: Final = tuple(dict.fromkeys(each.word for each in Status if each is not Status.NONE))

CHECKED: Final = counter(
    "domainkeys_checked", "Signatures checked by DomainKeys.", label="result", values=WORDS
)


class DkValidate:
    """One stanza."""

    def __init__(self, _name: str, options: Options, means: Means) -> None:
        self._means = means
        self._ask = Asked(means.resolver)
        self._cells = {each: means.metrics.cell(CHECKED, each) for each in WORDS}

    @on(Data)
    def content(self, event: Data) -> Verdict | Awaitable[Verdict]:
        if event.session is None:
            return CONT
        mail = event.mail
        names = mail.draft.names
        if FIELD.lower().encode() in names:
            mail.edited.delete(FIELD)
        return self._check(mail) if SIGNATURE in names else CONT

    async def _check(self, mail: Mail) -> Verdict:
        check = Check.of(Fields(mail.draft.header_octets))
        body = mail.draft.body
        if body.size > LARGE:
            await self._means.loop.run_in_executor(None, _fed, check, body)
        else:
            _fed(check, body)
        try:
            async with asyncio.timeout(SECONDS):
                status = await check.judged(self._ask)
        except TimeoutError:
            status = Status.ERROR
        self._cells[status.word].value += 1
        mail.message.variables[STATUS] = status.value
        mail.edited.prepend(FIELD, status.word)
        self._means.tell("DEBUG", f"{check.domain or '?'}: {status.value}")
        return CONT


def _fed(check: Check, body: Body) -> None:
    for piece in body.pieces():
        check.feed(piece)
