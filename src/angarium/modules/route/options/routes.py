"""Options of the modules which say where mail goes, from which address and when."""

from angarium.config.kinds import (
    Bool,
    Choice,
    Duration,
    Int,
    List,
    Path,
    Pattern,
    Size,
    Table,
    Text,
)
from angarium.config.option import OURS, Options, accepted, option
from angarium.config.places import FieldName, HostPort
from angarium.config.scope import Naming, Scope
from angarium.modules.kinds import Statement
from angarium.modules.options import LEVELS, Module, PolicyModule, needless, not_yet


class Alias(
    PolicyModule,
    stanza="alias",
    naming=Naming.MAYBE,
    direction="receiving",
):
    """Puts other addresses in place of a recipient; `alias_schemes` says for which domains."""


class AliasScheme(
    Options,
    stanza="alias.scheme",
    inside=("alias",),
    naming=Naming.ALWAYS,
    direction="receiving",
):
    """A query which expands an address."""

    query = option(
        Statement(),
        None,
        doc="What is asked; a name with : before it is looked up in `map`.",
        example='"SELECT expansion FROM aliases WHERE address = :address"',
    )
    cache = option(Text(), None, doc="Name of the datasource.", example="aliases")
    column = option(
        Text(),
        None,
        doc="Column of the answer which has an address; unset: the first.",
        example="expansion",
    )
    map = option(
        Table(Text()),
        {},
        doc="What the names of the query stand for: %{rcptto}, %{localpart}, %{domain}.",
        example='[ address = "%{rcptto}" ]',
    )


class StaticRoutes(
    PolicyModule,
    stanza="static_routes",
    naming=Naming.MAYBE,
    direction="sending",
    since="4.2",
):
    """Sends all mail to one server."""

    target = option(
        HostPort(),
        None,
        since="4.2",
        doc="The server, ADDRESS:PORT; unset: mail goes where it always goes.",
        example="192.0.2.1:2525",
    )


class MxIp(
    Module,
    stanza="mxip",
    naming=Naming.MAYBE,
    direction="sending",
    since="4.2",
    standing=not_yet(
        "RFC 5321 section 5.1 wants a name there; a domain with nothing but an address in its MX"
        " record gets no mail from us."
    ),
):
    """Takes an address in an MX record, where a name should stand."""

    ttl = option(Duration(), 600.0, doc="Time for which the name it makes up is known.")


class IPv6Lookup(
    Module,
    stanza="ipv6_lookup",
    naming=Naming.MAYBE,
    direction="sending",
    since="4.2",
    standing=needless(
        "As from version 4.3.0 on `use_ipv6` does it, for bindings which have such an address."
    ),
):
    """Looks up the IPv6 addresses of a mail server too."""


class DnsBuf(
    Module,
    stanza="dnsbuf",
    naming=Naming.MAYBE,
    since="4.2",
    standing=needless("Version 4.8 removed it: use dns_udp_sndbuf_size and dns_udp_rcvbuf_size."),
):
    """Sets the buffers of sockets to name servers."""

    sndbuf_size = option(Size(1024), 131072, doc="Octets of the send buffer.")
    rcvbuf_size = option(Size(1024), 131072, doc="Octets of the receive buffer.")
    interval = option(Duration(), 60.0, doc="Time between looks for sockets which lack it.")


class Dane(
    Module,
    stanza="dane",
    naming=Naming.MAYBE,
    direction="sending",
    since="4.8",
    standing=needless("`use_dane` does it, with this stanza or without it."),
):
    """Lets DNS say which certificate a host must have, RFC 7672, where `use_dane` is set."""


class HaProxyClient(
    Module,
    stanza="ha_proxy_client",
    naming=Naming.MAYBE,
    direction="sending",
    since="4.4",
):
    """Looks again and again whether each `ha_proxy_server` takes connections.

    One that does not is out of order: nothing is tried by it until it is back, and an alarm says
    both. Mail goes by proxies with or without the stanza.
    """

    enabled = option(Bool(), True, doc="Whether they are looked at.")
    debug_level = accepted(
        Choice(LEVELS),
        "ERROR",
        scopes=Scope.OWN,
        reason="That a proxy is out of order is an alarm, in paniclog too.",
        doc="What it tells about itself in paniclog.",
    )
    health_check_interval = option(
        Duration(minimum=1.0),
        None,
        doc="Time between looks whether a proxy is there; unset: 5.",
        example="5",
    )
    health_check_timeout = option(
        Duration(minimum=0.001), None, doc="Time it has to answer; unset: 1.", example="1"
    )
    health_check_failure_threshold = option(
        Int(1), None, doc="Failures in a row after which it is not used; unset: 3.", example="3"
    )
    health_check_success_threshold = option(
        Int(1),
        None,
        doc="Successes in a row after which it is used again; unset: 3.",
        example="3",
    )


class BindAddressSecondary(
    Module,
    stanza="bind_address_secondary",
    naming=Naming.MAYBE,
    direction="sending",
    since="4.2",
    standing=needless("The option of the same name is there without it."),
):
    """Lets a binding have an address of the other family too."""


class CidrDb(
    Module,
    stanza="cidrdb",
    direction="receiving",
    standing=needless("Scripts have `msys.cidr` without it."),
):
    """Lets scripts ask lists of networks."""


class SeedList(
    PolicyModule,
    stanza="seedlist",
    naming=Naming.MAYBE,
    direction="sending",
):
    """Sends a copy of the first message of a campaign to a list of seed addresses."""

    seedlist_file = option(
        Path(), None, doc="The addresses, one a line.", example="/etc/angarium/seeds"
    )
    match_verp = option(
        List(Pattern()),
        (),
        doc="Patterns of the sender whose group `campaignid` is the campaign.",
        example='( "bounces-(?P<campaignid>[0-9]+)-" )',
    )
    mail_from = option(
        Text(),
        None,
        doc="Sender of the copies; unset: that of the message.",
        example="seeds@example.com",
    )
    insert_campaign_header = option(
        FieldName(), None, doc="Field of the copies which has the campaign.", example="X-Campaign"
    )
    no_seed_condition = option(
        Text(),
        None,
        doc="Context variable of a message which belongs to no campaign.",
        example="no_seeds",
    )
    cache_name = option(
        Text(),
        "ecdb",
        doc="Datasource which knows the campaigns of several nodes, if there is one of that name.",
    )
    schema_name = option(
        Text(), "seedlist", doc='Schema of that database which has the table campaigns; "": none.'
    )
    max_campaigns = option(
        Int(1, 1_000_000),
        100_000,
        since=OURS,
        doc="Campaigns which are remembered; the oldest are forgotten.",
    )


class MatchHeader(
    Options,
    stanza="seedlist.match_header",
    inside=("seedlist",),
    naming=Naming.ALWAYS,
    direction="sending",
):
    """A field, by name, which tells the campaign."""

    pattern = option(
        List(Pattern()),
        (),
        doc="Patterns of its value whose group `campaignid` is the campaign; the first counts.",
        example='( "camp-(?P<campaignid>[0-9]+)@" )',
    )


class Curfew(
    Module,
    stanza="curfew",
    direction="sending",
    since="5.3",
    standing=not_yet(
        "`suspend_delivery` lets a queue rest; cron can set it.",
        "mail is sent in quiet hours too",
    ),
):
    """Lets queues rest at hours which a schedule names."""

    schedule_file = option(
        Path(),
        None,
        doc="The schedule: binding, domain, on or off, and five fields as in crontab, on a line.",
        example="/etc/angarium/curfew.schedule",
    )
    timezone = option(Choice(("UTC", "local")), "UTC", doc="Whose hours they are.")
