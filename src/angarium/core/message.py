"""What we carry: a `Message` (one content and its envelope) and its `Recipient`s.

A Message exists once for all recipients which share its content. A Recipient is queued,
delivered or bounced by itself; its state in the queue is `queue/entry`. Both are made by what
takes mail in, get their ids in `queue/spool`, and are read back from there unchanged.
"""

import enum
from dataclasses import dataclass, field
from typing import Final

from angarium.core.body import Body
from angarium.core.lane import lane_of


class Notify(enum.IntFlag):
    """When the sender wants a report (RFC 3461 section 4.1); no bit: the default applies."""

    UNSET = 0
    NEVER = 1
    SUCCESS = 2
    FAILURE = 4
    DELAY = 8


class Ret(enum.IntEnum):
    """What a report of failure returns (RFC 3461 section 4.3)."""

    UNSET = 0
    FULL = 1
    HDRS = 2


class Trait(enum.IntFlag):
    """What must be known of a content to send it on, found once when it came in."""

    NONE = 0
    EIGHT_BIT = 1  # has octets over 127
    SMTPUTF8 = 2  # the envelope or the header needs it (RFC 6531)
    BINARY = 4  # BODY=BINARYMIME: only by BDAT (RFC 3030)
    DOTS = 8  # a line begins with a dot: needs stuffing
    NO_FINAL_CRLF = 16  # does not end in CRLF (only by BDAT)
    LONE = 32  # has a CR or LF alone
    REQUIRETLS = 64  # goes only where it stays secure (RFC 8689)


@dataclass(slots=True)
class Message:
    """One content with its envelope.

    `header` is what we put before the content as received (Received and friends), so that the
    body is never copied for it. Sizes are octets, times Unix seconds.
    """

    sender: str
    body: Body
    header: bytes = b""
    traits: int = Trait.NONE
    ret: int = Ret.UNSET
    envid: str = ""
    protocol: str = "esmtp"  # as the R line of mainlog names it
    source: str = ""  # "192.0.2.1:34567" of the peer; "" when made here
    pathway: str = ""
    connection: int = 0  # id of the reception connection
    received_at: float = 0.0
    priority: int = 0  # Momentum's 0 and 1, or any below `lane.CLASSES`
    variables: dict[str, str] = field(default_factory=dict)
    batch: int = 0  # set by the spool: the id of this content
    place: object = None  # set by the spool: where the content lies there
    fairness_key: str = ""  # whose turns it takes in a queue: a tenant, a campaign, a sender
    session_variables: dict[str, str] = field(default_factory=dict)  # of who brought it

    @property
    def lane(self) -> int:
        """Where it waits among the others of a queue, see `core/lane`."""
        if self.priority or self.fairness_key:
            return lane_of(self.priority, self.fairness_key)
        return 0

    @property
    def size(self) -> int:
        return len(self.header) + self.body.size


@dataclass(slots=True)
class Recipient:
    """One forward-path of a message, and where it shall go.

    `domain` is where it is routed (normal form of the address's domain, or what policy chose).
    """

    address: str
    domain: str
    binding_group: str = ""
    binding: str = ""
    notify: int = Notify.UNSET
    orcpt: str = ""  # as given, e.g. "rfc822;bob@example.com"
    variables: dict[str, str] = field(default_factory=dict)
    id: int = 0  # set by the spool


def context_of(message: Message, recipient: Recipient) -> dict[str, str]:
    """Return the context variables as they are for this recipient; not to be changed."""
    own = recipient.variables
    return {**message.variables, **own} if own else message.variables


DEFAULT_BINDING_GROUP: Final = "default"
DEFAULT_BINDING: Final = "default"
