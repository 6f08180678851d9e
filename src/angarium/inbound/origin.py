"""Where the mail of a session comes from: what the session leaves in messages and in logs."""

from typing import Final

from angarium.core.ident import printed
from angarium.core.message import Message, Trait
from angarium.core.reply import Reply
from angarium.events.schema import Rejection
from angarium.inbound.content import Content
from angarium.inbound.envelope import Envelope
from angarium.inbound.profile import DEFAULT_PATHWAY, Profile
from angarium.mail.format import trace
from angarium.wire.smtp_grammar import Hello, Rcpt

LOOPBACK: Final = "127.0.0.1"  # what clients of a Unix socket count as

_SMTPUTF8: Final = int(Trait.SMTPUTF8)
_REQUIRETLS: Final = int(Trait.REQUIRETLS)
_BINARY: Final = int(Trait.BINARY)


class Origin:
    """One connection, as others are told of it.

    Args:
        peer: as the socket names it.
        local: the same for our end.
        connection: its id.
        program: our name and version, for Received.
    """

    __slots__ = (
        "_authentication",
        "_program",
        "_protocol",
        "_proved",
        "_received",
        "address",
        "connection",
        "hello",
        "known",
        "local",
        "port",
        "profile",
        "source",
        "tls",
        "told",
        "trusted",
    )

    def __init__(
        self, profile: Profile, peer: object, local: object, connection: int, program: str
    ) -> None:
        self.local = shown(*endpoint(local))
        self._program = program
        self.connection = connection
        self.hello: Hello | None = None
        self.told: dict[str, str] = {}  # variables which the client has set
        self._protocol = "SMTP"
        self.known = False  # it has said who it is, and proved it
        self._proved = False  # by a mechanism of AUTH
        self.tls: dict[str, str] = {}  # variables of TLS, once it is on
        self._authentication: dict[str, str] = {}  # how that went last
        self.claim(profile, *endpoint(peer))

    def claim(self, profile: Profile, address: str, port: int) -> None:
        """Be a client with this address, and the profile of it."""
        self.profile = profile
        self.address, self.port = address, port
        self.source = shown(address, port)
        self.trusted = self.known or profile.relay.trusts_client(address)
        name = self.hello.name if self.hello is not None else ""
        self._received = trace.received_from(address, port, name, profile.hostname)

    def greeted(self, hello: Hello) -> None:
        self.hello = hello
        self._protocol = "ESMTP" if hello.verb == "EHLO" else "SMTP"
        self._received = trace.received_from(
            self.address, self.port, hello.name, self.profile.hostname
        )

    def authenticated(self, mechanism: str, user: str) -> None:
        """It is this user: it may send to any domain."""
        self.known = self.trusted = True
        self._proved = bool(mechanism)
        self._note(mechanism, user, "pass")

    def refused(self, mechanism: str, user: str, status: str) -> None:
        """It is not who it says, or nobody can know."""
        self._note(mechanism, user, status)

    def secured(self, variables: dict[str, str], *, trusted: bool) -> None:
        """TLS is on; `trusted`: by its certificate it may send to any domain."""
        self.tls = variables
        if trusted:
            self.known = self.trusted = True

    def forget(self, profile: Profile, peer: object) -> None:
        """Forget all that was said in clear: TLS is to begin. `profile`: of who has connected."""
        self.hello = None
        self.told = {}
        self._protocol = "SMTP"
        self.unknown()
        self.claim(profile, *endpoint(peer))

    def unknown(self) -> None:
        """Forget who it is: the session begins anew."""
        self.known = self._proved = False
        self._authentication = {}
        self.trusted = self.profile.relay.trusts_client(self.address)

    def _note(self, mechanism: str, user: str, status: str) -> None:
        known = {"auth_name": mechanism, "auth_status": status, "auth_user": user}
        self._authentication = {name: value for name, value in known.items() if value}

    def _with(self, *, utf8: bool) -> str:
        """Return what Received says after `with` (RFC 3848, RFC 6531 section 4.3)."""
        base = "UTF8SMTP" if utf8 else self._protocol
        if base == "SMTP":
            return base
        return f"{base}{'S' * bool(self.tls)}{'A' * self._proved}"

    def message(self, envelope: Envelope, content: Content, now: float, ident: int) -> Message:
        """Return the message, with what we put before its content."""
        mail = envelope.mail
        traits = content.traits
        if mail.body == "BINARYMIME":
            traits |= _BINARY
        if mail.requires_tls:
            traits |= _REQUIRETLS
        if mail.utf8 and not (content.header_is_ascii and envelope.is_ascii):
            traits |= _SMTPUTF8
        message = Message(
            envelope.sender,
            content.body,
            self._trace(envelope, content, printed(ident), trace.date(int(now))),
            traits,
            mail.ret,
            mail.envid,
            "esmtp",
            self.source,
            self.profile.pathway,
            self.connection,
            now,
        )
        message.batch = ident
        if not content.found.date:
            message.variables["rfc2822_date_missing"] = "true"
        return message

    def _trace(self, envelope: Envelope, content: Content, ident: str, when: str) -> bytes:
        mail, found, rules = envelope.mail, content.found, self.profile.rules
        header = ""
        if rules.trace:
            protocol = self._with(utf8=mail.utf8)
            # What the client said stands in Received, what we made of it in Return-Path.
            header = f"Return-Path: <{envelope.sender}>\r\n" + trace.received(
                self._received, mail.address, self._program, protocol, ident, when
            )
        if not found.date and rules.date == "ifneeded":
            header += f"Date: {when}\r\n"
        if not found.message_id and rules.message_id:
            header += f"Message-ID: {trace.message_id(ident, self.profile.hostname)}\r\n"
        if content.bare:
            header += "\r\n"
        return header.encode()

    def rejection(
        self, now: float, reply: Reply, phase: int, envelope: Envelope | None, rcpt: Rcpt | None
    ) -> Rejection:
        """Return what is logged of a refusal."""
        return Rejection(
            now,
            self.source,
            self.local,
            self.connection,
            self.profile.pathway,
            DEFAULT_PATHWAY,
            phase,
            reply.code,
            "core",
            self.variables(),
            {} if envelope is None else envelope.variables(rcpt),
            reply.text,
        )

    def variables(self) -> dict[str, str]:
        """Return the connection context."""
        variables = {**self.profile.options.context, "pathway": self.profile.pathway}
        if self.hello is not None:
            variables |= greeting(self.hello)
        if self.trusted:
            variables["can_relay"] = "true"
        return variables | self.told | self._authentication | self.tls


def greeting(hello: Hello) -> dict[str, str]:
    """Return what the connection context has of EHLO."""
    return {"ehlo_string": f"{hello.verb} {hello.name}", "ehlo_domain": hello.name}


def endpoint(name: object) -> tuple[str, int]:
    """Return address and port of a socket name; a Unix socket counts as loopback."""
    if not isinstance(name, tuple):
        return LOOPBACK, 0
    host, port = str(name[0]), int(name[1])
    # A client of IPv4 on a socket for both families; the zone of a link-local address.
    return host.removeprefix("::ffff:") if "." in host else host.partition("%")[0], port


def shown(host: str, port: int) -> str:
    """Return an endpoint as logs have it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
