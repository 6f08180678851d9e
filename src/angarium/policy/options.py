"""Options of what policy knows about a message and the session which brought it."""

from angarium.config.kinds import Bool, Duration, Int, List, Pattern, Size
from angarium.config.option import OURS, Options, accepted, option, planned
from angarium.config.scope import SHAPING, Scope

NO_POLICY = "There is no policy yet which could make use of it."


class Variables(Options, direction="both"):
    """Which variables go with a message to the disk."""

    exclude_vctx_conn = option(
        List(Pattern()),
        (),
        scopes=SHAPING,
        example='( "^scan_" )',
        doc="""
        Variables of the session which are forgotten when a message leaves memory: those in whose
        name one of the patterns is found. Names which begin with # stay in any case.
        """,
    )
    exclude_vctx_mess = option(
        List(Pattern()),
        (),
        scopes=SHAPING,
        example='( "^scan_" )',
        doc="As exclude_vctx_conn, of the variables of the message itself.",
    )


class Asking(Options, direction="both"):
    """What holds for whoever is asked, in all languages."""

    policy_error_code = option(
        Int(minimum=400, maximum=599),
        451,
        scopes=Scope.GLOBAL,
        since=OURS,
        doc="""
        What is answered where policy failed: by a fault in a script, or because it took too long.
        With 451 the peer keeps its message and tries again.
        """,
    )
    policy_wait_limit = option(
        Duration(),
        60.0,
        scopes=Scope.GLOBAL,
        since=OURS,
        doc="How long one call of a handler may wait, such as for DNS or a database.",
    )
    policy_session_limit = option(
        Duration(),
        300.0,
        scopes=Scope.GLOBAL,
        since=OURS,
        doc="How long all handlers together may let one session wait; then it ends with 421.",
    )


class Scripts(Options, direction="both"):
    """What scripts find when they are asked."""

    siv_throttle_cache_size = planned(
        Int(minimum=1),
        1000,
        scopes=Scope.GLOBAL,
        reason=NO_POLICY,
        doc="Throttles, by name, which scripts may use at once; what was not used lately goes.",
    )
    expensive_batch_assessment = option(
        Bool(),
        False,
        scopes=Scope.GLOBAL,
        direction="receiving",
        doc="""
        Whether the header is compared field by field to find recipients which can go in one
        transaction though policy has changed their copies; it costs time for each message.
        """,
    )
    legacy_message_threshold = accepted(
        Size(),
        1 << 20,
        direction="both",
        reason="No module wants a message in one piece, so none is too large for one.",
        doc="The largest message which is given to modules that want it in one piece.",
    )
    mime_parse_large_messages_during_reception = accepted(
        Bool(),
        True,
        direction="receiving",
        reason="The parts of a message are found when somebody asks for one, whatever its size.",
        doc="Find the parts of large messages while they come in.",
    )
