"""Options of who a client is: by name and password, on all listeners which ask for them."""

from angarium.config.compound import Record
from angarium.config.kinds import Bool, Text
from angarium.config.option import Options, option, planned
from angarium.config.scope import PATHWAYS, Scope

CONSOLE = ("control_listener",)
BY_ADDRESS = "Let clients in by address, with peer stanzas and relay_hosts."
ASKING = Scope.CONTROL_LISTENER | Scope.ESMTP_LISTENER | Scope.LISTEN | PATHWAYS
ASKING_ALL = ASKING | Scope.HTTP_LISTENER | Scope.PEER
PLAIN = Record({"uri": Text(), "log_authentication": Bool()}, required=("uri",))
DIGEST = Record(
    {
        "uri": Text(),
        "realm": Text(),
        "stored_cleartext": Bool(),
        "log_authentication": Bool(),
    },
    required=("uri",),
)


class Authentication(Options, direction="receiving"):
    """Whether clients have to say who they are, and who knows their passwords."""

    enable_authentication = option(
        Bool(),
        None,
        scopes=ASKING_ALL,
        safe=(False,),
        reason=BY_ADDRESS,
        doc="""
        Whether a client has to say who it is, and prove it, before anything else. Unset, for the
        console: by TCP it has to, and by a Unix socket the system says who it is. `false` for the
        console by TCP: whoever can connect may give every command.
        """,
        only=CONSOLE,
    )
    always_allow = option(
        Bool(),
        False,
        scopes=ASKING_ALL,
        reason="Let clients in by address, with peer stanzas and relay_hosts.",
        doc="""
        Whether every name and password is taken for right, and none is asked for. For trials, or
        inside a peer stanza for clients which cannot be told to leave AUTH out.
        """,
        only=CONSOLE,
    )
    always_deny = option(
        Bool(),
        False,
        scopes=ASKING_ALL,
        safe=(False,),
        reason=BY_ADDRESS,
        doc="Whether every name and password is taken for wrong; it counts more than always_allow.",
        only=CONSOLE,
    )
    authplainparameters = planned(
        PLAIN,
        None,
        scopes=(ASKING & ~Scope.CONTROL_LISTENER) | Scope.HTTP_LISTENER | Scope.XMPP_LISTENER,
        reason=BY_ADDRESS,
        example='[ uri = "auth_ds://users" log_authentication = true ]',
        doc="""
        AUTH PLAIN, which sends the password as it is: offer it with TLS only. `uri` says who
        checks it, `log_authentication` whether each attempt is logged. Unset: it is not offered.
        """,
    )
    authloginparameters = option(
        PLAIN,
        None,
        scopes=ASKING | Scope.PEER,
        reason=BY_ADDRESS,
        example='[ uri = "auth_ds://users" ]',
        doc="""
        AUTH LOGIN, an older form of PLAIN which some clients want; as authplainparameters. For
        the console `uri` is file:// or digest:// with a file of users.
        """,
        only=CONSOLE,
    )
    authcrammd5parameters = planned(
        PLAIN,
        None,
        scopes=ASKING,
        reason=BY_ADDRESS,
        example='[ uri = "auth_ds://users" ]',
        doc="""
        AUTH CRAM-MD5, which does not send the password; whoever checks it has to have it in
        clear.
        """,
    )
    authdigestmd5parameters = option(
        DIGEST,
        None,
        scopes=ASKING_ALL | Scope.XMPP_LISTENER,
        reason=BY_ADDRESS,
        example='[ uri = "auth_ds://users" realm = "example.com" ]',
        doc="""
        AUTH DIGEST-MD5, which does not send the password. `realm` is part of what is hashed, our
        host name if it is left out; `stored_cleartext` says that passwords are kept as they are
        and not as digests. For the console `uri` is digest:// or file:// with a file of users,
        which says by itself how they are kept, and `realm` is "Momentum Console" if left out.
        """,
        only=CONSOLE,
    )
