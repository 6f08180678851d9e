"""Reading what all processes measure."""

from pathlib import Path

import pytest

import angarium.run.declared  # noqa: F401 - all metrics
from angarium.run.busiest import Busiest
from angarium.run.readings import PAST, SUPERVISOR, Readings
from angarium.run.scoreboard import HOSE
from angarium.run.watching import Watching
from angarium.web.overview import Queue


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    return tmp_path


def test_each_row_has_the_name_of_its_process(state: Path) -> None:
    readings = Readings(state / "run" / "readings")
    for row in (0, 7, HOSE, SUPERVISOR, PAST):
        readings.write(row, {"deliveries": 1}, 100.0)
    watching = Watching(state, lambda: 100.0)
    sample = watching.history.last
    assert list(sample.rows) == ["worker 0", "worker 7", "hose", "supervisor", "past"]
    assert sample.number("deliveries") == 5
    assert sample.workers == ["worker 0", "worker 7"]


def test_a_server_which_starts_again_makes_another_file(state: Path) -> None:
    path = state / "run" / "readings"
    Readings(path).write(0, {"deliveries": 1}, 100.0)
    watching = Watching(state, lambda: 100.0)
    Readings.fresh(path).write(0, {"deliveries": 7}, 100.0)
    watching.look()
    assert watching.history.last.number("deliveries") == 7


def test_the_reader_adds_what_it_measures_itself(state: Path) -> None:
    watching = Watching(state, lambda: 100.0)
    watching.look({"web": {"process_cpu": 2.0}})
    assert watching.history.last.rows["web"] == {"process_cpu": 2.0}


def test_queues_of_all_workers_are_put_together(state: Path) -> None:
    watching = Watching(state, lambda: 100.0)
    file = Busiest(state / "run" / "busiest")
    for worker in (0, 1):
        file.write(worker, [Queue("g", "b", "x.test", 1, 2, 0, 0)], 100.0)
    assert watching.queues() == [Queue("g", "b", "x.test", 2, 4, 0, 0, "")]
    watching.close()


def test_where_no_server_ever_ran_there_is_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        Watching(tmp_path / "nowhere", lambda: 100.0)
