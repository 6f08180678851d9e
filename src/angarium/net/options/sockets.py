"""Options of sockets: those which listen, and those of outgoing connections."""

from angarium.config.kinds import Bool, Duration, Int, Mode, Size, Text
from angarium.config.option import Options, State, option
from angarium.config.scope import EVERY_LISTENER, Scope

LISTENING = EVERY_LISTENER | Scope.LISTEN


class ListenSocket(Options, direction="receiving"):
    """One listening socket."""

    enable = option(Bool(), True, scopes=LISTENING, doc="Whether it listens at all.")
    listen_backlog = option(
        Int(minimum=1),
        500,
        scopes=LISTENING & ~Scope.MSGCSERVER_LISTENER,
        doc="Connections which the system holds until they are accepted.",
    )
    tcp_recv_buffer_size = option(
        Size(),
        4096,
        scopes=LISTENING & ~Scope.MSGCSERVER_LISTENER,
        doc="""
        Receive buffer of its connections; 0 leaves it to the system. 4096, the default, is left
        to the system too: it would slow large messages, and the system grows buffers by need.
        """,
    )
    tcp_send_buffer_size = option(
        Size(),
        4096,
        scopes=LISTENING & ~Scope.MSGCSERVER_LISTENER,
        doc="Send buffer of its connections; as tcp_recv_buffer_size.",
    )
    disable_nagle_algorithm = option(
        Bool(),
        False,
        scopes=(LISTENING | Scope.GLOBAL) & ~Scope.MSGCSERVER_LISTENER,
        direction="both",
        state=State.ACCEPTED,
        reason="TCP_NODELAY is always set: what is said at once is written at once.",
        doc="Set TCP_NODELAY.",
    )
    file_mode = option(
        Mode(),
        0o660,
        scopes=LISTENING,
        direction="na",
        doc="The mode of a Unix socket.",
    )
    accept_queue_backlog = option(
        Int(),
        0,
        scopes=LISTENING,
        state=State.ACCEPTED,
        reason="Workers accept by themselves, one connection at a time; there is no queue.",
        doc="Accepted connections which wait for the scheduler.",
    )
    concurrency = option(
        Int(),
        0,
        scopes=LISTENING & ~Scope.MSGCSERVER_LISTENER,
        state=State.ACCEPTED,
        reason="Every worker accepts; there are no threads for it.",
        doc="Threads which accept connections.",
    )
    events_per_iter = option(
        Int(),
        0,
        scopes=LISTENING & ~Scope.MSGCSERVER_LISTENER,
        state=State.ACCEPTED,
        reason="A worker accepts one connection at a time, so that they spread evenly.",
        doc="Connections taken over in one turn.",
    )
    pool_name = option(
        Text(),
        None,
        scopes=LISTENING & ~Scope.MSGCSERVER_LISTENER,
        state=State.ACCEPTED,
        reason="Every worker accepts; there are no threads for it.",
        doc="Pool of the threads which accept connections.",
        example="IO",
    )
    event_loop = option(
        Text(),
        None,
        scopes=Scope.ESMTP_LISTENER | Scope.ECSTREAM_LISTENER | Scope.HTTP_LISTENER | Scope.LISTEN,
        dynamic=False,
        state=State.ACCEPTED,
        reason="All workers serve all listeners.",
        doc="Event loops which serve a listener.",
        example="smtp_pool",
    )
    timeout = option(
        Duration(),
        60.0,
        scopes=Scope.CONTROL_LISTENER,
        doc="A console which asks nothing for this long is disconnected; 0: never.",
    )


class Sending(Options, direction="sending"):
    """Sockets of outgoing connections."""

    tcp_buffer_size = option(
        Size(minimum=1024),
        32768,
        scopes=Scope.GLOBAL,
        doc="Octets of a content which wait in memory for a host to take them, per connection.",
    )
    disable_nagle_algorithm = ListenSocket.disable_nagle_algorithm
