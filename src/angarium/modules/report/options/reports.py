"""Options of the modules which understand failures and complaints, and report."""

from typing import Final

from angarium.config.kinds import Bool, Choice, Duration, List, Path, Pattern, Table, Text
from angarium.config.option import Options, option
from angarium.config.places import FieldName
from angarium.config.scope import Naming
from angarium.modules.kinds import LogPlace
from angarium.modules.options import Module, needless, not_yet

UPDATES: Final = "/opt/msys/ecelerity/etc/updates"


class FeedbackLoop(
    Module,
    stanza="fbl",
    direction="both",
    standing=not_yet(
        "Let complaints go to a mailbox whose reader knows ARF.",
        "complaints are passed on like other mail, and no message is marked for them",
    ),
):
    """Marks what is sent, reads the complaints which come back, and logs them."""

    auto_log = option(Bool(), False, doc="Mark messages and log complaints without a script.")
    log_path = option(LogPlace(), "/var/log/ecelerity/fbllog.ec", doc="Log of complaints.")
    addresses = option(
        List(Pattern()),
        (),
        doc="Patterns of the mailboxes to which complaints come.",
        example='( "^.*@fbl[.]example[.]com$" )',
    )
    header_name = option(FieldName(), "X-MSFBL", doc="Field which marks a message.")
    user_string = option(
        Text(),
        None,
        doc="What else is kept in it and logged; macros are put in.",
        example='"%{vctx_mess:campaign}"',
    )
    message_disposition = option(
        Choice(("blackhole", "pass")),
        "blackhole",
        doc="What becomes of a complaint which was logged: it ends, or is passed on.",
    )
    condition = option(
        Text(),
        None,
        doc="Context variable which a message must have to be marked; unset: all are.",
        example="can_relay",
    )


class Classification(Options, template=True):
    """Rules which say what kind of failure a text means."""

    custom_classes = option(
        Table(Text()),
        {},
        doc="Classes of your own: numbers below 100, and what they are called.",
        example='[ 99 = "Profanity" ]',
    )
    enable_system_updates = option(Bool(), True, doc="Use the rules which the maker updates.")
    refresh = option(Duration(), 300.0, doc="Time between looks for changed rules.")
    system_smtp_classification_override = option(
        Path(), f"{UPDATES}/smtp_classification.ovr", doc="The maker's rules for replies."
    )
    system_mdn_classification_override = option(
        Path(), f"{UPDATES}/mdn_classification.ovr", doc="The maker's rules for reports."
    )
    user_smtp_classification_override = option(
        Text(),
        "user_smtp_classification.ovr",
        doc="Your rules for replies: a file with lines of domain, class and text, or a query as"
        " :datasource:NAME:QUERY.",
    )
    user_mdn_classification_override = option(
        Text(),
        "user_mdn_classification.ovr",
        doc="Your rules for reports: a file with lines of class and text, or a query.",
    )


class BounceClassifierOverride(
    Classification,
    Module,
    stanza="bounce_classifier_override",
    direction="sending",
    standing=not_yet(
        "Failures are classed by enhanced code, else by the code of the reply; see bouncelog."
    ),
):
    """Rules of your own for the classes of failures."""


class BounceClassifier(
    Classification,
    Module,
    stanza="bounce_classifier",
    naming=Naming.MAYBE,
    direction="sending",
    since="3.0",
    standing=not_yet(
        "Failures are classed by enhanced code, else by the code of the reply; see bouncelog."
    ),
):
    """The same, as version 3 called it."""


class DelayDsn(
    Module,
    stanza="delay_dsn",
    naming=Naming.MAYBE,
    direction="sending",
    standing=needless("`generate_delay_dsn` and its schedule work without it."),
):
    """Tells senders that their mail is delayed, where `generate_delay_dsn` says so."""


class ResponseTranscode(
    Module,
    stanza="response_transcode",
    direction="sending",
    standing=not_yet("Replies count as they are; `response_transcode_pattern` is what matters."),
):
    """Reads replies of hosts as others, where `response_transcode_pattern` says so."""
