"""Signatures which scripts order, by options of their own over those of a stanza.

    orders = Orders(means)
    signed = orders.dkim(mail, Order(selector="s1", keyfile="/keys/%{d}/%{s}.key"))
    signed = orders.domainkeys(mail, Order(...))
    sealed = orders.arc(mail, Order(...), result)           each: whether, or to be awaited for that

What an order does not say is as in the first stanza of the module, for the domain of the message;
so a stanza which is not enabled serves scripts alone. The keys of files are kept as theirs are.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any, Final

from angarium.core.errors import Error
from angarium.events.signing import Kind
from angarium.mail.auth import tags
from angarium.mail.auth.covered import Covered, FieldListError
from angarium.mail.auth.domainkeys import DomainKeysSigner
from angarium.mail.auth.keys import PrivateKey, private
from angarium.mail.auth.seal import Sealer
from angarium.mail.auth.sign import Signer, Style
from angarium.mail.auth.signature import Outcome
from angarium.modules.means import Means
from angarium.modules.sign.dk_sign import DomainKeysDesk, DomainKeysRule
from angarium.modules.sign.keyring import UNKNOWN, Keyring
from angarium.modules.sign.rules import Rule, author, canon, fitting, hash_of
from angarium.modules.sign.sealing import Sealing, covered
from angarium.modules.sign.signer import SigningModule
from angarium.modules.sign.signing import Desk, desk_of, note
from angarium.policy.mail import Mail

MAX_KEPT: Final = 1024  # of those who sign, and of keys which came with orders
MAX_SEALINGS: Final = 64
KEYS, KEPT_SECONDS, MISSING_SECONDS = 2048, 300.0, 3600.0  # as the options of a stanza have them
Done = bool | Coroutine[Any, Any, bool]


class OrderError(Error):
    """What was ordered cannot be done; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a script says of a signature; "" and None leave it as it is.

    Attributes:
        keyfile: may have %{d} and %{s} in it.
        keybuf: the key itself, in PEM or one line of base64.
        headers: names of fields, with colons between them.
        marked: the names may have the signs of `dkim_sign` behind them.
        authserv_id: of ARC: whose results they are.
    """

    domain: str = ""
    selector: str = ""
    keyfile: str = ""
    keybuf: str = field(default="", repr=False)
    header_canon: str = ""
    body_canon: str = ""
    digest: str = ""
    headers: str = ""
    oversigned: str = ""
    marked: bool = False
    identity: str = ""
    body_length: bool | None = None
    authserv_id: str = ""


class Orders:
    """Takes the orders of scripts in a worker, of one generation."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._desk: Desk | None = None
        self._older = DomainKeysDesk(means)
        self._ring = Keyring(means, KEYS, KEPT_SECONDS, MISSING_SECONDS)
        self._plain = Rule("", "", "", "", Style("simple", "simple"), Covered.of(), self._ring)
        self._keys: dict[str, PrivateKey] = {}
        self._rules: dict[tuple[Rule, Order], Rule] = {}
        self._made: dict[object, Any] = {}
        self._sealings: dict[tuple[Sealer, bytes], Sealing] = {}

    def dkim(self, mail: Mail, order: Order, stanza: str = "opendkim") -> Done:
        """Sign by DKIM. Raises OrderError."""
        return self._counted("DKIM", mail, lambda: self._dkim(mail, order, stanza))

    def domainkeys(self, mail: Mail, order: Order) -> Done:
        """Sign by DomainKeys. Raises OrderError."""
        return self._counted("DomainKeys", mail, lambda: self._domainkeys(mail, order))

    def _counted(self, kind: Kind, mail: Mail, sign: Callable[[], Done]) -> Done:
        """Sign, and count it beside what stanzas sign. Raises OrderError."""
        began = perf_counter()
        try:
            done = sign()
        except OrderError:
            note(self._means.signatures, kind, mail, began, failed=True)
            raise
        if isinstance(done, bool):
            note(self._means.signatures, kind, mail, began, signed=done, failed=not done)
            return done
        return self._counted_later(kind, mail, began, done)

    async def _counted_later(
        self, kind: Kind, mail: Mail, began: float, signing: Coroutine[Any, Any, bool]
    ) -> bool:
        done = False
        try:
            done = await signing
        finally:
            note(self._means.signatures, kind, mail, began, signed=done, failed=not done)
        return done

    def _dkim(self, mail: Mail, order: Order, stanza: str) -> Done:
        rule = self._ordered(self._rule(mail, stanza), order)
        who = self._who(mail, rule)

        def sign(key: PrivateKey) -> Done:
            def made() -> Signer:
                style = fitting(rule.style, who, key)
                return Signer(who, rule.selector, key, rule.covered, style)

            return self.desk.sign(mail, self._kept((rule, who), key, made))

        return self._with_key(rule, order, who, sign)

    def _domainkeys(self, mail: Mail, order: Order) -> Done:
        rule = self._ordered(self._rule(mail, "dk_sign"), order)
        who = self._who(mail, rule)
        older = rule if isinstance(rule, DomainKeysRule) else None

        def sign(key: PrivateKey) -> Done:
            def made() -> DomainKeysSigner:
                form, names = (older.form, older.names) if older else ("nofws", ())
                return DomainKeysSigner(who, rule.selector, key, form, names)

            return self._older.sign(mail, self._kept(("dk_sign", rule, who), key, made))

        return self._with_key(rule, order, who, sign)

    def arc(self, mail: Mail, order: Order, result: str, told: bytes = b"") -> Done:
        """Seal. False: nobody may add to this chain. Raises OrderError.

        Args:
            result: what the chain was worth when the message came in: none, pass or fail.
            told: what else was found; nothing: what the message says under our name.
        """
        rule = self._ordered(self._plain, order)
        if not rule.domain:
            raise OrderError("who seals? there is no signing_domain")

        def seal(key: PrivateKey) -> Done:
            def made() -> Sealer:
                return Sealer(
                    rule.domain, rule.selector, key, order.authserv_id or self._means.host,
                    covered(tuple(words(order.headers)), tuple(words(order.oversigned))),
                    body_canon=canon(order.body_canon or "relaxed"), hash_name=rule.style.hash,
                )  # fmt: skip

            sealer: Sealer = self._kept(("arc", order), key, made)
            return self.desk.sign(mail, self._sealing(sealer, told).over(_outcome(result)))

        return self._with_key(rule, order, rule.domain, seal)

    def _sealing(self, sealer: Sealer, told: bytes) -> Sealing:
        """Return who seals with what was found; recipients of one message share it."""
        found = self._sealings.get((sealer, told))
        if found is None:
            if len(self._sealings) >= MAX_SEALINGS:
                self._sealings.clear()
            found = self._sealings[sealer, told] = Sealing(sealer, self._means.host, told)
        return found

    @property
    def desk(self) -> Desk:
        if self._desk is None:
            self._desk = desk_of(self._means)
        return self._desk

    def _ordered(self, rule: Rule, order: Order) -> Rule:
        """Return a rule with what an order says, the same one for equals. Raises OrderError."""
        found = self._rules.get((rule, order))
        if found is None:
            if len(self._rules) >= MAX_KEPT:
                self._rules.clear()
            found = self._rules[rule, order] = _ordered(rule, order)
        return found

    def _rule(self, mail: Mail, stanza: str) -> Rule:
        """Return what the first stanza of a module says of a message."""
        for module in self._means.modules.get(stanza, ()):
            if isinstance(module, SigningModule):
                return module.rules.of(author(mail))
        return self._plain

    def _who(self, mail: Mail, rule: Rule) -> str:
        who = rule.domain or author(mail)
        if not who:
            raise OrderError("who signs? the message has no author with a domain")
        return who

    def _with_key(
        self, rule: Rule, order: Order, who: str, sign: Callable[[PrivateKey], Done]
    ) -> Done:
        if not rule.selector:
            raise OrderError("there is no selector")
        if order.keybuf:
            return _signed(sign, self._key_of(order.keybuf))
        if not rule.key:
            raise OrderError("there is no key")
        path = rule.path(who)
        key = rule.ring.known(path)
        if key is UNKNOWN:
            return self._looked(rule.ring, path, sign)
        if not isinstance(key, PrivateKey):
            raise OrderError(f"{path} has no key")
        return _signed(sign, key)

    async def _looked(self, ring: Keyring, path: str, sign: Callable[[PrivateKey], Done]) -> bool:
        key = await ring.look(path)
        if key is None:
            raise OrderError(f"{path} has no key")
        signing = _signed(sign, key)
        return signing if isinstance(signing, bool) else await signing

    def _key_of(self, keybuf: str) -> PrivateKey:
        """Return a key which came with an order. Raises OrderError."""
        known = self._keys.get(keybuf)
        if known is None:
            try:
                known = private(keybuf.encode("utf-8", "replace"))
            except Error as fault:
                raise OrderError(fault.message) from None
            if len(self._keys) >= MAX_KEPT:
                self._keys.clear()
            self._keys[keybuf] = known
        return known

    def _kept(self, place: object, key: PrivateKey, made: Callable[[], Any]) -> Any:
        """Return who signs, made anew where the key is another one."""
        found = self._made.get(place)
        if found is None or found[0] is not key:
            if len(self._made) >= MAX_KEPT:
                self._made.clear()
            found = self._made[place] = (key, made())
        return found[1]


def _signed(sign: Callable[[PrivateKey], Done], key: PrivateKey) -> Done:
    """Sign. Raises OrderError for a key or an identity which does not go with the rest."""
    try:
        return sign(key)
    except (Error, ValueError) as fault:
        raise OrderError(str(fault)) from None


def _ordered(rule: Rule, order: Order) -> Rule:
    """Return a rule with what an order says. Raises OrderError."""
    style = rule.style
    try:
        domain = tags.name_of(order.domain.encode(), "d") if order.domain else rule.domain
        selector = tags.name_of(order.selector.encode(), "s") if order.selector else rule.selector
        chosen = rule.covered
        if order.headers and order.marked:
            chosen = Covered.marked(order.headers)
        elif order.headers or order.oversigned:
            chosen = Covered.of(order.headers, order.oversigned)
    except (tags.TagError, FieldListError) as fault:
        raise OrderError(str(fault)) from None
    made = replace(
        rule,
        domain=domain,
        selector=selector,
        key=order.keyfile or rule.key,
        covered=chosen,
        style=replace(
            style,
            header_canon=canon(order.header_canon) if order.header_canon else style.header_canon,
            body_canon=canon(order.body_canon) if order.body_canon else style.body_canon,
            hash=hash_of(order.digest) if order.digest else style.hash,
            identity=order.identity or style.identity,
            body_length=style.body_length if order.body_length is None else order.body_length,
        ),
    )
    if isinstance(made, DomainKeysRule) and order.headers:
        made = replace(made, names=tuple(words(order.headers)))
    return made


def words(names: str) -> list[str]:
    """Return names of fields with colons, commas or blanks between them."""
    return names.replace(":", " ").replace(",", " ").split()


def _outcome(result: str) -> Outcome:
    """Return a result as a script or a variable has it; what is none of them is a failure."""
    return Outcome(result) if result in ("none", "pass") else Outcome.FAIL
