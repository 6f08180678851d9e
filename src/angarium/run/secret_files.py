"""Who may read a file of secrets that an operator makes: the server, and nobody else.

What root makes belongs to root, and the group of the user of the server may read it: that has given
up its rights when it reads it again. What anybody else makes is for that user alone.
"""

import os
import pwd
from typing import Final

USERS: Final = ("angarium", "ecuser")  # the first there is
SHARED, OWN = 0o640, 0o600


def give(handle: int) -> None:
    """Set owner, group and mode of an open file. Raises OSError."""
    group = group_of_server() if os.geteuid() == 0 else None
    if group is None:
        os.fchmod(handle, OWN)
    else:
        os.fchown(handle, 0, group)
        os.fchmod(handle, SHARED)


def group_of_server() -> int | None:
    """Return the group of the user a server usually is; None if there is no such user."""
    for name in USERS:
        try:
            return pwd.getpwnam(name).pw_gid
        except KeyError:
            continue
    return None
