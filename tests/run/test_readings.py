"""The values of workers in a file they share."""

from pathlib import Path

import pytest

from angarium.run.readings import FRESH_SECONDS, ROW_OCTETS, Readings


@pytest.fixture
def readings(tmp_path: Path) -> Readings:
    return Readings(tmp_path / "readings")


def test_each_worker_has_its_own_row(tmp_path: Path, readings: Readings) -> None:
    readings.write(0, {"a": 1, "h": [0, 2]}, 100.0)
    readings.write(3, {"a": 2.5}, 100.0)
    reader = Readings(tmp_path / "readings")
    assert reader.read(100.0) == {0: {"a": 1, "h": [0, 2]}, 3: {"a": 2.5}}


def test_the_last_values_count(readings: Readings) -> None:
    readings.write(0, {"a": 1, "long": list(range(40))}, 100.0)
    readings.write(0, {"a": 2}, 101.0)
    assert readings.read(101.0) == {0: {"a": 2}}


def test_a_worker_which_writes_no_more_is_left_out(readings: Readings) -> None:
    readings.write(0, {"a": 1}, 100.0)
    assert readings.read(100.0 + FRESH_SECONDS)
    assert not readings.read(101.0 + FRESH_SECONDS)


def test_a_row_whose_writer_died_over_it_is_left_out(readings: Readings) -> None:
    readings.write(0, {"a": 1}, 100.0)
    readings._map[0] |= 1  # as the death in the middle leaves it
    assert readings.read(100.0) == {}
    readings.write(0, {"a": 2}, 100.0)
    assert readings.read(100.0) == {0: {"a": 2}}


def test_what_is_too_much_for_a_row_is_not_written(readings: Readings) -> None:
    readings.write(0, {"a": 1}, 100.0)
    assert not readings.write(0, {f"a{n}": n for n in range(ROW_OCTETS)}, 100.0)
    assert readings.read(100.0) == {0: {"a": 1}}


def test_a_fresh_file_knows_nothing_of_the_last_run(tmp_path: Path, readings: Readings) -> None:
    readings.write(0, {"a": 1}, 100.0)
    assert Readings.fresh(tmp_path / "readings").read(100.0) == {}
