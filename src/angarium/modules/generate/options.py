"""Options of the modules which make messages, follow links, answer HTTP and publish events."""

from typing import Final

from angarium.config.kinds import PORT, Bool, Choice, Duration, Int, List, Path, Size, Text
from angarium.config.option import Options, option
from angarium.config.places import HostPort
from angarium.config.scope import Naming
from angarium.modules.kinds import LogPlace
from angarium.modules.options import Logger, Module, PolicyModule, not_yet

NO_TRACKING: Final = "opens and clicks are not tracked"
EVENTS: Final = (
    "What happened is in the text logs, and in the event streams of the state directory."
)


class MessageGenerator(
    Module,
    stanza="msg_gen",
    direction="both",
    standing=not_yet("Nothing is made of templates, and no transmission is taken by HTTP, yet."),
):
    """Makes messages of templates and recipients which are submitted by HTTP."""

    gen_count = option(Int(), 2, doc="Threads which make messages; 0 in a `node` only votes.")
    gen_transactional_threads = option(Int(), 2, doc="Threads for transmissions to one recipient.")
    cluster_cfg = option(Bool(), None, doc="Whether it is one of several nodes.", example="true")
    quorum = option(Int(), None, doc="Votes which must be present.", example="2")
    engagement_tracking_host = option(
        HostPort(),
        None,
        doc="Host of the links which are put in; port 80 in clusters, else 81.",
        example="click.example.com:81",
    )
    click_tracking_enabled = option(Bool(), True, doc="Follow clicks unless told otherwise.")
    click_tracking_scheme = option(
        Choice(("http", "https")), "http", doc="How the links which are followed begin."
    )
    open_tracking_enabled = option(Bool(), True, doc="Follow opens unless told otherwise.")
    open_tracking_scheme = option(
        Choice(("http", "https")), "http", doc="How the address of the picture begins."
    )
    scheduled_interval_delete = option(
        Duration(60.0), 600.0, doc="Time before its start when a transmission cannot be deleted."
    )
    scheduled_send = option(
        Bool(),
        None,
        since="4.4",
        doc="Let a message of REST wait in the queue until its start.",
        example="true",
    )
    start_time_max_schedule_interval = option(
        Duration(), 31536000.0, doc="How far ahead a start may be."
    )


class GeneratingNode(
    Options, stanza="msg_gen.node", inside=("msg_gen",), naming=Naming.ALWAYS, direction="both"
):
    """A node which takes part in making messages, by name."""

    mta_id = option(Int(1, 254), None, doc="Its number, different for each.", example="1")
    votes = option(Int(), None, doc="How many votes it has.", example="1")
    gen_count = option(Int(), None, doc="Threads of this node; 0 only votes.", example="2")
    gen_transactional_threads = option(
        Int(), None, doc="Threads of this node for transmissions to one recipient.", example="2"
    )


class EngagementTracker(
    Module,
    stanza="engagement_tracker",
    direction="both",
    standing=not_yet("Links of messages are left as they are.", NO_TRACKING),
):
    """Makes the links which are followed, and reads them when they come back."""

    click_tracking_include_metadata = option(Bool(), True, doc="Put metadata into the links.")
    max_metadata_len = option(
        Size(), 1000, since="4.2", doc="Octets of metadata which a link may have."
    )


class SmtpApi(
    Module,
    stanza="smtpapi",
    direction="receiving",
    since="4.1",
    standing=not_yet(
        "X-MSYS-API is passed on like any field, and links are left as they are.", NO_TRACKING
    ),
):
    """Reads X-MSYS-API of mail which comes by SMTP, and follows its links."""


class SubstitutionEngine(
    Module, stanza="substitution_engine", standing=not_yet("Nothing is made of templates yet.")
):
    """Puts values into templates."""


class CassandraClient(
    Module,
    stanza="cassandra_client",
    standing=not_yet("Nothing here is kept in Cassandra."),
):
    """Reads and writes Cassandra, for templates and lists."""

    uri = option(
        List(Text()),
        (),
        doc="Servers of Cassandra, a node each.",
        example='( "name=cassandra_db;host=192.0.2.1;port=9160" )',
    )


class HttpServer(PolicyModule, stanza="httpsrv"):
    """Lets an `http_listener` ask the endpoints which scripts have registered."""


class HttpLogger(Logger, stanza="http_logger", naming=Naming.MAYBE):
    """Logs the requests which an `http_listener` answers."""

    log = option(LogPlace(), "file:///var/log/ecelerity/httplog.ec", doc="Log of the requests.")


class RestInjector(
    Module,
    stanza="restinjector",
    direction="receiving",
    standing=not_yet("Mail is taken by SMTP only."),
):
    """Takes messages by the REST of version 3."""


class EventHydrant(
    Module,
    stanza="event_hydrant",
    naming=Naming.MAYBE,
    standing=not_yet(EVENTS),
):
    """Puts what becomes of messages into one stream of events."""

    write_jlog = option(Bool(), False, doc="Write them to a jlog, too.")
    jlog_filename = option(
        LogPlace(),
        "jlog:///var/log/ecelerity/event_hydrant.rt=>event_consumer",
        doc="That jlog and its reader.",
    )
    concurrency = option(Int(), 1, doc="Threads which write.")
    cust_prefix = option(
        Text(), "cust_", doc="Context variables whose names begin like this go with the event."
    )
    log_reception = option(Bool(), True, doc="Tell of receptions.")
    log_delivery = option(Bool(), True, doc="Tell of deliveries.")
    log_tempfail = option(Bool(), True, doc="Tell of transient failures.")
    log_inband_bounce = option(Bool(), True, doc="Tell of failures in the session.")
    log_outofband_bounce = option(Bool(), True, doc="Tell of failures which come as mail.")
    log_rejection = option(Bool(), True, doc="Tell of rejections.")
    log_genfail = option(Bool(), True, doc="Tell of messages which could not be made.")
    log_genrejection = option(Bool(), True, doc="Tell of messages which were not to be made.")
    log_open = option(Bool(), True, doc="Tell of opens.")
    log_click = option(Bool(), True, doc="Tell of clicks.")
    log_conversion = option(Bool(), True, doc="Tell of conversions.")


class EventHose(
    Module,
    stanza="event_hose",
    naming=Naming.MAYBE,
    since="4.2",
    standing=not_yet(EVENTS),
):
    """Sends the events to RabbitMQ."""

    port = option(PORT, None, since="5.1", doc="Port of RabbitMQ.", example="5671")
    use_tls = option(Bool(), None, since="5.1", doc="Speak TLS with it.", example="true")
    tls_ca = option(
        Path(),
        None,
        since="5.1",
        doc="File of the authorities who may have signed its certificate.",
        example="/etc/ssl/certs/ca.pem",
    )
    tls_certificate = option(
        Path(), None, since="5.1", doc="File of our certificate.", example="/etc/ssl/certs/mx.pem"
    )
    tls_key = option(
        Path(),
        None,
        since="5.1",
        doc="File of the key of our certificate.",
        example="/etc/ssl/private/mx.key",
    )
