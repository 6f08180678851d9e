"""Options of what policy knows about a message and the session which brought it."""

from angarium.config.kinds import Bool, Int, List, Pattern, Size
from angarium.config.option import Options, accepted, planned
from angarium.config.scope import SHAPING, Scope

NO_POLICY = "There is no policy yet which could make use of it."


class Variables(Options, direction="both"):
    """Which variables go with a message to the disk."""

    exclude_vctx_conn = planned(
        List(Pattern()),
        (),
        scopes=SHAPING,
        example='( "^scan_" )',
        reason=NO_POLICY,
        doc="""
        Variables of the session which are forgotten when a message leaves memory: those in whose
        name one of the patterns is found. Names which begin with # stay in any case.
        """,
    )
    exclude_vctx_mess = planned(
        List(Pattern()),
        (),
        scopes=SHAPING,
        example='( "^scan_" )',
        reason=NO_POLICY,
        doc="As exclude_vctx_conn, of the variables of the message itself.",
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
    expensive_batch_assessment = planned(
        Bool(),
        False,
        scopes=Scope.GLOBAL,
        direction="receiving",
        reason=NO_POLICY,
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
