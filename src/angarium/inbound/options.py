"""Options of reception: what a session may do, and what a message must be."""

from angarium.config.kinds import (
    Bool,
    Choice,
    Duration,
    Int,
    IntOr,
    List,
    Size,
    Table,
    Text,
    ThrottleKind,
)
from angarium.config.option import OURS, Options, State, option
from angarium.config.places import Cidr, DomainGlob, FieldName, Hostname, KeySource
from angarium.config.scope import PATHWAYS, SESSION, Scope
from angarium.queue.options import Shape

HERE = SESSION | Scope.GLOBAL
CONTENT = PATHWAYS | Scope.GLOBAL


class Reception(Options, direction="receiving"):
    """What one session of SMTP may do; by client, socket, listener and pathway."""

    pathway = option(
        Text(),
        None,
        scopes=Scope.ESMTP_LISTENER | Scope.ECSTREAM_LISTENER | Scope.LISTEN | Scope.PEER,
        doc="Name of the pathway whose options hold here.",
        example="submission",
    )
    banner_hostname = option(
        Hostname(),
        None,
        scopes=SESSION,
        doc="Name in the greeting. Unset: our host name.",
    )
    static_banner = option(
        Text(),
        None,
        scopes=SESSION,
        doc="The whole greeting, beginning with 220.",
        example='"220 mx.example.com ESMTP"',
    )
    received_hostname = option(
        Hostname(),
        None,
        scopes=SESSION,
        doc="Name after `by` in the Received we add. Unset: our host name.",
    )
    smtp_extensions = option(
        List(Text()),
        (),
        scopes=SESSION,
        doc="""
        Extensions which are offered beside those that always are: XCLIENT, XREMOTEIP, XSETCONTEXT
        and XDUMPCONTEXT. By the first two a client says whom it speaks for, so keep them in peer
        stanzas of clients you trust.
        """,
        example="( XCLIENT XREMOTEIP )",
    )
    reconfig_message = option(
        Text(),
        "4.3.2 Reconfiguration in progress",
        scopes=Scope.ESMTP_LISTENER,
        doc="Text of the 421 with which a session ends, at MAIL or RSET, after a reload.",
    )
    context = option(
        Table(Text()),
        {},
        scopes=Scope.ESMTP_LISTENER | Scope.LISTEN | PATHWAYS | Scope.PEER,
        doc="Variables which every connection has from the start.",
        example="[ pool = fast ]",
    )
    # Where it waits in its queue.
    priority_header = option(
        FieldName(),
        None,
        scopes=HERE,
        since=OURS,
        doc="""
        The header field whose number is the priority of a message, as Momentum's msg.priority:
        0 is that of all others, higher ones have the shares of priority_shares. Set it where you
        trust the clients.
        """,
        example="X-Priority-Class",
    )
    fairness_key = option(
        List(KeySource(), split=True),
        (),
        scopes=HERE,
        since=OURS,
        doc="""
        Whose turn a message waits for. Queues take turns among the keys, so that a million
        messages of one do not hold up the one message of another: `sender`, `sender_domain`,
        `client` (its address) or `header:NAME`. Of several the first which a message has counts;
        those without a key have their turns together.
        """,
        example="( sender_domain )",
    )
    # Who may do what.
    require_ehlo = option(
        Bool(),
        False,
        scopes=HERE,
        doc="Refuse MAIL before HELO or EHLO.",
    )
    relay_hosts = option(
        List(Cidr(), split=True),
        (),
        scopes=HERE,
        doc="Clients which may send to any domain: addresses and networks.",
        example='( 127.0.0.0/8 "192.0.2.0/24" )',
    )
    relay_for_sending_domains = option(
        List(DomainGlob()),
        None,
        scopes=SESSION,
        doc="""
        Senders of these domains may send to any domain. An empty list means every sender: an open
        relay for the clients it holds for.
        """,
        example="( example.com )",
    )
    open_relay = option(
        Bool(),
        False,
        scopes=SESSION,
        doc="Take mail for any domain. Keep it inside a peer stanza.",
    )
    allow_null_envelope_sender = option(
        Bool(), True, scopes=HERE, doc="Take MAIL FROM:<>, as reports have it."
    )
    allow_ip_literal = option(
        Bool(), True, scopes=HERE, doc="Take recipients such as user@[192.0.2.1]."
    )
    allow_trailing_whitespace_in_commands = option(
        Bool(), False, scopes=HERE, doc="Overlook blanks around addresses in MAIL and RCPT."
    )
    domain_for_unqualified_recipient_addresses = option(
        Hostname(),
        None,
        scopes=HERE,
        doc="Domain given to recipients without one. Unset: they are refused.",
    )
    domain_for_unqualified_sender_address = option(
        Hostname(),
        None,
        scopes=HERE,
        doc="Domain given to senders without one. Unset: they are refused.",
    )
    # How much.
    max_message_size = option(
        Size(),
        0,
        scopes=SESSION,
        doc="Octets of a message; 0 is no limit. Offered as SIZE; more gets 552 5.3.4.",
    )
    max_recipients_per_message = option(
        Int(), 0, scopes=SESSION, doc="Recipients of a message; 0 is no limit. More get 452 4.5.3."
    )
    max_receptions_per_connection = option(
        Int(), 0, scopes=HERE, doc="Messages of a session; 0 is no limit. More get 452 4.5.3."
    )
    max_recipients_per_connection = Shape.max_recipients_per_connection
    listener_sessions = option(
        Int(),
        0,
        scopes=SESSION,
        doc="""
        Sessions at once on a listener; 0 is no limit. In a peer stanza, sessions of the clients
        it holds for. More get 421 4.4.5.
        """,
    )
    service_sessions = option(
        Int(),
        0,
        scopes=SESSION,
        doc="As listener_sessions, counted over all listeners of the service.",
    )
    sessions_per_address = option(
        Int(),
        0,
        scopes=SESSION,
        since=OURS,
        doc="Sessions at once of one client address; 0 is no limit. More get 421 4.4.5.",
    )
    inbound_throttle_messages = option(
        ThrottleKind(),
        None,
        scopes=CONTENT,
        doc="Messages taken in a time, of all who get their value from the same stanza together.",
    )
    max_commands_per_connection = option(
        Int(),
        0,
        scopes=SESSION,
        since=OURS,
        doc="Commands of a session; 0 is no limit. More get 421.",
    )
    max_idle_commands = option(
        Int(),
        100,
        scopes=SESSION,
        since=OURS,
        doc="NOOP, RSET, HELP, VRFY and EHLO between two messages; 0 is no limit. More get 421.",
    )
    max_errors_per_connection = option(
        Int(),
        20,
        scopes=SESSION,
        since=OURS,
        doc="Commands answered with an error; 0 is no limit. One more gets 421 and a close.",
    )
    command_line_limit = option(
        Int(minimum=512, maximum=65536),
        512,
        scopes=SESSION,
        since=OURS,
        doc="""
        Octets of a command with its CRLF (RFC 5321 section 4.5.3.1.4). MAIL, RCPT and AUTH may
        have what their extensions add to it. A longer one gets 500, and the session goes on.
        """,
    )
    auth_line_limit = option(
        Int(minimum=512, maximum=1 << 20),
        12288,
        scopes=SESSION,
        since=OURS,
        doc="Octets of a line of AUTH (RFC 4954 section 4.3).",
    )
    # How long.
    idle_time = option(
        Duration(),
        0.0,
        scopes=SESSION | Scope.HTTP_LISTENER | Scope.XMPP_LISTENER,
        doc="""
        A client which says nothing for this long is disconnected; 0 waits for ever (and then
        reception_deadline still holds). Set it to 300.
        """,
    )
    reception_deadline = option(
        Duration(),
        3600.0,
        scopes=SESSION,
        since=OURS,
        doc="The longest time from MAIL to the end of the content; 0 is no limit.",
    )
    min_byte_rate = option(
        Int(),
        100,
        scopes=SESSION,
        since=OURS,
        doc="""
        Octets a second of content, on average over min_byte_rate_window, below which a client is
        given up; 0 is no limit. Only what does not come in one piece is measured.
        """,
    )
    min_byte_rate_window = option(
        Duration(minimum=1.0),
        15.0,
        scopes=SESSION,
        since=OURS,
        doc="Time over which min_byte_rate is measured: long enough for a few retransmissions.",
    )
    write_timeout = option(
        Duration(minimum=0.1),
        60.0,
        scopes=SESSION,
        since=OURS,
        doc="A client which does not read its answers for this long is disconnected.",
    )


class Conformance(Options, direction="receiving"):
    """What mail must look like and where it may go; global and by pathway."""

    relay_domains = option(
        List(DomainGlob(), split=True),
        (),
        scopes=CONTENT,
        doc="Domains for which mail is taken from anybody.",
        example='( example.com "*.example.com" )',
    )
    bounce_domains = option(
        List(DomainGlob(), split=True),
        (),
        scopes=CONTENT,
        doc="""
        Domains to which reports about our mail come back. Mail for them is taken from anybody.
        """,
        example="( bounces.example.com )",
    )
    rfc2821_pedantic_address_rules = option(
        Bool(), True, scopes=CONTENT, doc="Refuse addresses with dots at the ends or in a row."
    )
    rfc2821_allow_whitespace_in_envelope = option(
        Bool(), False, scopes=CONTENT, doc="Overlook blanks at the end of MAIL and RCPT."
    )
    rfc2822_date_header = option(
        Choice(("ignore", "pedantic", "ifneeded")),
        "ifneeded",
        scopes=CONTENT,
        doc="Mail without Date: left as it is, refused, or given one.",
    )
    rfc2822_messageid_header = option(
        Choice(("ignore", "ifneeded")),
        "ifneeded",
        scopes=CONTENT,
        doc="Mail without Message-ID: left as it is, or given one.",
    )
    rfc2822_missing_headers = option(
        Choice(("reject", "allow")),
        "reject",
        scopes=CONTENT,
        doc="Mail without a header at all.",
    )
    rfc2822_trace_headers = option(
        Bool(), True, scopes=CONTENT, doc="Add Received, and Return-Path in place of those there."
    )
    rfc2822_lone_lf_in_headers = option(
        Choice(("fix", "pedantic")),
        "pedantic",
        scopes=CONTENT,
        doc="A CR or LF alone in the header: made CRLF, or refused.",
    )
    rfc2822_lone_lf_in_body = option(
        Choice(("ignore", "pedantic", "fix")),
        "ignore",
        scopes=CONTENT,
        doc="""
        A CR or LF alone in the body: left as it is, refused, or made CRLF. One beside a dot which
        another server could take for the end of the message is always refused.
        """,
    )
    rfc2822_max_line_length = option(
        IntOr(("ignore", "pedantic", "fix"), minimum=1),
        "ignore",
        scopes=CONTENT,
        doc="""
        Lines longer than 998 octets: left as they are, refused, or broken. A number is a limit of
        your own, and rfc2822_max_line_length_policy says what happens.
        """,
    )
    rfc2822_max_line_length_policy = option(
        Choice(("none", "fix", "reject")),
        "none",
        scopes=CONTENT,
        doc="What happens to lines longer than the number in rfc2822_max_line_length.",
    )
    default_charset = option(
        Text(),
        "us-ascii",
        scopes=CONTENT,
        direction="both",
        doc="Character set of text which does not say its own.",
        state=State.PLANNED,
        reason="Only policy reads text, and there is none yet; content is passed on as it is.",
    )
    received_header_limit = option(
        Int(),
        100,
        scopes=CONTENT,
        since=OURS,
        doc="""
        Received fields above which a message is taken for a loop and refused (5.4.6);
        RFC 5321 section 6.3 asks for at least 100. 0 is no limit.
        """,
    )
    generate_bounces_for_multi_recipient_policy_rejections = option(
        Bool(),
        True,
        scopes=CONTENT,
        doc="Report to the sender when policy refused some recipients of a message it took.",
    )
    max_header_size = option(
        Size(),
        1 << 20,
        scopes=CONTENT,
        since=OURS,
        doc="Octets of a header; a longer one is refused. 0 is no limit.",
    )


class Intake(Options, direction="receiving"):
    """What the server takes in at once, over all listeners."""

    max_sessions = option(
        Int(),
        20000,
        scopes=Scope.GLOBAL,
        since=OURS,
        doc="Sessions of reception at once, in all; 0 is no limit. More get 421 4.4.5.",
    )
    max_pending_receptions = option(
        Int(minimum=1),
        10000,
        scopes=Scope.GLOBAL,
        since=OURS,
        doc="Messages of a worker which may wait for the disk at once; more get 451 4.3.0.",
    )
