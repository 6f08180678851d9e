"""What the supervisor tells, and what stays of the dead."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from angarium.run.nodewide import NodeWide
from angarium.run.readings import PAST, SUPERVISOR, Readings
from helpers.clock import FakeClock

FLEET: Any = SimpleNamespace(stopping=False, deaths=2, children=[1, 2])
TABLE: Any = SimpleNamespace(rows=lambda: 7)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    return tmp_path


def told(state: Path, clock: FakeClock) -> dict[str, Any]:
    return dict(Readings(state / "run" / "readings").read(clock.time())[SUPERVISOR])


def test_it_tells_of_workers_disk_and_configuration(state: Path) -> None:
    clock = FakeClock()
    wide = NodeWide(state, clock, anew=True)
    wide.open()
    wide.look(FLEET, TABLE, 3, 9)
    values = told(state, clock)
    assert (values["workers"], values["workers_running"], values["worker_deaths"]) == (3, 2, 2)
    assert (values["generation"], values["stopping"], values["ledger_rows"]) == (9, 0, 7)
    assert 0 < values["disk_free"] <= values["disk_size"]
    assert values["started"] == clock.time()
    wide.close()


def test_readings_of_the_last_run_are_gone_at_a_start_but_not_at_an_upgrade(state: Path) -> None:
    clock = FakeClock()
    NodeWide(state, clock, anew=True).open()
    first = NodeWide(state, clock, anew=True)
    first.open()
    first.look(FLEET, TABLE, 1, 1)
    began = clock.time()
    clock.advance(5.0)
    heir = NodeWide(state, clock, anew=False)
    heir.open()
    heir.look(FLEET, TABLE, 1, 2)
    assert told(state, clock)["started"] == began
    anew = NodeWide(state, clock, anew=True)
    anew.open()
    assert Readings(state / "run" / "readings").read(clock.time()) == {}


def test_what_a_worker_counted_outlives_it(state: Path) -> None:
    clock = FakeClock()
    wide = NodeWide(state, clock, anew=True)
    wide.open()
    readings = Readings(state / "run" / "readings")
    readings.write(4, {"deliveries": 8, "queued": 3}, clock.time())
    for name in ("worker 4", "web", "monitor"):
        child: Any = SimpleNamespace(name=name)
        wide.bury(child)
    assert readings.read(clock.time()) == {PAST: {"deliveries": 8}}


def test_without_room_for_the_file_it_goes_on_and_tells_later(tmp_path: Path) -> None:
    clock = FakeClock()
    wide = NodeWide(tmp_path, clock, anew=True)
    wide.open()
    wide.look(FLEET, TABLE, 1, 1)
    (tmp_path / "run").mkdir()
    wide.look(FLEET, TABLE, 1, 1)
    assert told(tmp_path, clock)["workers"] == 1
