"""What AUTH is offered on a listener, and to whom: made of its options, once for equal sessions.

A mechanism is offered where smtp_extensions names it ("AUTH PLAIN", or "AUTH" for all) and an
option says who checks it. The rule: what is not offered cannot be used.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from angarium.config.section import Section
from angarium.core.errors import Error
from angarium.inbound.authenticators import (
    ANONYMOUS,
    Authenticator,
    Everybody,
    Nobody,
    built_in,
)
from angarium.net.options.authentication import Authentication, Guessing
from angarium.wire.sasl.names import (
    ALL,
    CRAM_MD5,
    DIGEST_MD5,
    EXTERNAL,
    LOGIN,
    OAUTHBEARER,
    PLAIN,
    SCRAM,
    SCRAM_PLUS,
    XOAUTH2,
)

# The option which says who checks it; the keys of all are alike.
PARAMETERS: Final[Mapping[str, tuple[str, ...]]] = {
    "authplainparameters": (PLAIN,),
    "authloginparameters": (LOGIN,),
    "authcrammd5parameters": (CRAM_MD5,),
    "authdigestmd5parameters": (DIGEST_MD5,),
    "authscramparameters": (SCRAM, SCRAM_PLUS),
    "authoauthparameters": (XOAUTH2, OAUTHBEARER),
    "authexternalparameters": (EXTERNAL,),
}
AUTH: Final = "AUTH"
LOOPBACK: Final = ("127.", "::1")
HERE: Final = ("esmtp_listener", "pathway", "pathway_group")


@dataclass(frozen=True, slots=True)
class Offer:
    """One mechanism.

    Attributes:
        uri: who checks it.
        realm: what digests were made with.
        cleartext: what is kept is no digest, for DIGEST-MD5.
        log: attempts go to acctlog.
        name: which names of a certificate count, for EXTERNAL.
    """

    mechanism: str
    authenticator: Authenticator
    uri: str = ""
    realm: str = ""
    cleartext: bool = False
    log: bool = False
    name: str = "email"


@dataclass(frozen=True, slots=True)
class Plan:
    """What holds for one client.

    Attributes:
        offers: by mechanism, the best one first.
        required: without it nobody brings mail who is not trusted by address.
        anonymous: who the client is without a word; "" for nobody.
        limits: what keeps guessers away.
    """

    offers: Mapping[str, Offer]
    required: bool
    anonymous: str
    limits: Guessing

    @property
    def speaks(self) -> bool:
        """Whether there is AUTH at all."""
        return bool(self.offers)

    def usable(self, address: str, *, secure: bool, bound: bool, named: bool) -> list[str]:
        """Return the mechanisms which a client may use.

        Args:
            secure: it speaks TLS.
            bound: which can be bound to.
            named: its certificate was verified.
        """
        clear = self.limits.auth_in_clear
        here = clear == "loopback" and address.startswith(LOOPBACK)
        if not (secure or here or clear == "yes"):
            return []
        return [
            each
            for each in self.offers
            if (each != SCRAM_PLUS or bound) and (each != EXTERNAL or named)
        ]


def plan(
    options: Authentication,
    limits: Guessing,
    extensions: Iterable[str],
    hostname: str,
    schemes: Mapping[str, Authenticator],
) -> Plan:
    """Return what the options say.

    Args:
        extensions: smtp_extensions.
        hostname: the realm, where none is given.
        schemes: those of modules.
    """
    wanted = named(extensions)
    known = {**built_in(), **schemes}
    found = {
        each.mechanism: each
        for each in _offers(options, hostname, known)
        if each.mechanism in wanted
    }
    return Plan(
        {each: found[each] for each in ALL if each in found},
        bool(options.enable_authentication),
        ANONYMOUS if options.always_allow and not options.always_deny else "",
        limits,
    )


def named(extensions: Iterable[str]) -> set[str]:
    """Return the mechanisms which smtp_extensions names."""
    found: set[str] = set()
    for each in extensions:
        word, *mechanisms = each.upper().replace("=", " ").split() or [""]
        if word == AUTH:
            found |= set(mechanisms) or set(ALL)
    if SCRAM in found:
        found.add(SCRAM_PLUS)
    return found


def _offers(
    options: Authentication, hostname: str, schemes: Mapping[str, Authenticator]
) -> Iterator[Offer]:
    instead: Authenticator | None = None
    if options.always_deny:
        instead = Nobody()
    elif options.always_allow:
        instead = Everybody()
    realm = str((options.authdigestmd5parameters or {}).get("realm") or hostname)
    found = (
        options.authplainparameters,
        options.authloginparameters,
        options.authcrammd5parameters,
        options.authdigestmd5parameters,
        options.authscramparameters,
        options.authoauthparameters,
        options.authexternalparameters,
    )
    for parameters, mechanisms in zip(found, PARAMETERS.values(), strict=True):
        if parameters is None and instead is None:
            continue
        given = parameters or {}
        uri = str(given.get("uri", ""))
        who = instead or schemes.get(uri.partition("://")[0].lower()) or Nobody()
        for mechanism in mechanisms:
            if mechanism != EXTERNAL and base(mechanism) not in who.mechanisms:
                continue
            yield Offer(
                mechanism,
                who,
                uri,
                realm,
                bool(given.get("stored_cleartext")),
                bool(given.get("log_authentication")),
                str(given.get("name", "email")),
            )


def base(mechanism: str) -> str:
    """Return the mechanism without its binding: who checks it does not see the difference."""
    return SCRAM if mechanism == SCRAM_PLUS else mechanism


def check(root: Section, schemes: Mapping[str, Authenticator]) -> None:
    """See that there is whoever the options name, and can check what is asked of him.

    Raises:
        Error: the configuration lets nobody in where it wants to.
    """
    known = {**built_in(), **schemes}
    for section in root.walk():
        if not _is_ours(section):
            continue
        for option, mechanisms in PARAMETERS.items():
            value = section.values.get(option)
            if not isinstance(value, Mapping) or "uri" not in value:
                continue
            scheme, there, _ = str(value["uri"]).partition("://")
            who = known.get(scheme.lower()) if there else None
            where = section.path or "global"
            if who is None:
                raise Error(f"{option}: nobody knows users by {scheme}://", stanza=where)
            if not any(base(each) in who.mechanisms for each in mechanisms):
                raise Error(f"{option}: {scheme}:// cannot check {mechanisms[0]}", stanza=where)


def _is_ours(section: Section) -> bool:
    outer: Section | None = section
    while outer is not None and outer.kind.key not in HERE:
        outer = outer.parent
    return outer is not None
