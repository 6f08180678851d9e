"""Options of ways to send besides plain SMTP: HTTP, ECStream, push, and SMTP with a name."""

from angarium.config.check import Checked
from angarium.config.errors import Severity
from angarium.config.kinds import PORT, Bool, Choice, Duration, Int, Raw, Secret, Text
from angarium.config.option import OURS, Options, accepted, option, planned
from angarium.config.places import HostPort
from angarium.config.rules import report, rule
from angarium.config.scope import SHAPING, Scope
from angarium.config.section import Section

RETIRED = "Google has ended this service; Firebase took its place."


class Credentials(Secret):
    """A name, a colon and a password."""

    def parse(self, raw: Raw) -> str:
        text = Secret.parse(self, raw)
        name, colon, _ = text.partition(":")
        if not (name and colon):
            raise ValueError("a name, a colon and a password are expected here")
        return text

    def __str__(self) -> str:
        return "name:password, never shown"


class SmtpClient(Options, direction="sending"):
    """What we say of ourselves, and of the client, before the mail."""

    xclient = option(
        Choice(("no", "ifavailable", "required")),
        "no",
        scopes=SHAPING,
        doc="""
        Whether the host is told, by XCLIENT before each message, the address and port of the
        client which brought it: for servers of your own behind this one, which decide by it.
        `required`: mail waits for a host that does not take it.
        """,
    )
    outbound_smtp_auth_type = option(
        Choice(
            (
                "PLAIN", "LOGIN", "XOAUTH2", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-256",
                "SCRAM-SHA-256-PLUS", "OAUTHBEARER", "ANY",
            )
        ),
        None,
        scopes=SHAPING,
        since="4.2",
        doc="""
        How we prove who we are to a host. Unset: not at all. ANY, ours as what stands before it:
        the best way that host and password allow. A message's variable of this name counts more.
        SCRAM-SHA-256 and ANY are bound to the certificate of the host (-PLUS, RFC 5929) where it
        offers that; SCRAM-SHA-256-PLUS goes out bound or not at all.
        """,
    )  # fmt: skip
    outbound_smtp_auth_user = option(
        Text(),
        None,
        scopes=SHAPING,
        since="4.2",
        doc="""
        Our name at a host which wants AUTH. A message's variable of this name counts more. What
        the host refuses makes mail wait: it never fails for good.
        """,
        example="relay@example.com",
    )
    outbound_smtp_auth_pass = option(
        Secret(),
        None,
        scopes=SHAPING,
        since="4.2",
        doc="""
        The password to it; with XOAUTH2 and OAUTHBEARER the token. A message's variable of this
        name counts more.
        """,
        example="a-long-random-word",
    )
    outbound_smtp_auth_in_clear = option(
        Bool(),
        False,
        scopes=SHAPING,
        since=OURS,
        doc="""
        Whether a password goes to a host without TLS. If not, mail waits for one that has it;
        `tls` says whether TLS is tried at all.
        """,
    )
    outbound_smtp_auth_unbound = option(
        Bool(),
        False,
        scopes=SHAPING,
        since=OURS,
        doc="""
        Whether SCRAM-SHA-256 and ANY leave out the binding to TLS and say that we know none: for a
        host which offers it by another way than its certificate (`tls-server-end-point`), or which
        shows another certificate than the one it knows, behind a proxy.
        """,
    )
    outbound_smtp_auth_key = option(
        Text(),
        None,
        scopes=SHAPING,
        since="4.2",
        doc="""
        What a script looks the name and password up by: the message has it as a variable of this
        name while `outbound_smtp_auth_config` is asked. One which it has already counts more.
        """,
        example="smarthost",
    )


class HttpRequest(Options, direction="sending"):
    """What is asked of a server to which mail goes by HTTP."""

    http_host = planned(
        HostPort(),
        None,
        scopes=SHAPING,
        example="api.example.com",
        reason="Mail leaves by SMTP and LMTP only.",
        doc="What the Host field of the request says; where the server is, gateway and routes say.",
    )
    http_uri = planned(
        Text(),
        "",
        scopes=SHAPING,
        example='"/messages"',
        reason="Mail leaves by SMTP and LMTP only.",
        doc="Path of the request.",
    )
    http_method = planned(
        Choice(("POST", "SET", "GET", "DELETE")),
        "POST",
        scopes=SHAPING,
        reason="Mail leaves by SMTP and LMTP only.",
        doc="Method of the request.",
    )
    http_version = planned(
        Choice(("0.9", "1.0", "1.1")),
        "1.1",
        scopes=SHAPING,
        reason="Mail leaves by SMTP and LMTP only.",
        doc="Version of HTTP which is spoken.",
    )
    http_basic_auth = planned(
        Credentials(),
        None,
        scopes=SHAPING,
        direction="both",
        reason="Mail leaves by SMTP and LMTP only.",
        doc="Name and password for the server, with a colon between.",
        example='"user:password"',
    )
    delivery_response_timeout = planned(
        Int(unit="milliseconds"),
        5000,
        scopes=Scope.GLOBAL | Scope.BINDING | Scope.DOMAIN,
        reason="Mail leaves by SMTP and LMTP only.",
        doc="Wait for the answer to a request, in milliseconds.",
    )


class EcStream(Options, direction="sending"):
    """Sending to another server by ECStream."""

    ecstream_port = planned(
        PORT,
        1825,
        scopes=SHAPING,
        reason="Mail leaves by SMTP and LMTP only.",
        doc="Port to send to by ECStream.",
    )
    ecstream_timeout = planned(
        Duration(minimum=0.1),
        600.0,
        scopes=SHAPING,
        reason="Mail leaves by SMTP and LMTP only.",
        doc="Wait for a connection.",
    )


class Push(Options, direction="sending"):
    """Messages which the makers of telephones bring to them."""

    apn_expiry = planned(
        Duration(),
        None,
        scopes=SHAPING,
        dynamic=False,
        reason="Mail leaves by SMTP and LMTP only.",
        doc="""
        How long Apple keeps a message for a telephone which cannot be reached. Unset: as Apple
        does without it.
        """,
        example="86400",
    )
    gcm_application_id = accepted(
        Text(),
        None,
        scopes=SHAPING,
        reason=RETIRED,
        example="com.example.app",
        doc="The program on the telephone for which a message is.",
    )
    gcm_authorization_token_id = accepted(
        Secret(),
        None,
        scopes=SHAPING,
        reason=RETIRED,
        doc="The key by which Google knows us.",
        example="a-long-random-word",
    )
    gcm_delay_while_idle = accepted(
        Bool(),
        False,
        scopes=SHAPING,
        reason=RETIRED,
        doc="Whether a message waits until the telephone is used.",
    )
    gcm_dry_run = accepted(
        Bool(),
        False,
        scopes=SHAPING,
        reason=RETIRED,
        doc="Whether a message is checked only, and brought to nobody.",
    )
    gcm_ttl = accepted(
        Int(minimum=-1, unit="seconds"),
        -1,
        scopes=SHAPING,
        reason=RETIRED,
        doc="How long Google keeps a message; -1: as it does without it.",
    )


_OVER_TLS = ("PLAIN", "LOGIN", "XOAUTH2", "SCRAM-SHA-256-PLUS")


@rule
def a_password_has_a_way_to_go(checked: Checked) -> None:
    """Mail for a host at which we log in would wait for ever where TLS is not even tried."""
    for section in checked.sections_with("outbound_smtp_auth_user"):
        if not section.values["outbound_smtp_auth_user"]:
            continue
        kind, tls, clear = (
            _around(section, name)
            for name in ("outbound_smtp_auth_type", "tls", "outbound_smtp_auth_in_clear")
        )
        if kind is None:
            message = "without outbound_smtp_auth_type nobody logs in, unless a script says so"
        elif tls in (None, "no") and not clear and kind in _OVER_TLS:
            message = f"{kind} goes over TLS only, and tls is no: mail would wait"
        else:
            continue
        advice = "set outbound_smtp_auth_type" if kind is None else "set tls = required"
        report(checked, section, "outbound_smtp_auth_user", message, advice, Severity.WARNING)


def _around(section: Section, option: str) -> object:
    """Return what is set here or in a stanza around this one."""
    place: Section | None = section
    while place is not None:
        if option in place.values:
            return place.values[option]
        place = place.parent
    return None
