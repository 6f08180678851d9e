"""A trunk: lines whose mail leaves by the same connections, as it all goes to one gateway.

To an outlet it is a line: it has mail, may be closed, gives batches. It takes them from its lines
in turn (`queue/rota`), one each. So a connection serves a hundred thousand domains without resting
between them, and a gateway has as many connections as its binding allows it, not each domain
(option gateway: it is the domain mail goes to).

Rule: **a line is in the trunk while its `pool` is the trunk's**; it leaves when it has nothing to
give, and whoever has mail for it again offers it to the pool, as any line.
"""

from typing import Final

from angarium.outbound.demands import UNWANTED, Wanted
from angarium.outbound.options import Transport
from angarium.outbound.terms import IN_CLEAR, Terms
from angarium.queue.entry import Entry
from angarium.queue.line import Line, weights_of
from angarium.queue.options import Shape
from angarium.queue.rota import Rota

_BY_MESSAGE: Final = "__message__"  # of ehlo_hostname: each message has a greeting of its own

Kin = tuple[str, str, int, int, Wanted, Terms]  # group, binding, and which options hold


def may_share(options: Transport) -> bool:
    """Say whether lines which send by these options may use one connection after the other."""
    return (
        options.migrate_connections_between_sibling_domains and options.ehlo_hostname != _BY_MESSAGE
    )


def has_trunk(options: Transport) -> bool:
    """Say whether they share all of them."""
    return options.gateway is not None and may_share(options)


class Trunk(Line):
    """Lines of one binding, gateway and set of options.

    Args:
        like: a line it is made for.
        options: of all its lines; with a gateway.

    Attributes:
        generation: of the configuration the options are of.
        wanted: which demands of the gateway are heard.
        terms: of TLS.
    """

    __slots__ = ("_lines", "generation", "kin", "options", "terms", "wanted")

    def __init__(
        self,
        like: Line,
        options: Transport,
        generation: int,
        wanted: Wanted = UNWANTED,
        terms: Terms = IN_CLEAR,
    ) -> None:
        gateway = options.gateway
        if gateway is None:
            raise ValueError("a trunk leads to a gateway")
        key = (like.group, like.binding, f"{gateway.host}:{gateway.port}")
        super().__init__(like._board, key)
        self._shape: Shape = like.shape
        self._lines = Rota(like.shape.priority_shares, weights_of(like.shape))
        self.options = options
        self.generation = generation
        self.wanted = wanted
        self.terms = terms
        self.kin: Kin = kin_of(like, options, wanted, terms)

    def join(self, line: Line) -> None:
        """The line has mail."""
        line.pool = self.pool
        self._lines.append(line)
        self._count()

    def more(self, line: Line) -> None:
        """A line which is in it has more mail, perhaps of another lane."""
        self._lines.again(line)

    def take(self, limit: int) -> list[Entry]:
        """Take a batch from the line whose turn it is; of another one if it has none to give."""
        batch: list[Entry] = []
        if self.closed or not self._board.delivering:
            return batch
        lines = self._lines
        while lines and not batch:
            line = lines.popleft()
            if line.pool is not self.pool:
                continue
            batch = line.take(limit)
            if batch and line.active and not line.closed:
                lines.append(line)
            else:
                line.pool = None
                self._board.rest(line)
        self._count()
        return batch

    def put_back(self, entries: list[Entry]) -> None:
        """Give a batch back to its line, to be taken again."""
        if entries:
            line = entries[0].line
            line.put_back(entries)
            if line.pool is not self.pool:  # Perhaps it has connections of its own by now.
                self._board.offer(line)

    def prune(self) -> bool:
        """Let lines go which have lost their mail otherwise; say whether others are left."""
        left = [line for line in self._lines if line.pool is self.pool and line.active]
        for line in self._lines:
            if line.pool is self.pool and not line.active:
                line.pool = None
                self._board.rest(line)
        self._lines.clear()
        for line in left:
            self._lines.append(line)
        self._count()
        return bool(left)

    def dissolve(self) -> None:
        """Let all lines go: other options hold for them. Each is to be offered again."""
        for line in self._lines:
            line.pool = None
        self._lines.clear()
        self._count()

    def destage(self) -> int:
        """It has nothing in memory; its lines have."""
        return 0

    def _count(self) -> None:
        """Note how many messages there are at least."""
        first = self._lines.first()
        self.active = max(len(self._lines), first.active) if first is not None else 0


def kin_of(line: Line, options: Transport, wanted: Wanted, terms: Terms = IN_CLEAR) -> Kin:
    """Return what lines that share connections have in common.

    Equal options are one object; the trunk holds them, so that no other gets their place.
    """
    return (line.group, line.binding, id(options), id(line.shape), wanted, terms)
