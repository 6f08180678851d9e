"""ec_logger: which events go to which log."""

from pathlib import Path

import pytest

from angarium.events import format as lines
from angarium.events.schema import Discard, Event, Imported, ServerEvent
from angarium.modules.loggers.ec_logger import Logger, panic_log
from angarium.modules.loggers.options.logs import EcLogger
from angarium.modules.loggers.places import Places
from helpers.clock import FakeClock
from helpers.streams import delivery, permanent, reception, rejection, transient

DISCARD = Discard(
    101.0, 5, 5, 0, 0, "bob@example.com", "", "example.com", 9, "g", "b", 100.0, "550 dropped"
)
EVENTS: list[Event] = [
    reception(1),
    transient(1),
    delivery(1, attempt=1),
    permanent(2),
    DISCARD,
    rejection(),
    ServerEvent(1.0, "started", "up"),
]


def codes(path: Path) -> list[str]:
    return [line.split("@")[4] for line in path.read_text().splitlines()] if path.exists() else []


def logger(tmp_path: Path, **changes: object) -> Logger:
    changes = {"mainlog": "mainlog.ec", "rejectlog": "rejectlog.ec"} | changes
    return Logger(EcLogger.make(**changes), Places(tmp_path), lines.seconds)


def flushed(made: Logger) -> None:
    for log in made.logs:
        log.flush()


def test_everything_is_logged_by_default(tmp_path: Path) -> None:
    made = logger(tmp_path)
    made.take(EVENTS)
    flushed(made)
    assert codes(tmp_path / "mainlog.ec") == ["R", "T", "D", "P", "P"]
    assert (tmp_path / "rejectlog.ec").read_text().startswith('101: R="192.0.2.9:4000"')


@pytest.mark.parametrize(
    ("option", "left"),
    [
        ("log_receptions", ["T", "D", "P", "P"]),
        ("log_transient_failures", ["R", "D", "P", "P"]),
        ("log_deliveries", ["R", "T", "P", "P"]),
        ("log_permanent_failures", ["R", "T", "D"]),
    ],
)
def test_each_kind_can_be_left_out(tmp_path: Path, option: str, left: list[str]) -> None:
    made = logger(tmp_path, **{option: False})
    made.take(EVENTS)
    flushed(made)
    assert codes(tmp_path / "mainlog.ec") == left


def test_rejections_can_be_left_out(tmp_path: Path) -> None:
    made = logger(tmp_path, log_rejections=False)
    made.take(EVENTS)
    flushed(made)
    assert not (tmp_path / "rejectlog.ec").exists()


def test_heartbeats_go_to_both(tmp_path: Path) -> None:
    made = logger(tmp_path, heartbeat=30.0)
    assert made.heartbeat == 30.0
    made.beat(1251470342.5)
    flushed(made)
    assert (tmp_path / "mainlog.ec").read_text() == "1251470342@@@@M\n"
    assert (tmp_path / "rejectlog.ec").read_text() == "1251470342: Marker 1\n"


@pytest.mark.parametrize("off", ["mainlog", "rejectlog"])
def test_a_log_without_a_path_is_off(tmp_path: Path, off: str) -> None:
    made = logger(tmp_path, **{off: ""})
    made.take(EVENTS)
    made.beat(1.0)
    flushed(made)
    other = {"mainlog": "rejectlog", "rejectlog": "mainlog"}[off]
    assert [path.name for path in tmp_path.iterdir()] == [f"{other}.ec"]


def test_modes_are_those_of_the_options(tmp_path: Path) -> None:
    made = logger(tmp_path, mainlog_mode=0o600, rejectlog_mode=0o640)
    made.beat(1.0)
    flushed(made)
    assert (tmp_path / "mainlog.ec").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "rejectlog.ec").stat().st_mode & 0o777 == 0o640


def test_hires_timestamps(tmp_path: Path) -> None:
    made = Logger(EcLogger.make(mainlog="m", rejectlog="r"), Places(tmp_path), lines.microseconds)
    made.take([reception(1, at=100.5), rejection(at=100.5)])
    made.beat(101.0)
    flushed(made)
    first, beat = (tmp_path / "m").read_text().splitlines()
    assert first.startswith("100500000@")
    assert beat == "101000000@@@@M"
    assert (tmp_path / "r").read_text().startswith("100500000: R=")


def test_its_paniclog_is_for_each_process(tmp_path: Path) -> None:
    options = EcLogger.make(paniclog="log/paniclog.ec", paniclog_mode=0o600)
    panic_log(options, Places(tmp_path), FakeClock(7.0), lines.seconds).write("core", "up")
    path = tmp_path / "log" / "paniclog.ec"
    assert path.read_text() == "7:core: up\n"
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("changes", [{"paniclog": ""}, {"enabled": False}])
def test_no_paniclog(tmp_path: Path, changes: dict[str, object]) -> None:
    options = EcLogger.make(**{"paniclog": "paniclog.ec"} | changes)
    panic_log(options, Places(tmp_path), FakeClock(7.0), lines.seconds).write("core", "up")
    assert not list(tmp_path.iterdir())


@pytest.mark.effect("ec_logger.importlog", "ec_logger.importlog_mode")
def test_mail_which_is_brought_in_is_in_importlog_and_nowhere_else(tmp_path: Path) -> None:
    brought = Imported(101.5, 7 << 32, 5 << 32, 1, "/var/drop/one.eml")
    made = logger(tmp_path, importlog="importlog", importlog_mode=0o600)
    made.take([*EVENTS, brought])
    flushed(made)
    path = tmp_path / "importlog"
    assert path.read_text() == (
        "101@00/00-00000-00000005@I@00/00-00000-00000007@1@/var/drop/one.eml\n"
    )
    assert path.stat().st_mode & 0o777 == 0o600
    assert codes(tmp_path / "mainlog.ec") == ["R", "T", "D", "P", "P"]
