"""The hooks of connections to hosts; they stand in `hooks` too, with all the others."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from angarium.core.reply import Reply
from angarium.policy.context import Session
from angarium.policy.hook import DIAL, Hook, OfMail, TlsParameters, hook
from angarium.policy.mail import Mail


@hook
@dataclass(slots=True)
class OutboundAuth(
    OfMail, name="outbound_smtp_auth_config", arguments=("msg",), waits=False, asked=DIAL
):
    """A message is about to leave by a host: as whom do we log in there?

    Its variables outbound_smtp_auth_type, _user and _pass say so, and count more than the options.
    """


@hook
@dataclass(slots=True)
class OutboundTls(
    OfMail,
    name="core_get_outbound_tls_parameters",
    arguments=("msg", "params"),
    waits=False,
    asked=DIAL,
):
    """A connection is about to be opened for a message: how is TLS to be on it?

    `params` has what the options say, and may be changed. What the domain demands is added to it.
    The connection goes on with other messages of the queue afterwards.
    """

    params: TlsParameters = field(default_factory=TlsParameters)


@hook
@dataclass(slots=True)
class OutboundCiphers(
    OfMail, name="outbound_tls_ciphers", arguments=("msg",), waits=False, asked=DIAL
):
    """As core_get_outbound_tls_parameters, for the ciphers alone: `ciphers` is a list of them."""

    ciphers: str = ""


@hook
@dataclass(slots=True)
class OutboundVerify(
    Hook,
    name="outbound_smtp_tls_verify_callback",
    arguments=("dc", "sslctx", "preverify_ok", "subject", "issuer", "x509ctx"),
    waits=False,
    asked=DIAL,
):
    """A host has shown its certificate, and tls_verify is not `no`: is it good?

    Attributes:
        good: what we have found; whoever knows better sets it. What a policy of the domain demands
            nobody can take away.
        host, domain: whose certificate it ought to be; `certificate`: in DER.
        subject, issuer: as in RFC 4514.
    """

    good: bool
    host: str
    domain: str
    subject: str
    issuer: str
    certificate: bytes = b""

    @property
    def about(self) -> tuple[Session | None, Mail | None]:
        return None, None

    def refuse(self, reply: Reply) -> None:
        self.good = False


@hook
@dataclass(slots=True)
class TlsReport(Hook, name="core_smtp_tls_reporting", arguments=("json",), waits=False, asked=DIAL):
    """A session by a policy of MTA-STS or DANE, or a policy that was not to be had (RFC 8460).

    Attributes:
        now: Unix time.
        kind: of the policy: "sts" or "tlsa"; `domain`: whose mail; `policy`: line by line.
        host, address: of the mail server; `source`: ours, "" where the system chose it.
        result: of RFC 8460 section 4.3; "" is success; `reason`: for people.
    """

    now: float
    kind: str
    domain: str
    policy: tuple[str, ...]
    host: str
    address: str
    source: str
    result: str
    reason: str

    @property
    def about(self) -> tuple[Session | None, Mail | None]:
        return None, None

    def refuse(self, reply: Reply) -> None:
        """There is nothing that could be refused."""

    @property
    def json(self) -> str:
        """It all, as scripts get it."""
        told: dict[str, Any] = {
            "epoch": int(self.now),
            "type": 0 if self.result else 1,
            "policy": {
                "policy-type": self.kind,
                "policy-domain": self.domain,
                "policy-string": self.policy,
            },
            "sending-mta-ip": self.source,
            "receiving-mx-hostname": self.host,
            "receiving-ip": self.address,
        }
        if self.result:
            told |= {"result-type": self.result, "failure-reason-code": self.reason}
        return msgspec.json.encode(told).decode()
