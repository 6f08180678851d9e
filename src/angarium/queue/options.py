"""Options of the queues: `Shape` for one domain seen from one binding, the rest for the server."""

from angarium.config.kinds import (
    Bool,
    Cap,
    CapKind,
    Choice,
    Duration,
    Int,
    IntOr,
    List,
    Percent,
    Raw,
    Table,
    Text,
    ThrottleKind,
)
from angarium.config.option import OURS, Options, accepted, option
from angarium.config.scope import BINDINGS, DESTINATION, SHAPING, Scope
from angarium.core.address import routing_domain


class Detour(Text):
    """A domain, in the normal form; "" for the word disabled."""

    def parse(self, raw: Raw) -> str:
        text = Text.parse(self, raw).strip()
        if text.lower() == "disabled":
            return ""
        domain = routing_domain(text.rstrip("."))
        if domain is None:
            raise ValueError(f"{text!r} is no domain")
        return domain

    def __str__(self) -> str:
        return "domain, or disabled"


class Shape(Options, direction="sending"):
    """How mail of one domain leaves through one binding."""

    retry_interval = option(
        Duration(minimum=1.0),
        1200.0,
        scopes=SHAPING,
        doc="""
        Wait before the second attempt. Each further wait is twice the one before, up to
        max_retry_interval.
        """,
    )
    max_retry_interval = option(
        Duration(minimum=1.0),
        43200.0,
        scopes=SHAPING,
        doc="The longest wait between two attempts, however often the message has failed.",
    )
    max_retries = option(
        IntOr(("auto", "none")),
        "auto",
        scopes=SHAPING,
        doc="""
        Attempts after the first one before a message fails for good. `auto`: as many as the
        schedule of retry_interval and max_retry_interval has within message_expiration, so that
        attempts which an operator forced count too. `none`: only message_expiration ends it.
        """,
    )
    never_retry = option(
        Bool(),
        False,
        scopes=SHAPING,
        doc="Fail a message (554 5.4.7) at its first transient failure instead of queueing it.",
    )
    message_expiration = option(
        Duration(),
        86400.0,
        scopes=SHAPING,
        doc="How long after its reception a message is still tried; then it fails for good.",
    )
    never_attempt_expired_messages = option(
        Bool(),
        False,
        scopes=SHAPING,
        doc="A message found to be expired fails at once, without the last attempt it else gets.",
    )
    delayed_binding_domain_fuzz = option(
        Duration(),
        0.0,
        scopes=BINDINGS,
        doc="""
        When a whole queue is delayed at once, its messages come due spread over this time, so
        that they do not all come back in the same second.
        """,
    )
    max_outbound_connections = option(
        Int(minimum=-1),
        32,
        scopes=SHAPING | Scope.HOST,
        unset={Scope.HOST: -1},
        doc="""
        Connections which may be open at once for one domain and binding; in a host stanza to that
        host. -1 means no limit, and is what a host stanza without the option means: there it does
        not fall back.
        """,
    )
    scope_max_outbound_connections = option(
        CapKind(),
        None,
        scopes=SHAPING | Scope.HOST,
        unset={Scope.HOST: None},
        doc="""
        Connections which may be open at once for all that this stanza covers together: in a
        global domain stanza for the domain over all bindings; in one with a pattern for all
        domains it matches; in a host stanza for all hosts it matches. Unset: no such limit.
        """,
    )
    server_max_outbound_connections = option(
        CapKind(),
        Cap(75000, "server_max_outbound_connections"),
        scopes=BINDINGS,
        doc="""
        Connections for sending which may be open at once, of the whole server; in a binding
        stanza, of that binding.
        """,
    )
    outbound_throttle_messages = option(
        ThrottleKind(),
        None,
        scopes=SHAPING | Scope.HOST,
        unset={Scope.HOST: None},
        doc="""
        Messages sent in a time. All queues which get their value from the same stanza are counted
        together: set globally it limits the whole server, in a domain stanza with a pattern all
        domains which match. In a host stanza it is an additional limit for that host, or for all
        hosts of a pattern: where it is reached mail goes to the next host of its domain, and stays
        active where there is none.
        """,
    )
    outbound_throttle_connections = option(
        ThrottleKind(),
        None,
        scopes=SHAPING | Scope.HOST,
        unset={Scope.HOST: None},
        doc="Connections opened in a time; counted as outbound_throttle_messages is.",
    )
    connection_allocation_aggressiveness = option(
        Choice(("normal", "high")),
        "normal",
        scopes=SHAPING,
        doc="""
        `normal` opens a further connection when those which are open do not keep up with the
        queue; `high` opens as many as are allowed as soon as there is mail for them.
        """,
    )
    max_deliveries_per_connection = option(
        Int(),
        0,
        scopes=SHAPING,
        doc="Messages sent with success before a connection is closed; 0 is no limit.",
    )
    max_recipients_per_batch = option(
        Int(minimum=1),
        100,
        scopes=SHAPING,
        doc="Recipients of one message which are sent in one transaction.",
    )
    max_recipients_per_connection = option(
        Int(),
        0,
        scopes=SHAPING | Scope.ESMTP_LISTENER | Scope.LISTEN | Scope.PEER,
        doc="""
        Recipients named on one connection before it is closed; 0 is no limit. In a listener, what
        a client may name in one session before it gets 452.
        """,
    )
    priority_shares = option(
        List(Int(minimum=0, maximum=100), split=True),
        (10, 90),
        scopes=SHAPING,
        since=OURS,
        doc="""
        What each class of priority gets of a queue, from class 0 up, while all of them have mail:
        at most four numbers, of which only the proportions count. What one class does not use
        goes to the others. One with 0 waits until no other has mail, so `0 100` is what
        Momentum's msg.priority does. A message whose priority is beyond the last is in the last.
        """,
    )
    fairness_weights = option(
        Table(Int(minimum=1, maximum=1000)),
        {},
        scopes=SHAPING,
        since=OURS,
        doc="""
        How many turns fairness keys get in a queue for one of each other key which waits beside
        them: [ acme = 4 ]. Whose key a message has says fairness_key.
        """,
        example="[ news.example.com = 1 shop.example.com = 10 ]",
    )
    reroute_domain = option(
        Detour(),
        None,
        scopes=Scope.DOMAIN,
        since="4.4",
        doc="""
        The domain under which mail of this one is queued when it comes in: its hosts, options and
        limits hold. The addresses stay as they are. `disabled`: this one, whatever else says.
        """,
        example="relay.example.com",
    )
    delayed_reroute_domain = option(
        Detour(),
        None,
        scopes=DESTINATION,
        since="4.4",
        doc="""
        The domain under which mail is queued which could not be delivered at once; when it is tried
        again that one's options say. `disabled`: this one.
        """,
        example="relay.example.com",
    )
    suspend_delivery = option(
        Bool(),
        False,
        scopes=SHAPING,
        doc="Send nothing; mail is taken in and waits.",
    )
    blackhole = option(
        Choice(("false", "inline", "internal"), {"true": "inline", "1": "inline", "0": "false"}),
        "false",
        scopes=SHAPING,
        doc="""
        Mail which is not to be delivered. `inline` (or `true`): refused at RCPT, and what is
        queued fails at once. `internal`: taken in, then dropped and logged as failed.
        """,
    )
    max_resident_active_queue = option(
        Int(minimum=-1),
        250,
        scopes=SHAPING,
        doc="""
        Active messages of a queue which stay in memory; those beyond are read from the disk when
        it is their turn. 0: none stays; -1: no limit.
        """,
    )
    max_resident_messages = option(
        Int(),
        32768,
        scopes=BINDINGS,
        doc="""
        Messages which stay in memory, of the server; in a binding, and for each binding of a
        group, of that one as well. 0: no limit, and in a binding none but that of the server.
        """,
    )
    drop_body_after_trans_fail = option(
        Int(),
        3,
        scopes=SHAPING,
        doc="""
        How often a message may have failed for now and still stay in memory until its next
        attempt, if max_resident_transfails has room for it; 0: it is read from the disk.
        """,
    )
    generate_bounces = option(
        Bool(),
        True,
        scopes=SHAPING,
        doc="Send a report to the sender of mail which could not be delivered.",
    )
    bounces_inline_original = option(
        Choice(("none", "headers", "all")),
        "headers",
        scopes=SHAPING,
        doc="What a report of failure has of the original message, if RET= does not say otherwise.",
    )
    mailerdaemon = option(
        Text(),
        None,
        scopes=SHAPING,
        doc="The From of our reports. Unset: mailer-daemon at our host name.",
        example='"MAILER-DAEMON@mx.example.com"',
    )
    mdn_failures_notify = option(
        Text(),
        None,
        scopes=SHAPING,
        doc="Address which gets the reports about mail with a null sender; unset: nobody.",
        example="postmaster@example.com",
    )
    generate_delay_dsn = option(
        Bool(),
        False,
        scopes=SHAPING,
        doc="Tell senders of mail which is still queued, also if they did not ask by NOTIFY=DELAY.",
    )
    delay_dsn_retry_interval = option(
        Duration(minimum=1.0),
        3600.0,
        scopes=SHAPING,
        doc="Time in the queue before the first report of delay; each further one after twice it.",
    )
    delay_dsn_max_retry_interval = option(
        Duration(),
        43200.0,
        scopes=SHAPING,
        doc="The longest time between two reports of delay.",
    )


class Rollup(Options, direction="sending"):
    """Where the mail of a domain is queued for the sake of its mail server; host stanzas only."""

    rollup_mx = option(
        Bool(),
        None,
        scopes=Scope.HOST,
        since="4.2.38",
        doc="""
        Mail of all domains for which this host has the best preference is queued under one domain,
        rollup_mx_name: so they share limits, rates and hosts. It is rolled up once: a domain to
        which mail was rolled up keeps it.
        """,
    )
    rollup_mx_name = option(
        Detour(),
        None,
        scopes=Scope.HOST,
        since="4.2.38",
        doc="The domain under which rollup_mx queues. It needs hosts: MX records, or routes.",
        example="provider.example.com",
    )


class HostLimits(Options, direction="sending"):
    """What one mail server is given, whatever domain leads to it; host stanzas only."""

    max_outbound_connections = Shape.max_outbound_connections
    scope_max_outbound_connections = Shape.scope_max_outbound_connections
    outbound_throttle_messages = Shape.outbound_throttle_messages
    outbound_throttle_connections = Shape.outbound_throttle_connections


class ServerLimits(Options, direction="sending"):
    """What the whole server is given for sending."""

    server_max_outbound_connections = Shape.server_max_outbound_connections
    server_reserve_outbound_connections = option(
        Int(),
        200,
        scopes=Scope.GLOBAL,
        doc="""
        Connections beyond server_max_outbound_connections for destinations which have none, so
        that large ones cannot starve small ones.
        """,
    )
    reserve_maintenance_interval = accepted(
        Duration(minimum=1.0),
        15.0,
        reason="The reserve is counted with every connection; there is nothing to sweep.",
        doc="Time between two sweeps of the reserved connections.",
    )
    default_binding = option(
        Choice(("normal", "suspended", "none")),
        "normal",
        scopes=Scope.GLOBAL,
        doc="""
        Mail to which policy gave no binding: `normal` sends it through the default binding,
        `suspended` keeps it there, `none` answers 451 to the client.
        """,
    )
    delayed_queue_scan_interval = accepted(
        Duration(minimum=1.0),
        15.0,
        reason="Each message comes due by itself, to the second; queues are not scanned.",
        doc="Time between two looks for messages which came due.",
    )
    transfail_drain_rate = accepted(
        Int(minimum=1),
        100,
        reason="Work on many messages runs in slices of 2 ms, however many fit.",
        doc="Transient failures worked on in one turn.",
    )
    soft_bounce_drain_rate = accepted(
        Int(minimum=1),
        100,
        reason="Work on many messages runs in slices of 2 ms, however many fit.",
        doc="Reports of failure queued in one turn.",
    )
    disk_queue_drain_rate = accepted(
        Int(minimum=1),
        100,
        direction="both",
        reason="Work on many messages runs in slices of 2 ms, however many fit.",
        doc="Messages taken from the disk in one turn.",
    )


class Residence(Options, direction="both"):
    """What stays in memory, for the server."""

    memory_goal = option(
        Percent(),
        90.0,
        scopes=Scope.GLOBAL,
        direction="na",
        doc="""
        Percentage of the memory above which contents of waiting mail leave it and caches shrink.
        The memory is that of the machine, or the limit of our control group if that is less;
        each worker has its part of it.
        """,
    )
    memory_hwm = option(
        Percent(),
        95.0,
        scopes=Scope.GLOBAL,
        direction="na",
        doc="""
        Percentage of the memory above which no mail is taken in (452 at MAIL). New sessions are
        refused (421) from halfway between memory_goal and this; and halfway from this to 100
        contents which are under way are refused too (421).
        """,
    )
    max_resident_messages = Shape.max_resident_messages
    max_resident_messages_per_binding = option(
        Int(),
        None,
        scopes=Scope.GLOBAL,
        direction="sending",
        since="4.3.0",
        doc="""
        What max_resident_messages is for each binding which does not set it itself, nor its group.
        0: none but that of the server. Unset: the same.
        """,
        example="10000",
    )
    max_resident_transfails = option(
        Int(),
        100,
        scopes=Scope.GLOBAL,
        direction="sending",
        doc="Messages which failed for now and wait for their next attempt in memory; 0: none.",
    )
    mail_queue_check_vm_interval = accepted(
        Duration(minimum=1.0),
        60.0,
        reason="The memory is measured once a second, and acted upon at once.",
        doc="Time between two reductions of the memory of queues.",
    )
    keep_message_dicts_in_memory = accepted(
        Bool(),
        False,
        dynamic=False,
        reason="A delayed message is one packed entry; its variables are read with its envelope.",
        doc="Keep the context variables of a message when its content leaves memory.",
    )
    swap_out_meta_after_each_tempfail = accepted(
        Bool(),
        True,
        direction="sending",
        since="4.3.1",
        reason="The number of attempts and the next one are always recorded.",
        doc="Write attempts and due time to the disk after every transient failure.",
    )


class Identity(Options, direction="sending"):
    """Who we are, in what we write into mail."""

    external_hostname = option(
        Text(),
        None,
        scopes=Scope.GLOBAL,
        since="4.2.31",
        doc="""
        Our name in what we write into mail: Received, Message-ID, and reports to senders. Unset:
        hostname. Banner and EHLO go by hostname still; received_hostname wins in Received and
        Message-ID.
        """,
        example="mail.example.com",
    )


class Checking(Options, direction="both"):
    """How the queues are checked while they run."""

    soundness_interval = option(
        Duration(),
        60.0,
        scopes=Scope.GLOBAL,
        since=OURS,
        doc="""
        Time between two beginnings of a check that every message has its place in a queue and a
        next event, and that all counts agree. What is wrong is told (an alarm, an event, the
        counter soundness_found) and mended. The check takes a thousandth of a processor at most,
        so that with a million messages one takes some minutes. 0: never.
        """,
    )
