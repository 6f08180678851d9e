"""Options of XMPP, and of messages which have a form for each of several channels."""

from angarium.config.kinds import Secret, Text
from angarium.config.option import Options, planned
from angarium.config.scope import SESSION, Scope


class Channels(Options, direction="both"):
    """Messages for several channels."""

    mcmt_reception = planned(
        Text(),
        "passthru",
        scopes=SESSION,
        reason="Such a message is taken and sent as any other, which is what passthru means.",
        doc="""
        What happens to a message with forms for mail, texts and telephones in one. `passthru`:
        it goes on as it came.
        """,
    )


class Xmpp(Options, direction="both"):
    """What a domain is in XMPP."""

    xmpp_role = planned(
        Text(),
        None,
        scopes=Scope.DOMAIN,
        reason="XMPP is not spoken yet.",
        doc="Whether the domain is a server of XMPP or a client.",
        example="client",
    )
    xmpp_dialback_secret = planned(
        Secret(),
        None,
        scopes=Scope.DOMAIN,
        reason="XMPP is not spoken yet.",
        doc="What is hashed into the keys by which servers of XMPP prove who they are.",
        example="a-long-random-word",
    )
