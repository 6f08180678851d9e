"""The listening sockets of a worker, and the sessions which came in by them."""

import asyncio
import os
import resource
import socket
from collections.abc import Callable
from functools import partial

from angarium.config.resolve import Configuration, Endpoint
from angarium.events.metrics import Metrics
from angarium.inbound import policed, replies
from angarium.inbound.limits import Seat
from angarium.inbound.profile import LISTENER
from angarium.inbound.services import Services
from angarium.inbound.smtp import SmtpSession
from angarium.modules.guard.options import Fingerprint
from angarium.net.address import Buffers
from angarium.net.listener import Listener
from angarium.net.options.sockets import ListenSocket
from angarium.policy.shared.blocks import packed
from angarium.policy.shared.node import Shared
from angarium.policy.shared.presence import SMTP, Presence
from angarium.queue.throttle import Grant
from angarium.run.fronts import Fronts
from angarium.run.scoreboard import Row
from angarium.run.sockets import is_of, label
from angarium.web.options import HTTP

# Descriptors of a process which sessions leave to the spool, to deliveries and to names: a quarter
# of what the system allows, but not fewer than these.
RESERVED_DESCRIPTORS = 64
# What the manual gives as default, 4096 octets, slows large messages and is left to the system.
SYSTEM_SIZE = 4096


class Sessions(set[SmtpSession]):
    """The open sessions; how many there are stands on the scoreboard, for the accept gate.

    Attributes:
        none: set while there is none.
    """

    def __init__(self, row: Row) -> None:
        super().__init__()
        self._row = row
        self._presence: Presence | None = None
        self._keys: dict[object, bytes] = {}  # an address may change while a session is open
        self.none = asyncio.Event()
        self.none.set()

    def add(self, session: SmtpSession) -> None:
        super().add(session)
        self._row.count(len(self))
        self.none.clear()
        if self._presence is not None:
            self._keys[session] = key = packed(session.origin.address)
            self._presence.add(key, 1)

    def discard(self, session: object) -> None:
        super().discard(session)
        self._row.count(len(self))
        if self._presence is not None and (key := self._keys.pop(session, None)) is not None:
            self._presence.add(key, -1)
        if not self:
            self.none.set()

    def follow(self, shared: Shared) -> None:
        """Count by address once somebody asks for it."""
        shared.counted = self.count_in
        for presence in shared.all_presences():
            self.count_in(presence)

    def count_in(self, presence: Presence) -> None:
        """Count by address from now on, with those which are open: somebody asks for it."""
        if presence.name == SMTP and self._presence is not presence:
            self._presence = presence
            self._keys.clear()
            for session in list(self):
                self.add(session)


class Doors:
    """Opens and closes what the configuration says.

    Args:
        descriptors: of the sockets, by label (`run/sockets`).
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        services: Services,
        row: Row,
        descriptors: dict[str, int],
        alarm: Callable[[str], None],
        metrics: Metrics | None = None,
    ) -> None:
        self._loop = loop
        self._services = services
        self._row = row
        self._alarm = alarm
        self._descriptors = _ours(descriptors)
        self._open: dict[Endpoint, Listener] = {}
        self._saves_syns = False  # for the module fingerprint
        descriptors_allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._most = most_sessions(descriptors_allowed)
        services.sessions = self.sessions = Sessions(row)
        self._fronts = Fronts(LISTENER, alarm, metrics, most=self._most, seat=self._seat)

    def change(self, configuration: Configuration, descriptors: dict[str, int]) -> None:
        """Listen on what the configuration wants, and on nothing else."""
        self._descriptors |= _ours(descriptors)
        wanted = configuration.listens(LISTENER)
        self._saves_syns = saves_syns(configuration)
        self._fronts.use(configuration, wanted)
        for where in [where for where in self._open if where not in wanted]:
            self._open.pop(where).close()
        for where in wanted:
            # What the supervisor could not open needs a restart; it has said so.
            if where in self._open:
                self._open[where].resize(buffers_of(configuration, where))
                self._open[where].save_syns(yes=self._saves_syns)
            elif label(where) in self._descriptors:
                self._open[where] = self._listen(configuration, where)
        self._row.accepting(yes=True)

    async def close(self) -> None:
        """Accept no more. Connections which wait are for the other workers.

        Returns when what was accepted before has become a session.
        """
        self._row.accepting(yes=False)
        listeners = list(self._open.values())
        self._open.clear()
        for listener in listeners:
            listener.close()
        for listener in listeners:
            await listener.opened()
        self._fronts.close()

    def _full(self) -> bool:
        return len(self.sessions) + self._fronts.waiting >= self._most

    def _seat(self, listen: str, address: str) -> Seat | None:
        """Count a connection whose client is not known yet; None: there are too many."""
        services = self._services
        seat = Seat(services.ledger, services.profiles.at(listen, address), listen, "")
        # BUSY: somebody has the count in hands at this moment, so it goes uncounted.
        return None if seat.take() is Grant.DENIED else seat

    def _session(self, listen: str) -> SmtpSession:
        """Return what takes a connection: who rules it is decided when it comes."""
        return policed.session(self._services, listen)

    def _listen(self, configuration: Configuration, where: Endpoint) -> Listener:
        listener = Listener(
            socket.socket(fileno=self._descriptors.pop(label(where))),
            self._loop,
            self._fronts.before(where, partial(self._session, where.name)),
            self._row.may_accept,
            refusal=replies.BUSY.encode(),
            full=self._full,
            buffers=buffers_of(configuration, where),
            tell=self._alarm,
        )
        listener.start()
        if self._saves_syns:
            listener.save_syns(yes=True)
        return listener


def _ours(descriptors: dict[str, int]) -> dict[str, int]:
    """Return what is not for another process, and close the rest.

    Kept open here those sockets would go on listening when nobody has them any more.
    """
    for each in [each for each in descriptors if is_of(HTTP, each)]:
        os.close(descriptors.pop(each))
    return descriptors


def most_sessions(descriptors: int) -> int:
    """Return how many sessions a process may have which may open so many files."""
    return max(descriptors - max(descriptors // 4, RESERVED_DESCRIPTORS), 1)


def saves_syns(configuration: Configuration) -> bool:
    """Say whether a module looks at the first packet of a connection."""
    return any(
        isinstance(options, Fingerprint) and options.enabled
        for _, options in configuration.instances("fingerprint")
    )


def buffers_of(configuration: Configuration, where: Endpoint) -> Buffers:
    """Return the buffers of a listening socket, as the options have them."""
    options = configuration.at(ListenSocket, listener=where.listener, listen=where.name)
    return Buffers(_size(options.tcp_recv_buffer_size), _size(options.tcp_send_buffer_size))


def _size(octets: int) -> int:
    return 0 if octets == SYSTEM_SIZE else octets
