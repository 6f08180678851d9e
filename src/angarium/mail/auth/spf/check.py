"""`check_host` of RFC 7208: may this client send for that domain?

    finding = await check_host(ask, Client(address, helo, sender))
    finding.result, finding.reason, finding.explanation

It is total: whatever DNS and peers say ends in one of the seven results. It asks one question after
another, because the order of mechanisms is what a policy means, and starts nothing of its own; who
calls it bounds the time (`out_of_time`). All limits of section 4.6.4 hold for the whole of a check,
with its includes and redirects: `Limits` has them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final

from angarium.mail.auth import asking
from angarium.mail.auth.asking import Ask, NameTrouble, NoSuchName
from angarium.mail.auth.spf.client import UNKNOWN, Client
from angarium.mail.auth.spf.macros import (
    MacroString,
    SyntaxFault,
    expanded,
    explain_string,
    letters_of,
    target,
)
from angarium.mail.auth.spf.record import Address, Mechanism, Record, Result, chosen, parsed


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one check, section 4.6.4.

    Attributes:
        terms: mechanisms and modifiers which ask DNS: include, a, mx, ptr, exists, redirect.
        voids: answers without a record, and names which do not exist.
        exchanges: MX records of one mx; more of them are an error.
        pointers: names of a client which are looked at; more of them are passed over.
    """

    terms: int = 10
    voids: int = 2
    exchanges: int = 10
    pointers: int = 10


LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found.

    Attributes:
        domain: whose policy was asked.
        identity: "mailfrom" or "helo", or "pra" of Sender ID.
        reason: why, in one line for people.
        mechanism: what matched, as its domain wrote it; "default" where nothing did; "" where
            there was nothing to match.
        explanation: the domain's own words about a failure; "" if it has none which can be used.
        missing: the domain does not exist.
        terms: how many mechanisms asked DNS.
        voids: how many questions led to nothing.
    """

    result: Result
    domain: str
    identity: str = "mailfrom"
    reason: str = ""
    mechanism: str = ""
    explanation: str = ""
    missing: bool = False
    terms: int = 0
    voids: int = 0


class _Ended(Exception):  # noqa: N818 - how a check ends before its time
    """The check has a result which no mechanism can change."""

    def __init__(self, result: Result, reason: str, *, missing: bool = False) -> None:
        super().__init__(reason)
        self.result = result
        self.reason = reason
        self.missing = missing


def out_of_time(client: Client, identity: str = "mailfrom") -> Finding:
    """Return the finding of a check whose time was up, section 4.6.4."""
    return Finding(
        Result.TEMPERROR, client.mailbox[1], identity, reason="DNS did not answer in time"
    )


async def check_host(
    ask: Ask,
    client: Client,
    *,
    scope: str = "",
    default: Record | None = None,
    limits: Limits = LIMITS,
) -> Finding:
    """Return what the domain of a client says about it.

    Args:
        scope: "mfrom" or "pra" if records of Sender ID come first; see `record.chosen`.
        default: what holds for a domain which says nothing; without it the result is none.
    """
    check = _Check(ask, client, scope, limits)
    identity = "pra" if scope == "pra" else "mailfrom" if client.sender else "helo"
    domain = check.domain
    try:
        result, mechanism = await check.begin(default)
    except _Ended as end:
        return Finding(
            end.result,
            domain,
            identity,
            reason=end.reason,
            missing=end.missing,
            terms=check.terms,
            voids=check.voids,
        )
    explanation = await check.explained() if result is Result.FAIL else ""
    return Finding(
        result,
        domain,
        identity,
        _told(result, domain, client),
        mechanism,
        explanation,
        terms=check.terms,
        voids=check.voids,
    )


def _told(result: Result, domain: str, client: Client) -> str:
    match result:
        case Result.PASS:
            return f"{domain} lets {client.address} send"
        case Result.FAIL:
            return f"{domain} does not let {client.address} send"
        case Result.SOFTFAIL:
            return f"{domain} rather does not let {client.address} send"
        case _:
            return f"{domain} says nothing about {client.address}"


@dataclass(slots=True)
class _Check:
    """One check, and what it has used up."""

    ask: Ask
    client: Client
    scope: str
    limits: Limits
    terms: int = 0
    voids: int = 0
    names: tuple[str, ...] | None = None  # of the client, validated
    letters: dict[str, str] = field(default_factory=dict)
    domain: str = ""
    # The record which said fail, and whose it is: its explanation is used.
    last: tuple[Record, str] | None = None

    def __post_init__(self) -> None:
        self.domain = self.client.domain
        self.letters = self.client.letters()

    async def begin(self, default: Record | None) -> tuple[Result, str]:
        """Return result and mechanism. Raises _Ended."""
        domain = self.domain
        if not asking.is_name(domain) or "." not in domain:
            raise _Ended(Result.NONE, f"{domain!r} is no domain with a policy")
        record = await self.record_of(domain) or default
        if record is None:
            raise _Ended(Result.NONE, f"{domain} has no policy")
        return await self.evaluated(record, domain)

    async def record_of(self, domain: str) -> Record | None:
        """Return the record of a domain. Raises _Ended."""
        try:
            texts = await asking.texts(self.ask, domain)
        except NoSuchName:
            raise _Ended(Result.NONE, f"{domain} does not exist", missing=True) from None
        except NameTrouble:
            raise _Ended(Result.TEMPERROR, f"DNS does not answer about {domain}") from None
        try:
            terms = chosen(texts, self.scope)
            return None if terms is None else parsed(terms)
        except SyntaxFault as fault:
            raise _Ended(Result.PERMERROR, f"{domain}: {fault.message}") from None

    async def evaluated(self, record: Record, domain: str) -> tuple[Result, str]:
        """Go through a record, and those it leads to. Raises _Ended."""
        while True:
            self.last = record, domain
            for mechanism in record.mechanisms:
                if await self.matches(mechanism, domain):
                    return mechanism.result, mechanism.text
            if record.redirect is None:
                return Result.NEUTRAL, "default"
            self.count()
            domain = await self.name(record.redirect, domain)
            record = await self.referred(domain)

    async def referred(self, domain: str) -> Record:
        """Return the record to which an include or a redirect leads; it must be there."""
        if not asking.is_name(domain):
            raise _Ended(Result.PERMERROR, f"a record refers to {domain!r}, which is no domain")
        try:
            record = await self.record_of(domain)
        except _Ended as end:
            if end.result is not Result.NONE:
                raise
            record = None
        if record is None:
            raise _Ended(Result.PERMERROR, f"a record refers to {domain}, which has no policy")
        return record

    def count(self) -> None:
        """Count a term which asks DNS. Raises _Ended."""
        self.terms += 1
        if self.terms > self.limits.terms:
            raise _Ended(Result.PERMERROR, f"more than {self.limits.terms} mechanisms ask DNS")

    def void(self) -> None:
        """Count a question which led to nothing. Raises _Ended."""
        self.voids += 1
        if self.voids > self.limits.voids:
            raise _Ended(Result.PERMERROR, f"more than {self.limits.voids} names lead to nothing")

    # Mechanisms, section 5.

    async def matches(self, mechanism: Mechanism, domain: str) -> bool:
        """Say whether a mechanism matches. Raises _Ended."""
        if mechanism.name == "all":
            return True
        if mechanism.name in ("ip4", "ip6"):
            return mechanism.covers(self.client.address)
        self.count()
        name = domain if mechanism.spec is None else await self.name(mechanism.spec, domain)
        if not name.isascii():
            return False  # RFC 8616 section 4: such a local part can be no label.
        match mechanism.name:
            case "include":
                return await self.included(name)
            case "ptr":
                return await self.named(name)
        # Where nobody can be asked nothing is there; the RFC leaves it open.
        return asking.is_name(name) and await self.found(mechanism, name)

    async def found(self, mechanism: Mechanism, name: str) -> bool:
        match mechanism.name:
            case "exists":
                # The type is A for clients of IPv6 too, section 5.7.
                return bool(await self.addresses(name, "A"))
            case "a":
                return await self.hosted(mechanism, name)
            case _:
                return await self.exchanged(mechanism, name)

    async def included(self, domain: str) -> bool:
        """An include is a question, not a piece of text: only pass matches (section 5.2)."""
        outer = self.last
        result, _ = await self.evaluated(await self.referred(domain), domain)
        self.last = outer
        return result is Result.PASS

    async def hosted(self, mechanism: Mechanism, name: str) -> bool:
        address = self.client.address
        kind = "A" if address.version == 4 else "AAAA"
        return any(
            mechanism.near(address, each)
            for each in _parsed_addresses(await self.addresses(name, kind), address)
        )

    async def exchanged(self, mechanism: Mechanism, name: str) -> bool:
        try:
            found = await asking.exchanges(self.ask, name)
        except NoSuchName:
            found = ()
        except NameTrouble:
            raise _Ended(Result.TEMPERROR, f"DNS does not answer about {name}") from None
        if not found:
            self.void()
        if len(found) > self.limits.exchanges:
            raise _Ended(
                Result.PERMERROR, f"{name} has more than {self.limits.exchanges} MX records"
            )
        for host in (each.removesuffix(".") for _, each in sorted(found)):
            if asking.is_name(host) and await self.hosted(mechanism, host):
                return True
        return False

    async def named(self, name: str) -> bool:
        name = name.lower()
        return any(each == name or each.endswith(f".{name}") for each in await self.validated())

    async def addresses(self, name: str, kind: str) -> tuple[str, ...]:
        """Return the addresses of a name. Raises _Ended."""
        try:
            found = await asking.addresses(self.ask, name, kind)
        except NoSuchName:
            found = ()
        except NameTrouble:
            raise _Ended(Result.TEMPERROR, f"DNS does not answer about {name}") from None
        if not found:
            self.void()
        return found

    # The names of the client, section 5.5; for %{p} too.

    async def validated(self, *, counted: bool = True) -> tuple[str, ...]:
        """Return the names of the client which lead back to it, in lower case. Raises _Ended.

        What DNS does not tell is no error here: the owner of the policy has no part in it.
        """
        if self.names is None:
            pointed = (await self.pointed(counted=counted))[: self.limits.pointers]
            names = [each.removesuffix(".").lower() for each in pointed]
            self.names = tuple(
                [
                    each
                    for each in names
                    if asking.is_name(each) and await self.leads_back(each, counted=counted)
                ]
            )
        return self.names

    async def pointed(self, *, counted: bool) -> tuple[str, ...]:
        try:
            found = await asking.pointers(self.ask, self.client.address.reverse_pointer)
        except NoSuchName:
            found = ()
        except NameTrouble:
            return ()
        if not found and counted:
            self.void()
        return found

    async def leads_back(self, name: str, *, counted: bool) -> bool:
        address = self.client.address
        kind = "A" if address.version == 4 else "AAAA"
        try:
            found = await asking.addresses(self.ask, name, kind)
        except NoSuchName:
            found = ()
        except NameTrouble:
            return False
        if not found and counted:
            self.void()
        return address in _parsed_addresses(found, address)

    # Macros, section 7.

    async def name(self, spec: MacroString, domain: str) -> str:
        """Return the name a domain-spec stands for. Raises _Ended."""
        return target(spec, await self.values(spec, domain))

    async def values(
        self, pieces: MacroString, domain: str, *, counted: bool = True
    ) -> Mapping[str, str]:
        wanted = letters_of(pieces)
        if not wanted:
            return {}
        values = self.letters | {"d": domain}
        if "p" in wanted:
            values["p"] = _best(await self.validated(counted=counted), domain)
        return values

    async def explained(self) -> str:
        """Return the domain's words about its failure; "" if there are none (section 6.2)."""
        if self.last is None or self.last[0].explanation is None:
            return ""
        record, domain = self.last
        assert record.explanation is not None
        try:
            values = await self.values(record.explanation, domain, counted=False)
            name = target(record.explanation, values)
            if not asking.is_name(name):
                return ""
            texts = await asking.texts(self.ask, name)
            if len(texts) != 1:
                return ""
            pieces = explain_string(texts[0].decode("latin-1"))
            text = expanded(pieces, await self.values(pieces, domain, counted=False))
        except (NoSuchName, NameTrouble, SyntaxFault):
            return ""
        # A sender may have put anything into it, and it goes into replies.
        return text if text.isascii() and text.isprintable() else ""


def _best(names: tuple[str, ...], domain: str) -> str:
    """Return what %{p} is: the domain, else a name within it, else any (section 7.3)."""
    domain = domain.lower()
    if domain in names:
        return domain
    within = [each for each in names if each.endswith(f".{domain}")]
    return (within or list(names) or [UNKNOWN])[0]


def _parsed_addresses(texts: tuple[str, ...], like: Address) -> list[Address]:
    """Return addresses of the version of another one; a resolver gives no other, but may."""
    found: list[Address] = []
    for text in texts:
        try:
            address = ip_address(text)
        except ValueError:
            continue
        if address.version == like.version:
            found.append(address)
    return found
