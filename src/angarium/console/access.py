"""Who asks, and what he may do.

By the socket in the state directory come the user the server runs as, and root; the kernel says who
it is. They may do everything, for they could stop the server and write its files as well. By a
Control_Listener come others, who may do what the Authorization stanza says, if that is asked.
"""

import enum
import pwd
from dataclasses import dataclass
from typing import Final

from angarium.console.authorize import Authority

ROOT: Final = 0


class Rank(enum.IntEnum):
    """What somebody may do; each includes those before."""

    VIEWER = 1  # look
    OPERATOR = 2  # change


@dataclass(frozen=True, slots=True)
class Peer:
    """Somebody who asks.

    `endpoint` is what he connected to, `address` from where, "" by a Unix socket; `user` is ""
    where nobody asked who he is.
    """

    user: str
    rank: Rank
    endpoint: str
    address: str = ""
    authority: Authority | None = None  # he may do only what the Authorization stanza allows

    def may(self, least: Rank) -> bool:
        return self.rank >= least


def by_credentials(uid: int, ours: int, endpoint: str) -> Peer | None:
    """Return who a client of a Unix socket is, None if it is nobody who may ask.

    Args:
        uid: of the client, as the kernel says.
        ours: the user this process runs as.
    """
    if uid not in (ours, ROOT):
        return None
    return Peer(user_name(uid), Rank.OPERATOR, endpoint)


def user_name(uid: int) -> str:
    """Return the name of a user of this system, or the number of one it does not know."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
