"""Options of who a client is: by name and password, on all listeners which ask for them."""

from typing import Final

from angarium.config.compound import Record
from angarium.config.kinds import Bool, Choice, Duration, Int, Text
from angarium.config.option import OURS, Options, option
from angarium.config.scope import PATHWAYS, SESSION, Scope

ESMTP: Final = ("esmtp_listener", "pathway", "pathway_group")
WORKING: Final = ("control_listener", *ESMTP)
HTTP: Final = "http_listener"
BY_ADDRESS = "Let clients in by address, with peer stanzas and relay_hosts."
ASKING = Scope.CONTROL_LISTENER | Scope.ESMTP_LISTENER | Scope.LISTEN | PATHWAYS
ASKING_ALL = ASKING | Scope.HTTP_LISTENER | Scope.PEER
SMTP = ASKING & ~Scope.CONTROL_LISTENER
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
EXTERNAL = Record({"name": Choice(("email", "dns", "cn")), "log_authentication": Bool()})


class Authentication(Options, direction="receiving"):
    """Whether clients have to say who they are, and who knows their passwords."""

    enable_authentication = option(
        Bool(),
        None,
        scopes=ASKING_ALL,
        safe=(False,),
        reason=BY_ADDRESS,
        doc="""
        Whether a client has to say who it is, and prove it. An esmtp_listener takes mail from
        nobody else then, those aside whom relay_hosts or open_relay trust. Unset, for the
        console: by TCP it has to, and by a Unix socket the system says who it is. `false` for the
        console by TCP: whoever can connect may give every command. A client of HTTP says it by a
        password (authplainparameters) or its certificate (tls_verified_peer_is_authorized).
        """,
        only=(*WORKING, HTTP),
    )
    always_allow = option(
        Bool(),
        False,
        scopes=ASKING_ALL,
        reason="Let clients in by address, with peer stanzas and relay_hosts.",
        doc="""
        Whether every name and password is taken for right, and none is asked for: a client of
        SMTP is `anonymous` from the beginning, and may send to any domain; one of HTTP is not
        asked. For trials, or inside a peer stanza for clients which cannot say who they are.
        """,
        only=(*WORKING, HTTP),
    )
    always_deny = option(
        Bool(),
        False,
        scopes=ASKING_ALL,
        safe=(False,),
        reason=BY_ADDRESS,
        doc="""
        Whether every name and password is taken for wrong; it counts more than always_allow. By
        HTTP nobody is answered then, whether or not enable_authentication is set, but for what
        everybody may see.
        """,
        only=(*WORKING, HTTP),
    )
    authplainparameters = option(
        PLAIN,
        None,
        scopes=SMTP | Scope.HTTP_LISTENER | Scope.XMPP_LISTENER | Scope.PEER,
        reason=BY_ADDRESS,
        example='[ uri = "auth_ds://users" log_authentication = true ]',
        doc="""
        AUTH PLAIN, which sends the password as it is. `uri` says who checks it,
        `log_authentication` whether each attempt is written to acctlog. smtp_extensions says that
        it is offered. In an http_listener it is HTTP Basic: by TLS and on this machine only, with
        a file of users, and httplog has the answers.
        """,
        only=(*ESMTP, HTTP),
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
        only=WORKING,
    )
    authcrammd5parameters = option(
        PLAIN,
        None,
        scopes=ASKING | Scope.PEER,
        reason=BY_ADDRESS,
        example='[ uri = "file:///etc/angarium/users" ]',
        doc="""
        AUTH CRAM-MD5, which does not send the password; whoever checks it has to have it in
        clear, or as hmac_md5.
        """,
        only=ESMTP,
    )
    authdigestmd5parameters = option(
        DIGEST,
        None,
        scopes=ASKING_ALL | Scope.XMPP_LISTENER,
        reason=BY_ADDRESS,
        example='[ uri = "digest:///etc/angarium/users" realm = "example.com" ]',
        doc="""
        AUTH DIGEST-MD5, which does not send the password. `realm` is part of what is hashed, our
        host name if it is left out; `stored_cleartext` says that passwords are kept as they are
        and not as digests. For the console `uri` is digest:// or file:// with a file of users,
        which says by itself how they are kept, and `realm` is "Momentum Console" if left out.
        """,
        only=WORKING,
    )
    authscramparameters = option(
        PLAIN,
        None,
        scopes=SMTP | Scope.PEER,
        since=OURS,
        example='[ uri = "passwd:///etc/angarium/users" ]',
        doc="""
        AUTH SCRAM-SHA-256, which does not send the password, and SCRAM-SHA-256-PLUS where TLS can
        be bound to; whoever checks it has the password, or what SCRAM keeps of it.
        """,
    )
    authoauthparameters = option(
        PLAIN,
        None,
        scopes=SMTP | Scope.PEER,
        since=OURS,
        example='[ uri = "ac_auth://" ]',
        doc="AUTH XOAUTH2 and OAUTHBEARER: a token, which whoever `uri` names looks at.",
    )
    authexternalparameters = option(
        EXTERNAL,
        None,
        scopes=SMTP | Scope.PEER,
        since=OURS,
        example="[ name = email ]",
        doc="""
        AUTH EXTERNAL: the client is who its certificate says, which TLS has verified. `name` says
        what of it is the name: its addresses of mail (the default), its host names, or the common
        name of its subject.
        """,
    )


class Guessing(Options, direction="receiving"):
    """What keeps those away who try passwords, on listeners of SMTP."""

    auth_in_clear = option(
        Choice(("no", "loopback", "yes")),
        "no",
        scopes=SESSION,
        since=OURS,
        doc="""
        Whether AUTH is offered without TLS: to nobody, to clients of this machine, or to all.
        Who hears it then has the password, or tries at leisure what it may be.
        """,
    )
    auth_failures_per_connection = option(
        Int(minimum=1),
        3,
        scopes=SESSION,
        since=OURS,
        doc="Failed attempts after which a client is disconnected.",
    )
    auth_failures_per_address = option(
        Int(),
        20,
        scopes=SESSION,
        since=OURS,
        doc="""
        Failed attempts from one address (of IPv6: one /64) in auth_failure_window; 0 is no limit.
        Further ones get 421 before the password is looked at. Counted for the whole node.
        """,
    )
    auth_failures_per_user = option(
        Int(),
        50,
        scopes=SESSION,
        since=OURS,
        doc="""
        Failed attempts at one name in auth_failure_window; 0 is no limit. Further ones get 454,
        but from addresses from which the user was let in of late. Counted for the whole node.
        """,
    )
    auth_failure_delay = option(
        Duration(),
        2.0,
        scopes=SESSION,
        since=OURS,
        doc="Time from an attempt to the answer that it failed; the same whatever was wrong.",
    )
    auth_failure_window = option(
        Duration(minimum=10.0),
        900.0,
        scopes=Scope.GLOBAL,
        since=OURS,
        doc="Time for which a failed attempt counts.",
    )
