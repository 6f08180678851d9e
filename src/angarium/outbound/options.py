"""Options of sending: where to, from where, and how patient a session is."""

from angarium.config.kinds import PORT, Bool, Choice, Duration, Int, List, Raw, Text
from angarium.config.option import OURS, Options, State, option, planned
from angarium.config.places import Cidr, HostPort, SourceAddress
from angarium.config.scope import BINDINGS, DESTINATION, SHAPING, Scope
from angarium.net.options.proxy import ProxyBeyond
from angarium.outbound.static import steps
from angarium.outbound.transport.options import SmtpClient
from angarium.queue.options import Shape


class Route(Text):
    """One item of routes, as text; it is read by `outbound.static`."""

    def parse(self, raw: Raw) -> str:
        text = Text.parse(self, raw)
        steps((text,))
        return text

    def __str__(self) -> str:
        return "host, address, __mx__ or smtp://host?pref=P&ttl=T&port=O&type=mx|a"


class Transport(Options, direction="sending"):
    """How mail of one domain is sent through one binding."""

    # Where to.
    gateway = option(
        HostPort(),
        None,
        scopes=SHAPING,
        doc="""
        Host to send to instead of the one of the recipient's domain, with :port or without. It is
        looked up by MX, then A and AAAA, and becomes the routing domain.
        """,
    )
    routes = option(
        List(Route()),
        (),
        scopes=DESTINATION,
        doc="""
        Hosts to send to instead of those in DNS, in order: a host, an address, `__mx__` for what
        DNS says, or smtp://host?pref=P&ttl=T&port=O&type=mx|a.
        """,
        example='( "smtp://mx1.example.net?pref=10" mx2.example.net )',
    )
    delivery_method = option(
        Choice(("ESMTP", "SMTP", "LMTP"), later=("ECSTREAM", "APN", "GCM", "MM7", "delay_xfer")),
        "ESMTP",
        scopes=SHAPING,
        doc="Protocol to send by. SMTP greets with HELO and uses no extension.",
    )
    remote_smtp_port = option(PORT, 25, scopes=SHAPING, doc="Port to send to by SMTP.")
    lmtp_port = option(PORT, 2003, scopes=SHAPING, doc="Port to send to by LMTP.")
    use_ipv6 = option(
        Bool(),
        False,
        scopes=Scope.GLOBAL,
        doc="Send to IPv6 addresses too, from bindings which have one to send from.",
    )
    prefer_ipv6_mxs = option(
        Bool(),
        False,
        scopes=Scope.GLOBAL,
        doc="Among hosts of one preference try those with an IPv6 address first.",
    )
    only_use_best_mx_for_relay_domains = option(
        Bool(),
        True,
        scopes=Scope.GLOBAL,
        doc="For domains in the global relay_domains try hosts of the best preference only.",
    )
    fully_resolve_before_smtp = option(
        Bool(),
        True,
        scopes=SHAPING,
        state=State.ACCEPTED,
        reason="It is always so: all hosts of a domain are asked for at once, and remembered.",
        doc="Wait for the addresses of all hosts before the first connection is opened.",
    )
    prohibited_hosts = option(
        List(Cidr()),
        (),
        scopes=Scope.GLOBAL,
        doc="""
        Addresses to which nothing is ever sent: mail which leads to one fails at once (551 5.4.6).
        """,
        example="( 127.0.0.0/8 10.0.0.0/8 )",
    )
    skip_hosts = option(
        List(Cidr()),
        (),
        scopes=Scope.GLOBAL,
        since="4.2.1.6",
        doc="Addresses which are passed over as if DNS had not named them.",
        example="( 192.0.2.99 )",
    )
    max_mx_hosts = option(
        Int(minimum=1),
        20,
        scopes=Scope.GLOBAL,
        since=OURS,
        doc="Hosts of one domain which are looked up and tried; further ones are left out.",
    )
    # From where, as whom.
    bind_address = option(
        SourceAddress(),
        "*",
        scopes=BINDINGS,
        doc="""
        Address to send from; * lets the system choose. An address which this machine does not
        have suspends the binding, with an alarm; no mail fails for it.
        """,
    )
    bind_address_secondary = option(
        SourceAddress(),
        None,
        scopes=Scope.BINDING,
        since="4.2",
        doc="Address of the other family, so that a binding can send by IPv4 and IPv6.",
    )
    ha_proxy_server = ProxyBeyond.ha_proxy_server
    ha_proxy_src_addr = ProxyBeyond.ha_proxy_src_addr
    ha_proxy_ipv6_src_addr = ProxyBeyond.ha_proxy_ipv6_src_addr
    ha_proxy_bypass = ProxyBeyond.ha_proxy_bypass
    socks_server = ProxyBeyond.socks_server
    socks_user = ProxyBeyond.socks_user
    socks_pass = ProxyBeyond.socks_pass
    socks_bypass = ProxyBeyond.socks_bypass
    xclient = SmtpClient.xclient
    outbound_smtp_auth_type = SmtpClient.outbound_smtp_auth_type
    outbound_smtp_auth_user = SmtpClient.outbound_smtp_auth_user
    outbound_smtp_auth_pass = SmtpClient.outbound_smtp_auth_pass
    outbound_smtp_auth_in_clear = SmtpClient.outbound_smtp_auth_in_clear
    outbound_smtp_auth_unbound = SmtpClient.outbound_smtp_auth_unbound
    outbound_smtp_auth_key = SmtpClient.outbound_smtp_auth_key
    ehlo_hostname = option(
        Text(),
        "__hostname__",
        scopes=SHAPING,
        doc="""
        Name given in EHLO. `__hostname__` is ours, `__message__` the domain of the sender.
        """,
    )
    # How.
    send_8bitmime = option(
        Choice(("no", "ifavailable")),
        "no",
        scopes=SHAPING,
        doc="""
        Say BODY=8BITMIME for content with 8-bit octets to hosts which offer it. `no` sends it
        without, as many senders do.
        """,
    )
    transform_8bitmime_content = option(
        Choice(("no", "ifneeded", "strict", "strip")),
        "ifneeded",
        scopes=SHAPING,
        doc="""
        What becomes of 8-bit content for a host without 8BITMIME. `no`: sent as it is. `ifneeded`:
        encoded in 7 bit. `strict`: the message fails. `strip`: the eighth bit is cleared.
        """,
    )
    max_deliveries_per_connection = Shape.max_deliveries_per_connection
    max_recipients_per_connection = Shape.max_recipients_per_connection
    max_recipients_per_batch = Shape.max_recipients_per_batch
    # Patience.
    connect_timeout = option(
        Duration(minimum=0.1), 300.0, scopes=SHAPING, doc="Wait for a connection, per address."
    )
    connect_timeout_ceiling = option(
        Duration(minimum=0.1),
        30.0,
        scopes=SHAPING,
        since=OURS,
        doc="""
        The longest wait for a connection while a host has further addresses, or the domain
        further hosts, to try; connect_timeout holds for the last one.
        """,
    )
    banner_timeout = option(
        Duration(minimum=0.1),
        300.0,
        scopes=SHAPING,
        since=OURS,
        doc="Wait for the greeting (RFC 5321 section 4.5.3.2.1).",
    )
    ehlo_timeout = option(
        Duration(minimum=0.1), 300.0, scopes=SHAPING, doc="Wait for the reply to EHLO or LHLO."
    )
    mailfrom_timeout = option(
        Duration(minimum=0.1), 300.0, scopes=SHAPING, doc="Wait for the reply to MAIL."
    )
    rcptto_timeout = option(
        Duration(minimum=0.1), 300.0, scopes=SHAPING, doc="Wait for the reply to a RCPT."
    )
    body_timeout = option(
        Duration(minimum=0.1),
        600.0,
        scopes=SHAPING,
        doc="""
        Wait for the reply to DATA, for a host to take more of the content, and for the reply
        after its end.
        """,
    )
    rset_timeout = option(
        Duration(minimum=0.1), 30.0, scopes=SHAPING, doc="Wait for the reply to RSET or QUIT."
    )
    idle_timeout = option(
        Duration(),
        5.0,
        scopes=SHAPING,
        doc="How long a connection is kept open when there is nothing to send on it.",
    )
    migrate_connections_between_sibling_domains = option(
        Bool(),
        True,
        scopes=Scope.GLOBAL,
        direction="both",
        doc="""
        Use a connection which one domain does not need for another domain of the same binding and
        host. With `gateway` the domains share all their connections, and max_outbound_connections
        holds for the gateway.
        """,
    )
    # Failures.
    host_failure_retry = option(
        Duration(),
        120.0,
        scopes=DESTINATION,
        doc="How long an address is left alone after it could not be reached or broke the rules.",
    )
    connect_timeout_to_delay = option(
        Duration(),
        900.0,
        scopes=SHAPING,
        doc="""
        When no host of a domain could be reached for this long, all its active mail is delayed.
        """,
    )
    mx_failures_to_delay = option(
        Int(),
        50,
        scopes=DESTINATION,
        doc="""
        When so many connections to a domain have failed one after the other, for each of its
        hosts, all its active mail is delayed; 0 is never.
        """,
    )
    mx_failures_fallback_to_a = option(
        Int(minimum=-1),
        3,
        scopes=DESTINATION,
        doc="""
        Failed lookups of MX before the domain's own address is tried. -1: after the first lookup.
        """,
    )
    dns_failures_to_purge = option(
        Int(minimum=1),
        10,
        scopes=DESTINATION,
        doc="Failed lookups of a domain, one after the other, before its mail fails for good.",
    )
    dead_destination_delay = option(
        Duration(),
        60.0,
        scopes=SHAPING,
        since=OURS,
        doc="""
        When no address of a domain could be reached, how long no further connection is tried;
        its mail stays active. See connect_timeout_to_delay for what follows.
        """,
    )
    remote_reply_limit = option(
        Int(minimum=1),
        100,
        scopes=SHAPING,
        since=OURS,
        doc="Lines of one reply after which a host is given up; each has 2048 octets at most.",
    )
    teleport_enabled = planned(
        Bool(),
        None,
        scopes=Scope.DOMAIN,
        since="4.4",
        reason="There is no XFER yet; a message keeps its place between attempts either way.",
        doc="Keep a message in memory when a transfer to another server (XFER) failed for now.",
    )
    use_sendfile = option(
        Bool(),
        False,
        scopes=Scope.GLOBAL,
        state=State.ACCEPTED,
        reason="Large contents are read and written by pieces, as fast as the host takes them.",
        doc="Send contents with the system call sendfile.",
    )
    use_iflist_cache = option(
        Bool(),
        False,
        scopes=Scope.GLOBAL,
        dynamic=False,
        state=State.ACCEPTED,
        reason="""
        There is no list: the system is asked whether it has the addresses which bindings name.
        """,
        doc="Keep the list of network interfaces.",
    )
    inline_transfail_processing = option(
        Bool(),
        True,
        scopes=Scope.GLOBAL,
        state=State.ACCEPTED,
        reason="A failure is worked on where it happens, so each T line has the host's address.",
        doc="Work on transient failures at once.",
    )


class Reports(Options, direction="sending"):
    """How reports to senders are made, for the server."""

    async_bounce_rendering = option(
        Bool(),
        True,
        scopes=Scope.GLOBAL,
        state=State.ACCEPTED,
        reason="Reports are small and made in the worker which ends the message.",
        doc="Make reports of failure in a thread.",
    )
    bounce_size_limit = option(
        Int(minimum=0, maximum=1 << 20),  # A report is made in memory, whole.
        50000,
        scopes=Scope.GLOBAL,
        since=OURS,
        doc="""
        Octets of the original message above which a report has its header only, even with
        bounces_inline_original = all.
        """,
    )
