"""Options of the modules which keep unwanted mail and hosts out, or count them."""

from angarium.config.kinds import Bool, Choice, Duration, Int, List, Path, Table, Text
from angarium.config.option import OURS, option
from angarium.config.places import Cidr, DomainGlob
from angarium.config.scope import Naming
from angarium.modules.kinds import WindowsKind, ZoneKind
from angarium.modules.options import Module, PolicyModule, needless


class MailLoop(
    PolicyModule,
    stanza="mail_loop",
    naming=Naming.MAYBE,
    direction="both",
):
    """Ends mail which comes round again."""

    max_received_headers = option(Int(), 20, doc="Received fields of a message; more is a loop.")
    use_ip = option(
        Bool(), None, doc="Take it for a loop, too, to send to an address of ours.", example="true"
    )
    code = option(
        Int(200, 599),
        554,
        doc="Code of the reply to it; 250 leaves it to policy what becomes of it.",
    )


class ConnControl(
    PolicyModule,
    stanza="conntrol",
    naming=Naming.MAYBE,
    direction="receiving",
):
    """Waits before the banner, to see who talks too early."""

    banner = option(Text(), None, doc="First line of the banner.", example='"220-mx.example.com"')
    teaser = option(
        Text(),
        None,
        since=OURS,
        doc="A line of the banner which comes at once, before the pause: who takes it for the"
        " banner talks too early.",
        example='"220-mx.example.com"',
    )
    exempt = option(
        List(Cidr()),
        (),
        since=OURS,
        doc="Clients whom it leaves alone, beside those who may relay.",
        example='( "192.0.2.0/24" )',
    )
    pause_time = option(Duration(), None, doc="How long it waits before it.", example="2")
    remember = option(
        Duration(),
        0.0,
        since=OURS,
        doc="How long a client who has waited need not wait again; 0: it waits each time.",
    )
    disconnect_ratware = option(
        Text(),
        None,
        doc="Reply to who talked before; unset: policy says.",
        example='"421 mx.example.com please wait for the banner"',
    )


class Dnsbl(
    PolicyModule,
    stanza="dnsbl",
    naming=Naming.MAYBE,
    direction="receiving",
    since=OURS,
):
    """Asks lists in DNS about clients."""

    zones = option(
        List(ZoneKind()),
        (),
        doc="Lists which are asked: a domain, perhaps = and the answers which count, perhaps * and"
        " how much it counts; less than 0 speaks for a client.",
        example='( "zen.example.org=127.0.0.[2..11]*3" "good.example.net*-2" )',
    )
    threshold = option(Int(1), 1, doc="The sum from which on a client is refused.")
    phase = option(
        Choice(("connect", "rcptto")),
        "rcptto",
        doc="Whether it is refused in place of the banner, or each recipient of it: then the"
        " rejectlog names sender and recipient.",
    )
    action = option(
        Choice(("reject", "mark")),
        "reject",
        doc="Whether it is refused, or only marked for policy: variables `dnsbl_score` and"
        " `dnsbl_zones`.",
    )
    reply = option(
        Text(),
        "554 5.7.1 client [%i] is on a block list: %z",
        doc="What it is told; %i is its address, %z the list which counted most, %s the sum.",
    )
    timeout = option(
        Duration(), 5.0, doc="How long it waits for answers. Who is late counts nothing."
    )
    exempt = option(
        List(Cidr()),
        (),
        doc="Clients about whom nobody is asked, beside those who may relay.",
        example='( "192.0.2.0/24" )',
    )


class Greylist(
    PolicyModule,
    stanza="greylist",
    naming=Naming.NEVER,
    direction="receiving",
    since=OURS,
):
    """Asks who sends for the first time to come again."""

    delay = option(Duration(), 300.0, doc="After which a client may come again.")
    retry_window = option(
        Duration(), 172_800.0, doc="Within which it has to come again; later it is the first time."
    )
    lifetime = option(
        Duration(), 3_024_000.0, doc="How long it is known after it was last seen; 35 days."
    )
    ipv4_prefix = option(
        Int(8, 32), 24, doc="Bits of an IPv4 address which count: a sender has many machines."
    )
    ipv6_prefix = option(Int(16, 128), 64, doc="Bits of an IPv6 address which count.")
    networks_after = option(
        Int(),
        5,
        doc="Senders of a network who came again, after which all of it is let through; 0: never.",
    )
    exempt = option(
        List(Cidr()),
        (),
        doc="Clients who are let through, beside those who may relay.",
        example='( "192.0.2.0/24" )',
    )
    exempt_domains = option(
        List(DomainGlob(), split=True),
        (),
        doc="Domains of recipients for whom all are let through.",
        example='"support.example.com"',
    )
    reply = option(
        Text(), "451 4.7.1 please come again in %s seconds", doc="What a client is told."
    )
    max_entries = option(
        Int(1, 1_000_000), 500_000, doc="Which are kept; the one that was set first goes."
    )


class Fingerprint(
    PolicyModule,
    stanza="fingerprint",
    naming=Naming.MAYBE,
    direction="receiving",
):
    """Says from the first packet of a client which system it runs."""

    max_cache_size = option(Int(), 10000, doc="Clients which each worker remembers, for an hour.")
    p0f_socket = option(
        Path(),
        None,
        since=OURS,
        doc="Socket of p0f 2.0.8, which is asked too; Momentum's is /tmp/p0fd. Unset: nobody is.",
        example="/run/p0f.sock",
    )
    p0f_timeout = option(
        Duration(minimum=0.01), 0.5, since=OURS, doc="How long a client waits for that."
    )


class CallbackVerify(
    PolicyModule,
    stanza="smtp_cbv",
    naming=Naming.MAYBE,
    direction="receiving",
):
    """Asks the host of a sender whether it knows them."""

    mailfrom = option(
        Text(),
        "",
        doc="Sender of the question; empty: the null sender.",
        example="verify@example.com",
    )
    map = option(
        Table(DomainGlob()),
        {},
        doc="Domains which are asked in place of others.",
        example="[ example.net = example.com ]",
    )
    phase = option(
        Choice(("mailfrom", "rcptto")),
        None,
        doc="Whether it asks at MAIL or at the first RCPT; unset: at MAIL.",
        example="rcptto",
    )
    timeout = option(
        Duration(minimum=0.01),
        15.0,
        since=OURS,
        doc="Time for one question; who has not answered by then is `transient`.",
    )
    lifetime = option(
        Duration(),
        3600.0,
        since=OURS,
        doc="How long an answer is remembered; `transient` for a tenth of that.",
    )
    max_entries = option(
        Int(1, 1_000_000), 10_000, since=OURS, doc="Answers each worker remembers; the oldest goes."
    )
    max_questions = option(
        Int(1, 1000),
        20,
        since=OURS,
        doc="Hosts each worker asks at a time; who is above that is `transient`, unasked.",
    )


class RecipientProxy(
    Module,
    stanza="smtp_rcptto_proxy",
    naming=Naming.MAYBE,
    direction="receiving",
    since="4.2",
    standing=needless("Scripts have `msys.beta.rcptto_proxy` without it."),
):
    """Lets scripts ask another host whether it would take a recipient."""


class UrlRipper(
    PolicyModule,
    stanza="url_ripper",
    naming=Naming.MAYBE,
    direction="receiving",
):
    """Looks for the links and addresses of a message in a list of DNS."""

    base = option(DomainGlob(), None, doc="Domain of the list.", example="multi.surbl.org")
    bits = option(
        Table(Text()),
        {},
        doc="Bits of an answer, as an address, to the context variables which count them.",
        example="[ 0.0.0.2 = hits_a 0.0.0.4 = hits_b ]",
    )
    values = option(
        Table(Text()),
        {},
        doc="Whole answers to the context variables which count them.",
        example="[ 127.0.0.2 = hits ]",
    )
    address_headers = option(
        List(Text()),
        (),
        doc="Fields whose addresses are looked for; with a colon between them, the first there is.",
        example="( Return-Path From:Reply-To )",
    )
    forward = option(Bool(), True, doc="Look for the addresses of the hosts, too.")
    max_lookups = option(Int(), 100, doc="Questions for one message.")
    timeout = option(
        Duration(minimum=0.01),
        5.0,
        since=OURS,
        doc="How long answers are waited for at a step; what comes later counts nothing.",
    )


class InboundAudit(
    PolicyModule,
    stanza="inbound_audit",
    naming=Naming.MAYBE,
    direction="receiving",
):
    """Counts connections, receptions and rejections of each network over time, for policy."""

    monitors = option(
        List(WindowsKind()),
        (),
        doc="How far back it counts, in which steps.",
        example='( "300,6" )',
    )
    log_dir = option(
        Path(),
        "/var/log/ecelerity/audit_series_logs",
        doc="Where the windows of series with `serialize` are written when they are over.",
    )
    serialize_dir = option(
        Path(),
        "/var/log/ecelerity/audit_series_persist",
        doc="Where series with `persist` survive a restart.",
    )
    maintenance_interval = option(
        Duration(), 300.0, doc="Time between two writings of series which are kept in files."
    )


class OutboundAudit(
    PolicyModule,
    stanza="outbound_audit",
    naming=Naming.MAYBE,
    direction="sending",
):
    """Counts what becomes of mail for each domain over time, for policy."""

    monitors = option(
        List(WindowsKind()),
        (),
        doc="How far back it counts, in which steps.",
        example='( "300,6" )',
    )
    monitor_domains = option(Bool(), None, doc="Whether it counts for each domain.", example="true")
    domainlist = option(
        List(DomainGlob(), split=True),
        (),
        doc="Domains it counts for, and for no other; `threshold` does not count then.",
        example='"example.com, example.net"',
    )
    threshold = option(
        Int(), None, doc="Messages from which on it counts for a domain.", example="100"
    )


class ContextFilter(
    Module,
    stanza="vctx_filter",
    naming=Naming.MAYBE,
    direction="receiving",
    standing=needless(
        "It has no options; `exclude_vctx_conn` and `exclude_vctx_mess` work without it."
    ),
):
    """Leaves context variables out of what is spooled."""
