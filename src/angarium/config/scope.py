"""Stanzas: which there are, what may stand in which, and whether they have names.

The ones which options fall back through have a bit of `Scope`, so that an option says in a few
words where it may stand. A stanza with options of its own only (a module, `security`) has
Scope.OWN, and its options belong to it by `class X(Options, stanza="x")`.

How values fall back is in `resolve`; here is only what may be written where.
"""

import enum
from dataclasses import dataclass
from typing import Final

from angarium.config.errors import Severity
from angarium.core.registry import Registry


class State(enum.Enum):
    """What an option or a stanza does in this server."""

    WORKS = "works"
    ACCEPTED = "understood and without effect"
    PLANNED = "not supported yet"


class Scope(enum.Flag):
    """Where an option may stand."""

    GLOBAL = enum.auto()
    BINDING_GROUP = enum.auto()
    BINDING = enum.auto()
    DOMAIN = enum.auto()
    HOST = enum.auto()
    PATHWAY_GROUP = enum.auto()
    PATHWAY = enum.auto()
    ESMTP_LISTENER = enum.auto()
    ECSTREAM_LISTENER = enum.auto()
    HTTP_LISTENER = enum.auto()
    CONTROL_LISTENER = enum.auto()
    ECCLUSTER_LISTENER = enum.auto()
    MSGCSERVER_LISTENER = enum.auto()
    XMPP_LISTENER = enum.auto()
    LISTEN = enum.auto()
    PEER = enum.auto()
    OWN = enum.auto()


class Naming(enum.Enum):
    """Whether a stanza has an instance name, as in `binding "b1" { }`."""

    NEVER = "no name"
    ALWAYS = "a name"
    MAYBE = "a name or none"


@dataclass(frozen=True, slots=True)
class Standing:
    """What a stanza as a whole does in this server, for its options too.

    Args:
        reason: for a state other than WORKS: why, and what is there instead.
        loss: what nobody looks after without it. Then using it is worth a warning, not a note.
        refused: going on without it is not safe, so a file which uses it is refused.
    """

    state: State = State.WORKS
    reason: str = ""
    loss: str = ""
    refused: bool = False

    @property
    def severity(self) -> Severity:
        """Return what it is to use the stanza where it is without effect."""
        if self.refused:
            return Severity.ERROR
        return Severity.WARNING if self.loss else Severity.NOTE


WORKS: Final = Standing()


@dataclass(frozen=True, slots=True)
class StanzaKind:
    """A stanza which may be written.

    `parents` are keys of STANZAS; "" is the top of the file. `patterns`: a name between slashes
    is a regular expression. `folded`: the case of names does not matter. `free`: options with
    any other name may stand in it, and are kept as they are written: a script reads them.
    """

    key: str
    scope: Scope
    parents: frozenset[str]
    naming: Naming
    patterns: bool = False
    folded: bool = False
    free: bool = False
    doc: str = ""
    standing: Standing = WORKS

    @property
    def name(self) -> str:
        """Return the keyword, without the stanza it belongs to."""
        return self.key.rpartition(".")[2]


# By name; a stanza which exists only inside another one has its key before: "scriptlet.script".
STANZAS: Final[Registry[StanzaKind]] = Registry("stanza")


def stanza(
    key: str,
    scope: Scope,
    parents: tuple[str, ...] = ("",),
    naming: Naming = Naming.NEVER,
    *,
    patterns: bool = False,
    folded: bool = False,
    free: bool = False,
    doc: str = "",
    standing: Standing = WORKS,
) -> StanzaKind:
    """Declare a stanza."""
    kind = StanzaKind(key, scope, frozenset(parents), naming, patterns, folded, free, doc, standing)
    STANZAS.add(key, kind, depth=2)
    return kind


def stanza_in(parent: StanzaKind, name: str) -> StanzaKind | None:
    """Return what `name` (lower case) means inside `parent`, None if nothing."""
    kind = STANZAS.get(f"{parent.key}.{name}") or STANZAS.get(name)
    return kind if kind is not None and parent.key in kind.parents else None


def stanzas_in(parent: StanzaKind) -> list[str]:
    """Return the keywords of all stanzas which may stand inside `parent`."""
    return [kind.name for kind in STANZAS.values() if parent.key in kind.parents]


TOP: Final = StanzaKind("", Scope.GLOBAL, frozenset(), Naming.NEVER, doc="The file itself.")

BINDING_GROUP: Final = stanza(
    "binding_group",
    Scope.BINDING_GROUP,
    naming=Naming.ALWAYS,
    doc="Bindings which share options; may be opened more than once, also in several files.",
)
BINDING: Final = stanza(
    "binding",
    Scope.BINDING,
    ("", "binding_group"),
    Naming.ALWAYS,
    doc="One identity for sending, usually one source address.",
)
DOMAIN: Final = stanza(
    "domain",
    Scope.DOMAIN,
    ("", "binding_group", "binding"),
    Naming.ALWAYS,
    patterns=True,
    folded=True,
    doc="A destination. A name between slashes is a pattern; a plain name wins over patterns, "
    "which are tried in the order of the file.",
)
HOST: Final = stanza(
    "host",
    Scope.HOST,
    ("", "binding_group", "binding"),
    Naming.ALWAYS,
    patterns=True,
    folded=True,
    doc="A mail server by its name in DNS. What is not set here is not looked for elsewhere.",
)
PATHWAY_GROUP: Final = stanza(
    "pathway_group",
    Scope.PATHWAY_GROUP,
    naming=Naming.ALWAYS,
    doc="Pathways which share options.",
)
PATHWAY: Final = stanza(
    "pathway",
    Scope.PATHWAY,
    ("", "pathway_group"),
    Naming.ALWAYS,
    doc="A named set of options for reception, chosen by the option `pathway` of a listener.",
)
ESMTP_LISTENER: Final = stanza("esmtp_listener", Scope.ESMTP_LISTENER, doc="Takes mail by SMTP.")
SILENT: Final = Standing(State.PLANNED, loss="nobody listens there")
ECSTREAM_LISTENER: Final = stanza(
    "ecstream_listener",
    Scope.ECSTREAM_LISTENER,
    doc="Takes mail by ECStream.",
    standing=Standing(
        State.PLANNED, "Bring the mail by SMTP, with PIPELINING.", loss="nobody listens there"
    ),
)
HTTP_LISTENER: Final = stanza(
    "http_listener",
    Scope.HTTP_LISTENER,
    doc="Answers HTTP: /healthz, /readyz, /metrics and /status, for who watches the server. It "
    "neither asks who looks nor encrypts, so let it listen on 127.0.0.1. Mail is not taken by it.",
)
CONTROL_LISTENER: Final = stanza(
    "control_listener",
    Scope.CONTROL_LISTENER,
    doc="Answers the console, for who does not come by the server's own socket in the state "
    "directory: STATE/run/control is always there, for the user of the server and root.",
)
ECCLUSTER_LISTENER: Final = stanza(
    "eccluster_listener",
    Scope.ECCLUSTER_LISTENER,
    doc="Answers the other nodes of a cluster.",
    standing=SILENT,
)
MSGCSERVER_LISTENER: Final = stanza(
    "msgcserver_listener",
    Scope.MSGCSERVER_LISTENER,
    doc="Answers clients of the message bus.",
    standing=SILENT,
)
XMPP_LISTENER: Final = stanza(
    "xmpp_listener", Scope.XMPP_LISTENER, doc="Answers XMPP.", standing=SILENT
)

LISTENERS: Final = (
    "esmtp_listener",
    "ecstream_listener",
    "http_listener",
    "control_listener",
    "eccluster_listener",
    "msgcserver_listener",
    "xmpp_listener",
)
LISTEN: Final = stanza(
    "listen",
    Scope.LISTEN,
    LISTENERS,
    Naming.ALWAYS,
    doc='One listening socket: "*:25", ":25", "192.0.2.1:25", "[2001:db8::1]:25", "[*]:25" or '
    "the path of a Unix socket.",
)
PEER: Final = stanza(
    "peer",
    Scope.PEER,
    ("listen", *(each for each in LISTENERS if each not in LISTENERS[4:6])),
    Naming.ALWAYS,
    folded=True,
    doc='Clients by address or network, such as "192.0.2.0/24"; the most specific one counts.',
)

# The sets in which most options may stand.
SHAPING: Final = Scope.GLOBAL | Scope.BINDING_GROUP | Scope.BINDING | Scope.DOMAIN
BINDINGS: Final = Scope.GLOBAL | Scope.BINDING_GROUP | Scope.BINDING
DESTINATION: Final = Scope.GLOBAL | Scope.DOMAIN
PATHWAYS: Final = Scope.PATHWAY_GROUP | Scope.PATHWAY
EVERY_LISTENER: Final = (
    Scope.ESMTP_LISTENER
    | Scope.ECSTREAM_LISTENER
    | Scope.HTTP_LISTENER
    | Scope.CONTROL_LISTENER
    | Scope.ECCLUSTER_LISTENER
    | Scope.MSGCSERVER_LISTENER
    | Scope.XMPP_LISTENER
)
# What a session of SMTP reception is looked up in.
SESSION: Final = PATHWAYS | Scope.ESMTP_LISTENER | Scope.LISTEN | Scope.PEER
