"""Options of the message bus between the nodes of a cluster."""

from typing import Final

from angarium.config.kinds import PORT, Duration, Int, List, Place, Size, Table
from angarium.config.option import Options, option
from angarium.config.places import Address, HostPort
from angarium.modules.options import Module, not_yet

NO_CLUSTER: Final = "Each server stands alone."


class Bus(Options, template=True):
    """What both ends of the bus can be told."""

    connect_timeout = option(Duration(), 60.0, doc="Time to connect.")
    idle_timeout = option(Duration(), 30.0, doc="Time after which a silent connection is dead.")
    keepalive_interval = option(Duration(), 5.0, doc="Time between packets which say nothing.")
    reconnect_interval = option(Duration(), 5.0, doc="Time before it connects again.")
    max_backlog = option(
        Int(), 5000, doc="Messages which wait for a connection; with more it is closed."
    )
    messages_per_iter = option(Int(), 20, doc="Messages of one connection at a turn.")
    tcpbuf_size = option(Size(), 131072, doc="Octets of the buffers of a connection.")


class BusServer(Bus, Module, stanza="msgc_server", standing=not_yet(NO_CLUSTER)):
    """Passes messages on between nodes; it listens where `msgcserver_listener` says."""

    peers = option(
        Table(HostPort()),
        {},
        doc="The nodes, by names in lower case, and their addresses.",
        example="[ mx1.example.com = 192.0.2.1 mx2.example.com = 192.0.2.2 ]",
    )
    port = option(PORT, 4809, doc="Port on which the nodes listen.")


class BusClient(Bus, Module, stanza="msgc_client", standing=not_yet(NO_CLUSTER)):
    """Sends messages by the bus, and gets those of the others."""

    server = option(List(HostPort()), (Place("127.0.0.1", 4809),), doc="Servers of the bus.")
    bind_address = option(
        Address(),
        None,
        doc="Address to connect from; unset: the system's choice.",
        example="192.0.2.1",
    )
