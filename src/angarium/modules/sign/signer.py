"""What the modules which sign have in common: a message comes, and gets its signature.

A class of its own has the options, and says for which mail it is there (`wants`). One which does
not sign by DKIM says so by `counted`, `made` and `put`.
"""

from collections.abc import Coroutine, Mapping, Sequence
from time import perf_counter
from typing import Any, ClassVar, Final

from angarium.events.metrics import Metric, counter
from angarium.events.signing import Kind
from angarium.mail.auth.dkim import key_records
from angarium.mail.auth.keys import BadKeyError, PrivateKey, published
from angarium.mail.auth.sign import Signer
from angarium.mail.auth.signature import SignatureError
from angarium.modules.means import Means
from angarium.modules.sign.asked import Asked
from angarium.modules.sign.keyring import UNKNOWN
from angarium.modules.sign.options.scoped import Signing
from angarium.modules.sign.rules import Rule, Rules, author, fitting
from angarium.modules.sign.signing import Desk, desk_of, note
from angarium.policy.hooks import FinalValidation, on
from angarium.policy.mail import Mail
from angarium.policy.module import Command
from angarium.policy.verdict import CONT, Verdict

RESULTS: Final = ("signed", "no_domain", "no_key", "condition")
MAX_SIGNERS: Final = 4096  # of domains and selectors which are kept ready

SIGNING: Final = counter(
    "dkim_signing",
    "What became of messages which were to be signed by DKIM.",
    label="result",
    values=RESULTS,
)


class SigningModule:
    """One stanza which signs."""

    counted: ClassVar[Metric] = SIGNING
    kind: ClassVar[Kind] = "DKIM"

    def __init__(self, title: str, rules: Rules, means: Means) -> None:
        """Args: `title`: the stanza, and its name behind a colon if it has one."""
        self.desk: Final[Desk] = desk_of(means)
        self._title = title
        self.rules: Final = rules
        self._configuration: Final = means.configuration
        self._tell = means.tell
        self._signatures = means.signatures
        self._ask = Asked(means.resolver)
        self._signers: dict[tuple[str, str, str], Any] = {}
        self._cells = {each: means.metrics.cell(self.counted, each) for each in RESULTS}
        self._counts = dict.fromkeys(RESULTS, 0)

    def wants(self, said: Signing) -> bool:
        """Say whether mail is to be signed, by what options say where it goes."""
        raise NotImplementedError

    def made(self, rule: Rule, who: str, key: PrivateKey) -> Any:
        """Return what `put` signs with; it has the key. Raises BadKeyError."""
        return Signer(who, rule.selector, key, rule.covered, fitting(rule.style, who, key))

    def put(self, mail: Mail, signer: Any) -> bool | Coroutine[Any, Any, bool]:
        """Sign a message; return whether it is signed, or what goes on until that is known."""
        return self.desk.sign(mail, signer)

    @property
    def commands(self) -> Mapping[str, Command]:
        """What the console can ask of it."""
        return {
            f"{self._title} stats": self._stats,
            f"{self._title} flush keycache": self._flush,
        }

    @on(FinalValidation)
    def sign(self, event: FinalValidation) -> Verdict | Coroutine[Any, Any, Verdict]:
        mail = event.mail
        if not self.wants(self._said(mail)):
            return CONT
        began = perf_counter()
        domain = author(mail)
        rule = self.rules.of(domain)
        if not domain or not rule.selector or not rule.key:
            return self._count(mail, began, "no_domain")
        if not rule.lets(mail):
            return self._count(mail, began, "condition")
        who = rule.domain or domain
        key = rule.ring.known(rule.path(who))
        if key is UNKNOWN:
            return self._looked(mail, began, rule, who)
        if not isinstance(key, PrivateKey):
            return self._count(mail, began, "no_key")
        signing = self._signing(mail, began, rule, who, key)
        return signing if isinstance(signing, Verdict) else self._going(mail, began, signing)

    def _said(self, mail: Mail) -> Signing:
        to = mail.recipient
        if to is None:
            return self._configuration.top(Signing)
        return self._configuration.at(
            Signing, group=to.binding_group, binding=to.binding, domain=to.domain
        )

    async def _looked(self, mail: Mail, began: float, rule: Rule, who: str) -> Verdict:
        key = await rule.ring.look(rule.path(who))
        if key is None:
            return self._count(mail, began, "no_key")
        if rule.testing:
            await self._compare(rule, who, key)
        signing = self._signing(mail, began, rule, who, key)
        return signing if isinstance(signing, Verdict) else await self._going(mail, began, signing)

    def _signing(
        self, mail: Mail, began: float, rule: Rule, who: str, key: PrivateKey
    ) -> Verdict | Coroutine[Any, Any, bool]:
        try:
            signer = self._signer(rule, who, key)
        except BadKeyError as fault:
            self._tell("WARNING", f"{rule.path(who)}: {fault.message}")
            return self._count(mail, began, "no_key")
        done = self.put(mail, signer)
        return self._count(mail, began, "signed") if isinstance(done, bool) else done

    async def _going(self, mail: Mail, began: float, signing: Coroutine[Any, Any, bool]) -> Verdict:
        await signing
        return self._count(mail, began, "signed")

    def _count(self, mail: Mail, began: float, result: str) -> Verdict:
        self._cells[result].value += 1
        self._counts[result] += 1
        note(
            self._signatures, self.kind, mail, began,
            signed=result == "signed", failed=result == "no_key",
        )  # fmt: skip
        return CONT

    def _signer(self, rule: Rule, who: str, key: PrivateKey) -> Any:
        """Return who signs with a key; made anew when its file has another one.

        Raises BadKeyError.
        """
        place = (who, rule.selector, rule.path(who))
        found = self._signers.get(place)
        if found is None or found.key is not key:
            found = self.made(rule, who, key)
            if len(self._signers) >= MAX_SIGNERS:
                self._signers.clear()
            self._signers[place] = found
        return found

    async def _compare(self, rule: Rule, who: str, key: PrivateKey) -> None:
        """Tell where receivers would not find the key we sign with."""
        place = f"{rule.selector}._domainkey.{who}"
        ours = published(key.record()).key
        try:
            for record in await key_records(self._ask, place):
                try:
                    if published(record).key == ours:
                        return
                except BadKeyError as fault:
                    self._tell("WARNING", f"{place}: {fault.message}")
            trouble = "DNS has another key than the one which signs"
        except SignatureError as fault:
            trouble = fault.reason
        self._tell("WARNING", f"{place}: {trouble}")

    async def _stats(self, _words: Sequence[str]) -> str:
        return "".join([f"{name}: {count}\n" for name, count in self._counts.items()])

    async def _flush(self, _words: Sequence[str]) -> str:
        count = sum([ring.flush() for ring in self.rules.rings])
        self._signers.clear()
        return f"{count} keys forgotten\n"


def title_of(stanza: str, name: str) -> str:
    """Return how the console calls a stanza."""
    return f"{stanza}:{name}" if name else stanza
