"""`angarium config import` as somebody runs it who comes from another server."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from angarium.config.load import load
from angarium.run.programs.config_import import command


def run(*words: str) -> Result:
    result = CliRunner().invoke(command, words)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def main_cf(tmp_path: Path) -> Path:
    path = tmp_path / "main.cf"
    path.write_text("myhostname = mx.example.org\nheader_checks = regexp:/x\n")
    return path


def test_the_text_is_output_and_the_rest_is_told(main_cf: Path) -> None:
    result = run("postfix", str(main_cf.parent))
    assert result.exit_code == 0
    assert "hostname = mx.example.org" in result.stdout
    assert "header_checks = regexp:/x: checks of the content are policy" in result.stderr
    assert "lines have no place here" in result.stderr


def test_a_new_file_is_written_and_none_is_overwritten(main_cf: Path) -> None:
    target = main_cf.parent / "ecelerity.conf"
    assert run("postfix", str(main_cf.parent), "-o", str(target)).exit_code == 0
    assert load(target).root.values["hostname"] == "mx.example.org"
    again = run("postfix", str(main_cf.parent), "-o", str(target))
    assert again.exit_code == 2
    assert "File exists" in again.stderr


def test_what_was_left_out_is_there_as_json(tmp_path: Path) -> None:
    file = tmp_path / "shaping.toml"
    file.write_text('["default"]\nconnection_limit = 10\nfoo = true\n')
    found = json.loads(run("kumomta-shaping", str(file), "--json").stdout)
    assert "max_outbound_connections = 10" in found["configuration"]
    assert [each["what"] for each in found["left_out"]] == ["foo = true"]


def test_powermta_is_read_with_its_includes(tmp_path: Path) -> None:
    more = tmp_path / "more"
    more.write_text("host-name mx.example.com\n")
    file = tmp_path / "config"
    file.write_text(f"include {more}\n")
    assert "hostname = mx.example.com" in run("powermta", str(file)).stdout


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    file = tmp_path / "config"
    file.write_text(f"include {tmp_path / 'pipe'}\ninclude /dev/zero\n")
    result = run("powermta", str(file))
    assert result.stderr.count("cannot be read") == 2
    assert "cannot be read" in run("powermta", str(tmp_path / "pipe")).stderr


def test_names_and_texts_which_no_terminal_should_get_are_not_printed(tmp_path: Path) -> None:
    file = tmp_path / os.fsdecode(b"config\xff")
    file.write_bytes(b"host-name \xff\nfoo \x1b[2J\n")
    result = run("powermta", str(file))
    assert result.exit_code == 0
    assert "foo ?[2J" in result.stderr
    assert "\x1b" not in result.output


def test_a_directory_without_main_cf_is_refused(tmp_path: Path) -> None:
    result = run("postfix", str(tmp_path))
    assert result.exit_code == 2
    assert "main.cf cannot be read" in result.stderr
