"""dk_sign: signs what leaves with DomainKeys (RFC 4870), for those who still look for it.

As `dkim_sign`, by the same rules of domains and keys; the option `domainkeys` says where. Here one
hash goes over header and body, so nothing of the body is shared with those who sign by DKIM.
"""

from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from angarium.core.body import Body
from angarium.events.metrics import counter
from angarium.mail.auth.covered import Covered
from angarium.mail.auth.domainkeys import DomainKeysSigner, Form
from angarium.mail.auth.fields import Fields
from angarium.mail.auth.keys import PrivateKey
from angarium.mail.auth.sign import Style
from angarium.modules.means import Means
from angarium.modules.sign.keyring import Keyring, own_ring, ring_of
from angarium.modules.sign.options.dkim import DomainKeysSign as Options
from angarium.modules.sign.options.dkim import DomainKeysSignDomain
from angarium.modules.sign.options.scoped import Signing
from angarium.modules.sign.rules import Rule, Rules, of_domains
from angarium.modules.sign.signer import RESULTS, SigningModule, title_of
from angarium.modules.sign.signing import LARGE, put, same_body
from angarium.policy.mail import Mail

STANZA: Final = "dk_sign"
DOMAIN: Final = "dk_sign.dk_domain"

SIGNING: Final = counter(
    "domainkeys_signing",
    "What became of messages which were to be signed by DomainKeys.",
    label="result",
    values=RESULTS,
)


@dataclass(frozen=True, slots=True)
class DomainKeysRule(Rule):
    """How the messages of a domain are signed: `style` and `covered` are those of DKIM."""

    form: Form = "nofws"
    names: tuple[str, ...] = ()


class _Signed(NamedTuple):
    """The signature which was made last."""

    signer: DomainKeysSigner
    body: Body
    header: bytes
    field: bytes


class DomainKeysDesk:
    """Puts signatures before messages; recipients of one message share its signature."""

    def __init__(self, means: Means) -> None:
        self._loop = means.loop
        self._signed: _Signed | None = None

    def sign(self, mail: Mail, signer: DomainKeysSigner) -> bool | Coroutine[Any, Any, bool]:
        """Sign a message; return that it is signed, or what goes on until it is."""
        last, header = self._signed, mail.draft.header_octets
        if last is not None and last.signer is signer and last.header == header:
            same = same_body(mail)
            if same is not None and same is last.body:
                put(mail, last.field)
                return True
        return self._later(mail, signer, header)

    async def _later(self, mail: Mail, signer: DomainKeysSigner, header: bytes) -> bool:
        fields, body = Fields(header), mail.draft.body
        if body.size > LARGE:
            later = self._loop.run_in_executor(None, signer.prepare, fields, body.pieces())
            work = await later
        else:
            work = signer.prepare(fields, body.pieces())
        field = await self._loop.run_in_executor(None, work.sign)
        put(mail, field)
        same = same_body(mail)
        self._signed = None if same is None else _Signed(signer, same, header, field)
        return True


class DkSign(SigningModule):
    """One stanza."""

    counted = SIGNING
    kind = "DomainKeys"

    def __init__(self, name: str, options: Options, means: Means) -> None:
        self._desk = DomainKeysDesk(means)
        general, particular = _general(options, means), {}
        for domain, said in of_domains(means.configuration, STANZA, name, DOMAIN).items():
            own = means.configuration.of(DomainKeysSignDomain, said)
            ring = own_ring(said, own, options, general.ring, means)
            particular[domain] = _particular(own, general, ring)
        super().__init__(title_of(STANZA, name), Rules(general, particular), means)

    def wants(self, said: Signing) -> bool:
        return said.domainkeys is not False

    def made(self, rule: Rule, who: str, key: PrivateKey) -> DomainKeysSigner:
        assert isinstance(rule, DomainKeysRule), "the rules are made here"
        return DomainKeysSigner(who, rule.selector, key, rule.form, rule.names)

    def put(self, mail: Mail, signer: DomainKeysSigner) -> bool | Coroutine[Any, Any, bool]:
        return self._desk.sign(mail, signer)


def _general(options: Options, means: Means) -> DomainKeysRule:
    return DomainKeysRule(
        "",
        options.selector or "",
        options.key or "",
        options.sign_condition or "",
        Style(),
        Covered.of(),
        ring_of(options, means),
        form=_form(options.canon),
        names=tuple(options.headerlist),
    )


def _particular(
    own: DomainKeysSignDomain, general: DomainKeysRule, ring: Keyring
) -> DomainKeysRule:
    """Return the rule of a domain: what it does not say is as for all."""
    return DomainKeysRule(
        own.base_domain or "",
        own.selector or general.selector,
        own.key or general.key,
        own.sign_condition or general.condition,
        general.style,
        general.covered,
        ring,
        form=general.form if own.canon is None else _form(own.canon),
        names=tuple(own.headerlist) or general.names,
    )


def _form(word: str | None) -> Form:
    """Return a form; nobody should sign by simple, so nofws is what is meant without a word."""
    return "simple" if word == "simple" else "nofws"
