"""Pressure is answered in stages, and each is left only well below where it began."""

from pathlib import Path

from angarium.queue.admit import Admit
from angarium.queue.memory import Memory, Proc, Reading, Stage, total
from angarium.queue.options import Residence
from helpers.queues import Queues


class Machine:
    """A worker whose memory is what the test says, in percent; goal 80, high water 90."""

    def __init__(self) -> None:
        self.queues = Queues()
        options = Residence.make(memory_goal=80.0, memory_hwm=90.0)
        self.queues.configuration.tops[Residence] = options
        self.queues.start()
        self.admit = Admit(self.queues.spool, self.queues.board)
        self.used = 10
        self.changes: list[Stage] = []
        self.memory = Memory(self.queues.board, self.admit, self.read, self.changed)

    def read(self) -> Reading:
        return Reading(self.used, 100)

    def changed(self, stage: Stage, reading: Reading) -> None:
        self.changes.append(stage)

    def at(self, percent: int) -> Stage:
        self.used = percent
        return self.memory.sample()


def test_stages_come_one_after_the_other_and_each_is_told() -> None:
    machine = Machine()
    stages = [machine.at(percent) for percent in (79, 80, 84, 85, 90, 99)]
    assert [stage.value for stage in stages] == [0, 1, 1, 2, 3, 3]
    assert machine.changes == [Stage.SHRINK, Stage.NO_SESSIONS, Stage.NO_MAIL]


def test_a_stage_does_not_flicker() -> None:
    machine = Machine()
    stages = [machine.at(percent) for percent in (80, 79, 80, 78, 77, 79)]
    assert [stage.value for stage in stages] == [1, 1, 1, 1, 0, 0]


def test_recovery_goes_through_the_stages_down() -> None:
    machine = Machine()
    stages = [machine.at(percent) for percent in (95, 88, 87, 83, 82, 10)]
    assert [stage.value for stage in stages] == [3, 3, 2, 2, 1, 0]


def test_contents_leave_memory_and_come_back_into_it() -> None:
    machine = Machine()
    line = machine.queues.put("a.test")
    assert line.resident == 1
    machine.at(80)
    machine.queues.board.work()
    assert (line.resident, machine.queues.board.resident) == (0, 0)
    assert machine.queues.put("a.test").resident == 0
    assert len(line.take(1)) == 1
    machine.at(10)
    machine.queues.put("b.test")
    assert machine.queues.board.resident == 2


def test_sessions_are_refused_before_mail_is() -> None:
    machine = Machine()
    machine.at(85)
    assert (machine.memory.may_greet(), machine.admit.refusal()) == (False, None)
    machine.at(90)
    assert machine.admit.refusal() is not None
    machine.at(10)
    assert (machine.memory.may_greet(), machine.admit.refusal()) == (True, None)


def test_this_process_has_memory_and_a_share() -> None:
    whole, half = Proc(1)(), Proc(2)()
    assert 0 < whole.used < whole.limit
    assert abs(half.limit - whole.limit // 2) <= 1


def test_the_smallest_limit_of_our_control_groups_counts(tmp_path: Path) -> None:
    proc, groups = tmp_path / "proc", tmp_path / "groups"
    (proc / "self").mkdir(parents=True)
    (groups / "a" / "b").mkdir(parents=True)
    (proc / "meminfo").write_text("MemTotal:       1000 kB\nMemFree: 1 kB\n")
    assert total(proc, groups) == 1_024_000
    (proc / "self" / "cgroup").write_text("0::/a/b\n")
    (groups / "a" / "b" / "memory.max").write_text("max\n")
    assert total(proc, groups) == 1_024_000
    (groups / "a" / "memory.max").write_text("500000\n")
    assert total(proc, groups) == 500_000
