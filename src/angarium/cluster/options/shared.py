"""Options of what all nodes of a cluster share: addresses which move, and limits on sending."""

from angarium.config.kinds import Bool, CapKind, Int, Text, ThrottleKind
from angarium.config.option import Options, planned
from angarium.config.scope import BINDINGS, SHAPING, Scope

NO_CLUSTER = "Addresses do not move between machines by themselves yet."

SHARE = "There are no clusters yet: give each node its share, by {}."


class MovingAddress(Options, direction="both"):
    """An address of a binding or a listener which one of several nodes has."""

    enable_duravip = planned(
        Bool(),
        None,
        scopes=Scope.BINDING | Scope.LISTEN,
        reason="Give the machine the address by other means, such as keepalived.",
        doc="""
        Whether the address of a binding or listener is added to whichever node has to serve it,
        and moves to another one when that node fails. Unset: it stays where it is.
        """,
    )
    duravip_preference = planned(
        Text(),
        None,
        scopes=Scope.BINDING | Scope.LISTEN,
        example="node1",
        reason=NO_CLUSTER,
        doc="Node which has the address as long as it is there.",
    )
    duravip_follow = planned(
        Text(),
        None,
        scopes=Scope.LISTEN,
        direction="receiving",
        example="binding1",
        reason=NO_CLUSTER,
        doc="Binding whose node has the address of this listener too.",
    )


class ClusterLimits(Options, direction="sending"):
    """What all nodes together may do; as the options without `cluster_`, counted over all nodes."""

    cluster_max_outbound_connections = planned(
        Int(minimum=-1),
        -1,
        scopes=Scope.GLOBAL | Scope.BINDING | Scope.DOMAIN | Scope.HOST,
        reason=SHARE.format("max_outbound_connections"),
        doc="""
        Connections which may be open at once for one domain and binding, of all nodes; in a host
        stanza to that host, before the others. -1 is no limit.
        """,
    )
    cluster_scope_max_outbound_connections = planned(
        CapKind(),
        None,
        scopes=SHAPING | Scope.HOST,
        reason=SHARE.format("scope_max_outbound_connections"),
        doc="""
        Connections which may be open at once for all that this stanza covers together, of all
        nodes.
        """,
    )
    cluster_server_max_outbound_connections = planned(
        CapKind(),
        None,
        scopes=BINDINGS,
        reason=SHARE.format("server_max_outbound_connections"),
        doc="""
        Connections for sending which may be open at once, of all nodes; in a binding stanza, of
        that binding. Unset: no limit.
        """,
    )
    cluster_outbound_throttle_messages = planned(
        ThrottleKind(),
        None,
        scopes=Scope.GLOBAL | Scope.BINDING_GROUP | Scope.DOMAIN,
        reason=SHARE.format("outbound_throttle_messages"),
        doc="Messages sent in a time by all nodes.",
    )
    cluster_outbound_throttle_connections = planned(
        ThrottleKind(),
        None,
        scopes=Scope.GLOBAL | Scope.BINDING_GROUP | Scope.DOMAIN,
        reason=SHARE.format("outbound_throttle_connections"),
        doc="Connections opened in a time by all nodes.",
    )
