"""What is outside of a supervisor: children, the program on the disk, the service manager."""

from collections.abc import Callable
from dataclasses import dataclass, field

from angarium.run.child import Child, spawn
from angarium.run.notify import Notify
from angarium.run.renewal import Program


@dataclass(slots=True)
class Outside:
    """The real things; other ones in the tests.

    Attributes:
        spawn: starts a child.
        program: on the disk, for an upgrade.
        notify: the way to the service manager.
    """

    spawn: Callable[..., Child] = spawn
    program: Program = field(default_factory=Program)
    notify: Notify = field(default_factory=Notify)
