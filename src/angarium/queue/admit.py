"""Where mail becomes ours: every way in ends here, and here a 250 becomes a promise.

`submit` takes what a peer brings, `inject` what we make ourselves (reports). A message gets its
binding and domain, goes to the spool, and when that says it is durable, its entries are in their
lines and who brought it is told, in this order and in the same turn of the loop.
"""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from angarium.core.address import routing_domain, split
from angarium.core.errors import Error
from angarium.core.message import (
    DEFAULT_BINDING,
    DEFAULT_BINDING_GROUP,
    Message,
    Recipient,
)
from angarium.core.reply import Reply
from angarium.journal.errors import SpoolError
from angarium.policy.context import IN_FORCE, Session
from angarium.policy.going import begun
from angarium.queue.board import Board
from angarium.queue.options import ServerLimits
from angarium.queue.rules import Forgetting, Rules
from angarium.queue.spool.routes import Key

Done = Callable[[SpoolError | None], None]
Lot = tuple[Message, Sequence[Recipient]]


class Spool(Protocol):
    """What admission needs of the spool."""

    @property
    def intake(self) -> bool: ...

    @property
    def refusal(self) -> SpoolError | None: ...

    @property
    def crowded(self) -> bool: ...

    def put(self, message: Message, recipients: Sequence[Recipient], durable: Done) -> None: ...

    def forget(self, message: Message) -> None: ...

    def written(self, message: Message, done: Callable[[], None]) -> None: ...


class RefusedError(SpoolError):
    """Mail is not taken in now; the peer may try again (451 or 452, see `code`).

    Attributes:
        reply: what policy wants to be said instead; None: nothing of its own.
    """

    reply: Reply | None = None


def refused_by_policy(reply: Reply) -> RefusedError:
    """Return the refusal of a message with a reply of policy."""
    error = RefusedError("policy refused it", reply=str(reply))
    error.reply = reply
    return error


NO_SPOOL: Final = RefusedError("the spool takes no mail now", full=True)
NO_MEMORY: Final = RefusedError("memory is short", full=True)
NO_BINDING: Final = RefusedError("no binding applies, and default_binding is none")
NO_DOMAIN: Final = RefusedError("a recipient has no domain it could be routed by")


class Admit:
    """The one door.

    Attributes:
        roomy: memory is left for new mail; kept by `memory`.
        submitted: messages handed to the spool and not yet durable.
        lost: is told of a message which the peer believes to be ours, and which is not.
        rules: asks policy for binding and domain; None: policy has nothing to say about them.
        forgetting: leaves out variables which are not to be kept; None: all are.
    """

    __slots__ = (
        "_pending", "_turn", "board", "forgetting", "lost", "roomy", "rules", "spool", "submitted",
    )  # fmt: skip

    def __init__(self, spool: Spool, board: Board) -> None:
        self.spool = spool
        self.board = board
        self._turn = 0
        self.roomy = True
        self.submitted = 0
        self.lost: Callable[[Message, SpoolError], None] = _nobody
        self.rules: Rules | None = None
        self.forgetting: Forgetting | None = None
        self._pending = _Pending

    def trust(self, *, memory: bool) -> None:
        """Say whether a peer is told as soon as we have its message in memory: _unsafe_spool."""
        self._pending = _Early if memory else _Pending

    def refusal(self) -> SpoolError | None:
        """Return why no mail is taken in at present; ask at MAIL, before the peer sends it all."""
        if not self.spool.intake:
            return self.spool.refusal or NO_SPOOL
        return None if self.roomy else NO_MEMORY

    def submit(self, message: Message, recipients: Sequence[Recipient], done: Done) -> None:
        """Make the message ours, and call `done(None)` when it is; or `done(why not)`.

        `done` is called from the loop, or at once where there is a reason to refuse.
        """
        self._decide(self.refusal(), [(message, recipients)], done, self._pending)

    def submit_all(
        self,
        parcels: Sequence[Lot],
        done: Done,
        session: Session | None = None,
    ) -> None:
        """As `submit`, for the contents one message has become: `done` is called once for all.

        If one of them cannot be made durable the peer is told so, and sends the others again.
        """
        self._decide(self.refusal(), parcels, done, self._pending, session)

    def written(self, message: Message, done: Callable[[], None]) -> None:
        """Call `done` when all that is known of the body can be read."""
        self.spool.written(message, done)

    def drop(self, message: Message) -> None:
        """Free what a message occupies which is not to become ours."""
        self.spool.forget(message)

    def inject(self, message: Message, recipients: Sequence[Recipient], done: Done) -> None:
        """As `submit`, for what we make ourselves: want of memory does not stop a report."""
        refused = None if self.spool.intake else self.spool.refusal or NO_SPOOL
        self._decide(refused, [(message, recipients)], done, _Pending)

    def bring(self, message: Message, recipients: Sequence[Recipient], done: Done) -> None:
        """As `submit`, for mail from elsewhere: it was given to nobody, so memory is no promise."""
        self._decide(self.refusal(), [(message, recipients)], done, _Pending)

    def _decide(
        self,
        refused: SpoolError | None,
        parcels: Sequence[Lot],
        done: Done,
        pending: "type[_Pending]",
        session: Session | None = None,
    ) -> None:
        rules = self.rules
        if session is not None and session.rules is not IN_FORCE:
            rules = session.rules  # A reload does not come between two hooks of one message.
        if refused is None and rules is not None:
            begun(self._ruled(rules, parcels, done, pending, session), _nothing)
        else:
            self._store(refused, parcels, done, pending)

    async def _ruled(
        self,
        rules: Rules,
        parcels: Sequence[Lot],
        done: Done,
        pending: "type[_Pending]",
        session: Session | None,
    ) -> None:
        """Ask policy where it goes, and store what it has become."""
        kept: list[Lot] = []
        try:
            ruled = await rules.apply(parcels, session, self._place)
            kept += ruled.kept
            refused = None if kept else ruled.refused
        except (Error, OSError) as error:
            # A large content could not be read; whoever brought it waits for our word.
            refused = RefusedError("policy could not be applied", reason=str(error))
        self._store(refused, kept, done, pending)
        # Only now: what is stored may have been made out of what came.
        for message, _ in parcels:
            if all(message.body is not each.body for each, _ in kept):
                self.spool.forget(message)

    def _store(
        self,
        refused: SpoolError | None,
        parcels: Sequence[Lot],
        done: Done,
        pending: "type[_Pending]",
    ) -> None:
        if len(parcels) > 1:
            done = _Together(len(parcels), done).one
            # What keeps its id is written last: where it is found after a crash, all of them are.
            parcels = sorted(parcels, key=lambda lot: lot[0].batch)
        for _, recipients in parcels:
            refused = refused or self._place(recipients)
        for message, recipients in parcels:
            if refused is not None:
                self.spool.forget(message)
            else:
                if self.forgetting is not None and recipients:
                    self.forgetting.apply(message, recipients)
                self.submitted += 1
                waiting = pending(self, message, recipients, done)
                self.spool.put(message, recipients, waiting.durable)
        if refused is not None:
            for _ in parcels or (None,):
                done(refused)

    def _place(self, recipients: Sequence[Recipient]) -> RefusedError | None:
        """Give each recipient what policy did not: a domain and a binding."""
        for recipient in recipients:
            if not recipient.domain:
                domain = routing_domain(split(recipient.address)[1])
                if domain is None:
                    return NO_DOMAIN
                recipient.domain = domain
            if not recipient.binding:
                refused = self._bind(recipient)
                if refused is not None:
                    return refused
            recipient.domain = self.board.detours.of(
                (recipient.binding_group, recipient.binding, recipient.domain)
            )
        return None

    def _bind(self, recipient: Recipient) -> RefusedError | None:
        board = self.board
        if recipient.binding_group and recipient.binding_group != DEFAULT_BINDING_GROUP:
            binding = self._one_of(recipient.binding_group, recipient.domain)
            if binding:
                recipient.binding = binding
                return None
        if board.configuration.top(ServerLimits).default_binding == "none":
            return NO_BINDING
        recipient.binding_group = DEFAULT_BINDING_GROUP
        recipient.binding = DEFAULT_BINDING
        return None

    def binding_of(self, key: Key) -> str:
        """Return the binding mail of this queue would get now; its own, if policy chose that."""
        group, binding, domain = key
        if group == DEFAULT_BINDING_GROUP and self.board.has_binding(group, binding):
            return binding
        return self._one_of(group, domain) or binding

    def _one_of(self, group: str, domain: str) -> str:
        """Return a binding of the group, in turn; one that may send rather than another."""
        board = self.board
        among = board.bindings_of(group)
        if not among:
            return ""
        self._turn += 1
        for step in range(len(among)):
            binding = among[(self._turn + step) % len(among)]
            key = (group, binding, domain)
            if not (board.suspended(key) or board.shape_of(key).suspend_delivery):
                return binding
        return among[self._turn % len(among)]


class _Together:
    """Several contents of one message: their end is one."""

    __slots__ = ("_done", "_error", "_left")

    def __init__(self, number: int, done: Done) -> None:
        self._left = number
        self._done = done
        self._error: SpoolError | None = None

    def one(self, error: SpoolError | None) -> None:
        self._error = self._error or error
        self._left -= 1
        if not self._left:
            self._done(self._error)


class _Pending:
    """A message on its way to the disk: a slotted object and its bound method, no closure."""

    __slots__ = ("_admit", "_done", "_message", "_recipients")

    def __init__(
        self, admit: Admit, message: Message, recipients: Sequence[Recipient], done: Done
    ) -> None:
        self._admit = admit
        self._message = message
        self._recipients = recipients
        self._done = done

    def durable(self, error: SpoolError | None) -> None:
        self._admit.submitted -= 1
        if error is None:
            self._admit.board.accepted(self._message, self._recipients)
        else:
            self._admit.spool.forget(self._message)
        self._done(error)


class _Early(_Pending):
    """One whose peer is told before anything of it is written, unless the disk is behind."""

    __slots__ = ("_told",)

    def __init__(
        self, admit: Admit, message: Message, recipients: Sequence[Recipient], done: Done
    ) -> None:
        super().__init__(admit, message, recipients, done)
        self._told = not admit.spool.crowded
        if self._told:
            self._done = _told_already
            done(None)

    def durable(self, error: SpoolError | None) -> None:
        super().durable(error)
        if self._told and error is not None:
            self._admit.lost(self._message, error)


def _nothing() -> None:
    pass


def _told_already(_error: SpoolError | None) -> None:
    pass


def _nobody(_message: Message, _error: SpoolError) -> None:
    pass
