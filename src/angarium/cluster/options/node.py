"""Options of a node of a cluster, and of what its nodes tell each other."""

from angarium.config.compound import Joined
from angarium.config.kinds import (
    PORT,
    Bool,
    Choice,
    Duration,
    Float,
    Int,
    Path,
    Size,
    Table,
    Text,
)
from angarium.config.option import Options, accepted, option
from angarium.config.scope import Naming, Scope, Standing, State

ALONE = Standing(
    State.PLANNED,
    "There are no clusters yet; give each node its share of what you want to limit.",
    loss="this node counts and limits for itself alone, and nobody takes its addresses over",
)
NO_BUS = "Nodes will talk to each other directly; there is no message bus with groups."
LOGS = ("rejectlog", "paniclog", "mainlog", "acctlog", "bouncelog")
KINDS = (
    "cache", "inbound_cidr", "outbound_cidr", "outbound_domains", "outbound_binding_domains",
    "OBTM", "OBTC", "shared_named_throttles", "metrics", "eccmgr_metrics",
)  # fmt: skip
METRICS = (
    "snapshot", "connect", "delivery", "transfail", "permfail", "reception", "rejection",
    "audit_series", "gauge_cache",
)  # fmt: skip


class Cluster(Options, stanza="cluster", standing=ALONE):
    """A node of a cluster: who it is, and how nodes share addresses and logs."""

    enabled = option(Bool(), True, doc="Whether this node is one of a cluster.")
    debug_level = option(
        Choice(("DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL")),
        "ERROR",
        doc="The least serious message about the cluster that goes to paniclog.",
    )
    nodename = option(
        Text(),
        None,
        doc="""
        Name of this node. Unset: EC_NODE_NAME of the environment, else the first part of the
        host name.
        """,
        example="mta1",
    )
    nodeaddr = option(
        Text(),
        None,
        example="10.0.0.5",
        doc="""
        Address by which the other nodes reach this one, not that of the loopback. Unset: what the
        name of the node stands for.
        """,
    )
    subcluster = accepted(
        Text(),
        None,
        scopes=Scope.OWN,
        since="3",
        reason="It went with version 4: a cluster there, and here, is one.",
        doc="Part of the cluster this node belongs to.",
        example="east",
    )
    mbus_daemon = accepted(
        PORT,
        4803,
        scopes=Scope.OWN,
        since="3",
        reason=NO_BUS,
        doc="Port of the daemon of the message bus on this machine; gone with version 4.",
    )
    cluster_group = accepted(
        Text(),
        "ec_cluster",
        scopes=Scope.OWN,
        reason=NO_BUS,
        doc="Group of the message bus in which nodes agree on who has which address.",
    )
    control_group = accepted(
        Text(),
        "ec_console",
        scopes=Scope.OWN,
        reason=NO_BUS,
        doc="Group of the message bus in which commands go to all nodes.",
    )
    log_group = option(
        Text(),
        None,
        doc="Name under which paniclog is told to whoever listens; unset: to nobody.",
        example="ec_logs",
    )
    tcp_buffer_size = option(
        Size(minimum=1024),
        32768,
        direction="sending",
        doc="Buffers of the connections between nodes, in octets.",
    )
    # Whether the others are there.
    heartbeats_per_sec = option(
        Int(minimum=1), 1, doc="How often in a second a node says that it is there."
    )
    heartbeat_start_delay = option(
        Duration(), 15.0, doc="Time after the start before a node begins to say so."
    )
    # Who has which address.
    arp_all_hosts = option(
        Bool(),
        True,
        doc="""
        Whether the whole network is told at once that an address has moved here. `false` tells
        only the hosts which have to know, for networks that such a burst disturbs.
        """,
    )
    if_check_interval = option(
        Duration(minimum=1.0),
        30.0,
        doc="Time between two looks whether the machine has the addresses which it should have.",
    )
    if_down_limit = option(
        Int(unit="seconds"),
        4,
        doc="How long an address has to be missing before it is added, so that none flaps.",
    )
    duravip_balance_set_size = option(
        Int(minimum=1),
        1,
        doc="""
        Addresses which move at once when nodes share them out anew. It has to be the same on all
        nodes; larger values are for clusters with very many addresses.
        """,
    )
    view_mature_time = option(
        Int(unit="seconds"),
        5,
        doc="How long the nodes which are there have to stay the same before addresses move.",
    )
    view_balance_interval = option(
        Int(minimum=1, unit="seconds"),
        10,
        doc="Time between two looks whether addresses are shared out evenly.",
    )
    view_broadcast_interval = option(
        Int(unit="seconds"),
        0,
        doc="Time between two tellings, unasked, of who has which address; 0: never.",
    )
    unconditional_rebind = option(
        Bool(),
        True,
        doc="""
        Whether policy is asked again for the binding of a message which moves to another node.
        """,
    )
    # Logs in one place.
    logs = option(
        Table(Path()),
        {each: f"/var/log/ecelerity/{each}.cluster" for each in LOGS},
        doc="""
        Logs which the manager of the cluster may fetch from here: a name for each, and the path
        which a logger writes it to.
        """,
    )
    log_active_interval = option(
        Duration(), 1.0, doc="Pause between two pieces of a log while there are further ones."
    )
    log_idle_interval = option(
        Duration(), 10.0, doc="Pause before the next look for pieces when there was none."
    )


class Replicate(Options, stanza="cluster.replicate", inside=("cluster",), naming=Naming.ALWAYS):
    """Something which the nodes count or keep together.

    The name says what, unless `class` or `type` does.
    """

    type = option(
        Choice(KINDS),
        None,
        doc="""
        What is shared: a cache, sessions by address (inbound_cidr), connections by address, domain
        or binding and domain (outbound_*), rates of messages and connections (OBTM, OBTC),
        throttles of scripts, or figures over time.
        """,
    )
    class_ = option(
        Choice(KINDS),
        None,
        name="class",
        doc="As type, for a second stanza of a kind whose name is taken by the first one.",
    )
    parameters = option(
        Joined(Choice(METRICS), ";"),
        None,
        example='"connect;reception;rejection"',
        doc="With metrics: which of them.",
    )
    binding_group = option(
        Text(),
        None,
        doc="With outbound_cidr and outbound_domains: the group whose connections are counted.",
        example="customers",
    )
    max_delay = option(
        Float(), 1.0, doc="How long news may wait for others to be sent with, in seconds."
    )
    max_pending = option(Int(minimum=1), 100, doc="How many news may wait.")
    max_size = option(Int(minimum=-1), -1, doc="With cache: entries of it; -1 is no limit.")


class Topology(Options, stanza="cluster.topology", inside=("cluster",), naming=Naming.ALWAYS):
    """Where the addresses of a network are added on this machine; the name is the network."""

    interface = option(Text(), None, example="eth1", doc="Network interface which gets them.")
    cidrmask = option(
        Int(minimum=0, maximum=128),
        32,
        doc="Bits of the network with which an address is added; 32, or 128 for IPv6, is itself.",
    )
