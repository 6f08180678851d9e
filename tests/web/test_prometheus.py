"""What Prometheus is told: conformant, complete, and of bounded size."""

import pytest

import angarium.run.declared  # noqa: F401 - all metrics
from angarium.events.metrics import METRICS, Metrics
from angarium.web.overview import MOST, Queue, Sample, together
from angarium.web.prometheus import exposition, wants_openmetrics
from helpers.exposition import families


def full(workers: int = 2) -> Sample:
    """Return a sample in which everything that is declared has a value."""
    rows = {}
    for number in range(workers):
        metrics = Metrics()
        for metric in METRICS.values():
            if metric.kind == "histogram":
                metrics.durations(metric).note(0.003)
                continue
            for value in metric.values or ("",):
                metrics.cell(metric, value).value = number + 1.5
        rows[f"worker {number}"] = metrics.snapshot()
    return Sample.of(1000.0, rows)


QUEUES = [
    Queue("default", "b1", 'odd"name\\.test\n', 5, 2, 1, 3),
    Queue("", "b2", "x.test", 1, 0, 0, 0),
]


@pytest.mark.parametrize("openmetrics", [False, True])
def test_all_that_is_declared_is_told_as_the_formats_have_it(openmetrics: bool) -> None:
    text = exposition(full(), QUEUES, openmetrics=openmetrics, version="1.2.3")
    found = families(text, openmetrics=openmetrics)
    for metric in METRICS.values():
        suffix = "_total" if metric.kind == "counter" and not openmetrics else ""
        assert f"{metric.exposed}{suffix}" in found
        assert found[f"{metric.exposed}{suffix}"].doc


def test_values_of_workers_add_up_and_those_of_processes_stand_alone() -> None:
    found = families(exposition(full(), [], openmetrics=False, version="1"), openmetrics=False)
    assert found["angarium_queued"].value() == 1.5 + 2.5
    assert found["angarium_hose_held"].value() == 4.0
    assert found["angarium_hose_lag_seconds"].value() == 2.5
    resident = found["angarium_process_resident_bytes"]
    assert resident.value(process="worker 1") == 2.5
    waits = found["angarium_stage_wait_seconds"]
    assert waits.samples[("angarium_stage_wait_seconds_count", ())] == 2
    assert waits.samples[("angarium_stage_wait_seconds_sum", ())] == pytest.approx(0.006)
    assert waits.samples[("angarium_stage_wait_seconds_bucket", (("le", "0.004096"),))] == 2
    assert waits.samples[("angarium_stage_wait_seconds_bucket", (("le", "0.002048"),))] == 0


def test_a_name_of_a_domain_is_written_so_that_it_is_read_again() -> None:
    text = exposition(full(), QUEUES, openmetrics=True, version="1")
    active = families(text, openmetrics=True)["angarium_destination_active"]
    assert active.value(group="default", binding="b1", domain='odd"name\\.test\n') == 5


def test_a_hundred_thousand_domains_make_no_more_series_than_a_few() -> None:
    queues = [Queue("default", "b", f"d{n}.test", n, 0, 0, 0) for n in range(100_000)]
    few = exposition(full(), together(queues[:10]), openmetrics=False, version="1")
    many = exposition(full(), together(queues), openmetrics=False, version="1")
    assert len(many.splitlines()) - len(few.splitlines()) == 4 * (MOST - 10)
    assert len(many) < 150_000


def test_what_has_no_name_is_added_up_as_other() -> None:
    sample = Sample.of(1.0, {"worker 0": {"queued": 100, "delayed": 30, "in_flight": 10}})
    found = families(exposition(sample, QUEUES, openmetrics=False, version="1"), openmetrics=False)
    other = {"group": "other", "binding": "other", "domain": "other"}
    assert found["angarium_destination_active"].value(**other) == 60 - 6
    assert found["angarium_destination_delayed"].value(**other) == 30 - 2


def test_what_nobody_measures_is_not_told() -> None:
    sample = Sample.of(1.0, {"worker 0": {"queued": 1}})
    assert "angarium_deliveries" not in exposition(sample, [], openmetrics=False, version="1")


@pytest.mark.parametrize(
    ("accept", "openmetrics"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain", False),
        ("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5", True),
        ("application/openmetrics-text;q=0.4, text/plain;q=0.5", False),
        ("application/openmetrics-text; q=nonsense", False),
    ],
)
def test_the_format_is_the_one_a_client_prefers(accept: str, openmetrics: bool) -> None:
    assert wants_openmetrics(accept) is openmetrics
