"""The page about metrics is that of the declarations."""

import reference_metrics


def test_the_page_is_up_to_date() -> None:
    assert reference_metrics.main(["--check"]) == 0


def test_every_metric_is_on_it_as_prometheus_knows_it() -> None:
    page = reference_metrics.page()
    assert "| `angarium_receptions_total` | counter |" in page
    assert "| `angarium_stage_wait_seconds` | histogram |" in page
    assert "| `angarium_process_resident_bytes` | gauge | `process` |" in page
    assert "`outcome`: opened, refused, timeout, unwelcome" in page
