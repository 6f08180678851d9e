"""Options of what is counted and recorded about the mail."""

from angarium.config.kinds import Choice, Duration, Mode, Path
from angarium.config.option import Options, accepted, option, planned
from angarium.config.scope import Scope

OF_ADDRESSES = """
Of an address only a pause is remembered, see host_failure_retry, and that ends by itself.
"""


class Statistics(Options, direction="na"):
    """Figures about the mail, and how long they last."""

    signing_stats = option(
        Choice(("all", "global", "off")),
        "all",
        scopes=Scope.GLOBAL,
        direction="sending",
        doc="""
        Whether signatures of DKIM and DomainKeys are counted for each binding and domain (`all`),
        in one sum (`global`) or not at all. The console prints them: `signing_stats`. With `all`
        10,000 rows of bindings and domains are kept in a worker at most; further domains count for
        their binding only.
        """,
    )
    permastore_interval = planned(
        Duration(),
        300.0,
        scopes=Scope.GLOBAL,
        reason="""
        Figures begin anew with each start, but for those of signing_stats, which are written at a
        stop; those of messages are in the event streams.
        """,
        doc="Time between two writings of figures that outlast a restart; 0: at a stop only.",
    )
    masterdb_file = accepted(
        Path(),
        "/var/log/ecelerity/ecdb",
        direction="na",
        dynamic=False,
        reason="What outlasts a restart has files of its own in the state directory.",
        doc="SQLite database of figures that outlast a restart.",
    )
    address_metrics_lifetime = accepted(
        Duration(),
        1800.0,
        direction="sending",
        reason=OF_ADDRESSES,
        doc="How long it is remembered how well an address could be reached.",
    )
    address_metrics_cleanse_interval = accepted(
        Duration(minimum=1.0),
        3600.0,
        direction="sending",
        reason=OF_ADDRESSES,
        doc="Time between two removals of what is remembered of addresses.",
    )


class Traces(Options, direction="sending"):
    """Records of whole sessions."""

    trace_smtp_mode = option(
        Mode(),
        0o640,
        scopes=Scope.GLOBAL,
        dynamic=False,
        doc="Mode of files which record sessions of SMTP; they hold mail, so let few read them.",
    )
