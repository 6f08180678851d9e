"""Every point at which policy is asked, in the order a message meets them.

A hook is a dataclass: its fields are what a handler gets, its docstring is the manual. `name` is
the name scripts use, `arguments` what a script is called with, in this order: "msg", "accept",
"vctx", "str", and others which the hook's fields name. Where policy is asked stands with `asked`;
a hook nobody asks yet says what is missing.
"""

from dataclasses import dataclass, field
from typing import Final

from angarium.policy.context import Steps
from angarium.policy.dialing import OutboundAuth as OutboundAuth
from angarium.policy.dialing import OutboundCiphers as OutboundCiphers
from angarium.policy.dialing import OutboundTls as OutboundTls
from angarium.policy.dialing import OutboundVerify as OutboundVerify
from angarium.policy.dialing import TlsReport as TlsReport
from angarium.policy.hook import ALL as ALL
from angarium.policy.hook import DIAL as DIAL
from angarium.policy.hook import HOOKS as HOOKS
from angarium.policy.hook import LOG as LOG
from angarium.policy.hook import SEEDS as SEEDS
from angarium.policy.hook import SMTP as SMTP
from angarium.policy.hook import Answer as Answer
from angarium.policy.hook import Hook as Hook
from angarium.policy.hook import OfMail as OfMail
from angarium.policy.hook import OfSession as OfSession
from angarium.policy.hook import hook as hook
from angarium.policy.hook import marked as marked
from angarium.policy.hook import on as on


@hook
@dataclass(slots=True)
class Accept(
    OfSession, name="core_validate_accept", arguments=("accept", "vctx"), step=Steps.ACCEPT
):
    """A client has connected, and it has not been looked up what holds for it."""


@hook
@dataclass(slots=True)
class Connect(OfSession, name="validate_connect", arguments=("accept", "vctx")):
    """A client has connected; the banner waits for the answer. To refuse ends the session."""


@hook
@dataclass(slots=True)
class Ehlo(
    OfSession,
    name="validate_ehlo",
    arguments=("str", "accept", "vctx"),
    step=Steps.EHLO,
):
    """HELO or EHLO: `text` is what came after the word."""

    text: str


@hook
@dataclass(slots=True)
class TlsAccepted(
    OfSession,
    name="core_inbound_smtp_tls_post_accept",
    arguments=("mc", "event", "eventtype", "vclosure", "now"),
):
    """A client has made a handshake, and its variables are there.

    To refuse it, `disconnect` has to be set too; `_tls_note` in the connection's variables is what
    it is told then.
    """

    now: float


@hook
@dataclass(slots=True)
class BadCommand(OfSession, name="core_bad_command", arguments=("accept", "vctx"), waits=False):
    """A command was refused for what it is: `known` says whether its word is one of SMTP."""

    known: bool


@hook
@dataclass(slots=True)
class PerformAuth(
    OfSession,
    name="ac_auth_perform_auth",
    arguments=("username", "password", "ac", "response"),
    step=Steps.AUTH,
):
    """Is this who it says? The module ac_auth asks; whoever knows sets `known` and says DONE.

    Attributes:
        mechanism: by which it was said; the password is a token with XOAUTH2 and OAUTHBEARER.
        known: True or False when somebody has decided; None: it cannot be found out now.
        response: what the client is told instead, a code and a text.
    """

    username: str
    password: str = field(repr=False)
    mechanism: str = ""
    known: bool | None = False
    response: str = ""


@hook
@dataclass(slots=True)
class AuthFailure(
    OfSession,
    name="ac_auth_log_auth_failure",
    arguments=("username", "ac", "response"),
    waits=False,
    step=Steps.AUTH,
):
    """The module ac_auth has let somebody not in; `response` is what the client is told."""

    username: str
    response: str = ""


@hook
@dataclass(slots=True)
class ValidateAuth(OfSession, name="validate_auth", arguments=("accept", "vctx"), step=Steps.AUTH):
    """A client has said who it is: `auth_status` is pass, fail or error. May still refuse it."""


@hook
@dataclass(slots=True)
class AuthResult(
    OfSession,
    name="core_validate_auth_hook",
    arguments=("vctx", "auth_info", "auth_status"),
    step=Steps.AUTH,
):
    """As validate_auth, with what is known of the attempt beside it."""

    user: str
    mechanism: str
    status: str


@hook
@dataclass(slots=True)
class MailFrom(
    OfSession,
    name="validate_mailfrom",
    arguments=("str", "accept", "vctx"),
    step=Steps.MAIL,
):
    """MAIL: `text` is the sender's address. The message is there, without recipients."""

    text: str


@hook
@dataclass(slots=True)
class RcptTo(
    OfSession,
    name="validate_rcptto",
    arguments=("msg", "str", "accept", "vctx"),
    step=Steps.RCPT,
):
    """One RCPT: `text` is the address. What is done to the message is done to all of it."""

    text: str


@hook
@dataclass(slots=True)
class RcptToList(
    OfSession,
    name="validate_rcptto_list",
    arguments=("list", "vctx"),
    step=Steps.LIST,
):
    """All recipients are named: `session.mail.recipients` may be changed."""


@hook
@dataclass(slots=True)
class RcptToListFinal(
    OfSession,
    name="validate_rcptto_list_final",
    arguments=("node", "vctx"),
    step=Steps.LIST,
):
    """As validate_rcptto_list, afterwards: the list as a whole, when all others have seen it."""


@hook
@dataclass(slots=True)
class Data(
    OfMail,
    name="validate_data",
    arguments=("msg", "accept", "vctx"),
    step=Steps.DATA,
):
    """The whole message is there, one copy for all its recipients."""


@hook
@dataclass(slots=True)
class DataSpool(
    OfMail,
    name="validate_data_spool",
    arguments=("msg", "accept", "vctx"),
    step=Steps.SPOOL,
):
    """The message is about to be accepted: the last look at it before it is copied."""


@hook
@dataclass(slots=True)
class PreEachRcpt(
    OfMail,
    name="core_pre_msg_each_rcpt",
    arguments=("msg", "accept"),
    step=Steps.EACH,
):
    """Once for each recipient, before validate_data_spool_each_rcpt: aliases are expanded here."""


@hook
@dataclass(slots=True)
class EachRcpt(
    OfMail,
    name="validate_data_spool_each_rcpt",
    arguments=("msg", "accept", "vctx"),
    step=Steps.EACH,
):
    """Once for each recipient; what is changed is changed for this one alone."""


@hook
@dataclass(slots=True)
class PostEachRcpt(
    OfMail,
    name="core_post_msg_each_rcpt",
    arguments=("msg", "accept", "vctx"),
    step=Steps.EACH,
):
    """Once for each recipient which is left, after validate_data_spool_each_rcpt."""


@hook
@dataclass(slots=True)
class PostValidateEachRcpt(
    OfMail,
    name="post_validate_data_spool_each_rcpt",
    arguments=("msg", "accept", "vctx"),
    step=Steps.EACH,
):
    """As core_post_msg_each_rcpt, by the name smtpapi used."""


@hook
@dataclass(slots=True)
class RoutingDomain(
    OfMail,
    name="core_config_get_message_routing_domain",
    arguments=("scope", "msg", "buff"),
    waits=False,
    asked=ALL,
    step=Steps.BINDING,
):
    """By which domain is it routed? Whoever knows sets `mail.routing_domain`."""


@hook
@dataclass(slots=True)
class SetBinding(
    OfMail,
    name="validate_set_binding",
    arguments=("msg",),
    waits=False,
    asked=ALL,
    step=Steps.BINDING,
):
    """By which binding does it leave? Asked again when mail is bound anew."""


@hook
@dataclass(slots=True)
class FinalValidation2(
    OfMail,
    name="core_final_validation2",
    arguments=("msg", "accept", "vctx"),
    asked=ALL,
    step=Steps.FINAL,
):
    """Binding and domain are known. May refuse (DONE) or put off; signing by DKIM2 belongs here."""


@hook
@dataclass(slots=True)
class FinalValidation(
    OfMail,
    name="core_final_validation",
    arguments=("msg", "accept", "vctx"),
    asked=ALL,
    step=Steps.FINAL,
):
    """The content is as it will be sent: signing by DKIM and DomainKeys belongs here."""


@hook
@dataclass(slots=True)
class PostFinalValidation(
    OfMail,
    name="core_post_final_validation",
    arguments=("msg", "accept", "vctx"),
    asked=ALL,
    step=Steps.FINAL,
):
    """After all signatures: sealing by ARC belongs here."""


@hook
@dataclass(slots=True)
class GenerateSeed(
    OfMail,
    name="seedlist_generate_seed",
    arguments=("msg",),
    asked=SEEDS,
    step=Steps.SPOOL,
):
    """A copy for the seeds of a campaign is made: change it, or drop it. Then it is sent."""


@hook
@dataclass(slots=True)
class Dealloc(OfSession, name="validate_dealloc", waits=False):
    """The session is over."""


@hook
@dataclass(slots=True)
class LogDelivery(
    OfMail,
    name="core_log_delivery_v1",
    arguments=("msg", "dr", "now", "note", "notelen"),
    waits=False,
    asked=LOG,
):
    """A host took the message; `note` is its reply."""

    domain: str = ""
    now: float = 0.0
    note: str = ""


@hook
@dataclass(slots=True)
class LogPermanentFailure(
    OfMail,
    name="core_log_permanent_failure_v1",
    arguments=("msg", "domain", "now", "note", "notelen"),
    waits=False,
    asked=LOG,
):
    """Delivery failed for good; `mail.reply` set here is what is logged and reported."""

    domain: str = ""
    now: float = 0.0
    note: str = ""


@hook
@dataclass(slots=True)
class LogTransientFailure(
    OfMail,
    name="core_log_transient_failure_v1",
    arguments=("msg", "domain", "now", "note", "notelen"),
    waits=False,
    asked=LOG,
):
    """An attempt failed and there will be another one."""

    domain: str = ""
    now: float = 0.0
    note: str = ""


@hook
@dataclass(slots=True)
class Requeue(
    OfMail,
    name="core_pre_mailq_message_requeue",
    arguments=("msg", "now"),
    waits=False,
    asked=LOG,
):
    """A message goes back to its queue after an attempt; a discard ends it instead."""

    now: float = 0.0


@hook
@dataclass(slots=True)
class GenerateReport(
    OfMail,
    name="core_generate_rfc3464_message",
    arguments=("message", "action", "mdn"),
    waits=False,
    asked=LOG,
):
    """A report on `mail` is about to be sent: its content may be changed, or None keeps it back.

    Attributes:
        action: "failed", "delayed", "relayed": as the report has it.
        report: the report's content, whole.
    """

    action: str = "failed"
    report: bytes | None = None


# What scripts may register and nobody asks yet, with what is missing.
ABSENT: Final[dict[str, str]] = {
    "core_get_inbound_tls_parameters": "a call by modules in C, which gives them OpenSSL's objects",
    "inbound_smtp_tls_verify_callback": "a call by modules in C; scripts see tls_client_verified",
    "msg_gen_data_spool": "generation of messages",
    "delay_dsn_send_notification": "the module delay_dsn",
    "http_request_eval": "delivery by HTTP",
    "generic_delivery_http_response_eval": "delivery by HTTP",
    "generic_delivery_msg_dispose": "delivery by HTTP",
    "build_request": "delivery by HTTP",
    "handle_response": "delivery by HTTP",
    "smpp_submit_response": "SMPP",
    "chunk_logger_log": "a call by modules in C; scripts have msys.ts.chunk_logger.log",
    "cluster_nodename": "the cluster",
    "core_suspension": "the module curfew",
    "dns_get_As": "the module mxip",
}
