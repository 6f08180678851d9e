"""Bring letters into the spool of a server that is stopped: a shard of their own, there or not.

    imports/TOKEN/005       the shard while it is made
    imports/TOKEN.marks     which letters are in it
    spool/005               the shard, when all of it is durable

What has been brought in once is not brought in again, whenever and from wherever it comes. A marks
file counts when its shard is gone, for that was renamed when all of it was on the disk; one that is
still there was interrupted, and is begun anew.
"""

import asyncio
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from angarium.core.body import MemoryBody
from angarium.core.clock import Clock
from angarium.core.message import Message
from angarium.events.schema import Imported
from angarium.journal.disk import Disk
from angarium.journal.errors import SpoolError
from angarium.queue.spool import envelope
from angarium.queue.spool.letter import Letter, Receiver, mark_of, traits_of
from angarium.queue.spool.offline import Opened, opened

FOLDER: Final = "imports"
MARKS: Final = ".marks"
LARGE: Final = 1 << 17  # octets from which a body gets a file of its own
AT_ONCE: Final = 64  # letters that wait for one sync
DONE: Final = 1  # of a result in importlog


@dataclass(slots=True)
class Brought:
    """What came of it.

    Attributes:
        letters, receivers: that were brought in.
        known: receivers which had been before, or are in the spool.
        shard: the name of the new one; "" if nothing was to be brought.
    """

    letters: int = 0
    receivers: int = 0
    known: int = 0
    shard: str = ""
    marks: list[str] = field(default_factory=list)


class Bringing:
    """One import.

    Args:
        state: the state directory, whose lock is held.
        name: of the shard, free in its spool.
        present: the address of an entry that is in the spool, by id; None if it is not.
    """

    def __init__(
        self,
        disk: Disk,
        state: Path,
        name: str,
        clock: Clock,
        present: Callable[[int], str | None],
    ) -> None:
        self._disk = disk
        self._state = state
        self._name = name
        self._clock = clock
        self._present = present
        self._folder = state / FOLDER
        self._known: set[str] = set()
        self.done = Brought()

    async def run(self, letters: Iterable[Letter]) -> Brought:
        """Bring letters in; when this returns they are durable, and a server would find them.

        Raises:
            Error, OSError: nothing was brought in.
        """
        self._folder.mkdir(mode=0o750, exist_ok=True)
        self._known = self._marks()
        token = f"{int(self._clock.time()):08x}{secrets.token_hex(4)}"
        draft = self._folder / token
        (draft / self._name).mkdir(parents=True)
        try:
            async with opened(self._disk, str(draft / self._name), self._clock) as shard:
                await self._put_all(shard, letters)
            if self.done.receivers:
                self._finish(draft)
        except BaseException:
            # In this order: marks without a directory say that all was brought in.
            draft.with_suffix(MARKS).unlink(missing_ok=True)
            shutil.rmtree(draft, ignore_errors=True)
            raise
        shutil.rmtree(draft, ignore_errors=True)
        return self.done

    def _marks(self) -> set[str]:
        """Return what was brought in before, and forget what was interrupted."""
        known: set[str] = set()
        for path in sorted(self._folder.glob(f"*{MARKS}")):
            draft = path.with_suffix("")
            if draft.exists() and any(draft.iterdir()):
                path.unlink()
            else:
                known.update(path.read_text("ascii").split())
        for draft in self._folder.iterdir():
            if draft.is_dir():
                shutil.rmtree(draft)
        return known

    def _finish(self, draft: Path) -> None:
        marks = draft.with_suffix(MARKS)
        with marks.open("w", encoding="ascii") as file:
            file.writelines(f"{each}\n" for each in self.done.marks)
            file.flush()
            os.fsync(file.fileno())
        self._disk.sync_dir(str(self._folder))
        self._disk.make_dir(str(self._state / "spool"))
        (draft / self._name).rename(self._state / "spool" / self._name)
        self._disk.sync_dir(str(self._state / "spool"))
        self.done.shard = self._name

    async def _put_all(self, shard: Opened, letters: Iterable[Letter]) -> None:
        waiting: list[asyncio.Future[None]] = []
        for letter in letters:
            receivers = [each for each in letter.receivers if not self._has(letter, each)]
            if not receivers:
                continue
            waiting.append(await self._put(shard, letter, receivers))
            if len(waiting) >= AT_ONCE:
                await asyncio.gather(*waiting)
                waiting.clear()
        await asyncio.gather(*waiting)

    def _has(self, letter: Letter, receiver: Receiver) -> bool:
        mark = mark_of(letter, receiver)
        ident = receiver.ident
        if mark in self._known or ident and self._present(ident) == receiver.target.address:
            self.done.known += 1
            return True
        self._known.add(mark)
        self.done.marks.append(mark)
        return False

    async def _put(
        self, shard: Opened, letter: Letter, receivers: Sequence[Receiver]
    ) -> asyncio.Future[None]:
        """Append a letter; the future is done when it is durable, its entries as they were."""
        message = await self._message(shard, letter)
        recipients = [envelope.recipient_of(0, each.target) for each in receivers]
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def durable(error: SpoolError | None) -> None:
            if error is not None:
                done.set_exception(error)
                return
            for each, recipient in zip(receivers, recipients, strict=True):
                now = self._clock.time()
                shard.spool.note(Imported(now, recipient.id, each.ident, DONE, letter.source))
                if each.attempts or each.due:
                    shard.spool.defer(recipient.id, each.attempts, each.due, None)
                if each.aside:
                    shard.spool.isolate(recipient.id)
            done.set_result(None)

        shard.spool.put(message, recipients, durable)
        self.done.letters += 1
        self.done.receivers += len(receivers)
        return done

    async def _message(self, shard: Opened, letter: Letter) -> Message:
        known = letter.envelope
        header, rest = _split(letter.octets(), known.header)
        if letter.size - len(header) > LARGE:
            writer = shard.spool.large()
            for piece in rest:
                writer.write(piece)
                await asyncio.sleep(0)  # it goes to the disk
            body = writer.finish()
        else:
            body = MemoryBody(*rest)  # type: ignore[assignment]
        known.traits = traits_of(letter.octets(), known.traits)
        prefix = envelope.Prefix(envelope.CODEC, 0, 0, 0, 0, 0, 0, 0)
        return envelope.message_of(known, prefix, body, header)


def _split(octets: Iterator[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """Return the first `size` octets, and the rest in pieces."""
    begun = b""
    while len(begun) < size and (piece := next(octets, b"")):
        begun += piece
    header, left = begun[:size], begun[size:]

    def rest() -> Iterator[bytes]:
        if left:
            yield left
        yield from octets

    return header, rest()
