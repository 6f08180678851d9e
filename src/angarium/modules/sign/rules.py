"""Who signs a message, and how: what the stanzas of signing say, ready to be asked.

rules = Rules(general, {"example.com": rule, "*.example.net": other})
rule = rules.of(author(mail))
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeVar

from angarium.config.resolve import Configuration
from angarium.config.section import Section
from angarium.mail.auth import tags
from angarium.mail.auth.canon import Canon
from angarium.mail.auth.covered import Covered
from angarium.mail.auth.keys import PrivateKey
from angarium.mail.auth.sign import Style
from angarium.mail.format.addresses import mailboxes
from angarium.modules.sign.keyring import Keyring
from angarium.policy.context import Which
from angarium.policy.mail import Mail

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rule:
    """How the messages of a domain are signed.

    Attributes:
        domain: who signs; "" for the domain of the message.
        key: path of the file, with %{d} and %{s} in it; "" without one.
        condition: a variable which must be there; "" for none.
        testing: keys are compared with DNS.
    """

    domain: str
    selector: str
    key: str
    condition: str
    style: Style
    covered: Covered
    ring: Keyring
    testing: bool = False

    def path(self, domain: str) -> str:
        """Return where the key of a domain is."""
        return self.key.replace("%{d}", domain).replace("%{s}", self.selector)

    def lets(self, mail: Mail) -> bool:
        """Say whether a message has what it must have to be signed."""
        return not self.condition or any(
            mail.get(which, self.condition) is not None for which in Which
        )


class Rules:
    """The rules of a stanza."""

    __slots__ = ("_general", "_particular")

    def __init__(self, general: Rule, particular: Mapping[str, Rule]) -> None:
        """Args: `particular`: by domain, or by *. and the domain above."""
        self._general = general
        self._particular = particular

    def of(self, domain: str) -> Rule:
        """Return the rule of a domain, in lower case; the nearest one counts."""
        rules = self._particular
        if not rules:
            return self._general
        found = rules.get(domain)
        above = domain
        while found is None and (above := above.partition(".")[2]):
            found = rules.get(f"*.{above}")
        return found or self._general

    @property
    def rings(self) -> list[Keyring]:
        """Return where keys are kept, each once."""
        every = (self._general, *self._particular.values())
        return list({id(each.ring): each.ring for each in every}.values())


def of_domains(
    configuration: Configuration, stanza: str, name: str, inner: str
) -> dict[str, Section]:
    """Return what a stanza says of single domains, by their names in lower case."""
    section = configuration.root.get(stanza, name)
    domains = section.all(inner) if section is not None else {}
    return {domain.lower(): said for domain, said in domains.items()}


def author(mail: Mail) -> str:
    """Return the domain which is responsible for a message, of Sender, else of From; "": nobody.

    It becomes part of a path and of a name in DNS: what cannot be one of DNS is nobody.
    """
    draft = mail.draft
    for name in ("sender", "from"):
        for value in draft.values(name):
            domain = _first(value)
            if domain is not None:
                return domain
    return ""


@lru_cache(4096)
def _first(value: bytes) -> str | None:
    """Return the domain of the first mailbox in a field, "" for none that could be; None: nobody.

    The same authors come again.
    """
    for mailbox in mailboxes(value):
        try:
            return tags.name_of(mailbox.domain.lower().encode("utf-8", "replace"), "d")
        except tags.TagError:
            return ""
    return None


def fitting(style: Style, domain: str, key: PrivateKey) -> Style:
    """Return a style as it goes with who signs and with the key.

    An identity of another domain would make the signature worthless, so it is left out.
    """
    identity = style.identity
    if identity is not None:
        below = identity.rpartition("@")[2].lower()
        if "@" not in identity or not f".{below}".endswith(f".{domain}"):
            style = replace(style, identity=None)
    return replace(style, hash="sha256") if key.kind == "ed25519" else style


def chosen(own: T | None, general: T) -> T:
    """Return what a domain says, or what is said for all."""
    return general if own is None else own


def canon(word: str | None) -> Canon:
    """Return a canonical form as options have it; unset, and in 3.0, it is simple."""
    return "relaxed" if word == "relaxed" else "simple"


def hash_of(digest: str | None) -> str:
    """Return the hash of an algorithm as options have it."""
    return "sha1" if digest == "rsa-sha1" else "sha256"
