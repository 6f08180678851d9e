"""What is beyond a limit, and back within it."""

from pathlib import Path

import pytest

from angarium.modules.monitor import thresholds
from angarium.modules.monitor.incidents import Incidents, Limits
from angarium.modules.monitor.options.alerts import Alerting
from angarium.modules.monitor.thresholds import Measures

GB = 1 << 30
LIMITS = Alerting.make(disk_free=10.0, memory_free=5.0, queue_size=100, log_lag=60.0)


def wrong(*looks: Measures, limits: Alerting = LIMITS) -> list[str]:
    """Return what is wrong after some looks."""
    incidents = Incidents(Limits())
    for now, measures in enumerate(looks):
        thresholds.look(measures, limits, incidents, float(now))
    return [f"{each.kind} {each.about}".strip() for each in incidents if not each.over]


def space(percent: float) -> Measures:
    return Measures({"/spool": (int(percent * GB / 100), GB)})


@pytest.mark.parametrize(("percent", "said"), [(9.9, ["disk /spool"]), (10.1, [])])
def test_a_disk_with_too_little_room_is_told(percent: float, said: list[str]) -> None:
    assert wrong(space(percent)) == said


def test_what_was_too_little_has_to_be_a_little_more() -> None:
    assert wrong(space(9.0), space(11.9)) == ["disk /spool"]
    assert wrong(space(9.0), space(12.1)) == []


@pytest.mark.effect("alerting.memory_free")
def test_memory_of_the_machine_is_told() -> None:
    low = Measures({}, memory=(4 * GB, 100 * GB))
    assert wrong(low) == ["machine"]
    assert wrong(low, limits=LIMITS.replace(memory_free=0.0)) == []
    assert wrong(Measures({})) == []  # not known


@pytest.mark.effect("alerting.queue_size")
def test_long_queues_are_told_when_somebody_wants_it() -> None:
    assert wrong(Measures({}, queued=99)) == []
    assert wrong(Measures({}, queued=100)) == ["queue"]
    assert wrong(Measures({}, queued=100), Measures({}, queued=84)) == ["queue"]
    assert wrong(Measures({}, queued=100), Measures({}, queued=82)) == []
    assert wrong(Measures({}, queued=10**9), limits=LIMITS.replace(queue_size=None)) == []


@pytest.mark.effect("alerting.log_lag")
def test_logs_which_are_behind_are_told() -> None:
    assert wrong(Measures({}, lag=59.0)) == []
    assert wrong(Measures({}, lag=60.0)) == ["lag"]
    assert wrong(Measures({}, lag=60.0), Measures({}, lag=1.0)) == []


def test_what_nobody_says_changes_nothing() -> None:
    assert wrong(Measures({}, queued=100, lag=60.0), Measures({})) == ["queue", "lag"]


def test_each_disk_is_looked_at_once(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    found = thresholds.disks([str(tmp_path), str(inside), str(tmp_path / "nowhere")])
    [(folder, (free, size))] = found.items()
    assert folder == str(tmp_path)
    assert 0 < free <= size


def test_the_memory_is_what_the_system_says() -> None:
    text = "MemTotal:       8000 kB\nMemFree: 1 kB\nMemAvailable:    2000 kB\n"
    assert thresholds.memory(text) == (2000 * 1024, 8000 * 1024)
    assert thresholds.memory("MemTotal: x kB\n") == (0, 0)
    assert thresholds.memory("") == (0, 0)
    available, size = thresholds.memory(thresholds.MEMINFO.read_text())
    assert 0 < available <= size
