import pytest

from angarium.policy.shared.monitors import KINDS, monitored, monitors, name_of, series_of
from angarium.policy.shared.node import Shared, SharedError
from helpers.clock import FakeClock


@pytest.fixture
def shared() -> Shared:
    found = Shared(FakeClock())
    for kind in KINDS:
        found.define_series(name_of(kind, "300,6"), "address", 300, 7)
    found.define_series("mine", "cidr", 60, 3)
    return found


def test_monitors_are_found_as_they_are_written(shared: Shared) -> None:
    assert monitors(shared) == ["300,6"]
    assert monitored(shared, "receptions", "300, 6").interval == 300
    with pytest.raises(SharedError, match="no monitor '60,1'"):
        monitored(shared, "receptions", "60,1")


def test_a_command_names_a_series_with_its_windows(shared: Shared) -> None:
    assert series_of(shared, "connections", "300,6").windows == 7
    assert series_of(shared, "mine", "60,3").name == "mine"
    with pytest.raises(SharedError, match="has the windows 60,3"):
        series_of(shared, "mine", "300,6")
    with pytest.raises(SharedError, match="no audit series"):
        series_of(shared, "yours", "300,6")
