"""Options of the module `adaptive`; the rest of adaptive delivery stands in the scopes."""

from typing import Final

from angarium.config.kinds import Bool, Choice, Duration, Int, List, Path, Text
from angarium.config.option import option
from angarium.modules.kinds import LogPlace, Windows, WindowsKind
from angarium.modules.options import LEVELS, Module, not_yet

MANAGED: Final = (
    "max_outbound_connections",
    "max_deliveries_per_connection",
    "retry_interval",
    "max_retry_interval",
    "max_retries",
    "outbound_throttle_messages",
)
UNMANAGED: Final = (
    "idle_timeout",
    "ehlo_timeout",
    "mailfrom_timeout",
    "rcptto_timeout",
    "body_timeout",
    "rset_timeout",
    "max_recipients_per_batch",
    "max_resident_active_queue",
)


class Adaptive(
    Module,
    stanza="adaptive",
    direction="sending",
    standing=not_yet(
        "Nothing is learned from replies: limits are those of the configuration, of which"
        " etc/production has some for the large providers.",
        "no rate is lowered and no queue suspended when a host complains",
    ),
):
    """Learns from replies, failures and complaints how fast each destination takes mail."""

    adaptive_manage_options = option(
        List(Choice((*UNMANAGED, *MANAGED))),
        (),
        doc="Options which rules of your own change, beside those which are managed anyway.",
        example="( ehlo_timeout )",
    )
    adaptive_unmanage_options = option(
        List(Choice((*MANAGED, *UNMANAGED))),
        (),
        doc="Options which no rule changes, so that it costs less.",
        example="( max_retries )",
    )
    adaptive_cache_size = option(
        Int(), 1048576, dynamic=False, doc="Destinations of which something is remembered."
    )
    adaptive_cache_ttl = option(Duration(), 43200.0, doc="Time for which it is remembered.")
    adaptive_stats_period = option(Duration(), 3600.0, doc="Time which statistics look back.")
    binding_domain_cache_size = option(
        Int(), 999999, doc="Destinations of a binding whose values are at hand."
    )
    binding_domain_cache_max_ttl = option(
        Duration(), 86400.0, doc="Time after which they are read from the store again."
    )
    force_max_binding_age = option(
        Bool(), False, since="4.4", doc="Take every binding for warmed up."
    )
    read_cache_after_suspension = option(
        Bool(), False, since="4.8", doc="Resume with the values of before the suspension."
    )
    suspend_sweep_interval = option(
        Duration(), 60.0, doc="Time between looks for suspensions which are over; 0 never looks."
    )
    bounce_sweep_interval = option(
        Duration(), 3600.0, doc="Time between looks at rates of failures and complaints; 0: never."
    )
    enable_bounce_stats = option(Bool(), True, doc="Sum up failures each hour.")
    enable_fbl_stats = option(Bool(), True, doc="Sum up complaints each hour.")
    fbl_stats_monitor = option(
        WindowsKind(), Windows(14400, 6), doc="How far back complaints are counted."
    )
    fbl_stats_series = option(Text(), "FBL_stats", doc="Series of complaints.")
    fbl_total_series = option(Text(), "FBL_total", doc="Series of deliveries.")
    ad_response_rule_series_prefix = option(
        Text(), "ADRR_series", doc="What the names of the series of rules begin with."
    )
    outbound_throttle_messages_monitor = option(
        WindowsKind(), Windows(3, 20), doc="How far back a limit of a whole cluster is counted."
    )
    outbound_throttle_messages_series = option(
        Text(), "OBTM_Series", doc="Series of the limits of a whole cluster."
    )
    data_store = option(
        List(Text()),
        ("http://127.0.0.1:8098",),
        doc="Servers of Riak which keep what was learned; the first is preferred.",
    )
    data_store_sync_interval = option(Duration(), 3600.0, doc="Time between writes to the store.")
    backing_store_connect_timeout = option(
        Duration(), 5.0, doc="Time to connect to the store; `adaptive_backstore_riak` has its own."
    )
    backing_store_timeout = option(
        Duration(), 5.0, doc="Time for its answer; `adaptive_backstore_riak` has its own."
    )
    datasource_name = option(
        Text(), None, since="3.0", doc="Datasource of what was learned.", example="ecdb"
    )
    enable_logging = option(Bool(), True, doc="Log what it does.")
    log_base = option(Path(), "/var/log/ecelerity/adaptive", doc="Directory of that log.")
    operational_log_level = option(Choice(LEVELS), "NOTICE", doc="Least serious message in it.")
    split_logs_by_binding = option(Bool(), False, doc="Write a log for each binding.")
    enable_jlog = option(Bool(), False, doc="Write what changed to a jlog.")
    jlog_file = option(
        LogPlace(),
        "jlog:///var/log/adaptive/adaptive.rt=>ad_stats",
        doc="That jlog and its reader.",
    )
