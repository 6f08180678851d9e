"""What the options say to one session, made ready: resolved once, shared by equal sessions.

A `Profiles` belongs to one generation of the configuration. When that is no longer the current one,
a session looks at its next MAIL or RSET whether it goes on: not after a reload, nor where anything
that its profile was made of has changed; else it goes over to the equal profile of the current one.
So a session lives by the options which hold, or ends, and looks once for each generation it meets.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol, TypeVar

from angarium.config.option import Options
from angarium.config.resolve import Endpoint
from angarium.core.errors import context
from angarium.core.reply import Reply, from_text
from angarium.inbound.access import Relay
from angarium.inbound.marks import Marks
from angarium.inbound.offers import Plan, plan
from angarium.inbound.options import Conformance, Intake, Reception
from angarium.inbound.terms import Terms, terms
from angarium.mail.format.conform import LINE_LIMIT, Rules
from angarium.net.options.authentication import Authentication, Guessing
from angarium.net.options.tls import Certificates, InboundTls, TlsLibrary
from angarium.net.stream import Bounds
from angarium.net.sweep import NEVER
from angarium.net.tls.contexts import Contexts
from angarium.policy.module import NOBODY, Policing
from angarium.queue.options import Identity
from angarium.queue.spool.options import Spooling
from angarium.wire.smtp_grammar import TRUSTED, Syntax, line_limits

AnyOptions = TypeVar("AnyOptions", bound=Options)

LISTENER: Final = "esmtp_listener"
OF_CLIENT: Final[tuple[type[Any], ...]] = (
    Reception, Conformance, Authentication, Guessing, Certificates, InboundTls
)  # fmt: skip
# What every session offers, SIZE aside; the order is that of Momentum's samples.
EXTENSIONS: Final = (
    "PIPELINING",
    "8BITMIME",
    "SMTPUTF8",
    "ENHANCEDSTATUSCODES",
    "CHUNKING",
    "BINARYMIME",
    "DSN",
)
# As it is offered to trusted clients, with the attributes we understand.
XCLIENT: Final = "XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT"
DEFAULT_PATHWAY: Final = "default"
_KNOWN: Final = 1024  # profiles made ready; a listener has a handful


class Configuration(Protocol):
    """What is needed of `config.Configuration`."""

    generation: int

    def at(
        self, options: type[AnyOptions], /, *, listener: str, listen: str, peer: str
    ) -> AnyOptions: ...

    def top(self, options: type[AnyOptions], /) -> AnyOptions: ...

    def listens(self, listener: str, /) -> Sequence[Endpoint]: ...


@dataclass(frozen=True, slots=True)
class Profile:
    """What is made of the options of a session; shared by all with the same options."""

    generation: int
    options: Reception
    intake: Intake
    pathway: str
    greeting: str  # our name in banner and EHLO
    hostname: str  # our name in Received
    static_banner: Reply | None
    extensions: str  # lines of the answer to EHLO
    syntax: Syntax
    line_limits: Mapping[bytes, int]
    bounds: Bounds
    reconfigured: Reply
    relay: Relay
    rules: Rules
    binary_rules: Rules  # for BODY=BINARYMIME, which has no lines that could be mended
    large: int  # octets from which on a message is streamed to disk
    bounce_refused: bool  # tell the sender of recipients whom policy refused beside others
    plan: Plan  # what AUTH there is
    tls: Terms
    marks: Marks | None  # where priority and fairness key are looked for; None: nowhere
    sources: tuple[object, ...]  # all values it was made of


class Profiles:
    """The profiles of one generation, by socket and client.

    Args:
        hostname: our name, where the options say nothing.
        since: the generation of the last reload; that of the configuration, if it is left out.
        policing: the policy; a session that began with another one ends.
        contexts: of TLS, of the same generation.
    """

    __slots__ = (
        "_configuration", "_external", "_hostname", "_intake", "_known", "_listens",
        "_policing", "_schemes", "_spooling", "contexts",
        "generation", "since",
    )  # fmt: skip

    def __init__(
        self,
        configuration: Configuration,
        hostname: str,
        since: int | None = None,
        policing: Policing = NOBODY,
        contexts: Contexts | None = None,
    ) -> None:
        self.generation = configuration.generation
        self.since = self.generation if since is None else since
        self._configuration = configuration
        self.contexts = contexts or Contexts(configuration.top(TlsLibrary))
        self._hostname = hostname
        self._policing = policing
        self._external = configuration.top(Identity).external_hostname or hostname
        self._intake = configuration.top(Intake)
        self._spooling = configuration.top(Spooling)
        self._listens = {each.name for each in configuration.listens(LISTENER)}
        # By identity, as equal options are shared; the profile keeps them alive.
        self._known: dict[tuple[int, ...], tuple[Profile, tuple[Options, ...]]] = {}
        self._schemes = policing.schemes

    def at(self, listen: str, peer: str) -> Profile:
        """Return the profile for a client of a listening socket."""
        found = [
            self._configuration.at(each, listener=LISTENER, listen=listen, peer=peer)
            for each in OF_CLIENT
        ]
        key = tuple(map(id, found))
        if key not in self._known:
            if len(self._known) >= _KNOWN:  # Options which were forgotten are others when resolved.
                self._known.clear()
            self._known[key] = self._make(*found), tuple(found)
        return self._known[key][0]

    def forget(self) -> None:
        """Make profiles anew, as their contexts of TLS are others."""
        self._known.clear()

    def renewed(self, before: Profile, listen: str, peer: str) -> Profile | None:
        """Return the equal profile for a session of an earlier generation, None: it must end."""
        if before.generation < self.since or listen not in self._listens:
            return None
        now = self.at(listen, peer)
        return now if now.sources == before.sources else None

    def _make(
        self,
        options: Reception,
        conformance: Conformance,
        authentication: Authentication,
        guessing: Guessing,
        certificates: Certificates,
        inbound: InboundTls,
    ) -> Profile:
        tls = terms(inbound, self.contexts.usable(certificates, inbound))
        auth = plan(
            authentication, guessing, options.smtp_extensions, self._hostname, self._schemes
        )
        marks = _marks(options)
        rules = _rules(conformance)
        if marks is not None and marks.fields:
            rules = replace(rules, fields=marks.fields)
        size = f"SIZE {options.max_message_size}" if options.max_message_size else "SIZE"
        asked = {each.upper() for each in options.smtp_extensions}
        trusted = tuple(each for each in TRUSTED if each in asked)
        offered = (XCLIENT if each == "XCLIENT" else each for each in trusted)
        return Profile(
            generation=self.generation,
            options=options,
            intake=self._intake,
            pathway=options.pathway or DEFAULT_PATHWAY,
            greeting=options.banner_hostname or self._hostname,
            hostname=options.received_hostname or self._external,
            static_banner=from_text(options.static_banner) if options.static_banner else None,
            extensions="\n".join((*EXTENSIONS, *offered, size)),
            syntax=Syntax(
                strict=conformance.rfc2821_pedantic_address_rules,
                padded=options.allow_trailing_whitespace_in_commands,
                trailing=conformance.rfc2821_allow_whitespace_in_envelope,
                trusted=trusted,
                auth=auth.speaks,
                tls=tls.offered,
            ),
            line_limits=line_limits(options.command_line_limit, options.auth_line_limit),
            bounds=Bounds(
                idle=options.idle_time or NEVER,
                stuck=options.write_timeout,
                window=options.min_byte_rate_window,
            ),
            reconfigured=from_text(f"421 {options.reconfig_message}"),
            relay=Relay(
                (*conformance.relay_domains, *conformance.bounce_domains),
                options.relay_hosts,
                options.relay_for_sending_domains,
                everyone=options.open_relay,
            ),
            rules=rules,
            binary_rules=replace(rules, lone_in_body="ignore", line_limit=0),
            large=self._spooling.large_message_threshold,
            bounce_refused=conformance.generate_bounces_for_multi_recipient_policy_rejections,
            plan=auth,
            tls=tls,
            marks=marks,
            sources=(
                self._policing,
                self._hostname,
                self._spooling.large_message_threshold,
                *_values(options),
                *_values(conformance),
                *_values(authentication),
                *_values(guessing),
                *_values(certificates),
                *_values(inbound),
                *_values(self._intake),
            ),
        )


def look_at_tls(configuration: Configuration, contexts: Contexts) -> None:
    """Make the contexts of all listening sockets. Raises ContextError where one cannot be."""
    for each in configuration.listens(LISTENER):
        name = each.name
        certificates = configuration.at(Certificates, listener=LISTENER, listen=name, peer="")
        inbound = configuration.at(InboundTls, listener=LISTENER, listen=name, peer="")
        with context(listen=name):
            contexts.context(certificates, inbound)


def _values(options: Options) -> Iterator[object]:
    return (getattr(options, name) for name in options.attributes())


def _marks(options: Reception) -> Marks | None:
    if options.priority_header is None and not options.fairness_key:
        return None
    return Marks(options.priority_header or "", options.fairness_key)


def _rules(options: Conformance) -> Rules:
    limit, fix = _line_rule(options)
    return Rules(
        fix_lone_in_header=options.rfc2822_lone_lf_in_headers == "fix",
        lone_in_body=options.rfc2822_lone_lf_in_body,
        require_header=options.rfc2822_missing_headers == "reject",
        date=options.rfc2822_date_header,
        message_id=options.rfc2822_messageid_header == "ifneeded",
        trace=options.rfc2822_trace_headers,
        line_limit=limit,
        fix_lines=fix,
        received_limit=options.received_header_limit,
        header_limit=options.max_header_size,
    )


def _line_rule(options: Conformance) -> tuple[int, bool]:
    """Return the limit of a line (0: none), and whether longer ones are broken or refused."""
    length, policy = options.rfc2822_max_line_length, options.rfc2822_max_line_length_policy
    if length in ("pedantic", "fix"):
        return LINE_LIMIT, length == "fix"
    if policy == "none":
        return 0, False
    return length if isinstance(length, int) else LINE_LIMIT, policy == "fix"
