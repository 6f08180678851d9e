"""The share of the memory which counts is the larger one: ours, or that of our control group."""

from pathlib import Path

from angarium.queue.footprint import (
    Footprint,
    Hollow,
    Inside,
    Reading,
    group_of,
    in_use,
    total,
    trim,
)

KB = 1024
MB = 1 << 20


class Machine:
    """The files of a machine with 1 GB, on which we use 100 MB."""

    def __init__(self, folder: Path) -> None:
        self.root, self.groups = folder, folder / "groups"
        self.proc = folder / "proc"
        (self.proc / "self").mkdir(parents=True)
        (self.proc / "meminfo").write_text(f"MemTotal:       {MB} kB\nMemFree: 1 kB\n")
        self.resident = 100 * MB
        self.blocks, self.octets = 1_000_000, 0

    @property
    def resident(self) -> int:
        return self._resident

    @resident.setter
    def resident(self, octets: int) -> None:
        self._resident = octets
        (self.proc / "self/statm").write_text(f"999999 {octets // 4096} 400 5 0 123 0\n")

    def group(self, line: str) -> None:
        (self.proc / "self/cgroup").write_text(line)

    def write(self, name: str, text: str) -> None:
        path = self.groups / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def footprint(self, workers: int = 1) -> Footprint:
        return Footprint(workers, self.root, self.groups, lambda: Inside(self.blocks, self.octets))


def test_this_process_has_memory_and_a_share() -> None:
    whole, half = Footprint(1)(), Footprint(2)()
    assert 0 < whole.used < whole.limit
    assert abs(half.limit - whole.limit // 2) <= 1


def test_workers_share_the_machine(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    assert machine.footprint()() == Reading(100 * MB, 1024 * MB)
    assert machine.footprint(4)().limit == 256 * MB
    assert total(machine.proc) == 1024 * MB


def test_the_smallest_limit_of_our_control_groups_counts(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.group("0::/a/b\n")
    for name in ("a/b", "a"):
        machine.write(f"{name}/memory.current", f"{150 * MB}")
        machine.write(f"{name}/memory.stat", "anon 1\n")
    machine.write("a/b/memory.max", "max\n")
    assert group_of(machine.proc, machine.groups) is None
    machine.write("a/memory.max", f"{500 * MB}\n")
    assert machine.footprint()().limit == 500 * MB
    machine.write("a/b/memory.high", f"{400 * MB}\n")
    assert machine.footprint()().limit == 400 * MB
    machine.write("a/b/memory.max", f"{450 * MB}\n")
    assert machine.footprint()().limit == 400 * MB


def test_all_of_a_group_counts_but_what_the_kernel_can_take_back(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.group("0::/a\n")
    machine.write("a/memory.max", f"{500 * MB}")
    machine.write("a/memory.current", f"{450 * MB}")
    stat = f"anon 1\ninactive_file {100 * MB}\nactive_file {50 * MB}\nslab_reclaimable {60 * MB}\n"
    machine.write("a/memory.stat", stat)
    assert machine.footprint()() == Reading(240 * MB, 500 * MB)
    # Of two workers each is as full as the group, or as it is itself.
    assert machine.footprint(2)() == Reading(120 * MB, 250 * MB)
    machine.resident = 130 * MB
    assert machine.footprint(2)() == Reading(130 * MB, 250 * MB)


def test_a_group_which_cannot_be_read_any_more_leaves_what_is_ours(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.group("0::/a\n")
    machine.write("a/memory.max", f"{500 * MB}")
    machine.write("a/memory.current", f"{450 * MB}")
    machine.write("a/memory.stat", "anon 1\n")
    footprint = machine.footprint()
    assert footprint().used == 450 * MB
    (machine.groups / "a/memory.stat").unlink()
    assert footprint() == Reading(100 * MB, 500 * MB)


def test_groups_of_version_1_count_too(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.group("9:name=systemd:/\n4:memory:/pod/x\n1:cpu:/\n0::/\n")
    machine.write("memory/memory.limit_in_bytes", f"{1 << 63}")
    machine.write("memory/pod/x/memory.limit_in_bytes", f"{300 * MB}")
    machine.write("memory/pod/x/memory.usage_in_bytes", f"{290 * MB}")
    stat = f"inactive_file 7\ntotal_inactive_file {90 * MB}\ntotal_active_file {20 * MB}\n"
    machine.write("memory/pod/x/memory.stat", stat)
    assert machine.footprint()() == Reading(180 * MB, 300 * MB)


def test_what_objects_left_behind_is_hollow(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    footprint = machine.footprint()
    assert footprint().hollow == 0
    machine.resident, machine.blocks = 900 * MB, 11_000_000
    assert footprint().hollow == 0
    machine.blocks = 1_000_000  # all of them are gone, and no octet went back
    reading = footprint()
    assert reading.hollow == 800 * MB
    assert reading.packed < reading.percent < 100.0
    machine.resident = 700 * MB  # a part of it did after all
    assert footprint().hollow == 600 * MB


def test_what_contents_take_is_not_hollow(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    footprint = machine.footprint()
    footprint()
    machine.resident, machine.blocks = 900 * MB, 11_000_000
    footprint()
    machine.blocks, machine.octets = 1_000_000, 700 * MB
    assert footprint().hollow == 100 * MB


def test_nothing_is_hollow_while_there_are_more_objects_than_ever() -> None:
    hollow = Hollow()
    assert hollow.of(100 * MB, Inside(0, 0)) == 0
    assert hollow.of(200 * MB, Inside(1 << 20, 0)) == 0  # 100 octets each
    assert hollow.of(500 * MB, Inside(2 << 20, 0)) == 0  # 200
    assert hollow.of(500 * MB, Inside(1 << 20, 0)) == 200 * MB
    assert hollow.of(500 * MB, None) == 0


def test_what_is_hollow_is_used_first_and_growth_is_no_hollow() -> None:
    hollow = Hollow()
    hollow.of(100 * MB, Inside(0, 0))
    hollow.of(300 * MB, Inside(2 << 20, 0))  # 100 octets each
    assert hollow.of(300 * MB, Inside(1 << 20, 0)) == 100 * MB
    assert hollow.of(300 * MB, Inside(3 << 19, 0)) == 50 * MB
    # Larger objects come: what they need beyond the size of the others is in use.
    assert hollow.of(400 * MB, Inside(7 << 18, 0)) == 50 * MB
    assert hollow.of(450 * MB, Inside(7 << 18, 0)) == 50 * MB
    assert hollow.of(400 * MB, Inside(7 << 18, 0)) == 0  # given back


def test_to_and_fro_makes_nothing_hollow() -> None:
    hollow = Hollow()
    hollow.of(100 * MB, Inside(0, 0))
    hollow.of(300 * MB, Inside(2 << 20, 0))
    for _ in range(50):
        hollow.of(200 * MB, Inside(1 << 20, 0))
        assert hollow.of(300 * MB, Inside(2 << 20, 0)) == 0
        hollow.of(300 * MB, Inside(1 << 20, 0))
        assert hollow.of(300 * MB, Inside(2 << 20, 0)) == 0


def test_this_process_tells_what_it_uses() -> None:
    before, content = in_use(), bytes(8 * MB)
    after = in_use()
    assert before is not None
    assert after is not None
    assert after.octets - before.octets >= len(content)
    assert after.blocks > 10_000


def test_memory_can_be_given_back() -> None:
    trim()
