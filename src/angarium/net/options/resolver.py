"""Options of name resolution."""

from angarium.config.kinds import Bool, Duration, Int, List, Path, Size
from angarium.config.option import OURS, Options, State, option
from angarium.config.places import HostPort
from angarium.config.scope import Scope
from angarium.net.answer import MAX_ALIASES


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
        example="( 192.0.2.53 192.0.2.54 )",
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
        doc="""
        Ask for the MX records of a limited number of domains in a time; further ones wait for their
        turn. Each name server is then asked once: dns_attempts does not hold.
        """,
    )
    dns_rate_limit_mx_queries = option(
        Int(minimum=1),
        100,
        scopes=Scope.GLOBAL,
        since="5.3",
        doc="""
        Domains whose MX records are asked for in one dns_rate_limit_period, by the whole server,
        evenly over the period. One whose time in the cache is over counts as a new one.
        """,
    )
    dns_rate_limit_period = option(
        Duration(minimum=1.0),
        1.0,
        scopes=Scope.GLOBAL,
        since="5.3",
        doc="The time in which dns_rate_limit_mx_queries domains are asked for.",
    )
    dns_rate_limit_max_queue = option(
        Int(minimum=1000),
        100000,
        scopes=Scope.GLOBAL,
        since="5.3",
        doc="Domains which wait for their turn in a worker; further ones are asked for at once.",
    )
