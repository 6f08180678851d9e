"""What scripts in Python ask about signatures, and have signed: `policy/script.Server`'s part."""

from collections.abc import Sequence
from pathlib import PurePath
from typing import Final

from angarium.mail.auth.dkim import Verdict
from angarium.modules.means import Means
from angarium.modules.sign import chains
from angarium.modules.sign.asked import Asked
from angarium.modules.sign.checking import checked
from angarium.modules.sign.found import found_of
from angarium.modules.sign.openarc import CV
from angarium.modules.sign.orders import Order, OrderError, Orders
from angarium.policy.authentication import Authentication, Signature
from angarium.policy.context import Which
from angarium.policy.mail import Mail

STANZA: Final = "opendkim"
_PEM: Final = "-----BEGIN"


class Trust:
    """Of one script."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._kept: Orders | None = None

    @property
    def orders(self) -> Orders:
        """Who signs; made for the first order."""
        if self._kept is None:
            self._kept = Orders(self._means)
        return self._kept

    def authentication(self, mail: Mail) -> Authentication:
        """Return what was found; where there is no session only what is kept with the message."""
        arc = mail.get(Which.MESSAGE, CV) or ""
        if mail.session is None:
            return Authentication(arc=arc)
        found = found_of(mail.session, mail)
        spf, dmarc = found.spf, found.dmarc
        signatures = None
        if found.verdicts is not None:
            signatures = tuple([_signature(each) for each in found.verdicts])
        elif found.signatures is not None:
            signatures = tuple([
                Signature(each.result, each.reason, each.properties.get("header.d", ""),
                          each.properties.get("header.s", ""))
                for each in found.signatures if each.properties
            ])  # fmt: skip
        return Authentication(
            str(spf.result) if spf else "",
            spf.domain if spf else "",
            signatures,
            arc,
            str(dmarc.result) if dmarc else "",
            dmarc.domain if dmarc else "",
            str(dmarc.policy) if dmarc and dmarc.record else "",
        )

    async def signatures(self, mail: Mail) -> list[Signature]:
        verdicts = await checked(mail, self._means, Asked(self._means.resolver))
        return [_signature(each) for each in verdicts]

    async def sign(
        self, mail: Mail, domain: str, selector: str, key: str, headers: Sequence[str], *,
        oversign: Sequence[str], canon: str, identity: str,
    ) -> None:  # fmt: skip
        """Sign. Raises ValueError."""
        if canon not in ("", "relaxed", "simple"):
            raise ValueError(f"{canon!r} is no canonical form; there are relaxed and simple")
        if not canon and not self._means.modules.get(STANZA):
            canon = "relaxed"
        keyfile, keybuf = _key(key)
        order = Order(
            domain, selector, keyfile, keybuf, canon, canon, headers=":".join(headers),
            oversigned=":".join(oversign), identity=identity,
        )  # fmt: skip
        try:
            done = self.orders.dkim(mail, order, STANZA)
            if not isinstance(done, bool):
                await done
        except OrderError as fault:
            raise ValueError(f"not signed: {fault}") from None

    async def seal(self, mail: Mail, domain: str, selector: str, key: str, results: str) -> bool:
        """Seal. Raises ValueError."""
        keyfile, keybuf = _key(key)
        order = Order(domain, selector, keyfile, keybuf)
        told = results.encode("utf-8", "surrogateescape")
        try:
            return await chains.seal(mail, self._means, self.orders, order, told)
        except OrderError as fault:
            raise ValueError(f"not sealed: {fault}") from None


def _key(key: str) -> tuple[str, str]:
    """Return a file, or the key itself. Raises ValueError."""
    if _PEM in key:
        return "", key
    if key and not PurePath(key).is_absolute():
        raise ValueError(f"{key!r} is no key and no absolute path of one")
    return key, ""


def _signature(verdict: Verdict) -> Signature:
    said = verdict.signature
    bits = verdict.key.bits if verdict.key is not None else 0
    if said is None:
        return Signature(verdict.outcome.value, verdict.reason, bits=bits)
    return Signature(
        verdict.outcome.value, verdict.reason, said.domain, said.selector, said.identity,
        said.algorithm, bits,
    )  # fmt: skip
