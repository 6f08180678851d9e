"""Which systems clients run, as far as somebody found out, and what came of their mail.

Kept by `modules/guard/fingerprint`; `inbound/counts` tells it of messages and refusals. Clients are
forgotten after an hour, and the one that was heard of first goes when there are too many.
"""

from typing import Final, NamedTuple

KEPT_SECONDS: Final = 3600.0
MOST_SYSTEMS: Final = 1000  # which are told apart; what is beyond counts as OTHERS
OTHERS: Final = ("others", "")


class System(NamedTuple):
    """What a client runs; `distance`: routers on the way to it, -1: nobody knows."""

    genre: str
    detail: str
    distance: int


class Systems:
    """The systems of clients.

    Attributes:
        most: clients which are remembered.
        sums: receptions and rejections by genre and detail.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.sums: dict[tuple[str, str], list[int]] = {}
        self._clients: dict[str, tuple[float, System]] = {}

    def __len__(self) -> int:
        return len(self._clients)

    def follow(self, before: "Systems | None") -> None:
        """Know what was known before."""
        if before is not None:
            self.sums, self._clients = before.sums, before._clients

    def learn(self, address: str, system: System, now: float) -> None:
        """Remember what a client runs."""
        clients = self._clients
        clients.pop(address, None)
        clients[address] = now, system
        while clients and len(clients) > self.most:
            del clients[next(iter(clients))]

    def known(self, address: str, now: float) -> System | None:
        """Return what a client runs, if that was found out lately."""
        found = self._clients.get(address)
        if found is None:
            return None
        if now - found[0] > KEPT_SECONDS:
            del self._clients[address]
            return None
        return found[1]

    def received(self, address: str) -> None:
        self._add(address, 0)

    def rejected(self, address: str) -> None:
        self._add(address, 1)

    def _add(self, address: str, which: int) -> None:
        found = self._clients.get(address)
        if found is None:
            return
        key = found[1].genre, found[1].detail
        if key not in self.sums and len(self.sums) >= MOST_SYSTEMS:
            key = OTHERS
        self.sums.setdefault(key, [0, 0])[which] += 1
