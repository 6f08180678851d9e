"""Options of the modules which call somebody, or do things at set times."""

from angarium.config.kinds import Duration, Int, Path
from angarium.config.option import option
from angarium.modules.options import Module, not_yet


class Alerting(
    Module,
    stanza="alerting",
    standing=not_yet("Scripts use it, and they do not run. Alarms of the server are in paniclog."),
):
    """Lets scripts send alerts by mail."""

    alerting_cache_size = option(Int(), 1048576, doc="Alerts which are remembered.")
    alerting_cache_ttl = option(Duration(), 3600.0, doc="Time for which they are.")


class Schedule(
    Module,
    stanza="sched",
    standing=not_yet("cron can run commands of the console."),
):
    """Runs commands of the console at set times."""

    backing_store = option(
        Path(),
        None,
        doc="Database which keeps what is to be run; unset: a restart forgets it.",
        example="/var/lib/angarium/sched.db",
    )
