from pathlib import Path

import pytest

from angarium.core import fault
from angarium.core.fault import Faults, point


def test_a_point_does_nothing_until_it_is_armed() -> None:
    Faults().hit("spool.appended")


def test_the_third_hit_fails_and_only_it() -> None:
    faults = Faults("spool.appended:3=error")
    faults.hit("spool.appended")
    faults.hit("spool.other")
    faults.hit("spool.appended")
    with pytest.raises(OSError, match="fault injected"):
        faults.hit("spool.appended")
    faults.hit("spool.appended")


def test_a_point_disarmed_is_a_point_again() -> None:
    faults = Faults("a=error")
    faults.disarm()
    faults.hit("a")


def test_a_declared_point_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    listed: dict[str, str] = {}
    monkeypatch.setattr(fault, "POINTS", listed)
    name = point("test.point", "only here")
    assert listed[name] == "only here"


def test_a_point_may_be_armed_for_one_of_those_which_reach_it() -> None:
    seen: list[str] = []
    faults = Faults()
    faults.arm("a/one", lambda: seen.append("one"), 2)
    faults.hit("a", "one")
    faults.hit("a", "other")
    faults.hit("a")
    assert seen == []
    faults.hit("a", "one")
    assert seen == ["one"]


def test_a_point_may_be_spent_for_all_processes(tmp_path: Path) -> None:
    first, second = (Faults("a/b=error,c=error", str(tmp_path)) for _ in range(2))
    with pytest.raises(OSError, match="fault injected"):
        first.hit("a", "b")
    second.hit("a", "b")
    with pytest.raises(OSError, match="fault injected"):
        second.hit("c")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a-b", "c"]
