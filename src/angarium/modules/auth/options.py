"""Options of authentication and of datasources, which it and others look things up in.

Nobody is let in for want of these modules: who is named by the uri of a listener and is not there
refuses the configuration.
"""

import codecs
from dataclasses import dataclass
from typing import Final

from angarium.config.kinds import (
    PORT,
    Bool,
    Choice,
    Duration,
    Int,
    List,
    Path,
    Raw,
    Secret,
    Size,
    Table,
    Text,
)
from angarium.config.option import OURS, Options, accepted, option, planned
from angarium.config.places import Address, Hostname, HostPort
from angarium.config.scope import Naming, Scope
from angarium.data import uri
from angarium.modules.kinds import Statement
from angarium.modules.options import LEVELS, Module, PolicyModule, needless, not_yet

# How a password may be kept.
HASHES: Final = (
    "clear",
    "digest-md5",
    "hmac_md5",
    "md5",
    "md5_base64",
    "md5_hex",
    "rfc2307",
    "sha1_base64",
    "sha1_hex",
    "smd5",
    "ssha1",
    "ucrypt",
)


@dataclass(frozen=True, slots=True)
class SourceUri(Secret):
    """Where a datasource is; there may be a password in it."""

    def parse(self, raw: Raw) -> str:
        text = Secret.parse(self, raw)
        uri.parse(text)
        return text

    def __str__(self) -> str:
        return f"kind and parameters, never shown; kinds are {', '.join(uri.KINDS)}"


@dataclass(frozen=True, slots=True)
class SourceUris(List[str]):
    """Uris which are asked in turn: they have to understand the same queries."""

    def parse(self, raw: Raw) -> tuple[str, ...]:
        found = List.parse(self, raw)
        if len({uri.KINDS[uri.parse(each).kind] for each in found}) > 1:
            raise ValueError("all uris of a datasource are of one kind")
        return found


@dataclass(frozen=True, slots=True)
class Charset(Text):
    """The name of a character set."""

    def parse(self, raw: Raw) -> str:
        text = Text.parse(self, raw)
        try:
            codecs.lookup(text)
        except LookupError:
            raise ValueError(f"{text} is no character set that is known") from None
        return text

    def __str__(self) -> str:
        return "name of a character set"


class Passive(Options, template=True):
    """A module which does nothing by itself."""

    enabled = accepted(
        Bool(),
        True,
        scopes=Scope.OWN,
        reason="Whoever names a datasource uses it, and nothing else does.",
        doc="Whether it may be used.",
    )
    debug_level = accepted(
        Choice(LEVELS),
        "ERROR",
        scopes=Scope.OWN,
        reason="Who asks is told what is wrong; it has nothing to tell beside that.",
        doc="What it tells about itself in paniclog.",
    )


class DatasourceOptions(Options, stanza="datasource", naming=Naming.ALWAYS):
    """A named source of data which modules and scripts ask by queries."""

    uri = option(
        SourceUris(SourceUri()),
        (),
        doc="Kind and its parameters, with a colon between them. Several of one kind are asked in "
        "turn, those which are away left out.",
        example='( "pgsql:host=db.example.com;dbname=mail;user=mail" )',
    )
    cache_life = option(Duration(), 3600.0, doc="Time for which an answer is kept.")
    cache_size = option(Int(), 1000, doc="Answers which are kept.")
    max_rows = option(Int(-1), 100, doc="Rows which are read of one answer; -1 reads all.")
    no_cache = option(Bool(), False, doc="Keep no answers.")
    pool = accepted(
        Text(),
        "IO",
        scopes=Scope.OWN,
        reason="No pool of threads is shared; `connections` says how many there may be.",
        doc="Pool of threads in which it is asked.",
    )
    serialized = planned(
        Bool(),
        True,
        reason="Each worker keeps the answers it has got.",
        doc="Let the nodes of a cluster have each other's answers.",
    )
    assume_charset = option(
        Charset(),
        "iso-8859-1",
        doc="Character set of answers which do not name theirs and are no UTF-8.",
    )
    cache_octets = option(
        Size(minimum=4096), 16 * 1024 * 1024, since=OURS, doc="Octets of all answers kept, about."
    )
    negative_life = option(
        Duration(),
        None,
        since=OURS,
        doc="Time for which it is kept that there are no rows; unset: `cache_life`.",
        example="60",
    )
    query_timeout = option(
        Duration(minimum=0.001),
        10.0,
        since=OURS,
        doc="Time for an answer, from the question on, waiting for a connection included.",
    )
    connect_timeout = option(
        Duration(minimum=0.001), 5.0, since=OURS, doc="Time for a connection to be made."
    )
    connections = option(
        Int(minimum=1, maximum=1000),
        4,
        since=OURS,
        doc="Connections of each worker to each `uri` at most. Who asks more waits in line.",
    )


class DsCore(Passive, stanza="ds_core"):
    """Asks datasources and keeps their answers. It is there whenever a datasource is."""


class DsLdap(Passive, stanza="ds_ldap"):
    """The driver of datasources for LDAP."""

    connection_cache_size = option(
        Int(minimum=0),
        None,
        doc="Idle connections to a directory which are kept; unset: all.",
        example="10",
    )
    connection_cache_life = option(
        Duration(), None, doc="Time for which an idle connection is kept; unset: 60.", example="60"
    )


class AuthDs(
    PolicyModule,
    stanza="auth_ds",
    direction="receiving",
):
    """Authenticates by a query to a datasource."""


class AuthScheme(Options, stanza="auth_ds.scheme", inside=("auth_ds",), naming=Naming.ALWAYS):
    """A way to authenticate; a listener names it as `NAME://`."""


class Query(Options, template=True):
    """What is asked, and where."""

    query = option(
        Statement(),
        None,
        doc="What is asked; a name with : before it (with $ for LDAP) is looked up in `map`.",
        example='"SELECT password FROM users WHERE name = :user"',
    )
    cache = option(Text(), None, doc="Name of the datasource.", example="users")


class UserQuery(Query, template=True):
    """A query about one user."""

    map = option(
        Table(Text()),
        {},
        doc="What the names of the query stand for.",
        example='[ user = "%{username}" ]',
    )


class Authenticate(
    UserQuery,
    stanza="auth_ds.scheme.authenticate",
    inside=("auth_ds.scheme",),
):
    """The query which tells whether somebody is who they say."""

    returns_password = option(
        Bool(),
        None,
        doc="The answer is the password, in place of whether it was right.",
        example="true",
    )
    password_column = option(
        Text(), None, doc="Column of the answer which has it.", example="password"
    )
    type = option(Choice(HASHES), None, doc="How the password is kept.", example="md5")
    type_column = option(
        Text(), None, doc="Column which says how the password is kept.", example="kind"
    )
    type_map = option(
        Table(Choice(HASHES)),
        {},
        doc="What the words in that column mean.",
        example="[ C = clear S = ssha1 ]",
    )


class QueryGroups(UserQuery, stanza="auth_ds.scheme.querygroups", inside=("auth_ds.scheme",)):
    """The query for the groups of one user."""

    group_column = option(
        Text(), None, doc="Column of the answer which has a group.", example="groupname"
    )


class EnumGroups(
    Query,
    stanza="auth_ds.scheme.enumgroups",
    inside=("auth_ds.scheme",),
    standing=not_yet(
        "It fills the list from which a web interface gives out rights, and there is none yet;"
        " roles of the console are named in the Authorization stanza."
    ),
):
    """The query for all groups there are."""

    group_column = option(
        Text(), None, doc="Column of the answer which has a group.", example="groupname"
    )


class AuthRadius(
    PolicyModule,
    stanza="auth_radius",
    direction="receiving",
):
    """Authenticates by up to ten RADIUS servers; a listener names it as radius://."""

    nas_ip_address = option(
        Address(),
        None,
        name="nas-ip-address",
        doc="Address of this server, as the RADIUS server is told it.",
        example="192.0.2.1",
    )
    nas_identifier = option(
        Int(maximum=2**32 - 1),
        None,
        name="nas-identifier",
        doc="Number of this server, as the RADIUS server is told it.",
        example="1",
    )
    map = option(
        Table(Text()),
        {},
        doc="How user name and password are changed before they are sent.",
        example='[ username = "%{username_localpart}@%{username_domain||example.com}" ]',
    )
    require_message_authenticator = option(
        Choice(("auto", "yes", "no")),
        "auto",
        since=OURS,
        doc="""
        Whether an answer without Message-Authenticator is not believed: who stands between can
        forge one (CVE-2024-3596). Servers from before that year may send none, so `auto` asks for
        it of a server which has sent one before; set `yes` where all servers do.
        """,
    )


class RadiusServer(
    Options,
    stanza="auth_radius.server",
    inside=("auth_radius",),
    naming=Naming.ALWAYS,
    direction="receiving",
):
    """One RADIUS server."""

    host = option(
        HostPort(),
        None,
        doc="Where it is; port 1812 where none is given.",
        example="radius.example.com",
    )
    secret = option(Secret(), None, doc="Password which both ends know.", example="secret")
    max_tries = option(Int(), None, doc="How often it is asked; unset: 3.", example="2")
    timeout = option(Duration(), None, doc="Time it has for an answer; unset: 5.", example="30")


class AcAuth(
    PolicyModule,
    stanza="ac_auth",
    naming=Naming.MAYBE,
    direction="receiving",
    since="4.2",
):
    """Lets Lua say who is authenticated; a listener names it as ac_auth://."""


class SmtpAuthProxy(
    PolicyModule,
    stanza="smtp_auth_proxy",
    naming=Naming.MAYBE,
    direction="receiving",
    since="4.2",
):
    """Asks another SMTP server whether it knows a user; named as smtp_auth_proxy://."""

    host = option(Hostname(), None, doc="The server which is asked.", example="mail.example.com")
    port = option(PORT, 25, doc="Port of that server.")
    timeout = option(Duration(), 60.0, doc="Time it has for an answer.")
    tls = option(
        Choice(("no", "ifavailable", "verify")),
        "ifavailable",
        since=OURS,
        doc="""
        Whether it is asked through TLS: never, and then passwords go in clear; if it offers
        STARTTLS; or only if its certificate is for its name as well. Without TLS, `ifavailable`
        uses mechanisms which do not send the password.
        """,
    )
    ds_cache = option(
        Text(), None, doc="Datasource which knows whose server is which.", example="servers"
    )
    query = option(
        Statement(),
        None,
        doc="What it is asked, with :username, :localpart and :domain.",
        example='"SELECT host FROM servers WHERE name = :username"',
    )


class SecureCreds(Module, stanza="securecreds"):
    """Keeps passwords encrypted, for datasources: `angarium credentials` is how they get there."""

    enabled = option(Bool(), True, doc="Whether datasources without a password have one from it.")
    debug_level = accepted(
        Choice(LEVELS),
        "ERROR",
        scopes=Scope.OWN,
        reason="What is wrong with the store refuses the configuration, and is told there.",
        doc="What it tells about itself in paniclog.",
    )
    credentials = option(Path(), "/etc/angarium/credentials.db", doc="File of the store.")
    key = option(Path(), "/etc/angarium/credentials.key", doc="File of its key.")


class OutboundSmtpAuth(
    Module,
    stanza="outbound_smtp_auth",
    naming=Naming.MAYBE,
    direction="sending",
    since="4.2",
):
    """Lets variables of a message say as whom we log in at the host it is sent to.

    They are named as the options `outbound_smtp_auth_type`, `_user` and `_pass`, which work with or
    without the stanza; the hook `outbound_smtp_auth_config` is asked for each message.
    """

    enabled = option(Bool(), True, doc="Whether variables of messages count.")
    debug_level = accepted(
        Choice(LEVELS),
        "ERROR",
        scopes=Scope.OWN,
        reason="What hosts refuse stands in mainlog, with each message it was refused for.",
        doc="What it tells about itself in paniclog.",
    )


class OutboundSmtpAuthOld(
    Module,
    stanza="outbound_smtp_auth_v0",
    naming=Naming.MAYBE,
    direction="sending",
    since="5.1",
    standing=needless("Write outbound_smtp_auth, which has taken its place."),
):
    """The same as version 4.2 had it, with the options of its scopes."""

    outbound_smtp_auth_key = option(
        Text(), None, doc="What Lua looks the password up by.", example="key"
    )
