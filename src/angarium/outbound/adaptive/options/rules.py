"""Options of when adaptive delivery acts, whom it tells, and where it keeps what it learned."""

from angarium.config.kinds import (
    Bool,
    Choice,
    Duration,
    Int,
    List,
    Path,
    Percent,
    Raw,
    Text,
)
from angarium.config.option import Options, option, planned
from angarium.config.scope import SHAPING, Naming, Standing, State
from angarium.core import units

ADAPTIVE = "Nothing is learned from replies yet: limits are those of the configuration."

EVENTS = ("throttle", "suspension", "blackhole")
# What a rule may do, and what the word after it is: a length of time, or the one word allowed.
ACTIONS = {
    "suspend": "",
    "blackhole": "",
    "greylisted": "",
    "warmup": "",
    "throttle": "down",
    "reduce_connections": None,
    "reduce_deliveries": None,
}
OWN_STORE = Standing(
    State.ACCEPTED, "What is learned will be kept in the state directory, beside the spool."
)


class SweepCode(Text):
    """A bounce class, "bc:10", or a category of complaints, "fbl:abuse"."""

    def parse(self, raw: Raw) -> str:
        text = Text.parse(self, raw)
        kind, colon, rest = text.partition(":")
        if kind.lower() == "bc" and rest.isdecimal():
            return f"bc:{int(rest)}"
        if kind.lower() == "fbl" and colon and rest:
            return f"fbl:{rest}"
        raise ValueError(f"{text!r} is neither bc:NUMBER nor fbl:CATEGORY")

    def __str__(self) -> str:
        return "bc:NUMBER for a bounce class, or fbl:CATEGORY"


class Action(List[str]):
    """( action parameter ): what a rule does."""

    def __init__(self) -> None:
        super().__init__(Text())

    def parse(self, raw: Raw) -> tuple[str, ...]:
        words = super().parse(raw)
        name = words[0].lower() if words else ""
        if name not in ACTIONS:
            raise ValueError(f"{name!r} is none of {', '.join(ACTIONS)}")
        wanted = ACTIONS[name]
        if wanted is None:
            return (name, *words[1:])
        if len(words) != 2:
            raise ValueError(f"{name} needs one word after it, such as {wanted or '4 hours'}")
        if wanted and words[1].lower() != wanted:
            raise ValueError(f"after {name} there is only {wanted}")
        if not wanted:
            units.duration(words[1])
        return (name, words[1])

    def __str__(self) -> str:
        return 'such as ( "suspend" "4 hours" ) or ( "throttle" "down" )'


class AdaptiveDelivery(Options, direction="sending"):
    """Whether and when options of a binding and domain are changed by what its hosts reply."""

    adaptive_enabled = planned(
        Bool(),
        False,
        scopes=SHAPING,
        reason=ADAPTIVE,
        doc="""
        Whether adaptive delivery governs mail here: it lowers connections, deliveries and rates
        when receivers complain, raises them again when they do not, and suspends what is blocked.
        Without it the options say all.
        """,
    )
    adaptive_scope = planned(
        Choice(("auto", "local", "global")),
        "auto",
        scopes=SHAPING,
        reason=ADAPTIVE,
        doc="""
        Whether a node learns for itself (`local`) or all nodes of a cluster together (`global`).
        `auto`: together where the address of the binding moves between nodes.
        """,
    )
    adaptive_attempt_threshold = planned(
        Int(minimum=1),
        2000,
        scopes=SHAPING,
        reason=ADAPTIVE,
        doc="""
        Attempts within an hour, for each binding and domain, before shares of failures mean
        anything: with less no rule on bounces acts.
        """,
    )
    adaptive_fbl_volume_threshold = planned(
        Int(minimum=1),
        20000,
        scopes=SHAPING,
        reason=ADAPTIVE,
        doc="""
        Deliveries, for each binding and domain, before shares of complaints mean anything. They
        are counted over a day, or what fbl_stats_monitor of the module adaptive says.
        """,
    )
    adaptive_adjustment_interval = planned(
        Duration(),
        60.0,
        scopes=SHAPING,
        reason=ADAPTIVE,
        doc="The least time between two changes for one binding and domain, in either direction.",
    )
    adaptive_positive_adjustment_interval = planned(
        Duration(),
        3600.0,
        scopes=SHAPING,
        reason=ADAPTIVE,
        doc="""
        The least time between two changes which allow more. It is much longer than that for less,
        as trust is lost faster than won.
        """,
    )
    adaptive_default_suspension = planned(
        Duration(),
        14400.0,
        scopes=SHAPING,
        example='"30 minutes"',
        reason=ADAPTIVE,
        doc="How long a domain rests on a binding when adaptive delivery suspends it.",
    )
    adaptive_default_suspension_enabled = planned(
        Bool(),
        False,
        scopes=SHAPING,
        since="4.2",
        reason=ADAPTIVE,
        doc="Whether too large a share of rejections suspends a domain, see the next option.",
    )
    adaptive_rejection_rate_suspension_percentage = planned(
        Percent(),
        20.0,
        scopes=SHAPING,
        reason=ADAPTIVE,
        doc="""
        Share of attempts which hosts reject, in percent, above which a domain is suspended on the
        binding, if adaptive_default_suspension_enabled.
        """,
    )
    adaptive_retry_fuzz = planned(
        Duration(),
        4096.0,
        scopes=SHAPING,
        reason="Use delayed_binding_domain_fuzz, which does the same without adaptive delivery.",
        doc="When a whole queue is delayed at once, its messages come due spread over this time.",
    )
    adaptive_sweep_rule_enabled = planned(
        Bool(),
        True,
        scopes=SHAPING,
        reason=ADAPTIVE,
        doc="Whether the adaptive_sweep_rule stanzas of this scope count.",
    )
    # Whom it tells.
    adaptive_alert_email_destination = planned(
        List(Text(), split=True),
        (),
        scopes=SHAPING,
        example='"postmaster@example.com noc@example.com"',
        reason=ADAPTIVE,
        doc="Addresses which get a mail about what adaptive delivery did; unset: nobody.",
    )
    adaptive_alert_email_sender = planned(
        Text(),
        None,
        scopes=SHAPING,
        example="adaptive@example.com",
        reason=ADAPTIVE,
        doc="Sender of these mails.",
    )
    adaptive_notification_events = planned(
        List(Choice(EVENTS), split=True),
        EVENTS,
        scopes=SHAPING,
        reason=ADAPTIVE,
        doc="What is worth a mail.",
    )
    adaptive_notification_interval = planned(
        Duration(),
        3600.0,
        scopes=SHAPING,
        reason=ADAPTIVE,
        doc="The least time between two mails about the same thing.",
    )


class SweepRule(
    Options,
    stanza="adaptive_sweep_rule",
    inside=("", "binding_group", "binding", "domain"),
    naming=Naming.ALWAYS,
    direction="sending",
    standing=Standing(
        State.PLANNED,
        "There is no adaptive delivery yet.",
        loss="nothing slows down when bounces or complaints become many",
    ),
):
    """What happens when bounces or complaints become too large a share.

    Rules of all stanzas which hold for a binding and domain count together; of two with one name
    the more specific one. A rule has codes of bounces or of complaints, not of both.
    """

    codes = option(
        List(SweepCode(), split=True),
        (),
        example='( "bc:10" "bc:24" )',
        doc="Classes of bounces, or categories of complaints, whose shares are added up.",
    )
    low_threshold = option(Percent(), 5.0, doc="Share, in percent, from which low_action follows.")
    low_action = option(
        Action(), ("throttle", "down"), doc="What happens from low_threshold to high_threshold."
    )
    high_threshold = option(
        Percent(), 10.0, doc="Share, in percent, from which high_action follows."
    )
    high_action = option(
        Action(), ("suspend", "4 hours"), doc="What happens from high_threshold on."
    )


class LevelDb(
    Options, stanza="adaptive_backstore_leveldb", direction="sending", standing=OWN_STORE
):
    """Momentum keeps what it learned in a LevelDB."""

    path = option(Path(), "/var/log/ecelerity/adaptive.leveldb", doc="Directory of the database.")


class Riak(Options, stanza="adaptive_backstore_riak", direction="sending", standing=OWN_STORE):
    """Momentum keeps what it learned in a Riak."""

    timeout = option(Duration(), 5.0, doc="Wait for an answer.")
    connect_timeout = option(Duration(), 5.0, doc="Wait for a connection.")
