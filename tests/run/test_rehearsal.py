"""The program on the disk is asked: this one, and such as cannot take over."""

import asyncio
import os
from pathlib import Path

import pytest

from angarium.config.load import snapshot
from angarium.run import handover, rehearsal
from angarium.run.rehearsal import Rehearsal
from helpers.handover import given

ROOT = Path(__file__).parents[2]


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", f"{ROOT / 'src'}:{ROOT / 'tests'}")
    path = tmp_path / "ecelerity.conf"
    path.write_text("hostname = a.test\n")
    return path


async def asked(config: Path, **changes: object) -> tuple[str, str]:
    """Return why it cannot take over, and its release."""
    values = {"config_path": str(config), "snapshot": snapshot(str(config))} | changes
    descriptor = handover.write(given(**values))
    answer: asyncio.Future[tuple[str, str]] = asyncio.get_running_loop().create_future()
    Rehearsal(descriptor, lambda *said: answer.set_result(said))
    os.close(descriptor)
    return await asyncio.wait_for(answer, 90)


async def test_this_program_can_take_over_from_itself(config: Path) -> None:
    reason, release = await asked(config)
    assert reason == ""
    assert release[0].isdigit()


async def test_a_configuration_which_became_faulty_is_a_reason(config: Path) -> None:
    text = snapshot(str(config))
    config.write_text("hostnam = a.test\n")
    reason, _ = await asked(config, snapshot=text)
    assert "ecelerity.conf:1:1" in reason


async def test_a_configuration_which_it_does_not_read_any_more_is_a_reason(config: Path) -> None:
    reason, _ = await asked(config, snapshot=b"\xc0")
    assert reason


async def test_what_it_has_not_in_common_is_a_reason(config: Path) -> None:
    reason, _ = await asked(config, common="link 0")
    assert "must be started anew" in reason


async def test_a_program_which_does_not_start_is_a_reason(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal, "PROGRAM", "angarium.not_installed")
    reason, _ = await asked(config)
    assert "No module named" in reason


async def test_a_program_which_says_nothing_is_not_waited_for(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal, "PROGRAM", "helpers.silent")
    monkeypatch.setattr(rehearsal, "SECONDS", 0.2)
    reason, _ = await asked(config)
    assert "did not answer" in reason
