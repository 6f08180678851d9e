"""What the sessions of a worker share, and what they need of others."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from angarium.core.clock import Clock
from angarium.core.ident import Idents
from angarium.core.message import Message, Recipient
from angarium.core.reply import Reply
from angarium.events.schema import Rejection
from angarium.inbound.content import Writer
from angarium.inbound.counts import Counts
from angarium.inbound.envelope import nothing_blackholed
from angarium.inbound.guesses import Guesses
from angarium.inbound.logins import Account, unaccounted
from angarium.inbound.profile import Profiles
from angarium.journal.errors import SpoolError
from angarium.net.listener import always
from angarium.net.sweep import Sweep
from angarium.net.tls.handshakes import Handshakes
from angarium.net.tracing import Tracing
from angarium.policy.context import Session
from angarium.policy.module import NOBODY, Policing
from angarium.policy.parcels import Parcel
from angarium.policy.shared.node import Shared
from angarium.queue.throttle import Ledger

FAILURES_COUNT: Final = 900.0  # seconds

if TYPE_CHECKING:
    from angarium.inbound.smtp import SmtpSession


def nothing_reported(_message: Message, _recipient: Recipient, _reply: Reply) -> None:
    return None


def _untold(_text: str) -> None:
    """Nobody hears it."""


class Admit(Protocol):
    """What is needed of `queue/admit`."""

    @property
    def submitted(self) -> int: ...

    @property
    def rules(self) -> object: ...

    def refusal(self) -> SpoolError | None: ...

    def submit(
        self,
        message: Message,
        recipients: Sequence[Recipient],
        done: Callable[[SpoolError | None], None],
    ) -> None: ...

    def submit_all(
        self,
        parcels: Sequence[Parcel],
        done: Callable[[SpoolError | None], None],
        session: Session,
    ) -> None: ...

    def written(self, message: Message, done: Callable[[], None]) -> None: ...

    def drop(self, message: Message) -> None: ...


@dataclass(slots=True)
class Services:
    """What the sessions of a worker share; `run/assemble` fills it.

    Attributes:
        profiles: of the current configuration; replaced at a reload.
        next_id: makes ids for messages, from Unix time.
        large: opens a writer for a large body; raises SpoolError.
        blackholed: says whether mail for a domain is refused at RCPT (blackhole = inline).
        may_greet: says whether a new session is taken: not while the memory is short.
        program: name and version, for banner and Received.
        policing: the policy of the current configuration.
        report: makes what a sender is told of one recipient that policy refused.
        guesses: failed attempts to authenticate.
        account: writes an attempt to acctlog.
        trouble: tells why nobody can be authenticated.
        auth_key: a secret of this node, for what users who are not there seem to have.
        compares_batches: equal copies of a message are looked for (expensive_batch_assessment).
    """

    profiles: Profiles
    admit: Admit
    ledger: Ledger
    sweep: Sweep
    clock: Clock
    idents: Idents
    next_id: Callable[[float], int]
    large: Callable[[], Writer]
    reject: Callable[[Rejection], None]
    program: str
    loop: asyncio.AbstractEventLoop
    blackholed: Callable[[str], bool] = nothing_blackholed
    may_greet: Callable[[], bool] = always
    counts: Counts = field(default_factory=Counts)
    sessions: "set[SmtpSession]" = field(default_factory=set)
    tracing: Tracing | None = None
    policing: Policing = NOBODY
    report: Callable[[Message, Recipient, Reply], Parcel | None] = nothing_reported
    account: Account = unaccounted
    trouble: Callable[[str], None] = _untold
    auth_key: bytes = field(default=b"", repr=False)
    compares_batches: bool = False
    guesses: Guesses = field(init=False)
    handshakes: Handshakes = field(init=False)

    def __post_init__(self) -> None:
        self.guesses = Guesses(Shared(self.clock), FAILURES_COUNT)  # of this worker alone
        self.handshakes = Handshakes(self.loop)
