"""custom_logger: which event makes which line in which log."""

from pathlib import Path

import pytest

from angarium.events import format as lines
from angarium.events.schema import Event, Transfer
from angarium.modules.loggers.custom_logger import Logger, paniclog
from angarium.modules.loggers.options.formats import CustomLogger
from angarium.modules.loggers.places import Places
from helpers.streams import delivery, permanent, reception, rejection, transient

MOVED = Transfer(
    101.0, 6, 6, 8, 0, "bob@a.test", "", "a.test", 9, "g", "b", 100.0, "192.0.2.7:25", "ok"
)  # fmt: skip
EVENTS: list[Event] = [
    reception(1), transient(1), delivery(1, attempt=1), permanent(2), MOVED, rejection(),
]  # fmt: skip


def written(tmp_path: Path, **changes: object) -> dict[str, list[str]]:
    made = Logger(CustomLogger.make(**changes), Places(tmp_path), lines.seconds)
    made.take(EVENTS)
    made.beat(1.0)
    assert made.heartbeat == 0.0
    for log in made.logs:
        log.flush()
        log.close()
    return {path.name: path.read_text().splitlines() for path in tmp_path.iterdir()}


def test_a_format_turns_its_stage_on_and_the_rest_is_off(tmp_path: Path) -> None:
    assert written(tmp_path, mainlog="all", delivery_format="%i") == {
        "all": ["00/01-00000-00000000"]
    }


def test_without_a_format_or_a_place_nothing_is_written(tmp_path: Path) -> None:
    assert written(tmp_path, mainlog="all") == {}
    assert written(tmp_path, delivery_format="%i") == {}


@pytest.mark.effect(
    "custom_logger.reception_logfile",
    "custom_logger.reception_log_mode",
    "custom_logger.delivery_logfile",
    "custom_logger.delivery_log_mode",
    "custom_logger.xfer_format",
    "custom_logger.xfer_logfile",
    "custom_logger.xfer_log_mode",
)
def test_each_stage_may_have_a_log_of_its_own(tmp_path: Path) -> None:
    options = {
        "mainlog": "all",
        "reception_format": "R %r",
        "reception_logfile": "in",
        "reception_log_mode": 0o604,
        "delivery_format": "D %r",
        "delivery_logfile": "out",
        "delivery_log_mode": 0o620,
        "transient_failure_format": "T %n",
        "permanent_failure_format": "P %n",
        "xfer_format": "X %H",
        "xfer_logfile": "moved",
        "xfer_log_mode": 0o606,
        "rejection_format": "J %n",
    }
    assert written(tmp_path, **options) == {
        "all": ["T 451 later", "P 550 no", "J relaying denied"],
        "in": ["R bob"],
        "out": ["D bob"],
        "moved": ["X 192.0.2.7"],
    }
    modes = {name: (tmp_path / name).stat().st_mode & 0o777 for name in ("in", "out", "moved")}
    assert modes == {"in": 0o604, "out": 0o620, "moved": 0o606}


@pytest.mark.effect(
    "custom_logger.log_errors", "custom_logger.paniclog", "custom_logger.paniclog_mode"
)
def test_faults_go_to_its_paniclog_where_they_are_wanted() -> None:
    options = CustomLogger.make(paniclog="p", log_errors=True, paniclog_mode=0o600)
    assert paniclog(options) == ("p", 0o600)
    assert paniclog(CustomLogger.make(paniclog="p"))[0] is None
