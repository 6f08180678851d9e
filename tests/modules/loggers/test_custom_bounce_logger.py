"""custom_bounce_logger: bouncelog, and a text of one's own at the end."""

from pathlib import Path

import pytest

from angarium.events import format as lines
from angarium.modules.loggers.custom_bounce_logger import Logger
from angarium.modules.loggers.options.formats import CustomBounceLogger
from angarium.modules.loggers.places import Places
from helpers.streams import delivery, permanent, reception, transient


def written(tmp_path: Path, **changes: object) -> list[str]:
    options = CustomBounceLogger.make(bouncelog="bounces", **changes)
    made = Logger(options, Places(tmp_path), lines.seconds)
    made.take(
        [
            reception(1),
            delivery(1),
            transient(1),
            permanent(2, reason="550 no b@c", context={"campaign": "may"}),
            permanent(3, stage=21),
            permanent(4, classification=80),
        ]
    )
    made.beat(7.0)
    assert made.heartbeat == options.heartbeat
    for log in made.logs:
        log.flush()
    return (tmp_path / "bounces").read_text().splitlines()


def test_the_text_is_a_field_more(tmp_path: Path) -> None:
    found = written(tmp_path, user_string="%{vctx_mess:campaign} by %b")
    assert found[1] == (
        "101@00/02-00000-00000000@00/02-00000-00000000@00/08-00000-00000000@B@bob@example.com"
        r"@info@example.org@default@default@5@10@10@192.0.2.1@550 no b\@c@may by default"
    )
    assert found[-1] == "7@@@@M1"


def test_without_one_it_is_a_bouncelog(tmp_path: Path) -> None:
    assert [line.split("@")[4] for line in written(tmp_path)] == ["T", "B", "B", "M1"]
    assert Logger(
        CustomBounceLogger.make(bouncelog=""), Places(tmp_path), lines.seconds
    ).logs == []  # fmt: skip


@pytest.mark.effect(
    "custom_bounce_logger.log_transient_failures",
    "custom_bounce_logger.log_inband_bounces",
    "custom_bounce_logger.log_outofband_bounces",
    "custom_bounce_logger.heartbeat",
)
@pytest.mark.parametrize(
    ("option", "left"),
    [
        ("log_transient_failures", ["5", "21"]),
        ("log_inband_bounces", ["4", "21"]),
        ("log_outofband_bounces", ["4", "5"]),
    ],
)
def test_each_kind_can_be_left_out(tmp_path: Path, option: str, left: list[str]) -> None:
    found = written(tmp_path, heartbeat=5.0, **{option: False})
    assert [line.split("@")[11] for line in found[:-1]] == left
