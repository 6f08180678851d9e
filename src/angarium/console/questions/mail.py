"""What is done to queued mail, in each worker; which mail, says a `Choice`.

All of it goes in steps, says how far it is, and gives back what it holds when it is withdrawn. What
attempts have in their hands is left to them.
"""

from collections.abc import Generator
from typing import TYPE_CHECKING, Final

import msgspec

from angarium.console.question import question
from angarium.console.sums import Page
from angarium.core.errors import Error
from angarium.core.reply import Reply
from angarium.journal.errors import ColdError
from angarium.queue.acts import Fail, Flush, Hold, Move
from angarium.queue.choice import Choice
from angarium.queue.errand import WAIT_SECONDS, Act, Errand, Means
from angarium.queue.spool.routes import Key
from angarium.queue.spool.slot import due_of, route_of

if TYPE_CHECKING:
    from angarium.console.parts import Parts
    from angarium.queue.entry import Entry

TELL_SECONDS: Final = 1.0  # between two lines which say how far it is
MAX_REPORTS: Final = 500  # which are being made durable: then the next entry waits

Steps = Generator[str | float | None, None, "Done"]


class Done(msgspec.Struct, frozen=True):
    """What was done.

    Attributes:
        entries: to which it was done; `moved`: of these, those which are elsewhere now.
        unread: entries which could not be read, and were left alone.
    """

    entries: int = 0
    moved: int = 0
    unread: int = 0

    def __add__(self, other: "Done") -> "Done":
        return Done(
            self.entries + other.entries, self.moved + other.moved, self.unread + other.unread
        )


class Listed(msgspec.Struct, frozen=True, order=True):
    """A queued message for one recipient. `due`: Unix time, 0 for one that is active."""

    ident: int
    binding: str
    domain: str
    sender: str
    recipient: str
    due: int


@question("mail fail")
def fail(worker: "Parts", choice: Choice, code: int, text: str, report: bool, kind: str) -> Steps:
    """End it with this reply; `report`: the sender is told."""
    settle = worker.settle
    reply = Reply(code, text)

    def end(entry: "Entry") -> None:
        settle.end(entry, reply, kind, report=report)

    def room() -> bool:
        return len(settle.reported) < MAX_REPORTS

    return (yield from _done(worker, choice, Fail(worker.board, end, room)))


@question("mail flush")
def flush(worker: "Parts", choice: Choice) -> Steps:
    """Try what is delayed now, and end the pause of lines whose hosts could not be reached."""
    done = yield from _done(worker, choice, Flush(worker.board))
    if choice.by_queue:
        queues = choice.queues()
        for number, line in enumerate(list(worker.board.lines.values()), 1):
            if line.paused_until and queues(line.key):
                worker.board.resume(line)
            if not number % 100:
                yield None
    return done


@question("mail hold")
def hold(worker: "Parts", choice: Choice, seconds: int) -> Steps:
    """Let what is active wait so long."""
    return (yield from _done(worker, choice, Hold(worker.board, seconds)))


@question("mail reroute")
def reroute(worker: "Parts", choice: Choice, domain: str) -> Steps:
    """Queue it under another domain, by the same binding."""

    def elsewhere(key: Key) -> Key | None:
        return None if key[2] == domain else (key[0], key[1], domain)

    return (yield from _done(worker, choice, Move(worker.board, elsewhere)))


@question("mail rebind")
def rebind(worker: "Parts", choice: Choice) -> Steps:
    """Ask anew which binding it goes by, as when it came in."""
    admit = worker.admit

    def elsewhere(key: Key) -> Key:
        return key[0], admit.binding_of(key), key[2]

    return (yield from _done(worker, choice, Move(worker.board, elsewhere)))


@question("mail list")
def listed(
    worker: "Parts", choice: Choice, most: int, part: str = ""
) -> Generator[str | float | None, None, Page[Listed]]:
    """Return the first of what is meant, by age, and how many there are.

    Args:
        part: only what is "active" or "delayed".
    """
    errand = _errand(worker, choice)
    in_hands = frozenset(errand_hands(worker))
    live = worker.board.spool.live
    now, delayed = worker.clock.time(), part == "delayed"
    first: list[int] = []
    total = 0
    telling = _Telling(worker)
    for found in errand.look():
        if not isinstance(found, list):
            yield found
            yield telling.line(f"{errand.seen} looked at, {total} found")
            continue
        meant = [
            each for each in found
            if each not in in_hands
            and (not part or (slot := live.get(each)) and (due_of(slot) > now) is delayed)
        ]  # fmt: skip
        total += len(meant)
        before = [each for each in meant if len(first) < most or each < first[-1]]
        if before:
            first = sorted(first + before)[:most]
        yield telling.line(f"{errand.seen} looked at, {total} found")
    rows = []
    for number, ident in enumerate(first):
        row = yield from _row(worker, ident, first[number : number + 64])
        if row is not None:
            rows.append(row)
    return Page(rows, most, total)


def _row(
    worker: "Parts", ident: int, ahead: list[int]
) -> Generator[str | float | None, None, Listed | None]:
    """Return what is listed of an entry; None if it has ended since or cannot be read."""
    board = worker.board
    slot = board.spool.live.get(ident)
    if slot is None:
        return None
    key = board.spool.routes.key(route_of(slot))
    due = due_of(slot)
    due = due if due > worker.clock.time() else 0
    try:
        try:
            message, recipient = board.spool.load(ident, cached=True)
        except ColdError:
            ended = board.recall.ahead(ahead)
            while not ended():
                yield WAIT_SECONDS
            message, recipient = board.spool.load(ident)
    except (Error, OSError):
        return Listed(ident, key[1], key[2], "(cannot be read)", "", due)
    yield None
    return Listed(ident, key[1], key[2], message.sender, recipient.address, due)


def _done(worker: "Parts", choice: Choice, act: Act) -> Steps:
    errand = _errand(worker, choice)
    telling = _Telling(worker)
    for step in errand.run(act):
        yield step
        yield telling.line(f"{errand.seen} looked at, {errand.done} done")
    moved = act.moved if isinstance(act, Move) else errand.done
    return Done(errand.done, moved, errand.unread)


def _errand(worker: "Parts", choice: Choice) -> Errand:
    means = Means(worker.spool.live.parts, lambda: errand_hands(worker))
    return Errand(worker.board, choice, means)


def errand_hands(worker: "Parts") -> list[int]:
    """Return the ids of what connections have taken, and of what waits for a report on it."""
    taken = [entry.id for entries in worker.pool.in_hands() for entry in entries]
    return taken + list(worker.settle.reported)


class _Telling:
    """Says now and then how far something is."""

    def __init__(self, worker: "Parts") -> None:
        self._worker = worker
        self._next = worker.clock.monotonic() + TELL_SECONDS

    def line(self, text: str) -> str | None:
        now = self._worker.clock.monotonic()
        if now < self._next:
            return None
        self._next = now + TELL_SECONDS
        return f"worker {self._worker.number}: {text}"
