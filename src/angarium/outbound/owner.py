"""Whose a connection is: what `smtp.Session` tells, and `outlet.Outlet` does about it."""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from angarium.outbound.smtp import Session
    from angarium.queue.entry import Entry


class Owner(Protocol):
    """Whose connections they are: `outbound/outlet`."""

    served: int  # transactions over all of them since one was given up for somebody else

    def rested(self, session: "Session") -> None:
        """It has nothing to do and may be given work."""
        ...

    def leaving(self, session: "Session") -> None:
        """It says good-bye and takes no more work."""
        ...

    def held(self, session: "Session", seconds: float) -> None:
        """Its host takes no message before so many seconds have passed."""
        ...

    def set_aside(self, entries: "list[Entry]", *, stays: bool) -> None:
        """These go by a connection of their own: as they have to stay secure, or need not be."""
        ...

    def over(self, session: "Session") -> None:
        """Nothing more goes over it; what it left is settled."""
        ...

    def barred(self, session: "Session", seconds: float) -> None:
        """Its host does not know us: no connection is tried before so many seconds have passed."""
        ...
