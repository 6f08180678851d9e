"""Messages with wishes of their own about TLS: each goes by a connection of its own.

REQUIRETLS (RFC 8689): it goes to hosts only which DNSSEC or MTA-STS vouches for, whose certificate
is right, and which offer REQUIRETLS; if the domain has none it is returned.

TLS-Required: No (section 5 there): where mail cannot leave as the options or the domain want TLS
to be, this message may leave all the same.

The rule which keeps it simple: a message is an `Aside`, a line of one batch. Where it cannot leave
it fails as any attempt fails, and is tried again by its own line, which sets it aside again.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from angarium.core.errors import Error
from angarium.core.message import Message, Trait
from angarium.net.errors import AddressError
from angarium.net.tls.contexts import ContextError
from angarium.outbound.asking import PolicyTlsError
from angarium.outbound.demands import UNCERTAIN, UNLISTED, UNWANTED, Wanted
from angarium.outbound.dial import Full, Resting, Rolled
from angarium.outbound.errors import (
    CLOSED,
    NO_CONNECTION,
    NO_REQUIRETLS,
    OF_TLS,
    DeliveryError,
    Reach,
)
from angarium.outbound.means import Means
from angarium.outbound.permits import Permit
from angarium.outbound.smtp import Session
from angarium.outbound.terms import staying, waived
from angarium.queue.entry import Entry
from angarium.queue.line import Line

if TYPE_CHECKING:
    from angarium.outbound.outlet import Outlet
    from angarium.outbound.shared import Shared

# What a message that is waived need not mind.
WAIVABLE: Final = (*OF_TLS, UNLISTED, UNCERTAIN)
HEARD: Final = Wanted(dane=True, sts=True)
# Octets of a message in which its header is looked for.
_HEADER: Final = 1 << 16


class Aside(Line):
    """Entries of one message, as a line; they stay in flight in their own one.

    Args:
        line: whose they are.
    """

    __slots__ = ("_failed", "_waiting")

    def __init__(self, line: Line, entries: list[Entry], outlet: "Outlet") -> None:
        super().__init__(line._board, line.key)
        self._waiting = entries
        self._failed = outlet.shared.settle.failed

    @property
    def waiting(self) -> list[Entry]:
        """What no connection has taken yet."""
        return self._waiting

    def take(self, limit: int) -> list[Entry]:
        batch, self._waiting = self._waiting[:limit], self._waiting[limit:]
        return batch

    def put_back(self, entries: list[Entry]) -> None:
        """Let them fail for now: another line may do without an attempt, this one has had its."""
        for entry in entries:
            self._failed(entry, DeliveryError(CLOSED, Reach.HOST))

    def fail(self, error: DeliveryError) -> None:
        """No connection came of it."""
        batch, self._waiting = self._waiting, []
        for entry in batch:
            self._failed(entry, error)


class Carrier:
    """The owner of the connection of an `Aside`; a `smtp.Owner`."""

    def __init__(self, outlet: "Outlet", aside: Aside) -> None:
        self.served = 0
        self._outlet = outlet
        self._aside = aside

    def rested(self, session: Session) -> None:
        session.retire()

    def leaving(self, session: Session) -> None:
        """It is among those which part from the beginning."""

    def held(self, session: Session, seconds: float) -> None:
        """The message has failed for now."""

    def barred(self, session: Session, seconds: float) -> None:
        self._outlet.barred(session, seconds)

    def set_aside(self, entries: list[Entry], *, stays: bool) -> None:
        self._aside.put_back(entries)

    def over(self, session: Session) -> None:
        self._aside.fail(DeliveryError(CLOSED, Reach.HOST))
        self._outlet.asides.discard(self._aside)
        self._outlet.over(session)


async def carry(outlet: "Outlet", aside: Aside, *, stays: bool) -> None:
    """Open a connection for a message which is set aside, and send it.

    Args:
        stays: it has to stay secure; else TLS is left to chance.
    """
    shared = outlet.shared
    permit = Permit(shared.board.ledger, outlet, shared.permits)
    started = False
    try:
        means = _means(shared, aside, stays=stays)
        name = outlet.name(means.options)
        session = await shared.dialer.dial(means, permit, name, shared.host_limits)
        outlet.parting.add(session)
        started = True
        session.start(Carrier(outlet, aside), permit)
    except DeliveryError as error:
        returned = stays and error.reply in (*OF_TLS, UNLISTED)
        aside.fail(DeliveryError(NO_REQUIRETLS, Reach.MESSAGE) if returned else error)
    except (Resting, Rolled, Full):
        aside.fail(DeliveryError(NO_CONNECTION, Reach.DOMAIN))
    except (AddressError, ContextError, PolicyTlsError) as error:
        shared.alarm(f"binding {aside.binding}: {error}")
        aside.fail(DeliveryError(NO_CONNECTION, Reach.DOMAIN))
    finally:
        if not started:
            permit.release()
            outlet.asides.discard(aside)
            outlet.let_go()


def _means(shared: "Shared", aside: Aside, *, stays: bool) -> Means:
    made = shared.means(aside)
    securing = shared.dialer.securing
    if securing is not None and securing.asking is not None and securing.asking.about_messages:
        made = replace(made, terms=securing.asking.terms(made.terms, aside.waiting[0]))
    if stays:
        return replace(made, terms=staying(made.terms), wanted=HEARD)
    return replace(made, terms=waived(made.terms), wanted=UNWANTED)


def is_waived(message: Message) -> bool:
    """Say whether the sender would have a message rather arrive than be secure.

    REQUIRETLS counts more (RFC 8689 section 5).
    """
    if message.traits & Trait.REQUIRETLS:
        return False
    try:
        return any(
            line[:13].lower() == b"tls-required:" and line[13:].strip().lower() == b"no"
            for line in _header(message)
        )
    except (Error, OSError):
        return False  # It cannot be read now; the next attempt tells.


def _header(message: Message) -> Iterator[bytes]:
    text = b""
    for piece in message.body.pieces():
        text += piece
        if b"\r\n\r\n" in text or len(text) >= _HEADER:
            break
    return iter(text[:_HEADER].partition(b"\r\n\r\n")[0].split(b"\r\n"))
