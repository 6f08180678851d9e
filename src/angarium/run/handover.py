"""What a supervisor leaves to the program which takes its place: a text and inherited descriptors.

A supervisor is replaced in place, by exec: the process stays, and with it the lock of the state
directory, the listening sockets, the children and what they say. The text lies in an anonymous
file, whose number is the argument of the new program (`run/resume`). It says in which versions of
the things both programs and the children touch it was written; a program which has others does not
begin, so it must be started anew.
"""

import os
from typing import Final

import msgspec

from angarium.config.held import Held
from angarium.console.imports import Order
from angarium.console.statistics import Statistics
from angarium.core.errors import Error
from angarium.queue.rows import LAYOUT
from angarium.run import link, scoreboard
from angarium.run.child import Kept
from angarium.run.fleet import KeptSlot

VERSION: Final = 1
MAX_OCTETS: Final = 128 << 20  # a configuration is the largest thing in it
# What old children and a new supervisor have in common, and old and new children.
COMMON: Final = f"link {link.VERSION}, scoreboard {scoreboard.SIZE}, ledger {LAYOUT:x}"


class HandoverError(Error):
    """The program before us cannot leave its place to this one."""


class KeptSolo(msgspec.Struct, frozen=True):
    """The hose or an aide, for the program which takes the supervisor's place."""

    started: float
    failures: int
    child: Kept | None


class KeptNode(msgspec.Struct, frozen=True):
    """What the console knows of the node.

    Attributes:
        since: when children were started, by process id.
        imports: which are to go on.
    """

    started: float = 0.0
    since: dict[int, float] = {}
    statistics: Statistics = msgspec.field(default_factory=Statistics)
    imports: list[Order] = []


class Handover(msgspec.Struct, frozen=True):
    """Everything a supervisor knows that is not in its files."""

    version: int
    common: str
    release: str
    generation: int
    snapshot: bytes
    config_path: str
    state: str
    pidfile: str | None
    upgrade: int  # number of the one under way (`run/progress`)
    announced: bool
    reload: bool  # one was asked for, and waits for the upgrade
    lock: int
    listening: dict[str, int]  # descriptors, by label
    ledger: list[int]
    slots: list[KeptSlot]
    suspects: dict[int, int]
    ownerless: list[str]
    hose: KeptSolo
    sink: int | None  # process id, 0 while it does not run; None where there is none
    files: bytes = b""  # snapshot of the files, where something else is in force
    aides: dict[str, KeptSolo] = {}  # by name
    control: int | None = None  # descriptor of the socket consoles connect to
    node: KeptNode = msgspec.field(default_factory=KeptNode)
    held: Held = msgspec.field(default_factory=Held)  # files which only root may read

    def descriptors(self) -> list[int]:
        """Return what the new program inherits."""
        solos = [each.child for each in (self.hose, *self.aides.values())]
        children = [*solos, *(slot.child for slot in self.slots)]
        theirs = [each for kept in children if kept for each in (kept.link, kept.descriptors)]
        control = [] if self.control is None else [self.control]
        return [self.lock, *self.listening.values(), *self.ledger, *theirs, *control]


class _Head(msgspec.Struct):
    version: int
    common: str
    release: str


_ENCODER: Final = msgspec.msgpack.Encoder()
_HEAD: Final = msgspec.msgpack.Decoder(_Head)
_DECODER: Final = msgspec.msgpack.Decoder(Handover)


def write(handover: Handover) -> int:
    """Return the descriptor of an anonymous file with the handover. Raises OSError."""
    octets = _ENCODER.encode(handover)
    descriptor = os.memfd_create("angarium-handover", os.MFD_CLOEXEC)
    try:
        while octets:
            octets = octets[os.write(descriptor, octets) :]
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def read(descriptor: int) -> Handover:
    """Return what `write` has written.

    Raises:
        HandoverError: it is of a program we cannot take the place of.
    """
    octets = os.pread(descriptor, MAX_OCTETS, 0)
    try:
        head = _HEAD.decode(octets)
        if (head.version, head.common) != (VERSION, COMMON):
            raise HandoverError(
                "this version must be started anew, it cannot take over at work",
                release=head.release,
                theirs=f"{head.common}, handover {head.version}",
                ours=f"{COMMON}, handover {VERSION}",
            )
        return _DECODER.decode(octets)
    except msgspec.MsgspecError as error:
        raise HandoverError("not a handover", reason=str(error)) from error
