"""Options of what is made of replies and complaints, for a binding or a domain."""

from angarium.config.kinds import Bool, Pattern, Text
from angarium.config.option import Options, planned
from angarium.config.scope import SHAPING


class Complaints(Options, direction="sending"):
    """How complaints find back to the message they are about."""

    enable_fbl_header_insertion = planned(
        Bool(),
        None,
        scopes=SHAPING,
        reason="No message is marked for complaints yet.",
        doc="""
        Whether the module fbl adds its header, by which it knows which message a complaint is
        about. Only with auto_log = true in its stanza.
        """,
    )


class Transcoding(Options, direction="sending"):
    """Replies of hosts which are read as others."""

    response_transcode_pattern = planned(
        Pattern(),
        None,
        scopes=SHAPING,
        example='"^550 (.*try again later.*)"',
        reason="Replies count as they are.",
        doc="""
        What a reply of 400 to 599 has to look like for the module response_transcode to put
        another one in its place.
        """,
    )
    response_transcode_replace = planned(
        Text(),
        None,
        scopes=SHAPING,
        example='"451 $1"',
        reason="Replies count as they are.",
        doc="""
        The reply in its place; $0 is what response_transcode_pattern found, $1 to $9 its groups.
        """,
    )
