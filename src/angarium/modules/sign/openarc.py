"""openarc: chains of ARC (RFC 8617), checked on the way in and sealed on the way out.

Checked when the whole message is there (validate_data), before anybody changes it; sealed after
all signatures (core_post_final_validation). What was found is kept with the message (`arc_cv`), for
the seal says it; so only what has come in, and was looked at, is sealed. Both are off unless
options ask for them: then scripts do it, as in Momentum.
"""

from collections.abc import Awaitable, Coroutine, Mapping, Sequence
from typing import Any, Final

from angarium.core.errors import Error
from angarium.core.reply import Reply
from angarium.events.metrics import counter
from angarium.mail.auth import arc
from angarium.mail.auth.arc import Chain
from angarium.mail.auth.keys import PrivateKey
from angarium.mail.auth.seal import Sealer
from angarium.mail.auth.signature import Outcome
from angarium.modules.means import Means
from angarium.modules.sign.asked import Asked
from angarium.modules.sign.checking import chained
from angarium.modules.sign.found import found_of
from angarium.modules.sign.keyring import UNKNOWN, Keyring
from angarium.modules.sign.options.arc import OpenArc as Options
from angarium.modules.sign.rules import canon
from angarium.modules.sign.sealing import Sealing, covered
from angarium.modules.sign.signer import title_of
from angarium.modules.sign.signing import Desk, desk_of
from angarium.policy.context import Session, Which
from angarium.policy.hooks import Data, PostFinalValidation, on
from angarium.policy.mail import Mail
from angarium.policy.module import Command
from angarium.policy.verdict import CONT, DONE, Verdict

STANZA: Final = "openarc"
CV: Final = "arc_cv"
SEALED: Final = "arc_seal"
TROUBLE: Final = "arc_trouble"  # why nobody could tell, where it may be known later
RESULTS: Final = ("sealed", "skipped", "condition", "unknown", "no_key")
_DEFERRED: Final = Reply(451, "the ARC chain of this message cannot be checked now", "4.7.29")

CHECKED: Final = counter(
    "arc_checked",
    "Messages whose chain of ARC was checked; none counts those without one.",
    label="result",
    values=("none", "pass", "fail"),
)
SEALING: Final = counter(
    "arc_sealing",
    "What became of messages which were to be sealed by ARC.",
    label="result",
    values=RESULTS,
)


class OpenArc:
    """One stanza."""

    def __init__(self, name: str, options: Options, means: Means) -> None:
        """Raises Error where there is something wrong with who seals."""
        self.desk: Final[Desk] = desk_of(means)
        self._title = title_of(STANZA, name)
        self._options = options
        self._means = means
        self._ask = Asked(means.resolver)
        self._seals = _seals(options, name, means)
        self._ring = Keyring(means, 1, options.pos_keycache_ttl, options.neg_keycache_ttl)
        self._sealing: Sealing | None = None
        self._path = _path(options)
        self._checked = {
            each: means.metrics.cell(CHECKED, each) for each in ("none", "pass", "fail")
        }
        self._cells = {each: means.metrics.cell(SEALING, each) for each in RESULTS}
        self._counts = dict.fromkeys(RESULTS, 0)

    @property
    def seals(self) -> bool:
        """Whether it seals by itself."""
        return self._seals

    @property
    def commands(self) -> Mapping[str, Command]:
        """What the console can ask of it."""
        return {
            f"{self._title} stats": self._stats,
            f"{self._title} flush keycache": self._flush,
        }

    @on(Data)
    def content(self, event: Data) -> Verdict | Awaitable[Verdict]:
        session, mail = event.session, event.mail
        if session is None or not (self._seals or self._options.verify):
            return CONT
        found = found_of(session, mail)
        if found.arc is not None:
            return CONT
        found.clean(mail, self._means.host)
        if arc.SEAL in (names := mail.draft.names) or arc.MESSAGE in names or arc.RESULTS in names:
            return self._check(event, mail, session)
        self._note(mail, session, Chain())
        return CONT

    async def _check(self, event: Data, mail: Mail, session: Session) -> Verdict:
        chain = await chained(mail, self._means, self._ask)
        self._note(mail, session, chain)
        if chain.temporary and self._options.defer_on_trouble:
            event.refuse(_DEFERRED)
            return DONE
        if self._options.add_authentication_results:
            found_of(session, mail).report(mail, self._means.host, [arc.reported(chain)])
        return CONT

    def _note(self, mail: Mail, session: Session, chain: Chain) -> None:
        found_of(session, mail).arc = chain
        self._checked[chain.outcome.value].value += 1
        variables = mail.message.variables
        variables[CV] = chain.outcome.value
        if chain.temporary:
            variables[TROUBLE] = chain.reason
        if chain.broken:
            self._means.tell("INFO", f"{session.address}: {chain.reason}")

    @on(PostFinalValidation)
    def seal(self, event: PostFinalValidation) -> Verdict | Coroutine[Any, Any, Verdict]:
        mail = event.mail
        if not self._seals or mail.get(Which.MESSAGE, SEALED) is not None:
            return CONT
        condition = self._options.sign_condition
        if condition and all(mail.get(which, condition) is None for which in Which):
            return self._count("condition")
        result = mail.get(Which.MESSAGE, CV)
        if result is None or mail.get(Which.MESSAGE, TROUBLE) is not None:
            return self._count("unknown")
        key = self._ring.known(self._path)
        if key is UNKNOWN:
            return self._looked(mail, result)
        if not isinstance(key, PrivateKey):
            return self._count("no_key")
        sealing = self.desk.sign(mail, self._sealer(key).over(_outcome(result)))
        return self._noted(mail, sealing) if isinstance(sealing, bool) else self._go(mail, sealing)

    async def _looked(self, mail: Mail, result: str) -> Verdict:
        key = await self._ring.look(self._path)
        if key is None:
            return self._count("no_key")
        sealing = self.desk.sign(mail, self._sealer(key).over(_outcome(result)))
        return self._noted(mail, sealing if isinstance(sealing, bool) else await sealing)

    async def _go(self, mail: Mail, sealing: Coroutine[Any, Any, bool]) -> Verdict:
        return self._noted(mail, await sealing)

    def _noted(self, mail: Mail, sealed: bool) -> Verdict:
        mail.set(Which.MESSAGE, SEALED, "ok" if sealed else "skip")
        return self._count("sealed" if sealed else "skipped")

    def _count(self, result: str) -> Verdict:
        self._cells[result].value += 1
        self._counts[result] += 1
        return CONT

    def _sealer(self, key: PrivateKey) -> Sealing:
        """Return who seals with a key; made anew when its file has another one."""
        if self._sealing is None or self._sealing.sealer.key is not key:
            options, host = self._options, self._means.host
            sealer = Sealer(
                options.signing_domain or "",
                options.selector or "",
                key,
                options.authservid or host,
                covered(tuple(options.headerlist), tuple(options.oversign_headerlist)),
                body_canon=canon(options.body_canon),
            )
            self._sealing = Sealing(sealer, host)
        return self._sealing

    async def _stats(self, _words: Sequence[str]) -> str:
        return "".join([f"{name}: {count}\n" for name, count in self._counts.items()])

    async def _flush(self, _words: Sequence[str]) -> str:
        self._sealing = None
        return f"{self._ring.flush()} keys forgotten\n"


def _seals(options: Options, name: str, means: Means) -> bool:
    """Say whether a stanza seals; a host puts one set before a message, not two."""
    said = (options.signing_domain, options.selector, options.key)
    if not any(said):
        return False
    title = title_of(STANZA, name)
    if not all(said):
        raise Error(f"{title}: to seal, signing_domain, selector and key are needed, all of them")
    if any(each.seals for each in means.modules.get(STANZA, [])):
        raise Error(f"{title}: another openarc seals already")
    return True


def _path(options: Options) -> str:
    path = (options.key or "").replace("%{d}", options.signing_domain or "")
    return path.replace("%{s}", options.selector or "")


def _outcome(result: str) -> Outcome:
    """Return a result which is kept with a message; what scripts made of it may be anything."""
    return Outcome(result) if result in ("none", "pass") else Outcome.FAIL
