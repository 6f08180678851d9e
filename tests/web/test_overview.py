"""The overview: rates and problems, out of samples."""

from collections.abc import Mapping

import pytest

import angarium.run.declared  # noqa: F401 - all metrics
from angarium.events.metrics import Durations
from angarium.web.overview import (
    MOST,
    PROBLEMS,
    History,
    Queue,
    Sample,
    overview,
    problems,
    together,
)

ROWS = {
    "supervisor": {"workers": 1.0},
    "worker 0": {"queued": 1.0},
    "hose": {"hose_lag_seconds": 0.0},
}


def history(*values: tuple[float, Mapping[str, float | list[int]]]) -> History:
    made = History()
    for at, row in values:
        made.add(Sample.of(at, {"supervisor": {"workers": 1}, "worker 0": row}))
    return made


def test_a_rate_is_that_of_the_last_seconds() -> None:
    found = history(
        (100.0, {"deliveries": 0}), (150.0, {"deliveries": 1000}), (160.0, {"deliveries": 1100})
    )
    assert found.rate("deliveries") == 10.0
    assert found.rate("deliveries", 60.0) == pytest.approx(1100 / 60)


def test_of_one_sample_there_is_no_rate() -> None:
    assert history((100.0, {"deliveries": 7})).rate("deliveries") == 0.0


def test_a_minute_has_a_value_for_each_step_and_the_latest_comes_last() -> None:
    found = history(
        *((float(at), {"deliveries": float(5 * at), "queued": float(at)}) for at in range(100, 161))
    )
    assert found.rates("deliveries") == [5.0] * 20
    assert found.course("queued") == [float(at) for at in range(100, 161, 3)]


def test_who_was_started_a_moment_ago_has_fewer_steps_and_none_is_negative() -> None:
    found = history(
        *((float(at), {"deliveries": 7.0 if at < 104 else 1.0}) for at in range(100, 107))
    )
    assert found.rates("deliveries") == [0.0, 0.0]
    assert history((100.0, {"deliveries": 7})).rates("deliveries") == []


def test_a_server_which_was_started_anew_has_no_negative_rate() -> None:
    assert history((100.0, {"deliveries": 7}), (101.0, {"deliveries": 2})).rate("deliveries") == 0.0


def test_samples_before_a_clock_that_was_set_back_are_forgotten() -> None:
    found = history((100.0, {"deliveries": 7}), (50.0, {"deliveries": 9}))
    assert found.before(60.0).at == 50.0


def test_a_minute_is_kept_and_no_more() -> None:
    found = history(*((float(second), {"deliveries": float(second)}) for second in range(500)))
    assert found.before(1e9).at == 500 - 61


def test_what_rose_of_a_label_is_told_by_its_values() -> None:
    found = history(
        (100.0, {"limits_hit|line": 5, "limits_hit|cap": 1}),
        (130.0, {"limits_hit|line": 8, "limits_hit|cap": 1}),
    )
    assert found.risen("limits_hit") == {"line": 3}
    assert found.last.number("limits_hit") == 9


def test_durations_are_those_of_the_last_minute() -> None:
    early, late = Durations(), Durations()
    early.note(100.0)
    late.note(100.0)
    late.note(0.001)
    found = history((1.0, {"stage_wait": early.counts}), (2.0, {"stage_wait": late.counts}))
    assert sum(found.durations("stage_wait")) == 1
    seen = overview(found, [], {"node": "n", "version": "v"})
    [stage] = [each for each in seen["stages"] if each["stage"] == "wait for turn"]
    assert stage["count"] == 1
    assert 0.001 <= stage["p99"] <= 0.002


def test_nothing_is_wrong_with_a_server_which_works() -> None:
    assert problems(Sample.of(1.0, ROWS)) == []


@pytest.mark.parametrize(
    ("name", "value", "words", "blocks"),
    [
        ("stopping", 1, "the server stops", True),
        ("intake_stopped", 2, "2 workers take no mail", True),
        ("delivery_stopped", 1, "1 workers deliver nothing", True),
        ("memory_stage", 2, "memory is short", True),
        ("memory_stage", 1, "", False),
        ("recovering", 1, "1 shards are being read", False),
        ("hose_held", 1, "text logs cannot be written", False),
        ("not_durable", 1, "1 workers say 250 before mail is on disk", False),
        ("hose_lag_seconds", 75, "text logs are 75 s behind", False),
        ("hose_lag_seconds", 5, "", False),
        ("suspended_bindings", 3, "3 bindings have no address", False),
        ("isolated", 4, "4 recipients are put aside", False),
        ("leaving", 1, "1 workers are to end", False),
        ("loop_pause", 2, "a worker did nothing for 2 s", False),
    ],
)
def test_each_problem_is_told(name: str, value: float, words: str, *, blocks: bool) -> None:
    found = problems(Sample.of(1.0, {**ROWS, "worker 0": {name: value}}))
    assert [each.text[: len(words)] for each in found] == ([words] if words else [])
    assert [each.blocks for each in found] == ([blocks] if words else [])


def test_a_hose_which_does_not_run_is_told() -> None:
    rows = {name: row for name, row in ROWS.items() if name != "hose"}
    [found] = problems(Sample.of(1.0, rows))
    assert found.text.startswith("the hose does not run")
    assert not found.blocks


def test_a_disk_which_is_nearly_full_is_told() -> None:
    disk = {"disk_size": 100.0, "disk_free": 5.0, "workers": 1.0}
    [found] = problems(Sample.of(1.0, {**ROWS, "supervisor": disk}))
    assert found.text == "5% of the disk of the spool is free"


def test_what_stops_mail_comes_first() -> None:
    row = {"hose_held": 1.0, "intake_stopped": 1.0, "isolated": 1.0}
    found = problems(Sample.of(1.0, {**ROWS, "worker 0": row}))
    assert [each.blocks for each in found] == [True, False, False]
    assert len(PROBLEMS) > len(found)


def test_a_queue_of_several_workers_is_one() -> None:
    one = Queue("g", "b", "x.test", 1, 2, 3, 4, "")
    two = Queue("g", "b", "x.test", 10, 20, 30, 40, "suspended")
    [found] = together([one, two])
    assert found == Queue("g", "b", "x.test", 11, 22, 33, 44, "suspended")


def test_of_many_queues_the_longest_are_kept() -> None:
    many = [Queue("g", "b", f"d{number}", number, 0, 0, 0) for number in range(10 * MOST)]
    assert [each.active for each in together(many)] == list(range(10 * MOST - 1, 9 * MOST - 1, -1))


def test_mail_of_queues_without_a_name_is_added_up() -> None:
    found = history((1.0, {"queued": 100}))
    seen = overview(found, [Queue("g", "b", "x", 30, 0, 0, 0)], {"node": "n", "version": "v"})
    assert seen["other_destinations"] == 70
