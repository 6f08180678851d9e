"""Options of sockets and of name resolution."""

from angarium.config.kinds import Bool, Duration, Int, List, Mode, Path, Size, Text
from angarium.config.option import OURS, Options, State, option
from angarium.config.places import HostPort
from angarium.config.scope import EVERY_LISTENER, Scope
from angarium.net.answer import MAX_ALIASES

UNLIMITED = "Questions are limited by how many are open at once, see dns_max_in_flight."
LISTENING = EVERY_LISTENER | Scope.LISTEN


class Resolver(Options, direction="sending"):
    """How names are looked up."""

    resolv_conf = option(
        Path(),
        "/etc/resolv.conf",
        scopes=Scope.GLOBAL,
        doc="""
        File which names the servers to ask: nameserver, lookup, and of options timeout, attempts
        and trust-ad are read. A domain in mail is a whole name, so search and ndots are not.
        """,
    )
    dns_servers = option(
        List(HostPort()),
        (),
        scopes=Scope.GLOBAL,
        since=OURS,
        doc="Servers to ask instead of those in resolv_conf: addresses, with :port or without.",
    )
    hosts_file = option(
        Path(),
        "/etc/hosts",
        scopes=Scope.GLOBAL,
        since=OURS,
        doc="File of names and addresses which is asked before DNS for addresses.",
    )
    dns_timeout = option(
        Duration(minimum=0.05),
        5.0,
        scopes=Scope.GLOBAL,
        since=OURS,
        doc="Wait for an answer before the next server is asked; resolv_conf may say otherwise.",
    )
    dns_attempts = option(
        Int(minimum=1, maximum=10),
        2,
        scopes=Scope.GLOBAL,
        since=OURS,
        doc="How often each server is asked; resolv_conf may say otherwise.",
    )
    dns_max_in_flight = option(
        Int(minimum=1),
        1000,
        scopes=Scope.GLOBAL,
        since=OURS,
        doc="Questions of a worker which may be open at once; further ones wait.",
    )
    max_cname_depth = option(
        Int(minimum=1, maximum=100),
        MAX_ALIASES,
        scopes=Scope.GLOBAL,
        since=OURS,
        doc="CNAMEs which are followed one after the other; then the lookup has failed.",
    )
    dns_cache_size = option(
        Int(minimum=1),
        100000,
        scopes=Scope.GLOBAL,
        since=OURS,
        doc="Answers a worker keeps.",
    )
    dns_negative_ttl = option(
        Duration(),
        60.0,
        scopes=Scope.GLOBAL,
        since=OURS,
        doc="How long at most it is remembered that a name does not exist (RFC 2308).",
    )
    dns_fallback_to_tcp = option(
        Bool(),
        True,
        scopes=Scope.GLOBAL,
        direction="both",
        doc="""
        Ask again by TCP when an answer did not fit. Momentum's manual says false, its versions
        since 4.2.28 do so.
        """,
    )
    max_dns_ttl = option(
        Int(maximum=4294967295),
        4294967295,
        scopes=Scope.GLOBAL,
        doc="Seconds for which an answer is kept at most, whatever it says itself.",
    )
    min_dns_ttl = option(
        Int(maximum=4294967295),
        0,
        scopes=Scope.GLOBAL,
        doc="Seconds for which an answer is kept at least.",
    )
    dns_cache_purge_interval = option(
        Duration(minimum=1.0),
        60.0,
        scopes=Scope.GLOBAL,
        doc="Time between two removals of answers which are over.",
    )
    dns_expire_interval = option(
        Duration(minimum=1.0),
        10.0,
        scopes=Scope.GLOBAL,
        state=State.ACCEPTED,
        reason="An answer is checked for its age whenever it is used.",
        doc="Time between two checks of the answers which are in use.",
    )
    dns_udp_rcvbuf_size = option(
        Size(),
        0,
        scopes=Scope.GLOBAL,
        direction="both",
        since="5.2",
        doc="Receive buffer of the sockets of DNS; 0 leaves it to the system.",
    )
    dns_udp_sndbuf_size = option(
        Size(),
        0,
        scopes=Scope.GLOBAL,
        direction="both",
        since="5.2",
        doc="Send buffer of the sockets of DNS; 0 leaves it to the system.",
    )
    dns_max_udp_queries_per_port = option(
        Int(),
        0,
        scopes=Scope.GLOBAL,
        since="5.2",
        doc="""
        Questions which are sent from one port before it is given up for another, random one; 0:
        every question has a port of its own.
        """,
    )
    dns_rate_limit_enabled = option(
        Bool(),
        False,
        scopes=Scope.GLOBAL,
        since="5.3",
        dynamic=False,
        state=State.PLANNED,
        reason=UNLIMITED,
        doc="Limit the rate at which MX records are asked for.",
    )
    dns_rate_limit_mx_queries = option(
        Int(minimum=1),
        100,
        scopes=Scope.GLOBAL,
        since="5.3",
        state=State.PLANNED,
        reason=UNLIMITED,
        doc="Questions for MX records in one period.",
    )
    dns_rate_limit_period = option(
        Duration(minimum=1.0),
        1.0,
        scopes=Scope.GLOBAL,
        since="5.3",
        state=State.PLANNED,
        reason=UNLIMITED,
        doc="Length of the period.",
    )
    dns_rate_limit_max_queue = option(
        Int(minimum=1000),
        100000,
        scopes=Scope.GLOBAL,
        since="5.3",
        dynamic=False,
        state=State.PLANNED,
        reason=UNLIMITED,
        doc="Domains which wait for their turn; further ones are asked for at once.",
    )


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
    )
    event_loop = option(
        Text(),
        None,
        scopes=Scope.ESMTP_LISTENER | Scope.ECSTREAM_LISTENER | Scope.HTTP_LISTENER | Scope.LISTEN,
        dynamic=False,
        state=State.ACCEPTED,
        reason="All workers serve all listeners.",
        doc="Event loops which serve a listener.",
    )
    timeout = option(
        Duration(),
        60.0,
        scopes=Scope.CONTROL_LISTENER,
        state=State.PLANNED,
        reason="There is no console yet.",
        doc="A console which says nothing for this long is disconnected.",
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
