"""Options of the loggers whose lines are of your own making, or those of other servers."""

from typing import Final

from angarium.config.kinds import Bool, Duration, Int, Mode, Raw, Text
from angarium.config.option import Options, accepted, option
from angarium.config.scope import Naming, Scope
from angarium.modules.kinds import DirectPlace, LogPlace
from angarium.modules.loggers.macros import sanitizer
from angarium.modules.options import LOG_MODE, Logger, needless

BY_FORMAT: Final = "A format turns its stage on, and without one there is nothing to write."
ONE_WRITER: Final = "One process writes all logs, and mail never waits for it."


class Sanitize(Text):
    """How data of others is made harmless."""

    def parse(self, raw: Raw) -> str:
        text = Text.parse(self, raw)
        sanitizer(text)
        return text


class Stages(Options, template=True):
    """What is logged."""

    log_receptions = accepted(
        Bool(), False, scopes=Scope.OWN, reason=BY_FORMAT, doc="Write receptions."
    )
    log_deliveries = accepted(
        Bool(), False, scopes=Scope.OWN, reason=BY_FORMAT, doc="Write deliveries."
    )
    log_transient_failures = accepted(
        Bool(), False, scopes=Scope.OWN, reason=BY_FORMAT, doc="Write transient failures."
    )
    log_permanent_failures = accepted(
        Bool(), False, scopes=Scope.OWN, reason=BY_FORMAT, doc="Write permanent failures."
    )
    log_rejections = accepted(
        Bool(), False, scopes=Scope.OWN, reason=BY_FORMAT, doc="Write rejections."
    )
    log_errors = option(Bool(), False, doc="Write faults of the server to its paniclog.")


class CustomLogger(Stages, Logger, stanza="custom_logger", naming=Naming.MAYBE):
    """Writes lines of your own making, of macros such as %r; a format turns its stage on."""

    mainlog = option(
        LogPlace(), None, doc="Log of all stages.", example="/var/log/angarium/custom.log"
    )
    mainlog_mode = option(Mode(), LOG_MODE, doc="Mode of mainlog.")
    paniclog = option(
        DirectPlace(), None, doc="Log of errors.", example="/var/log/angarium/custom.err"
    )
    paniclog_mode = option(Mode(), LOG_MODE, doc="Mode of paniclog.")
    reception_format = option(Text(), None, doc="Line of a reception.", example='"%t %r@%R"')
    reception_logfile = option(
        LogPlace(), None, doc="Log of receptions.", example="/var/log/angarium/in.log"
    )
    reception_log_mode = option(Mode(), LOG_MODE, doc="Mode of that log.")
    delivery_format = option(Text(), None, doc="Line of a delivery.", example='"%t %r@%R"')
    delivery_logfile = option(
        LogPlace(), None, doc="Log of deliveries.", example="/var/log/angarium/out.log"
    )
    delivery_log_mode = option(Mode(), LOG_MODE, doc="Mode of that log.")
    transient_failure_format = option(
        Text(), None, doc="Line of a transient failure.", example='"%t %r@%R %n"'
    )
    transient_failure_logfile = option(
        LogPlace(), None, doc="Log of transient failures.", example="/var/log/angarium/late.log"
    )
    transient_failure_log_mode = option(Mode(), LOG_MODE, doc="Mode of that log.")
    permanent_failure_format = option(
        Text(), None, doc="Line of a permanent failure.", example='"%t %r@%R %n"'
    )
    permanent_failure_logfile = option(
        LogPlace(), None, doc="Log of permanent failures.", example="/var/log/angarium/failed.log"
    )
    permanent_failure_log_mode = option(Mode(), LOG_MODE, doc="Mode of that log.")
    xfer_format = option(
        Text(), None, doc="Line of a message which moves to another node.", example='"%t %i"'
    )
    xfer_logfile = option(
        LogPlace(), None, doc="Log of messages which move.", example="/var/log/angarium/moved.log"
    )
    xfer_log_mode = option(Mode(), LOG_MODE, doc="Mode of that log.")
    rejection_format = option(Text(), None, doc="Line of a rejection.", example='"%t %H %n"')
    rejection_logfile = option(
        LogPlace(), None, doc="Log of rejections.", example="/var/log/angarium/refused.log"
    )
    rejection_log_mode = option(Mode(), LOG_MODE, doc="Mode of that log.")
    namespace = option(
        Text(), "custom_logger,sieve", doc="Where macros are looked for, in this order."
    )
    sanitize = option(
        Sanitize(),
        None,
        doc="How data of others is made harmless: special_characters, non_printable, or"
        " tr/FROM/TO/.",
        example="non_printable",
    )
    concurrency = accepted(
        Int(), 1, scopes=Scope.OWN, reason=ONE_WRITER, doc="Threads which write."
    )
    thread_pool = accepted(
        Text(),
        None,
        scopes=Scope.OWN,
        dynamic=False,
        reason=ONE_WRITER,
        doc="A pool which has them instead.",
        example="logs",
    )


class CustomBounceLogger(Logger, stanza="custom_bounce_logger", naming=Naming.MAYBE, since="4.2"):
    """Writes bouncelog with a text of your own at the end of each line."""

    bouncelog = option(LogPlace(), "/var/log/ecelerity/bouncelog.ec", doc="Log of failures.")
    bouncelog_mode = option(Mode(), LOG_MODE, doc="Mode of that log.")
    user_string = option(
        Text(),
        None,
        doc="The text; macros are put in.",
        example='"%{vctx_mess:campaign}"',
    )
    heartbeat = option(Duration(), 60.0, doc="Time between two heartbeat lines; 0 is none.")
    log_inband_bounces = option(
        Bool(), True, doc="Write failures which a host told while we talked to it."
    )
    log_outofband_bounces = option(
        Bool(), True, doc="Write failures which came as mail after a host had taken ours."
    )
    log_transient_failures = option(Bool(), True, doc="Write transient failures too.")


class AsOthers(Logger, template=True):
    """Writes the lines of another server."""

    mainlog = option(LogPlace(), None, doc="Log of what happened.", example="/var/log/mail.log")
    paniclog = option(
        DirectPlace(), None, doc="Log of faults of the server.", example="/var/log/mail.err"
    )


class EximLogger(AsOthers, stanza="exim_logger", naming=Naming.MAYBE):
    """Writes lines as Exim does."""

    log_transient_failures = option(
        Bool(), None, doc="Write transient failures too; unset: they are.", example="false"
    )


class PostfixLogger(AsOthers, stanza="postfix_logger", naming=Naming.MAYBE):
    """Writes lines as Postfix does."""

    log_transient_failures = option(
        Bool(), None, doc="Write transient failures too; unset: they are.", example="false"
    )


class SendmailLogger(AsOthers, stanza="sendmail_logger", naming=Naming.MAYBE):
    """Writes lines as Sendmail does."""


class MessageCentralLogger(
    Logger,
    stanza="pe2_logger",
    naming=Naming.MAYBE,
    since="3.0",
    standing=needless("It feeds a product which has ended: Message Central."),
):
    """Writes files of deliveries and failures for Message Central."""

    filename_template = option(
        Text(), "/var/log/ecelerity/pe2/%s-%s-%d-%d", doc="How the files are called."
    )
    batch_interval = option(Duration(), 300.0, doc="Time after which a new one begins.")
    default_ident = option(Text(), None, doc="Name in those of the files.", example="mx1")
    suppress_delivery_logs = option(Bool(), False, doc="Write no deliveries.")
    timestamp_format = option(
        Text(), "unix", doc="Form of times: unix, SQLServer, or as of strftime."
    )
