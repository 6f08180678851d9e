"""opendkim: signs what leaves with DKIM, for the domain of its author.

When binding and domain are known (core_final_validation), where `opendkim_sign` does not say no.
The domain is that of Sender, else of From; a `dkim_domain` of its name, or `*.` and one above it,
says what differs. Without a key for it a message goes out as it is. Several stanzas are several
signatures over one hash of the body, such as one by RSA and one by Ed25519: the key says which.
"""

from typing import Final

from angarium.mail.auth.covered import Covered
from angarium.mail.auth.sign import Style
from angarium.modules.means import Means
from angarium.modules.sign.keyring import Keyring, ring_of
from angarium.modules.sign.options.dkim import OpenDkim as Options
from angarium.modules.sign.options.dkim import OpenDkimDomain
from angarium.modules.sign.options.scoped import Signing
from angarium.modules.sign.rules import Rule, Rules, canon, chosen, hash_of, of_domains
from angarium.modules.sign.signer import SigningModule, title_of

STANZA: Final = "opendkim"
DOMAIN: Final = "opendkim.dkim_domain"
HOUR: Final = 3600


class OpenDkim(SigningModule):
    """One stanza."""

    def __init__(self, name: str, options: Options, means: Means) -> None:
        general = _general(options, means)
        particular = {
            domain: _particular(
                means.configuration.of(OpenDkimDomain, said), options, general, means
            )
            for domain, said in of_domains(means.configuration, STANZA, name, DOMAIN).items()
        }
        super().__init__(title_of(STANZA, name), Rules(general, particular), means)

    def wants(self, said: Signing) -> bool:
        return said.opendkim_sign


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
            options.lifetime * HOUR,
            body_length=options.body_length_limit,
            copy_fields=options.copy_headers,
        ),
        Covered.of(options.headerlist, options.oversign_headerlist, options.skip_headerlist),
        ring_of(options, means),
        options.testing,
    )


def _particular(own: OpenDkimDomain, options: Options, general: Rule, means: Means) -> Rule:
    """Return the rule of a domain: what it does not say is as for all."""
    ring = general.ring
    if (own.keycache_size, own.pos_keycache_ttl, own.neg_keycache_ttl) != (None, None, None):
        ring = Keyring(
            means,
            chosen(own.keycache_size, options.keycache_size),
            chosen(own.pos_keycache_ttl, options.pos_keycache_ttl),
            chosen(own.neg_keycache_ttl, options.neg_keycache_ttl),
        )
    return Rule(
        own.base_domain or "",
        own.selector or general.selector,
        own.key or general.key,
        own.sign_condition or general.condition,
        Style(
            canon(own.header_canon or options.header_canon),
            canon(own.body_canon or options.body_canon),
            hash_of(own.digest or options.digest),
            general.style.identity,
            general.style.lifetime_seconds,
            body_length=chosen(own.body_length_limit, options.body_length_limit),
            copy_fields=options.copy_headers,
        ),
        general.covered,
        ring,
        chosen(own.testing, options.testing),
    )
