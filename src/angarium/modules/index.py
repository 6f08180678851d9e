"""Names of modules in ecelerity.conf to where they are. One line a module; it is imported when it
is configured, so a server pays only for what it uses.
"""

import importlib
from collections.abc import Mapping
from typing import Any, Final

# Stanza to the Python module which has what runs it; loggers run in the hose.
LOGGERS: Final[Mapping[str, str]] = {
    "ec_logger": "angarium.modules.loggers.ec_logger",
    "bounce_logger": "angarium.modules.loggers.bounce_logger",
    "custom_logger": "angarium.modules.loggers.custom_logger",
    "custom_bounce_logger": "angarium.modules.loggers.custom_bounce_logger",
    "exim_logger": "angarium.modules.loggers.exim_logger",
    "postfix_logger": "angarium.modules.loggers.postfix_logger",
    "sendmail_logger": "angarium.modules.loggers.sendmail_logger",
}
# Those which may have a paniclog of their own, beside ec_logger.
PANICS: Final = ("custom_logger", "exim_logger", "postfix_logger", "sendmail_logger")

# Those which are policy; they run in the workers. In `modules/means` stands what they are.
POLICY: Final[Mapping[str, str]] = {
    "scriptlet": "angarium.modules.lua.scriptlet:Scriptlet",
    "chunk_logger": "angarium.modules.loggers.chunk_logger:ChunkLogger",
    "python": "angarium.modules.python.module:Python",
    "as_logger": "angarium.modules.guard.as_logger:SeriesLogger",
    "conntrol": "angarium.modules.guard.conntrol:ConnControl",
    "dnsbl": "angarium.modules.guard.dnsbl:Dnsbl",
    "fingerprint": "angarium.modules.guard.fingerprint:Fingerprint",
    "greylist": "angarium.modules.guard.greylist:Greylist",
    "inbound_audit": "angarium.modules.guard.inbound_audit:InboundAudit",
    "outbound_audit": "angarium.modules.guard.outbound_audit:OutboundAudit",
    "ac_auth": "angarium.modules.auth.ac_auth:AcAuth",
    "auth_ds": "angarium.modules.auth.auth_ds:AuthDs",
    "auth_radius": "angarium.modules.auth.auth_radius:AuthRadius",
    "smtp_auth_proxy": "angarium.modules.auth.smtp_auth_proxy:SmtpAuthProxy",
    "alias": "angarium.modules.route.alias:Alias",
    "seedlist": "angarium.modules.route.seedlist:SeedList",
    "static_routes": "angarium.modules.route.static_routes:StaticRoutes",
    "httpsrv": "angarium.modules.generate.httpsrv:HttpServer",
    "mail_loop": "angarium.modules.guard.mail_loop:MailLoop",
    "smtp_cbv": "angarium.modules.guard.smtp_cbv:CallbackVerify",
    "dkim_sign": "angarium.modules.sign.dkim_sign:DkimSign",
    "dkim_validate": "angarium.modules.sign.dkim_validate:DkimValidate",
    "openarc": "angarium.modules.sign.openarc:OpenArc",
    "opendkim": "angarium.modules.sign.opendkim:OpenDkim",
    "dk_sign": "angarium.modules.sign.dk_sign:DkSign",
    "dk_validate": "angarium.modules.sign.dk_validate:DkValidate",
    "spf_v1": "angarium.modules.sign.spf:SenderPolicy",
    "dmarc": "angarium.modules.sign.dmarc:Dmarc",
    "senderid": "angarium.modules.sign.senderid:SenderId",
    "tls_reporting": "angarium.modules.report.tls_reporting:TlsReporting",
    "url_ripper": "angarium.modules.guard.url_ripper:UrlRipper",
}


def policy(stanza: str) -> Any:
    """Import the class that is a module of policy."""
    path, _, name = POLICY[stanza].partition(":")
    return getattr(importlib.import_module(path), name)


def logger(stanza: str) -> Any:
    """Import the class that runs a logger's stanza."""
    return importlib.import_module(LOGGERS[stanza]).Logger


def paniclog(stanza: str) -> Any:
    """Import the function which says from a stanza's options where its paniclog is."""
    return importlib.import_module(LOGGERS[stanza]).paniclog
