"""Options of the manager of a cluster, which gathers the logs of all nodes."""

from angarium.config.kinds import Duration, Int, List, Mode, Path, Text
from angarium.config.option import Options, option
from angarium.config.scope import Naming, Standing, State

NOT_GATHERED = Standing(
    State.PLANNED,
    "Let a log shipper carry the logs of the nodes to one place.",
    loss="no log of another node is fetched",
)


class GatheredLogs(Options, stanza="logs", standing=NOT_GATHERED):
    """Where the manager of a cluster keeps the logs it fetches."""

    logfile = option(
        Text(),
        None,
        example='"/var/log/eccluster/%Y/%m/%d/%{l}/%{s}/%{n}"',
        doc="""
        Path of a file of them: strftime's letters for its time, %{l} the log, %{n} the node, %{s}
        its part of the cluster.
        """,
    )
    file_mode = option(Mode(), None, example="0640", doc="Mode of these files.")
    dir_mode = option(Mode(), None, example="0755", doc="Mode of directories made for them.")
    max_open = option(Int(minimum=1), None, doc="How many of them are open at once.")
    max_idle = option(
        Duration(),
        None,
        doc="How long one to which nothing is written stays open.",
        example="300",
    )
    control_cache = option(
        Path(),
        None,
        doc="File which keeps the answers of nodes to commands of the console.",
        example="/var/log/eccluster/control_cache",
    )


class Manager(Options, stanza="logs.manager", inside=("logs",), naming=Naming.ALWAYS):
    """What one manager fetches, where there are several; the name is that of its node."""


class ManagedNode(
    Options, stanza="logs.manager.node", inside=("logs.manager",), naming=Naming.ALWAYS
):
    """What this manager fetches of one node; the name is that of the node."""

    subscriber = option(
        List(Text(), split=True),
        None,
        example="( eastmgr master )",
        doc="""
        Names as which the manager asks for logs, one after the other. Unset: its own name, then
        `master`; an empty list: it asks for none.
        """,
    )
