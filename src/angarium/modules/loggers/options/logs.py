"""Options of the loggers of our own logs: which log goes where, and what is in it."""

from angarium.config.kinds import Bool, Duration, Mode, Raw, Text
from angarium.config.option import accepted, option
from angarium.config.scope import Naming, Scope
from angarium.modules.loggers import place
from angarium.modules.options import LOG_MODE, Logger


class Destination(Text):
    """Where a log goes; empty: nowhere."""

    def parse(self, raw: Raw) -> str:
        text = Text.parse(self, raw)
        place.parse(text)
        return text

    def __str__(self) -> str:
        return f"path of a file, or one of {', '.join(place.KINDS)} with :// before it"


class Direct(Destination):
    """Where a log goes which every process writes for itself: no program has room for that."""

    def parse(self, raw: Raw) -> str:
        text = Destination.parse(self, raw)
        if place.parse(text).kind == place.PIPE:
            raise ValueError("every process writes this log, so it cannot go to a program")
        return text


class EcLogger(Logger, stanza="ec_logger", naming=Naming.MAYBE):
    """Writes mainlog, rejectlog, paniclog, acctlog and importlog."""

    mainlog = option(
        Destination(), "/var/log/ecelerity/mainlog.ec", doc="File of receptions and deliveries."
    )
    mainlog_mode = option(Mode(), LOG_MODE, doc="Mode of mainlog.")
    rejectlog = option(Destination(), "/var/log/ecelerity/rejectlog.ec", doc="File of rejections.")
    rejectlog_mode = option(Mode(), LOG_MODE, doc="Mode of rejectlog.")
    paniclog = option(Direct(), "/var/log/ecelerity/paniclog.ec", doc="File of faults.")
    paniclog_mode = option(Mode(), LOG_MODE, doc="Mode of paniclog.")
    acctlog = option(
        Direct(), "/var/log/ecelerity/acctlog.ec", doc="File of who gave which command."
    )
    acctlog_log_mode = option(Mode(), LOG_MODE, doc="Mode of acctlog.")
    importlog = option(
        Destination(),
        None,
        doc="""
        File of mail which was brought in from elsewhere, by `spool import` of the console or by
        `angarium spool import`; unset: none.
        """,
        example="/var/log/angarium/importlog",
    )
    importlog_mode = option(Mode(), LOG_MODE, doc="Mode of importlog.")
    heartbeat = option(Duration(), 60.0, doc="Time between two heartbeat lines; 0 is none.")
    log_receptions = option(Bool(), True, doc="Write receptions to mainlog.")
    log_deliveries = option(Bool(), True, doc="Write deliveries to mainlog.")
    log_transient_failures = option(Bool(), True, doc="Write transient failures to mainlog.")
    log_permanent_failures = option(Bool(), True, doc="Write permanent failures to mainlog.")
    log_rejections = option(Bool(), True, doc="Write rejections to rejectlog.")
    log_errors = accepted(
        Bool(),
        True,
        scopes=Scope.OWN,
        reason="mainlog has no line for them: faults of the server are in paniclog, always.",
        doc="Write errors to the log.",
    )


class BounceLogger(Logger, stanza="bounce_logger", naming=Naming.MAYBE):
    """Writes bouncelog: failures with their class."""

    bouncelog = option(Destination(), "/var/log/ecelerity/bouncelog.ec", doc="File of failures.")
    bouncelog_mode = option(Mode(), LOG_MODE, doc="Mode of bouncelog.")
    heartbeat = option(Duration(), 60.0, doc="Time between two heartbeat lines; 0 is none.")
    log_inband_bounces = option(
        Bool(), True, doc="Write failures which a host told while we talked to it."
    )
    log_outofband_bounces = option(
        Bool(),
        True,
        doc="""
        Write failures which came as mail after a host had taken ours. There are none before
        bounce_behavior is there: no mail which comes in is taken for such a report yet.
        """,
    )
    log_transient_failures = option(Bool(), True, doc="Write transient failures too.")
