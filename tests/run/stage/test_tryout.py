"""Policy which cannot be used is told of before a server starts with it."""

from pathlib import Path

import msgspec
import pytest

from angarium.config.load import load, load_text, snapshot
from angarium.run.stage import tryout

CONFIG = """
esmtp_listener { listen "127.0.0.1:2525" { } }
python { script "p" { source = "p.py" } }
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "ecelerity.conf"
    path.write_text(CONFIG)
    script(path, "x = 1\n")
    return path


def script(config: Path, text: str) -> None:
    path = config.with_name("p.py")
    path.write_text(text)
    path.chmod(0o644)


def test_only_policy_is_tried(config: Path) -> None:
    assert tryout.needed(load(config))
    assert not tryout.needed(load_text("hostname = x.test"))


def test_what_is_well_says_nothing(config: Path) -> None:
    assert tryout.fault(load(config)) == ""
    assert tryout.asked(snapshot(config)) == ""


def test_a_fault_is_told_with_its_place(config: Path) -> None:
    script(config, "x = 1\n1 / 0\n")
    said = f"{config.with_name('p.py')}:2: script p: ZeroDivisionError: division by zero"
    assert tryout.fault(load(config)) == said
    assert tryout.asked(snapshot(config)) == said


def test_a_script_which_ends_the_process_or_never_ends_is_told(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(config, "import os\nos._exit(7)\n")
    assert "it ended with status 7" in tryout.asked(snapshot(config))
    monkeypatch.setattr(tryout, "SECONDS", 0.01)
    assert "could not be loaded within 0.01 s" in tryout.asked(snapshot(config))


def test_a_snapshot_is_what_is_asked_about(config: Path) -> None:
    assert msgspec.msgpack.decode(snapshot(config))["main"] == str(config)
