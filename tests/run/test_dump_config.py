"""`ec_dump_config` takes what Momentum's does, and prints XML."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from angarium.run.dump_config import command
from helpers.tools import file


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir("/")
    monkeypatch.delenv("CONFFILE", raising=False)
    monkeypatch.setenv("EC_CONF_SEARCH_PATH", str(tmp_path))
    return tmp_path


def run(*words: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(command, list(words))
    return result.exit_code, result.stdout, result.stderr


XML = """\
<?xml version="1.0" encoding="UTF-8"?>
<configuration>
  <option name="retry_interval">5</option>
  <stanza name="domain" instance="a.example">
  </stanza>
</configuration>
"""


def test_the_configuration_of_the_machine_is_printed(folder: Path) -> None:
    file(folder, 'retry_interval = 5 domain "a.example" { }')
    assert run() == (0, XML, "")
    assert ElementTree.fromstring(XML).tag == "configuration"


def test_the_flags_of_momentum(folder: Path) -> None:
    file(folder, 'retry_interval = 5 domain "a.example" { }', "other.conf")
    target = folder / "out.xml"
    assert run("-c", "other.conf", "-e", "/opt/modules", "-f", str(target)) == (0, "", "")
    assert target.read_text() == XML
    code, _, said = run("-c", "other.conf", "-f", str(folder))
    assert (code, said) == (2, f"{folder} cannot be written: Is a directory\n")


def test_errors_end_with_the_lines_of_momentum(folder: Path) -> None:
    path = file(folder, "\n\n\ninvalid_option = 5\n")
    code, output, said = run()
    assert (code, output) == (1, "")
    assert said.splitlines() == [
        f"{path}:4:1: there is no option invalid_option at the top of the file",
        "Reconfigure failed.",
        "Global configuration error.",
    ]


def test_no_configuration_is_told(folder: Path) -> None:
    code, output, said = run()
    assert (code, output, said.splitlines()[0]) == (2, "", "No configuration found")
