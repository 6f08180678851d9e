"""What an operator is told: everywhere, and not a thousand times."""

from pathlib import Path

import pytest

from angarium.config.load import load_text
from angarium.events.panic import PanicLog
from angarium.run.alarm import AGAIN_SECONDS, Alarm, Faults, Panics
from angarium.run.flags import defaults
from angarium.run.hose import panics_of
from helpers.clock import FakeClock


def test_an_alarm_is_in_every_paniclog_and_told_to_the_supervisor(tmp_path: Path) -> None:
    told: list[str] = []
    clock = FakeClock()
    panics = [PanicLog(str(tmp_path / name), clock) for name in ("one", "two")]
    alarm = Alarm(told.append, clock, Panics(panics))
    alarm("the disk is full", "spool")
    assert told == ["the disk is full"]
    for name in ("one", "two"):
        assert (tmp_path / name).read_text().endswith(":spool: the disk is full\n")


def test_the_same_again_and_again_is_told_once_a_minute_with_its_count() -> None:
    told: list[str] = []
    clock = FakeClock()
    alarm = Alarm(told.append, clock, Panics())
    for _ in range(5):
        alarm("no route")
    alarm("another")
    assert told == ["no route", "another"]
    clock.advance(AGAIN_SECONDS)
    alarm("no route")
    assert told[2:] == ["no route (4 times more since)"]
    clock.advance(AGAIN_SECONDS)
    alarm("no route")
    assert told[3:] == ["no route"]


def test_what_differs_only_in_its_fields_is_the_same_again() -> None:
    told: list[str] = []
    clock = FakeClock()
    alarm = Alarm(told.append, clock, Panics())
    for number in range(3):
        alarm(f"writing failed, file {number}", about="writing failed")
    clock.advance(AGAIN_SECONDS)
    alarm("writing failed, file 3", about="writing failed")
    assert told == ["writing failed, file 0", "writing failed, file 3 (2 times more since)"]


def test_what_is_remembered_is_bounded() -> None:
    told: list[str] = []
    alarm = Alarm(told.append, FakeClock(), Panics())
    for number in range(1000):
        alarm(f"message {number}")
    assert len(told) == 1000
    assert len(alarm._told) < 300


def test_another_generation_has_other_paniclogs(tmp_path: Path) -> None:
    clock = FakeClock()
    panics = Panics([PanicLog(str(tmp_path / "old"), clock)])
    panics.write("core", "first")
    panics.use(Panics([PanicLog(str(tmp_path / "new"), clock)]))
    panics.write("core", "second")
    assert "second" not in (tmp_path / "old").read_text()
    assert "second" in (tmp_path / "new").read_text()


def test_a_renamed_paniclog_is_left_at_reopen(tmp_path: Path) -> None:
    panics = Panics([PanicLog(str(tmp_path / "log"), FakeClock())])
    panics.write("core", "first")
    (tmp_path / "log").rename(tmp_path / "log.1")
    panics.reopen()
    panics.write("core", "second")
    assert "second" in (tmp_path / "log").read_text()
    panics.close()


def test_faults_of_the_service_log_are_in_the_paniclogs_but_those_of_others_are_not_again(
    tmp_path: Path,
) -> None:
    path = tmp_path / "log"
    clock = FakeClock()
    faults = Faults("supervisor", Panics([PanicLog(str(path), clock)], defaults(clock)))
    died = {"event": "worker died", "process": "supervisor", "worker": 1, "level": "error"}
    for level, line in (
        ("error", died),
        ("info", {"event": "quiet", "process": "supervisor"}),
        ("error", {"event": "its own", "process": "worker 1"}),
    ):
        faults(level, line)
    (said,) = path.read_text().splitlines()
    assert said.endswith(":core: worker died worker=1")


def written(tmp_path: Path, config: str) -> str:
    """Let the supervisor and a worker say one thing of each kind; return the paniclog."""
    clock = FakeClock()
    conf = load_text(f'ec_logger {{ paniclog = "log" }}\n{config}')
    panics = panics_of(conf, tmp_path, clock)
    faults = Faults("supervisor", panics, "START")
    for level, event, part in (
        ("info", "done", ""),
        ("warning", "odd", ""),
        ("error", "wrong", ""),
        ("error", "stuck", "TIME"),
    ):
        line = {"event": event, "process": "supervisor"} | ({"part": part} if part else {})
        faults(level, line)
    alarm = Alarm(lambda text: None, clock, panics)
    alarm("full", "spool")
    alarm("damaged")
    panics.close()
    path = tmp_path / "log"
    lines = path.read_text().splitlines() if path.exists() else []
    return " ".join(line.rpartition(":")[2].strip() for line in lines)


@pytest.mark.effect(
    "debug_flags.info", "debug_flags.warning", "debug_flags.error", "debug_flags.critical"
)
@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ("", "wrong stuck full damaged"),
        ("info = ( ALL )", "done wrong stuck full damaged"),
        ("info = ( START )", "done wrong stuck full damaged"),
        ("info = ( NET TIME )", "wrong stuck full damaged"),
        ("warning = ( START )", "odd wrong stuck full damaged"),
        ("error = ( )", "full damaged"),
        ("error = ( TIME )", "stuck full damaged"),
        ("critical = ( )", "wrong stuck"),
        ("critical = ( DB )", "wrong stuck full"),
        ("critical = ( ERROR )", "wrong stuck damaged"),
    ],
)
def test_what_is_told_is_what_the_flags_name(tmp_path: Path, flags: str, told: str) -> None:
    assert written(tmp_path, f"debug_flags {{ {flags} }}") == told
