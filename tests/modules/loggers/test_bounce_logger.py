"""bounce_logger: which failures go to bouncelog."""

from pathlib import Path

import pytest

from angarium.events import format as lines
from angarium.modules.loggers.bounce_logger import Logger
from angarium.modules.loggers.options.logs import BounceLogger
from angarium.modules.loggers.places import Places
from helpers.streams import delivery, permanent, reception, transient


def written(tmp_path: Path, **changes: object) -> list[str]:
    options = BounceLogger.make(bouncelog="bouncelog.ec", **changes)
    made = Logger(options, Places(tmp_path), lines.seconds)
    made.take(
        [
            reception(1),
            transient(1),
            delivery(1, attempt=1),
            permanent(2),
            permanent(3, stage=21),
            permanent(4, classification=80),
        ]
    )
    for log in made.logs:
        log.flush()
    path = tmp_path / "bouncelog.ec"
    return path.read_text().splitlines() if path.exists() else []


def kinds(found: list[str]) -> list[tuple[str, str]]:
    return [(line.split("@")[4], line.split("@")[11]) for line in found]


def test_failures_are_logged_and_nothing_else(tmp_path: Path) -> None:
    found = written(tmp_path)
    assert kinds(found) == [("T", "4"), ("B", "5"), ("B", "21")]
    assert found[1] == (
        "101@00/02-00000-00000000@00/02-00000-00000000@00/08-00000-00000000@B@bob@example.com"
        "@info@example.org@default@default@5@10@10@192.0.2.1@550 no"
    )


@pytest.mark.effect(
    "bounce_logger.log_transient_failures",
    "bounce_logger.log_inband_bounces",
    "bounce_logger.log_outofband_bounces",
)
@pytest.mark.parametrize(
    ("option", "left"),
    [
        ("log_transient_failures", [("B", "5"), ("B", "21")]),
        ("log_inband_bounces", [("T", "4"), ("B", "21")]),
        ("log_outofband_bounces", [("T", "4"), ("B", "5")]),
    ],
)
def test_each_kind_can_be_left_out(
    tmp_path: Path, option: str, left: list[tuple[str, str]]
) -> None:
    assert kinds(written(tmp_path, **{option: False})) == left


def test_a_heartbeat(tmp_path: Path) -> None:
    made = Logger(BounceLogger.make(bouncelog="b", heartbeat=60.0), Places(tmp_path), lines.seconds)
    made.beat(1251222268.9)
    assert made.logs[0].flush()
    assert (tmp_path / "b").read_text() == "1251222268@@@@M1\n"
    assert made.heartbeat == 60.0


def test_without_a_path_it_is_off(tmp_path: Path) -> None:
    made = Logger(BounceLogger.make(bouncelog=""), Places(tmp_path), lines.seconds)
    made.take([permanent(1)])
    made.beat(1.0)
    assert made.logs == []
