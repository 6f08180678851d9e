"""Stages: what is noted where, by the clock that is handed in."""

from angarium.events.metrics import Metrics, percentile
from angarium.events.stages import Stages


class Wall:
    """A clock which the test sets."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def test_reception_counts_from_mail_and_commit_from_the_last_octet() -> None:
    metrics, wall = Metrics(), Wall()
    stages = Stages(metrics, wall)
    wall.at = 1002.0
    stages.taken(1000.0, 1001.5)
    values = metrics.snapshot()
    assert values["stage_reception|seconds"] == 2.0
    assert values["stage_commit|seconds"] == 0.5


def test_only_the_first_attempt_waited_for_its_turn() -> None:
    stages = Stages(now=lambda: 1010.0)
    assert stages.begins(1000.0, attempts=1) == 1010.0
    assert sum(stages.wait.counts) == 0
    stages.begins(1000.0, attempts=0)
    assert stages.wait.total == 10.0


def test_a_transaction_lasts_from_its_beginning_to_its_end() -> None:
    wall = Wall()
    stages = Stages(now=wall)
    begun = stages.begins(1000.0, 0)
    wall.at += 0.25
    stages.attempted(begun)
    assert 0.25 <= percentile(stages.delivery.counts, 1.0) <= 0.5


def test_a_clock_which_is_set_back_makes_no_negative_time() -> None:
    stages = Stages(now=lambda: 900.0)
    stages.taken(1000.0, 1000.0)
    assert (stages.reception.total, stages.reception.counts[0]) == (0.0, 1)
