"""The accounting identity of a shard, found out from its files, its owner at work or not.

    accepted = queued + quarantined + delivered + bounced + expired + discarded + transferred

It is proved by recipient id and not by totals only: what the event stream, the checkpoint, the
state log and the data log say of each entry must fit together. This is a witness, so it shares
nothing with recovery but the codecs of records.

The order of reading makes it work without a lock: event stream, state log, data log. Each is
written after those it derives from, so what one says must be found in those that are read later.
Was a segment given up meanwhile, it is all read again.
"""

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from angarium.core.errors import Error
from angarium.core.ident import printed
from angarium.events.schema import Ended, EventError, Reception, decode
from angarium.events.stream import DATA as FROM_DATA
from angarium.events.stream import KINDS, MESSAGES, frames
from angarium.journal.disk import Disk
from angarium.journal.errors import DamageError
from angarium.journal.log import Log, Manner
from angarium.journal.reader import STUCK, Tail
from angarium.journal.record import HEAD_SIZE
from angarium.journal.scan import Found, Scan, complete
from angarium.journal.segment import CUT, Segment, name_of, room
from angarium.queue.spool import changes, checkpoint, envelope, large
from angarium.queue.spool.contents import Contents
from angarium.queue.spool.inventory import DATA, STATE, Inventory, take
from angarium.queue.spool.slot import SLOT, with_place

TRIES: Final = 10  # a checkpoint comes once a second at most, and reading takes less mostly
RECORDS: Final = 512
IDLE: Final = STUCK + 2  # reads without a record, after which a stream is at its end for sure
FAULTS_SHOWN: Final = 100

OUTCOME: Final = 8  # bits which say how an entry ended, below the number of the record

QUEUED, QUARANTINED = "queued", "quarantined"
ENDS: Final = changes.NAMES[1:]
STATES: Final = (QUEUED, QUARANTINED, *ENDS)


class MovedError(Error):
    """What was being read was given up by the shard's owner meanwhile."""


@dataclass(slots=True)
class Account:
    """What became of everything that one shard has accepted.

    Attributes:
        ends: how many entries are in each of STATES.
        upto: number of the last record seen of the state log: the account is of that moment.
        told: entries of which the event stream has said anything: those proved one by one.
        repeated: entries that are here again although their end was told, or that ended once more:
            a power cut took the record of the first end. They will be, or were, delivered twice.
        faults: what does not fit, in words. Empty: the identity is proved.
    """

    accepted: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    upto: int = 0
    told: int = 0
    repeated: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return not self.faults and self.accepted == self.ends.total()


def audit(
    disk: Disk,
    directory: str,
    entry: Callable[[int, str, str], None] | None = None,
    *,
    bodies: bool = False,
) -> Account:
    """Account for one shard.

    Args:
        bodies: read all of what is queued, and not only its envelopes.
        entry: told of each entry there is any trace of: id, state, recipient ("" if only the
            record of a settled one is left).

    Raises:
        MovedError: its owner was faster than we, again and again.
        FormatError: it is of a newer version.
        OSError: the disk failed.
    """
    for _ in range(TRIES):
        try:
            looked = _Look(disk, directory)
            account = looked.account(bodies=bodies)
        except (FileNotFoundError, MovedError):
            continue
        if entry is not None:
            for each in looked.entries():
                entry(*each)
        return account
    raise MovedError("the shard changes faster than it can be read", directory=directory)


class _Look:
    """One reading of a shard."""

    def __init__(self, disk: Disk, directory: str) -> None:
        self._disk = disk
        self._directory = directory
        self._account = Account()
        self._addresses: dict[int, str] = {}  # of whom the stream told
        self._told: dict[int, int] = {}  # ends, by the stream: number of the record, and how
        self._again: set[int] = set()  # of which more than one end was told
        self._told_data = array("Q", (0,))  # numbers of records of the data log, rising
        self._live: dict[int, bytes] = {}
        self._isolated: set[int] = set()
        self._ended: dict[int, str] = {}  # by the state log, from the checkpoint on
        self._numbers: dict[int, int] = {}  # of the records which say so

    # -- reading --------------------------------------------------------------------------

    def account(self, *, bodies: bool) -> Account:
        account, before = self._account, self._newest()
        self._read_stream()
        found = take(self._disk, self._directory, high_water=False, readonly=True)
        try:
            account.faults += [f"the checkpoint is damaged: {each}" for each in found.faults]
            self._apply(found)
            self._match()
            self._look_into(found, bodies=bodies)
        finally:
            if found.reader is not None:
                found.reader.close()
        if not before == found.newest == self._newest():
            raise MovedError("there is a newer checkpoint", directory=self._directory)
        return account

    def _newest(self) -> int:
        names = self._disk.names(f"{self._directory}/{checkpoint.DIRECTORY}")
        return checkpoint.newest(names)

    def _read_stream(self) -> None:
        tail = Tail(self._disk, f"{self._directory}/{MESSAGES}", KINDS[MESSAGES])
        at = idle = 0
        try:
            while idle < IDLE:
                records = tail.read(at, RECORDS)
                idle = 0 if records else idle + 1
                for at, payload in records:  # noqa: B007 - it goes on behind the last one
                    self._hear(payload)
            if tail.missed:
                raise MovedError("events were given up while they were read")
        finally:
            tail.close()

    def _hear(self, payload: bytes) -> None:
        try:
            for log, number, octets in frames(payload):
                if log == FROM_DATA and number > self._told_data[-1]:
                    self._told_data.append(number)
                event = decode(octets)
                if isinstance(event, Reception):
                    self._addresses[event.id] = event.rcpt
                elif isinstance(event, Ended):
                    self._addresses[event.id] = event.rcpt
                    self._end(event.id, number, changes.outcome(event))
        except EventError as error:
            self._fault(f"an event cannot be read: {error}")

    def _end(self, ident: int, number: int, outcome: int) -> None:
        """An end is told again after a crash, under its number; another one is another end."""
        before, told = self._told.get(ident), number << OUTCOME | outcome
        if before is None or number > before >> OUTCOME:
            self._told[ident] = told
        if before is None or before == told:
            return
        self._again.add(ident)
        if before >> OUTCOME == number:
            self._fault(f"{printed(ident)} was told to be {_how(before)} and {_how(told)}")

    def _apply(self, found: Inventory) -> None:
        """Put checkpoint, state and data together; the state log is read before the data log."""
        account, reader = self._account, found.reader
        counts = dict.fromkeys(changes.NAMES, 0)
        position = begun = 0
        if reader is not None:
            meta = reader.meta
            counts |= dict(zip(changes.NAMES, meta.counts, strict=False))
            position, begun = meta.position, meta.state_segment
            account.upto = meta.state_number - 1
        settled: list[Found] = []
        state = [each for each in found.state.segments if each.sequence >= begun]
        for segment in state:
            self._scan(STATE, segment, state, settled.append)
        # What was written again after a failed write is older than the checkpoint, and in it.
        settled = [each for each in settled if each.number > account.upto]
        puts: list[tuple[Found, int]] = []
        self._scan_data(found.data.segments, position, puts)
        if reader is not None:
            for _ in reader.entries(self._rows):
                pass
            if reader.damaged:
                self._fault("the checkpoint is damaged: entries may be missing")
        at_checkpoint = len(self._live)
        fresh = self._enter(puts)
        at_checkpoint += self._change(settled, fresh)
        left = counts["created"] - sum(counts[name] for name in ENDS)
        if at_checkpoint != left:
            self._fault(f"the checkpoint counts {left} entries and has {at_checkpoint}")
        account.accepted = counts["created"] + len(fresh)
        account.ends.update({name: counts[name] for name in ENDS})
        account.ends.update(self._ended.values())
        account.ends[QUARANTINED] = len(self._isolated)
        account.ends[QUEUED] = len(self._live) - len(self._isolated)

    def _scan_data(
        self, segments: Sequence[Segment], position: int, puts: list[tuple[Found, int]]
    ) -> None:
        for segment, later in zip(segments, [*segments[1:], None], strict=False):
            # Where none follows on the disk, its owner goes on with the number that would.
            end = segment.first + room(segment) if later is None else later.first
            if end - 1 <= position:
                continue
            found: list[Found] = []
            # What was told of this segment was on the disk, and must be there still.
            told = self._told_data[bisect_left(self._told_data, end) - 1]
            known = position if segment.first <= position else 0
            self._scan(DATA, segment, segments, found.append, max(told, known))
            puts += [(each, segment.sequence) for each in found if each.number > position]

    def _scan(
        self,
        name: str,
        segment: Segment,
        among: Sequence[Segment],
        taken: Callable[[Found], None],
        synced: int = 0,
    ) -> None:
        later = next((each for each in among if each.sequence > segment.sequence), None)
        ceiling = 1 << 64 if later is None else later.floor
        path = f"{self._directory}/{name}/{name_of(segment.sequence)}"
        handle = self._disk.open(path, readonly=True)
        try:
            scan = Scan(
                self._disk, handle, segment, taken,
                ceiling=ceiling,
                synced=min(synced, ceiling),
                follows=later is not None and not later.flags & CUT,
            )  # fmt: skip
            outcome = complete(scan.run())
        finally:
            self._disk.close(handle)
        for gap in outcome.gaps:
            self._fault(f"{path} is damaged from {gap.start} to {gap.end}")

    def _rows(
        self, rows: list[tuple[int, bytes]], _keys: dict[int, tuple[str, str, str]], isolated: bool
    ) -> None:
        self._live.update(rows)
        if isolated:
            self._isolated.update(ident for ident, _ in rows)

    # -- putting together -----------------------------------------------------------------

    def _enter(self, puts: Sequence[tuple[Found, int]]) -> set[int]:
        """Add what came after the checkpoint; return the ids."""
        fresh: set[int] = set()
        for found, segment in puts:
            if found.kind not in (envelope.PUT, envelope.MOVE):
                continue
            try:
                prefix = envelope.prefix_of(found.meta)
                items = list(envelope.items(found.meta, prefix))
            except DamageError as error:
                self._fault(f"record {found.number} of the data log makes no sense: {error}")
                continue
            for ident, at, _ in items:
                place = (segment, found.offset, HEAD_SIZE + at)
                if found.kind == envelope.MOVE:
                    if ident in self._live:
                        self._live[ident] = with_place(self._live[ident], *place)
                    continue
                if ident in self._live:
                    self._fault(f"{printed(ident)} was accepted twice")
                fresh.add(ident)
                self._live[ident] = SLOT.pack(0, 0, 0, 0, *place, prefix.size)
        return fresh

    def _change(self, records: Sequence[Found], fresh: set[int]) -> int:
        """Apply the state log; return how many ended while the checkpoint was written."""
        account, ended, vanished = self._account, self._ended, 0
        for found in records:
            account.upto = max(account.upto, found.number)
            try:
                if found.kind == changes.SETTLE:
                    ident, outcome = changes.read_settled(found.meta)
                    if ident in ended:
                        self._fault(f"{printed(ident)} ended twice")
                        continue
                    ended[ident] = changes.NAMES[outcome]
                    self._numbers[ident] = found.number
                    vanished += self._live.pop(ident, None) is None
                    self._isolated.discard(ident)
                elif found.kind == changes.ISOLATE:
                    self._isolated.add(changes.read_only(found.meta))
                elif found.kind == changes.RELEASE:
                    self._isolated.discard(changes.read_only(found.meta))
            except DamageError as error:
                self._fault(f"record {found.number} of the state log makes no sense: {error}")
        self._isolated &= self._live.keys()
        return vanished

    def _match(self) -> None:
        """Compare what was told with what is known, by id."""
        account, live, ended, told = self._account, self._live, self._ended, self._told
        account.told = len(self._addresses)
        for ident in self._addresses:
            if ident in live:
                account.repeated += ident in told or ident in self._again
            elif ident not in told and ident not in ended:
                self._fault(f"{printed(ident)} was accepted and is nowhere")
        account.repeated += len(self._again - live.keys())
        for ident in told.keys() & ended.keys():
            how, number = _how(told[ident]), told[ident] >> OUTCOME
            if number < self._numbers[ident]:
                # Its last end is not told yet, and an earlier one was: the record of that is lost.
                account.repeated += ident not in self._again and ident not in live
            elif how != ended[ident]:
                self._fault(f"{printed(ident)} is {ended[ident]} and was told as {how}")

    def _look_into(self, found: Inventory, *, bodies: bool) -> None:
        """See whether what is queued can be read; that is not asked of quarantined entries."""
        log = Log(
            self._disk, f"{self._directory}/{DATA}", Manner("data", 1), random=Random(0),
            clock=float,
        )  # fmt: skip
        log.segments = {each.sequence: each for each in found.data.segments}
        for segment in log.segments.values():
            segment.closed = True
        contents = Contents(self._disk, log, 0, f"{self._directory}/{large.DIRECTORY}")
        try:
            for ident, slot in self._live.items():
                try:
                    message, recipient = contents.load(ident, slot)
                    self._addresses[ident] = recipient.address
                    if bodies and ident not in self._isolated:
                        for _ in message.body.pieces():
                            pass
                except DamageError as error:
                    if ident not in self._isolated:
                        self._fault(f"{printed(ident)} is queued and cannot be read: {error}")
        finally:
            for segment in log.segments.values():
                contents.shut(segment)

    def _fault(self, text: str) -> None:
        if len(self._account.faults) < FAULTS_SHOWN:
            self._account.faults.append(text)

    def entries(self) -> Iterator[tuple[int, str, str]]:
        """Yield (id, state, recipient) of all there is a trace of, in order."""
        address = self._addresses.get
        for ident in sorted(self._live.keys() | self._ended.keys() | self._addresses.keys()):
            if ident in self._live:
                state = QUARANTINED if ident in self._isolated else QUEUED
            else:
                told = self._told.get(ident)
                state = self._ended.get(ident) or ("lost" if told is None else _how(told))
            yield ident, state, address(ident, "")


def _how(told: int) -> str:
    return changes.NAMES[told & (1 << OUTCOME) - 1]
