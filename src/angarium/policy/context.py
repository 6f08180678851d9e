"""What policy knows of a session which brings mail, and what it wants done about it.

There are two dictionaries of strings: that of the connection lives as long as the session, that of
the message begins anew with each MAIL (`Mail.variables`), and both go with the message to the disk.
A script's accept construct and its validation context are this one object.
"""

import enum
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from angarium.core.reply import Reply

if TYPE_CHECKING:
    from angarium.policy.mail import Mail

BYPASS: Final = "__bypass_"  # and the name of a module: "true" lets its handlers be passed over


class Which(enum.IntEnum):
    """Which dictionary; numbers are ours, the same for a session and for a message."""

    MESSAGE = 1
    CONNECTION = 2


class Steps(enum.IntEnum):
    """How far a session is, so that what comes too late can be refused with a reason."""

    ACCEPT = 0
    CONNECT = 1
    EHLO = 2
    AUTH = 3
    MAIL = 4
    RCPT = 5
    LIST = 6
    FROZEN = 7  # the list of recipients is final
    DATA = 8
    SPOOL = 9
    EACH = 10
    BINDING = 11
    FINAL = 12


IN_FORCE: Final = object()


def _silent() -> bool:
    return False


def _no_syn() -> bytes:
    return b""


def _unsaid(_line: str) -> None:
    """Nobody hears it."""


class Session:
    """One session, as policy sees it. A handler may read all and change what says so.

    Attributes:
        address, port: of the peer; `local_address`, `local_port`: ours.
        listener, listen, pathway: as the configuration names them.
        service: what the session speaks: "SMTP", or "ECSTREAM", "HTTP".
        connection: its id; `printed` by core/ident.
        generation: of the configuration.
        variables: the connection's dictionary; may be changed.
        mail: the message under way; None between two.
        reply: what is said instead of yes; may be set, see `refuse`.
        disconnect: hang up after the reply; may be set.
        tarpit: seconds for which the next answer waits; may be raised.
        added, removed: lines which EHLO offers in addition, and words it does not offer; may be
            changed until EHLO is answered.
        greeting: lines of the banner before the usual one; may be changed until that is said.
        say: sends a line at once, before the banner: "220-wait".
        syn: returns the headers of the packet the connection began with, once; b"" where the system
            has not kept it (`net/savedsyn`).
        spent: seconds which handlers have made it wait.
        heard: says whether the peer has sent anything yet that was not asked for.
        module: of the handler which was asked last; "core" before.
        tables: what a module keeps for the session, by its name; a script's `self`.
        rules: who is asked about its messages from set_binding on, those of its own policy;
            IN_FORCE: whoever is at that time.
    """

    __slots__ = (
        "added", "address", "connection", "disconnect", "generation", "greeting", "heard",
        "listen", "listener", "local_address", "local_port", "mail", "module", "pathway",
        "port", "removed", "reply", "rules", "say", "service", "spent", "step", "syn", "tables",
        "tarpit", "variables",
    )  # fmt: skip

    def __init__(
        self,
        *,
        peer: tuple[str, int] = ("", 0),
        local: tuple[str, int] = ("", 0),
        listener: str = "",
        listen: str = "",
        pathway: str = "",
        connection: int = 0,
        generation: int = 0,
        service: str = "SMTP",
        heard: Callable[[], bool] = _silent,
    ) -> None:
        self.address, self.port = peer
        self.local_address, self.local_port = local
        self.listener, self.listen, self.pathway = listener, listen, pathway
        self.connection = connection
        self.generation = generation
        self.service = service
        self.variables: dict[str, str] = {}
        self.mail: Mail | None = None
        self.reply: Reply | None = None
        self.disconnect = False
        self.tarpit = 0.0
        self.added: list[str] = []
        self.removed: set[str] = set()
        self.heard = heard
        self.syn: Callable[[], bytes] = _no_syn
        self.say: Callable[[str], None] = _unsaid
        self.greeting: list[str] = []
        self.tables: dict[str, Any] = {}
        self.step = Steps.ACCEPT
        self.spent = 0.0
        self.module = "core"
        self.rules: Any = IN_FORCE

    @property
    def trusted(self) -> bool:
        """Whether the client may send to any domain."""
        return self.variables.get("can_relay") == "true"

    @property
    def refused(self) -> bool:
        return self.reply is not None and not self.reply.positive

    def refuse(self, reply: Reply, *, disconnect: bool = False) -> None:
        """Answer what is being asked with this, and hang up then if told to."""
        self.reply = reply
        self.disconnect = self.disconnect or disconnect
