"""Files of a directory become mail of this worker while it works: in steps, a batch at a time.

    read        a thread reads some files
    claim       ... and writes down which files become which messages (`spool/claims`)
    put         each goes the way of all mail, through `queue/admit`
    remove      when all are durable, a thread removes the files, and then the claim

Who runs it takes a step whenever he likes. To stop it is to close it: a batch which is on its way
to the disk ends by itself. Rule: **a file is removed only when its message is durable, and is never
read again before it is known whether it is**; so a crash at any moment loses nothing, and brings
nothing in twice.
"""

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, Protocol, TypeVar

import msgspec

from angarium.core.body import Body, MemoryBody
from angarium.core.clock import Clock
from angarium.core.errors import Error
from angarium.core.fault import FAULTS, point
from angarium.core.ident import printed
from angarium.core.message import Message, Recipient, Trait
from angarium.events.schema import Imported
from angarium.journal.errors import SpoolError
from angarium.mail.format import trace
from angarium.queue.admit import Done
from angarium.queue.spool import claims, foreign, sources
from angarium.queue.spool.claims import Claim
from angarium.queue.spool.large import LargeWriter
from angarium.queue.spool.sources import Found, SourceError

T = TypeVar("T")
Outcome = Found | OSError | SourceError
Steps = Generator[str | float | None, None, T]

AT_ONCE: Final = 64  # files of a batch
BATCH_OCTETS: Final = 4 << 20  # ... which is less where they are large
LISTED: Final = 2048  # names put in order at once
LOOKS: Final = 200  # names looked at in a step
WAIT_SECONDS: Final = 0.005
REFUSED_SECONDS: Final = 0.25  # until it is looked again whether mail is taken
BACKLOG: Final = 1 << 20  # octets of a large body which wait for the disk
DONE, NOT_UNDERSTOOD, NOT_READ, NOT_WRITTEN = 1, 2, 3, 4  # results in importlog
FORMATS: Final = ("auto", "eml", "maildir", "postcat")

CLAIMED: Final = point("import.claimed", "a claim is on the disk, and nothing of the batch is put")
BROUGHT: Final = point("import.brought", "a batch is durable, and none of its files is removed")
REMOVED: Final = point("import.removed", "its files are removed, and the claim is there")


LEAVING: Final = "the worker leaves, and brings in no more"


class LeavingError(Error):
    """This worker will not go on; another one may."""


class Wish(msgspec.Struct, frozen=True):
    """What is to be brought in.

    Attributes:
        path: a directory. This worker takes one `share` of its files, `of` so many.
        form: one of FORMATS; "auto": by what a file begins with.
        recipients, sender: what counts instead of what a file says.
        trace: put a Received field before each message.
        dry: look only.
        refused: files which could not be brought in, and when they were changed: left alone while
            they stay as they are.
    """

    path: str
    share: int = 0
    of: int = 1
    form: str = "auto"
    recipients: list[str] = []
    sender: str | None = None
    trace: bool = True
    dry: bool = False
    refused: dict[str, float] = {}


@dataclass(slots=True)
class Progress:
    """How far it is.

    Attributes:
        files: looked at; `messages`, `recipients`: brought in.
        refused: files which could not be, and why; `left`: files which have to wait.
        total: files there were at the beginning.
    """

    files: int = 0
    messages: int = 0
    recipients: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    left: int = 0
    total: int = 0


class Admission(Protocol):
    """Where mail becomes ours."""

    def refusal(self) -> SpoolError | None: ...

    def bring(self, message: Message, recipients: Sequence[Recipient], done: Done) -> None: ...


class Store(Protocol):
    """What is needed of the spool."""

    def next_id(self, now: float) -> int: ...

    def large(self) -> LargeWriter: ...

    def forget(self, message: Message) -> None: ...

    def note(self, event: Imported) -> None: ...


@dataclass(frozen=True, slots=True)
class Means:
    """What is needed of a worker.

    Attributes:
        large: octets from which a body gets a file of its own.
        hostname, program: for Received.
        leaving: says whether the worker is about to end.
    """

    admit: Admission
    spool: Store
    clock: Clock
    state: Path
    large: int
    hostname: str
    program: str
    leaving: Callable[[], bool]


@dataclass(slots=True)
class _Letter:
    """A file which is understood, and how far it is."""

    found: Found
    message: Message
    recipients: list[Recipient]
    put: bool = False
    durable: bool = False


class Importing:
    """One import of a worker."""

    def __init__(self, means: Means, wish: Wish) -> None:
        self._means = means
        self._wish = wish
        self._thread = ThreadPoolExecutor(1, "import")
        self._batch: _Batch | None = None  # on its way to the disk
        self.progress = Progress()

    def run(self) -> Steps[Progress]:
        """Bring in what is there now.

        Raises:
            SourceError: there is no such directory, or it is not for the server.
            LeavingError: see there.
            OSError: it cannot be read, or files cannot be removed.
        """
        try:
            folders = sources.folders(Path(self._wish.path))
            for folder in folders:
                yield from self._count(folder)
            for folder in folders:
                yield from self._folder(folder)
        finally:
            if self._batch is None:
                self._thread.shutdown(wait=False)
            else:
                self._batch.last = True
        return self.progress

    # Which files.

    def _count(self, folder: Path) -> Steps[None]:
        for number, name in enumerate(self._names(folder), 1):
            self.progress.total += name is not None
            if not number % LOOKS:
                yield None

    def _names(self, folder: Path) -> Generator[str | None, None, None]:
        yield from sources.names(folder, self._wish.share, self._wish.of)

    def _folder(self, folder: Path) -> Steps[None]:
        listed: list[str] = []
        for number, name in enumerate(self._names(folder), 1):
            if name is not None and self._wanted(path := str(folder / name)):
                listed.append(path)
            if len(listed) >= LISTED:
                yield from self._files(sorted(listed))
                listed.clear()
            if not number % LOOKS:
                yield None
        yield from self._files(sorted(listed))

    def _wanted(self, path: str) -> bool:
        known = self._wish.refused.get(path)
        return known is None or known != sources.changed(path)

    def _files(self, paths: Sequence[str]) -> Steps[None]:
        at = 0
        while at < len(paths):
            read = yield from _awaited(self._thread.submit(_read, paths[at : at + AT_ONCE]))
            at += len(read)
            yield from self._taken(read)

    # One batch.

    def _taken(self, read: Sequence[tuple[str, Outcome]]) -> Steps[None]:
        letters: list[_Letter] = []
        try:
            for path, each in read:
                self.progress.files += 1
                if not isinstance(each, Found):
                    self._refuse(path, each, NOT_READ)
                    continue
                try:
                    letters.append((yield from self._letter(each)))
                except Error as error:
                    self._refuse(path, error, NOT_UNDERSTOOD)
                yield None
            if self._wish.dry:
                self.progress.messages += len(letters)
                self.progress.recipients += sum(len(each.recipients) for each in letters)
            elif letters:
                yield from self._bring(letters)
        finally:
            for letter in letters:
                if not letter.put:
                    self._means.spool.forget(letter.message)

    def _refuse(self, path: str, error: OSError | Error, result: int) -> None:
        if isinstance(error, FileNotFoundError):
            return  # Somebody else has taken it.
        self.progress.refused[path] = str(getattr(error, "strerror", None) or error)
        if not self._wish.dry:
            self.note(0, result, path)

    def note(self, ident: int, result: int, path: str) -> None:
        """Write to importlog what became of a file."""
        self._means.spool.note(Imported(self._means.clock.time(), ident, 0, result, path))

    def _bring(self, letters: Sequence[_Letter]) -> Steps[None]:
        means = self._means
        while means.admit.refusal() is not None and not means.leaving():
            yield REFUSED_SECONDS
        if means.leaving():
            raise LeavingError(LEAVING)
        now = means.clock.time()
        for each in letters:
            each.message.batch = means.spool.next_id(now)
            if self._wish.trace:
                ident, when = printed(each.message.batch), trace.date(int(now))
                made = trace.brought_in(means.hostname, means.program, ident, when)
                each.message.header = made.encode()
        claiming = self._thread.submit(_claim, means.state, letters)
        try:
            held = yield from _awaited(claiming)
        except GeneratorExit:
            claiming.add_done_callback(_let_go)
            raise
        FAULTS.hit(CLAIMED)
        self._batch = batch = _Batch(letters, held, self)
        yield from batch.put(means.admit)
        while not batch.over:
            yield WAIT_SECONDS
        self._batch = None
        if batch.failed is not None:
            raise batch.failed

    def remove(self, work: Callable[[], None], *, last: bool) -> "Future[None]":
        """Let the thread do this; `last`: nothing comes after it."""
        future = self._thread.submit(work)
        if last:
            self._thread.shutdown(wait=False)
        return future

    # One file.

    def _letter(self, found: Found) -> Steps[_Letter]:
        wish = self._wish
        sender, to, octets = wish.sender, list[str](wish.recipients), found.octets
        if wish.form == "postcat" or (wish.form == "auto" and foreign.is_postcat(octets)):
            said, had, octets = foreign.unwrapped(octets)
            sender, to = said if sender is None else sender, to or list(had)
        said, had = foreign.addressed(octets, sender, to)
        domains = foreign.domains_of(had)
        body, traits = yield from self._body(octets)
        message = Message(
            said, body, traits=traits, protocol=foreign.PROTOCOL, received_at=found.changed
        )
        return _Letter(found, message, [Recipient(each, name) for each, name in domains.items()])

    def _body(self, octets: bytes) -> Steps[tuple[Body, int]]:
        writer = None
        if len(octets) > self._means.large and not self._wish.dry:
            writer = self._means.spool.large()
        pieces, traits, before = list[bytes](), int(Trait.NONE), b"\r\n"
        try:
            for piece in foreign.lines(octets):
                if not piece.isascii():
                    traits |= Trait.EIGHT_BIT
                if b"\n." in before[-1:] + piece:
                    traits |= Trait.DOTS
                before = piece
                if writer is None:
                    pieces.append(piece)
                    yield None
                    continue
                writer.write(piece)
                yield None
                while writer.backlog > BACKLOG:
                    yield WAIT_SECONDS
        except GeneratorExit:
            if writer is not None:
                writer.abort()
            raise
        if not before.endswith(b"\r\n"):
            traits |= Trait.NO_FINAL_CRLF
        return MemoryBody(*pieces) if writer is None else writer.finish(), traits


class _Batch:
    """Messages on their way to the disk, and what is done when all of them are there.

    Attributes:
        last: nobody waits for it, and no other one comes.
    """

    __slots__ = ("_held", "_importing", "_letters", "_open", "failed", "last", "over")

    def __init__(self, letters: Sequence[_Letter], held: claims.Held, importing: Importing) -> None:
        self._letters = letters
        self._held = held
        self._importing = importing
        self._open = len(letters) + 1  # ... and that all are put
        self.last = self.over = False
        self.failed: OSError | None = None

    def put(self, admit: Admission) -> Steps[None]:
        """Put them; one that was not put when this is closed is not put at all."""
        try:
            for each in self._letters:
                each.put = True
                admit.bring(each.message, each.recipients, partial(self._durable, each))
                yield None
        finally:
            self._open -= sum(not each.put for each in self._letters)
            self._landed()

    def _durable(self, letter: _Letter, refused: SpoolError | None) -> None:
        letter.durable = refused is None
        importing, path = self._importing, letter.found.path
        if refused is None:
            importing.progress.messages += 1
            importing.progress.recipients += len(letter.recipients)
            for each in letter.recipients:
                importing.note(each.id, DONE, path)
        else:
            importing.progress.left += 1
            importing.note(0, NOT_WRITTEN, path)
        self._landed()

    def _landed(self) -> None:
        self._open -= 1
        if not self._open:
            FAULTS.hit(BROUGHT)
            files = [(each.found.path, each.found.inode) for each in self._letters if each.durable]
            work = partial(_remove, files, self._held)
            self._importing.remove(work, last=self.last).add_done_callback(self._removed)

    def _removed(self, removing: "Future[None]") -> None:
        """In the thread: the files are gone, or could not be removed."""
        error = removing.exception()
        self.failed = error if isinstance(error, OSError) else None
        self.over = True


def _awaited(future: "Future[T]") -> Steps[T]:
    while not future.done():
        yield WAIT_SECONDS
    return future.result()


def _let_go(claiming: "Future[claims.Held]") -> None:
    """Nothing of the batch was put, and nobody waits for its claim any more."""
    if not claiming.exception():
        claiming.result().let_go()


# In the thread.


def _read(paths: Sequence[str]) -> list[tuple[str, Outcome]]:
    """Read files, until there is enough for a batch."""
    read: list[tuple[str, Outcome]] = []
    octets = 0
    for path in paths:
        try:
            found = sources.read(path)
        except (OSError, SourceError) as error:
            read.append((path, error))
            continue
        octets += len(found.octets)
        read.append((path, found))
        if octets >= BATCH_OCTETS:
            break
    return read


def _claim(state: Path, letters: Sequence[_Letter]) -> claims.Held:
    return claims.Held(
        state, [Claim(e.message.batch, e.found.path, e.found.inode) for e in letters]
    )


def _remove(files: Sequence[tuple[str, int]], held: claims.Held) -> None:
    try:
        if stuck := sources.remove(files):
            raise PermissionError(f"{stuck[0]} was brought in, and cannot be removed")
        FAULTS.hit(REMOVED)
        held.done()
    finally:
        held.let_go()
