"""What we ship for Prometheus, and what we tell it, as its own promtool reads it."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from angarium.web.prometheus import exposition
from web.test_prometheus import QUEUES, full
from web.test_shipped import ETC, EXPRESSIONS

pytestmark = [pytest.mark.slow, pytest.mark.peer]

RULES = ETC / "prometheus" / "angarium.yml"
HERE = '{instance="mx1:2081",job="angarium"}'
HOURS = "x240"  # samples of 30 s: two hours
# What each alert is for: series of one server, and whether it is to be told. What is 0+60 grows by
# two a second.
CASES: list[tuple[str, dict[str, str], bool]] = [
    ("AngariumDown", {"up": f"0{HOURS}"}, True),
    ("AngariumDown", {"up": f"1{HOURS}"}, False),
    ("AngariumTakesNoMail", {"angarium_intake_stopped": f"1{HOURS}"}, True),
    ("AngariumTakesNoMail", {"angarium_memory_stage": f"2{HOURS}"}, True),
    ("AngariumTakesNoMail", {"angarium_memory_stage": f"1{HOURS}"}, False),
    ("AngariumDeliversNothing", {"angarium_delivery_stopped": f"1{HOURS}"}, True),
    (
        "AngariumWorkersMissing",
        {"angarium_workers_running": f"3{HOURS}", "angarium_workers": f"4{HOURS}"},
        True,
    ),
    (
        "AngariumWorkersMissing",
        {"angarium_workers_running": f"4{HOURS}", "angarium_workers": f"4{HOURS}"},
        False,
    ),
    ("AngariumWorkersDie", {"angarium_worker_deaths_total": f"0+1{HOURS}"}, True),
    ("AngariumWorkersDie", {"angarium_worker_deaths_total": f"9{HOURS}"}, False),
    (
        "AngariumDiskFills",
        {"angarium_disk_free_bytes": f"9{HOURS}", "angarium_disk_size_bytes": f"100{HOURS}"},
        True,
    ),
    (
        "AngariumQueueGrows",
        {
            "angarium_queued": f"20000+60{HOURS}",
            "angarium_deliveries_total": f"0+10{HOURS}",
            "angarium_receptions_total": f"0+60{HOURS}",
        },
        True,
    ),
    (
        "AngariumQueueGrows",
        {
            "angarium_queued": f"20000-60{HOURS}",
            "angarium_deliveries_total": f"0+10{HOURS}",
            "angarium_receptions_total": f"0+60{HOURS}",
        },
        False,
    ),
    (
        "AngariumMailIsLate",
        {
            'angarium_stage_wait_seconds_bucket{le="268.435456"}': f"0+1{HOURS}",
            'angarium_stage_wait_seconds_bucket{le="536.870912"}': f"0+60{HOURS}",
            'angarium_stage_wait_seconds_bucket{le="+Inf"}': f"0+60{HOURS}",
        },
        True,
    ),
    (
        "AngariumMuchFails",
        {
            "angarium_deferrals_total": f"0+60{HOURS}",
            "angarium_deliveries_total": f"0+60{HOURS}",
        },
        True,
    ),
    (
        "AngariumMuchFails",
        {
            "angarium_deferrals_total": f"0+60{HOURS}",
            "angarium_deliveries_total": f"0+240{HOURS}",
        },
        False,
    ),
    (
        "AngariumBlocked",
        {
            'angarium_failures_total{bounce_class="51"}': f"0+6{HOURS}",
            'angarium_failures_total{bounce_class="10"}': f"0+6{HOURS}",
            "angarium_deliveries_total": f"0+60{HOURS}",
        },
        True,
    ),
    (
        "AngariumBlocked",
        {
            'angarium_failures_total{bounce_class="10"}': f"0+6{HOURS}",
            "angarium_deliveries_total": f"0+60{HOURS}",
        },
        False,
    ),
    ("AngariumLogsLag", {"angarium_hose_lag_seconds": f"90{HOURS}"}, True),
    ("AngariumLogsLag", {"angarium_hose_held": f"1{HOURS}"}, True),
    ("AngariumAddressMissing", {"angarium_suspended_bindings": f"1{HOURS}"}, True),
    (
        "AngariumNamesFail",
        {
            "angarium_dns_timeouts_total": f"0+30{HOURS}",
            "angarium_dns_queries_total": f"0+60{HOURS}",
        },
        True,
    ),
    ("AngariumPutAside", {"angarium_isolated": f"1{HOURS}"}, True),
    ("AngariumPutAside", {"angarium_isolated": f"0{HOURS}"}, False),
]


@pytest.fixture
def promtool(program: Callable[[str], str]) -> Callable[..., tuple[int, str]]:
    path = program("promtool")

    def run(*words: str | Path, given: str = "") -> tuple[int, str]:
        done = subprocess.run(
            [path, *words], check=False, input=given, text=True, timeout=90,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        return done.returncode, done.stdout

    return run


def test_the_alert_rules_are_rules(promtool: Callable[..., tuple[int, str]]) -> None:
    code, said = promtool("check", "rules", "--lint-fatal", RULES)
    assert code == 0, said


def test_what_the_dashboard_asks_is_understood(
    promtool: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    plain = [each.replace("$__rate_interval", "5m") for each in EXPRESSIONS]
    rules = [{"record": f"panel:{at}", "expr": each} for at, each in enumerate(plain)]
    path = tmp_path / "dashboard.yml"
    path.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    code, said = promtool("check", "rules", path)
    assert code == 0, said


def test_what_we_measure_is_named_as_prometheus_wants_it(
    promtool: Callable[..., tuple[int, str]],
) -> None:
    text = exposition(full(), QUEUES, openmetrics=False, version="1.2.3")
    code, said = promtool("check", "metrics", given=text)
    assert (code, said) == (0, "")


def series(name: str) -> str:
    return f"{name[:-1]},{HERE[1:]}" if name.endswith("}") else f"{name}{HERE}"


def unit(alert: str, values: dict[str, str], *, told: bool) -> dict[str, Any]:
    """Return a test of one alert, as promtool has them."""
    # Asked of all alerts which fire: what they say is in the rules alone.
    asked = f'count(ALERTS{{alertname="{alert}",alertstate="firing"}})'
    answer = [{"labels": "{}", "value": 1}] if told else []
    return {
        "interval": "30s",
        "input_series": [{"series": series(each), "values": of} for each, of in values.items()],
        "promql_expr_test": [{"expr": asked, "eval_time": "90m", "exp_samples": answer}],
    }


def test_each_alert_is_told_when_it_is_to_be_and_not_else(
    promtool: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    tests = [unit(alert, values, told=told) for alert, values, told in CASES]
    path = tmp_path / "tests.yml"
    path.write_text(
        json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "30s", "tests": tests})
    )
    code, said = promtool("test", "rules", path)
    assert code == 0, said


def test_no_alert_is_left_out() -> None:
    named = {line.split()[-1] for line in RULES.read_text("utf-8").splitlines() if "alert:" in line}
    assert {alert for alert, _, told in CASES if told} == named
