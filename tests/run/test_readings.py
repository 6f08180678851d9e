"""The values of workers in a file they share."""

from pathlib import Path

import msgspec
import pytest

from angarium.events import metrics
from angarium.events.metrics import merged
from angarium.run.readings import FRESH_SECONDS, PAST, ROW_OCTETS, Readings

SOLD = metrics.counter("test_sold", "For these tests.")
KEPT = metrics.gauge("test_kept", "For these tests.")
TOOK = metrics.histogram("test_took", "For these tests.")


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
    readings._file._map[0] |= 1  # as the death in the middle leaves it
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


def test_what_the_dead_have_counted_stays_in_the_sum(readings: Readings) -> None:
    readings.write(0, {"test_sold": 5, "test_kept": 7, "test_took": [1, 2]}, 100.0)
    readings.write(1, {"test_sold": 1}, 100.0)
    readings.bury(0, 100.0)
    assert merged(readings.read(100.0).values()) == {"test_sold": 6, "test_took": [1, 2]}
    readings.write(0, {"test_sold": 2}, 101.0)
    readings.bury(0, 101.0)
    assert merged(readings.read(101.0).values())["test_sold"] == 8


def test_the_past_does_not_grow_old(readings: Readings) -> None:
    readings.write(0, {"test_sold": 5}, 100.0)
    readings.bury(0, 100.0)
    assert readings.read(100.0 + 10 * FRESH_SECONDS) == {PAST: {"test_sold": 5}}


def test_who_never_wrote_leaves_nothing(readings: Readings) -> None:
    readings.bury(3, 100.0)
    assert readings.read(100.0) == {}


def test_a_row_of_another_version_is_passed_over(readings: Readings) -> None:
    readings._file.put(0, msgspec.msgpack.encode({"test_sold": 5}), 100.0)
    readings._file.put(1, b"\xc1nonsense", 100.0)
    readings.write(2, {"test_sold": 1}, 100.0)
    assert readings.read(100.0) == {2: {"test_sold": 1}}
    readings.bury(0, 100.0)
    readings.bury(1, 100.0)
    assert readings.read(100.0) == {2: {"test_sold": 1}}
