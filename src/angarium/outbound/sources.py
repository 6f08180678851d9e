"""Bindings whose address to send from (`bind_address`) is not on this machine.

Such a binding is suspended as a whole, with one alarm, and goes on by itself when the address is
there: a machine gets addresses late at its start, and loses them to its partner in a cluster. It
is no fault of mail, so none fails for it (ARCHITECTURE section 3).
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol

from angarium.net import address
from angarium.net.sweep import NEVER, Sweep
from angarium.outbound.egress import egress
from angarium.outbound.options import Transport
from angarium.queue.beat import Steps
from angarium.queue.line import ABSENT, Key, Line

# Between two looks whether an address is there now: one system call for each that is missing.
CHECK_SECONDS: Final = 5.0
_BETWEEN: Final = 256  # lines looked at in one piece of work

Binding = tuple[str, str]  # group and name


class Board(Protocol):
    """What is needed of the queues."""

    @property
    def lines(self) -> Mapping[Key, Line]: ...

    def begin(self, job: Steps) -> None: ...

    def offer(self, line: Line) -> None: ...


class Sources:
    """The addresses of all bindings.

    Attributes:
        absent: bindings which are suspended, with the address they miss.
        trunks: gives what is closed for that beside the lines of the board.
    """

    __slots__ = (
        "_addresses", "_alarm", "_board", "_is_local", "_sweep", "absent", "slot", "trunks",
    )  # fmt: skip

    def __init__(
        self,
        board: Board,
        sweep: Sweep,
        alarm: Callable[[str], None],
        is_local: Callable[[str], bool] = address.is_local,
    ) -> None:
        self._board = board
        self._sweep = sweep
        self._alarm = alarm
        self._is_local = is_local
        self._addresses: dict[Binding, tuple[str, ...]] = {}
        self.absent: dict[Binding, str] = {}
        self.trunks: Callable[[], Iterable[Line]] = tuple
        self.slot = 0  # the sweep's

    def configure(self, transports: Iterable[tuple[Binding, Transport]]) -> None:
        """Look at the addresses of a generation."""
        self._addresses = {binding: _addresses(options) for binding, options in transports}
        self._judge({*self.absent, *self._addresses})

    def suspended(self, line: Line) -> bool:
        """Say whether the line has no address to send from; then it is closed until it has."""
        if line.key[:2] not in self.absent:
            return False
        line.close(ABSENT)
        line.destage()
        return True

    def missed(self, line: Line) -> bool:
        """A connection could not leave from the line's address: look; say whether it is gone."""
        self._judge([line.key[:2]])
        return self.suspended(line)

    def look(self, now: float) -> float:
        """Look whether what was missing is there; called by the sweep."""
        self._judge(list(self.absent))
        return now + CHECK_SECONDS if self.absent else NEVER

    def _judge(self, bindings: Iterable[Binding]) -> None:
        resumed: set[Binding] = set()
        for binding in bindings:
            addresses = self._addresses.get(binding, ())
            missing = next((each for each in addresses if not self._is_local(each)), "")
            before = self.absent.get(binding, "")
            if missing and missing != before:
                self.absent[binding] = missing
                self._alarm(
                    f"binding {binding[1]} is suspended: {missing} is not an address of this"
                    " machine"
                )
            elif before and not missing:
                del self.absent[binding]
                resumed.add(binding)
                self._alarm(f"binding {binding[1]} goes on: its address is there")
        if resumed:
            self._board.begin(self._resume(resumed))
        if self.absent:
            self._sweep.add(self, self._sweep.now() + CHECK_SECONDS)

    def _resume(self, bindings: set[Binding]) -> Steps:
        for number, line in enumerate([*self._board.lines.values(), *self.trunks()], 1):
            if line.closed & ABSENT and line.key[:2] in bindings:
                line.open(ABSENT)
                self._board.offer(line)
            if not number % _BETWEEN:
                yield


def _addresses(options: Transport) -> tuple[str, ...]:
    if egress(options) is not None:
        return ()  # They are the proxy's.
    known = (options.bind_address, options.bind_address_secondary)
    return tuple(each for each in known if each and each != address.ANY)
