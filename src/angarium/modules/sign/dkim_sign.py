"""dkim_sign: signs what leaves with DKIM, as version 3 did.

As `opendkim`, which has taken its place: what differs are its list of fields, which has signs, and
that a `dk_domain` may say all that the stanza does. The option `dkim` says where it signs.
"""

from typing import Final

from angarium.core.errors import Error
from angarium.mail.auth.covered import Covered, FieldListError
from angarium.mail.auth.sign import Style
from angarium.modules.means import Means
from angarium.modules.sign.keyring import Keyring, own_ring, ring_of
from angarium.modules.sign.options.dkim import DkimSign as Options
from angarium.modules.sign.options.dkim import DkimSignDomain
from angarium.modules.sign.options.scoped import Signing
from angarium.modules.sign.rules import Rule, Rules, canon, chosen, hash_of, of_domains
from angarium.modules.sign.signer import SigningModule, title_of

STANZA: Final = "dkim_sign"
DOMAIN: Final = "dkim_sign.dk_domain"
HOUR: Final = 3600


class DkimSign(SigningModule):
    """One stanza."""

    def __init__(self, name: str, options: Options, means: Means) -> None:
        """Raises Error for lists of fields which are none."""
        general, particular = _general(options, means), {}
        for domain, said in of_domains(means.configuration, STANZA, name, DOMAIN).items():
            own = means.configuration.of(DkimSignDomain, said)
            ring = own_ring(said, own, options, general.ring, means)
            particular[domain] = _particular(own, general, ring)
        super().__init__(title_of(STANZA, name), Rules(general, particular), means)

    def wants(self, said: Signing) -> bool:
        return said.dkim is not False


def _general(options: Options, means: Means) -> Rule:
    return Rule(
        "",
        options.selector or "",
        options.key or "",
        options.sign_condition or "",
        Style(
            canon(options.header_canon),
            canon(options.body_canon),
            hash_of(options.digest),
            options.identity or None,
            (options.lifetime or 0) * HOUR,
            body_length=bool(options.body_length_limit),
            copy_fields=bool(options.copy_headers),
        ),
        _covered(options.headerlist) or Covered.of(),
        ring_of(options, means),
    )


def _particular(own: DkimSignDomain, general: Rule, ring: Keyring) -> Rule:
    """Return the rule of a domain: what it does not say is as for all."""
    style = general.style
    lifetime = style.lifetime_seconds if own.lifetime is None else own.lifetime * HOUR
    return Rule(
        own.base_domain or "",
        own.selector or general.selector,
        own.key or general.key,
        own.sign_condition or general.condition,
        Style(
            style.header_canon if own.header_canon is None else canon(own.header_canon),
            style.body_canon if own.body_canon is None else canon(own.body_canon),
            style.hash if own.digest is None else hash_of(own.digest),
            own.identity or style.identity,
            lifetime,
            body_length=chosen(own.body_length_limit, style.body_length),
            copy_fields=chosen(own.copy_headers, style.copy_fields),
        ),
        _covered(own.headerlist) or general.covered,
        ring,
    )


def _covered(text: str | None) -> Covered | None:
    try:
        return Covered.marked(text) if text else None
    except FieldListError as fault:
        raise Error(f"{STANZA}: {text!r} is no list of fields: {fault.message}") from None
