"""A shard against a model of it, with kills and power cuts wherever hypothesis puts them."""

from dataclasses import dataclass, field

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from angarium.core.message import Message, Recipient
from angarium.queue.spool.audit import audit
from helpers.disk import MemoryDisk
from helpers.rounds import rounds
from helpers.spool import HOME, Life


@dataclass
class Known:
    """What the model knows of an entry that was acknowledged or may exist."""

    address: str
    content: bytes
    timings: list[tuple[int, int]] = field(default_factory=lambda: [(0, 0)])  # may be found
    bindings: list[str] = field(default_factory=lambda: ["default"])
    ended: bool = False
    written: bool = False  # its end would survive a kill
    synced: bool = False  # ... and a power cut


class Shard(RuleBasedStateMachine):
    """Nothing acknowledged is lost, nothing durably ended comes back, the account is right."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[int, Known] = {}
        self.pending: list[tuple[Message, list[Recipient], bytes]] = []

    @initialize()
    def begin(self) -> None:
        self.disk = MemoryDisk()
        self.failing = False
        self.life = Life(self.disk).start()

    # -- what a worker does

    @rule(count=st.integers(1, 3), size=st.integers(0, 3000), fill=st.sampled_from(b"ab\0"))
    def put(self, count: int, size: int, fill: int) -> None:
        content = bytes([fill]) * size
        addresses = [f"r{len(self.pending)}-{n}@example.org" for n in range(count)]
        message, recipients = self.life.begin(*addresses, body=content)
        self.pending.append((message, recipients, content))

    @rule(turns=st.integers(1, 30))
    def some_turns(self, turns: int) -> None:
        for _ in range(turns):
            self.life.pass_time(0.0)
        self.acknowledge()

    @rule()
    def a_moment(self) -> None:
        self.life.pass_time(0.02)
        self.acknowledge()
        if not self.life.spool.delivery:
            return
        for known in self.entries.values():
            known.written = known.ended

    @rule()
    def some_seconds(self) -> None:
        self.life.pass_time(2.5)
        self.acknowledge()
        if not self.life.spool.delivery:
            return  # What can't be written is not.
        for known in self.entries.values():
            known.written = known.synced = known.ended
            del known.timings[:-1], known.bindings[:-1]

    @rule(data=st.data())
    @precondition(lambda self: self.life.spool.live)
    def settle(self, data: st.DataObject) -> None:
        ident = data.draw(st.sampled_from(sorted(self.life.spool.live)))
        self.life.deliver(ident)
        self.entries[ident].ended = True

    @rule(data=st.data(), attempts=st.integers(1, 9), due=st.integers(1, 10**6))
    @precondition(lambda self: self.life.spool.live)
    def defer(self, data: st.DataObject, attempts: int, due: int) -> None:
        ident = data.draw(st.sampled_from(sorted(self.life.spool.live)))
        self.life.spool.defer(ident, attempts, due, None)
        self.entries[ident].timings.append((attempts, due))

    @rule(pieces=st.lists(st.integers(0, 200_000), min_size=1, max_size=3))
    @precondition(lambda self: self.life.spool.intake)
    def put_large(self, pieces: list[int]) -> None:
        writer = self.life.spool.large()
        content = b""
        for size in pieces:
            piece = bytes([size % 251]) * size
            writer.write(piece)
            content += piece
        message, recipients = self.life.begin("large@example.org", body=writer.finish())
        self.pending.append((message, recipients, content))

    @rule(data=st.data(), binding=st.sampled_from("abc"))
    @precondition(lambda self: self.life.spool.live)
    def rebind(self, data: st.DataObject, binding: str) -> None:
        ident = data.draw(st.sampled_from(sorted(self.life.spool.live)))
        self.life.spool.rebind(ident, "default", binding, "example.net", None)
        self.entries[ident].bindings.append(binding)

    @rule()
    @precondition(lambda self: len(self.life.spool.live) > 2)
    def settle_most(self) -> None:
        """Leave so little that compaction has something to do."""
        for ident in sorted(self.life.spool.live)[:-1]:
            self.life.deliver(ident)
            self.entries[ident].ended = True

    @rule(room=st.integers(0, 20_000))
    def disk_is_full(self, room: int) -> None:
        self.disk.capacity = self.disk.used + room

    @rule()
    def disk_has_room(self) -> None:
        self.disk.capacity = 1 << 40

    @rule(nth=st.integers(1, 4))
    def disk_fails(self, nth: int) -> None:
        self.disk.fail_at(nth)
        self.failing = True

    @rule(turns=st.integers(1, 40))
    def checkpoint_interrupted(self, turns: int) -> None:
        keeper = self.life.keeper()
        if keeper.shard is not None and not keeper.busy:
            keeper.shard.slices.steps = 1
            keeper.checkpoint(lambda failure: None)
            self.some_turns(turns)

    # -- what happens to it

    @rule()
    def kill(self) -> None:
        self.acknowledge()
        self.restart(self.life.kill(), power=False)

    @rule(data=st.data())
    def power_cut(self, data: st.DataObject) -> None:
        self.acknowledge()
        seed = data.draw(st.randoms(use_true_random=False))
        self.life.kill()
        self.restart(self.disk.power_cut(seed.randrange), power=True)

    @rule()
    def stop(self) -> None:
        self.disk.repair()
        self.disk_has_room()
        self.life.pass_time(3.0)
        self.acknowledge()
        self.life.stop()
        self.acknowledge()
        for known in self.entries.values():
            known.written = known.synced = known.ended
            del known.timings[:-1], known.bindings[:-1]
        self.restart(self.disk, power=False)

    # -- what must hold

    def acknowledge(self) -> None:
        """Learn which puts were acknowledged: from now on they may not be lost."""
        outcomes, waiting = self.life.outcomes, []
        for message, recipients, content in self.pending:
            if id(message) not in outcomes:
                waiting.append((message, recipients, content))
            elif outcomes[id(message)] is not None and self.failing:
                # Refused after a sync failed: nobody knows what of it the device has.
                waiting.append((message, recipients, content))
            elif outcomes[id(message)] is None:
                for recipient in recipients:
                    self.entries[recipient.id] = Known(recipient.address, content)
        self.pending = waiting

    def restart(self, disk: MemoryDisk, *, power: bool) -> None:
        self.disk = disk
        disk.repair()
        self.disk_has_room()
        self.failing = False
        # The clock goes on, or what is due would be moved (DRIFT in `recover`).
        now = self.life.loop.clock.time()
        self.life = life = Life(disk, start=now).start()
        for _, recipients, content in self.pending:
            for recipient in recipients:
                if recipient.id in life.spool.live:
                    self.entries[recipient.id] = Known(recipient.address, content)
        self.pending.clear()
        assert not life.alarms
        assert life.found.keys() == life.spool.live.keys()
        assert life.spool.live.keys() <= self.entries.keys()
        for ident, known in self.entries.items():
            self.check(ident, known, power=power)
        self.check_account()

    def check(self, ident: int, known: Known, *, power: bool) -> None:
        spool = self.life.spool
        if ident not in spool.live:
            assert known.ended, (
                f"an acknowledged entry is gone: {ident} {known} {self.life.spool.live.keys()}"
            )
            known.written = known.synced = True
            return
        assert not (known.synced if power else known.written), "an ended entry is back"
        known.ended = known.written = False
        message, recipient = spool.load(ident)
        assert (recipient.address, message.body.whole()) == (known.address, known.content)
        slot = spool.slot(ident)
        assert (slot.attempts, slot.due) in known.timings
        known.timings = [(slot.attempts, slot.due)]
        binding = spool.routes.key(slot.route)[1]
        assert binding in known.bindings
        known.bindings = [binding]

    def check_account(self) -> None:
        """The witness of the files agrees, entry by entry."""
        self.life.pass_time(0.02)
        states: dict[int, str] = {}

        def seen(ident: int, state: str, _address: str) -> None:
            states[ident] = state

        counted = audit(self.disk, HOME, seen, bodies=True)
        assert counted.sound, counted
        assert counted.accepted == self.life.spool.counts()["created"]
        assert counted.told == len(self.entries)
        for ident, known in self.entries.items():
            assert states[ident] == ("delivered" if known.ended else "queued")

    def teardown(self) -> None:
        if hasattr(self, "life"):
            self.life.kill()


TestShard = pytest.mark.torture(Shard.TestCase)
TestShard.settings = settings(max_examples=rounds(25, 500), stateful_step_count=30, deadline=None)
