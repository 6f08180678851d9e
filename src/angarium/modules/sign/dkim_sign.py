"""dkim_sign: signs what leaves with DKIM, as version 3 did.

As `opendkim`, which has taken its place: what differs are its list of fields, which has signs, and
that a `dk_domain` may say all that the stanza does. The option `dkim` says where it signs.
"""

from typing import Final

from angarium.config.resolve import Configuration
from angarium.config.section import Section
from angarium.core.errors import Error
from angarium.mail.auth.covered import Covered, FieldListError
from angarium.mail.auth.sign import Style
from angarium.modules.means import Means
from angarium.modules.sign.keyring import Keyring
from angarium.modules.sign.options.dkim import DkimSign as Options
from angarium.modules.sign.options.dkim import DkimSignDomain
from angarium.modules.sign.options.scoped import Signing
from angarium.modules.sign.rules import Rule, Rules, canon, chosen, hash_of
from angarium.modules.sign.signer import SigningModule, title_of
from angarium.policy.mail import Mail

STANZA: Final = "dkim_sign"
DOMAIN: Final = "dkim_sign.dk_domain"
HOUR: Final = 3600


class DkimSign(SigningModule):
    """One stanza."""

    def __init__(self, name: str, options: Options, means: Means) -> None:
        """Raises Error for lists of fields which are none."""
        configuration = means.configuration
        ring = Keyring(
            means, options.keycache_size, options.pos_keycache_ttl, options.neg_keycache_ttl
        )
        general = _general(options, ring)
        section = configuration.root.get(STANZA, name)
        domains = section.all(DOMAIN) if section is not None else {}
        particular = {
            each.lower(): _particular(
                configuration.of(DkimSignDomain, inner), general, _ring(inner, options, ring, means)
            )
            for each, inner in domains.items()
        }
        super().__init__(title_of(STANZA, name), Rules(general, particular), means)
        self._configuration: Configuration = configuration

    def wants(self, mail: Mail) -> bool:
        to = mail.recipient
        if to is None:
            said = self._configuration.top(Signing).dkim
        else:
            said = self._configuration.at(
                Signing, group=to.binding_group, binding=to.binding, domain=to.domain
            ).dkim
        return said is not False


def _general(options: Options, ring: Keyring) -> Rule:
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
        ring,
    )


def _ring(section: Section, options: Options, general: Keyring, means: Means) -> Keyring:
    """Return where keys of a domain are kept: with those of all, unless it says otherwise."""
    said = section.values.keys() & {"keycache_size", "pos_keycache_ttl", "neg_keycache_ttl"}
    if not said:
        return general
    own = means.configuration.of(DkimSignDomain, section)
    size = own.keycache_size if "keycache_size" in said else options.keycache_size
    kept = own.pos_keycache_ttl if "pos_keycache_ttl" in said else options.pos_keycache_ttl
    missing = own.neg_keycache_ttl if "neg_keycache_ttl" in said else options.neg_keycache_ttl
    return Keyring(means, size, kept, missing)


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
