"""Options of the modules which carry logs elsewhere, count, or log for scripts."""

from angarium.config.kinds import Bool, Choice, Duration, List, Path, Pattern, Text
from angarium.config.option import option
from angarium.config.scope import Naming
from angarium.modules.kinds import DirectPlace, LogPlace
from angarium.modules.loggers.place import FACILITIES
from angarium.modules.options import Logger, Module, Wrapper, needless, not_yet


class Jlog(Wrapper, stanza="jlog"):
    """Lets logs be queues with readers, as jlog://PATH=>READER."""


class SyslogIo(Wrapper, stanza="syslog_io"):
    """Lets logs go to the system log, as syslog://?facility=mail&priority=error."""

    ident = option(Text(), "ecelerity", doc="Who the lines are from.")
    default_facility = option(
        Choice(tuple(FACILITIES)), "mail", doc="Facility where none is named."
    )


class ChunkLogger(
    Logger,
    stanza="chunk_logger",
    naming=Naming.MAYBE,
    since="4.2",
):
    """Writes what scripts want to have logged, without making them wait."""

    destination = option(
        DirectPlace(),
        None,
        doc="Log of what scripts say; unset: `log/chunk.log`.",
        example="/var/log/angarium/policy.log",
    )
    timestamp_format = option(
        Text(),
        None,
        doc="What each line begins with, as of strftime.",
        example='"%Y-%m-%d %H:%M:%S "',
    )
    add_newline = option(Bool(), True, doc="End each text with a line end.")


class ReceptionTiming(
    Module,
    stanza="reception_timing",
    naming=Naming.MAYBE,
    direction="receiving",
    since="4.2",
    standing=not_yet("No times of single receptions are taken."),
):
    """Takes the times of receptions."""


class ReceptionTimingLogger(
    Logger,
    stanza="reception_timing_logger",
    naming=Naming.MAYBE,
    direction="receiving",
    since="4.2",
    standing=not_yet("No times of single receptions are taken."),
):
    """Writes those times to the log of `chunk_logger`."""


class TlsMacros(
    Module,
    stanza="tls_macros",
    naming=Naming.MAYBE,
    standing=needless("Custom logs have its macros, with this stanza or without it."),
):
    """Gives custom logs the macros of outbound TLS."""


class SeriesLogger(Logger, stanza="as_logger"):
    """Writes audit series to files, and begins them anew with each."""

    base_dir = option(
        Path(), None, doc="Directory of the series.", example="/var/log/angarium/series"
    )
    log_interval = option(Duration(), None, doc="Time between writes.", example="300")
    series_include = option(
        List(Pattern()), (), doc="Patterns of series which are written.", example="( ^inbound )"
    )
    series_exclude = option(
        List(Pattern()), (), doc="Patterns of series which are not.", example="( ^test )"
    )
    series_include_default = option(Choice(("all", "none")), "none", doc="Whether all others are.")


class LicenceLogger(
    Logger,
    stanza="ilf_logger",
    standing=needless("There is no licence to report for."),
):
    """Counts what the licence wants to be counted."""

    filename_format = option(
        Text(), "/var/log/ecelerity/ilf/%m-%d-%Y.ilfdata", doc="How the files are called."
    )
    write_interval = option(Duration(), 60.0, doc="Time between writes.")


class StatisticsProducer(
    Logger,
    stanza="statp",
    naming=Naming.MAYBE,
    since="3.0",
    standing=needless("It feeds the web console of version 3."),
):
    """Writes statistics for the web console."""

    log_file = option(
        LogPlace(), "jlog:///var/log/ecelerity/statp.rt", doc="Log of the statistics."
    )
    interval = option(Duration(), 60.0, doc="Time between writes.")
    watchlist_only = option(Bool(), True, doc="Tell the failures of watched domains only.")
