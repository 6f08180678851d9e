"""What a shell completes."""

from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from angarium.run.programs.cli import main
from helpers.tools import file


def completed(*words: str) -> list[str]:
    *before, typed = words
    found = ShellComplete(main, {}, "angarium", "_ANGARIUM_COMPLETE")
    return [each.value for each in found.get_completions(before, typed)]


@pytest.fixture
def path(tmp_path: Path) -> str:
    text = 'domain "a.example" { } domain b.example { } esmtp_listener { listen ":25" { } }'
    return str(file(tmp_path, text))


def test_commands_are_completed() -> None:
    assert completed("conf") == ["config"]
    assert completed("config", "s") == ["show", "schema"]
    assert "--binding-group" in completed("config", "eval", "--bind")


def test_names_of_options_are_completed(path: str) -> None:
    assert completed("config", "explain", "Retry_") == ["retry_interval"]
    assert completed("config", "eval", path, "use_ipv6", "ec_logger.mainlog_") == [
        "ec_logger.mainlog_mode"
    ]


def test_stanzas_and_their_instances_are_completed(path: str) -> None:
    assert "domain" in completed("config", "show", path, "dom")
    assert completed("config", "show", path, "domain", "") == ["a.example", "b.example"]
    assert completed("config", "show", path, "domain", "b") == ["b.example"]
    assert completed("config", "show", path, "esmtp_listener", "li") == ["listen"]
    assert completed("config", "show", path, "esmtp_listener", "listen", "") == ["*:25"]
    assert completed("config", "show", path, "nothing", "") == []


def test_a_file_which_cannot_be_read_gives_names_of_stanzas_all_the_same(tmp_path: Path) -> None:
    assert "domain" in completed("config", "show", str(tmp_path / "none"), "dom")


def test_many_instances_are_not_all_proposed(tmp_path: Path) -> None:
    text = "".join(f"domain d{n}.example {{ }}\n" for n in range(1000))
    assert len(completed("config", "show", str(file(tmp_path, text)), "domain", "d")) == 200
