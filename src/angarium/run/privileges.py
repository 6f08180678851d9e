"""Root for as long as it is needed: sockets and files first, then an ordinary user for good."""

import ctypes
import grp
import os
import pwd
import resource
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from angarium.core.errors import Error

# Of <linux/capability.h> and <linux/prctl.h>.
CAP_NET_BIND_SERVICE: Final = 10
_CAPABILITY_VERSION_3: Final = 0x20080522
_PR_SET_KEEPCAPS: Final = 8
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


class PrivilegeError(Error):
    """What the security stanza asks for cannot be had."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom to become. `low_ports`: the right to open ports below 1024 is kept."""

    user: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    low_ports: bool = False


def identity(
    user: str, group: str, supplemental: tuple[str, ...] = (), *, low_ports: bool = False
) -> Identity:
    """Look the names of the security stanza up. Raises PrivilegeError."""
    try:
        account = pwd.getpwnam(user)
    except KeyError as error:
        raise PrivilegeError(
            "unknown user in the security stanza; create it or name another", user=user
        ) from error
    return Identity(
        user,
        account.pw_uid,
        _gid(group) if group else account.pw_gid,
        tuple(_gid(name) for name in supplemental),
        low_ports,
    )


def _gid(name: str) -> int:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError as error:
        raise PrivilegeError(
            "unknown group in the security stanza; create it or name another", group=name
        ) from error


def allow_descriptors(wanted: int) -> int:
    """Raise the limit of open files as far as we may, at most to `wanted`; return the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with open("/proc/sys/fs/nr_open", encoding="ascii") as ceiling:
        highest = max(hard, min(wanted, int(ceiling.read())))
    for limit in (highest, hard):
        allowed = max(soft, min(wanted, limit))
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, limit))
        except ValueError:
            continue  # Only CAP_SYS_RESOURCE may raise the hard limit.
        return allowed
    return soft


def confine(folder: Path) -> None:
    """Make a directory the root of this process and of all it starts, for good.

    Workers are programs of their own, so a whole installation has to be in there.

    Raises:
        PrivilegeError: we may not, or nothing could be started in there.
    """
    try:
        os.chroot(folder)
    except OSError as error:
        raise PrivilegeError(
            "chroot of the security stanza failed; it needs a directory, and root",
            chroot=str(folder),
            reason=error.strerror,
        ) from error
    os.chdir("/")
    if not os.access(sys.executable, os.X_OK):
        raise PrivilegeError(
            "there is no Python in the chroot; it needs a whole installation, at the same path",
            chroot=str(folder),
            python=sys.executable,
        )


def give(path: Path, to: Identity) -> None:
    """Make a directory and all in it the property of the user we become; links are not followed."""
    os.chown(path, to.uid, to.gid, follow_symlinks=False)
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            os.chown(os.path.join(folder, name), to.uid, to.gid, follow_symlinks=False)


def become(who: Identity) -> None:
    """Drop root for good, and prove it; unless the operator wants root."""
    os.setgroups(who.groups or [who.gid])
    os.setresgid(who.gid, who.gid, who.gid)
    keeping = who.low_ports and who.uid != 0
    if keeping:
        _LIBC.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setresuid(who.uid, who.uid, who.uid)
    if keeping:
        _keep(1 << CAP_NET_BIND_SERVICE)
    if who.uid != 0 and 0 in os.getresuid():
        raise PrivilegeError("privileges could not be dropped", user=who.user)


def _keep(mask: int) -> None:
    """Give up all capabilities but these (below 32), for this thread and those it starts."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    # Effective, permitted and inheritable, of the lower and of the higher ones: what we start
    # inherits none of them.
    sets = (ctypes.c_uint32 * 6)(mask, mask, 0, 0, 0, 0)
    if _LIBC.capset(header, sets) != 0:
        raise PrivilegeError(
            "capabilities of the security stanza could not be kept",
            reason=os.strerror(ctypes.get_errno()),
        )
