"""Mail which is queued under another domain than that of its recipient.

    reroute_domain            all mail of a domain, when it comes in  (admit)
    delayed_reroute_domain    what could not be delivered at once     (outbound/settle, outlet)
    rollup_mx                 where a mail server of the domain says so  (outbound/outlet)

The address of the recipient stays; hosts, options and limits are those of the other domain from
then on. What a mail server says is learned with the first connection: what waits moves, and what
comes in later goes the other way at once. Rule: **mail is rolled up once**: a domain to which some
was rolled up keeps it, whatever its own servers say. So no mail goes round in circles.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from angarium.queue.bulk import divert
from angarium.queue.line import PAUSED, Key, Line

if TYPE_CHECKING:
    from angarium.queue.board import Board

KNOWN_SECONDS: Final = 300.0  # then the mail servers of the domain are asked for again
MOST: Final = 100_000  # domains remembered; 20 MB


class Detours:
    """The other ways of one board's mail."""

    __slots__ = ("_board", "_learned", "_moving", "_targets")

    def __init__(self, board: "Board") -> None:
        self._board = board
        self._learned: dict[Key, tuple[str, float]] = {}  # the domain, and until when; monotonic
        self._targets: set[Key] = set()
        self._moving: set[Line] = set()

    def forget(self) -> None:
        """Another configuration holds."""
        self._learned.clear()
        self._targets.clear()

    def of(self, key: Key) -> str:
        """Return the domain under which new mail of a line is queued."""
        board = self._board
        line = board.lines.get(key)
        shape = board.shape_of(key) if line is None else line.shape
        domain = shape.reroute_domain or key[2]
        if line is not None and line.closed & PAUSED and shape.delayed_reroute_domain:
            domain = shape.delayed_reroute_domain  # It would be delayed with the others.
        if self._learned:
            learned = self._learned.get((key[0], key[1], domain))
            if learned is not None and learned[1] > board.clock.monotonic():
                domain = learned[0]
        return domain

    def may_roll(self, key: Key) -> bool:
        """Say whether the mail of a line may be rolled up to another domain."""
        return key not in self._targets

    def roll(self, line: Line, domain: str) -> None:
        """The mail servers of a line's domain are those of another one: its mail goes there."""
        if len(self._learned) >= MOST:
            self._learned.clear()
        until = self._board.clock.monotonic() + KNOWN_SECONDS
        self._learned[line.key] = domain, until
        self._targets.add((line.group, line.binding, domain))
        self.divert(line, domain)

    def delayed(self, line: Line) -> Key | None:
        """Return where what a line could not deliver waits; None: in the line itself."""
        domain = line.shape.delayed_reroute_domain
        if not domain or domain == line.domain:
            return None
        return line.group, line.binding, domain

    def divert(self, line: Line, domain: str) -> None:
        """Let all that is active in a line go to another domain."""
        if line not in self._moving:
            self._moving.add(line)
            self._board.begin(divert(self._board, line, domain, self._ended(line)))

    def _ended(self, line: Line) -> Callable[[], None]:
        return lambda: self._moving.discard(line)
