"""`angarium config show`: the forms it prints."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from helpers.tools import angarium, file

TEXT = """\
retry_interval = 1200
domain "a.example" { }
esmtp_listener { listen ":25" { idle_time = 5 } }
include "more"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file(tmp_path, 'binding "b" { bind_address = 192.0.2.1 }', "more")
    return file(tmp_path, TEXT)


def test_all_files_are_one(path: Path) -> None:
    assert angarium("config", "show", path) == (0, """\
retry_interval = 1200
domain "a.example" {
}
esmtp_listener {
  listen "*:25" {
    idle_time = 5
  }
}
binding "b" {
  bind_address = 192.0.2.1
}
""")  # fmt: skip


def test_a_place_is_named_as_the_console_does(path: Path) -> None:
    assert angarium("config", "show", path, "Esmtp_Listener", "--closed") == (
        0, 'listen "*:25" { ... }\n'
    )  # fmt: skip
    assert angarium("config", "show", path, "esmtp_listener", "listen", ":25") == (
        0, "idle_time = 5\n"
    )  # fmt: skip
    assert angarium("config", "show", "--effective", path, "domain", "A.example") == (
        0, "# retry_interval = 1200  (from global)\n"
    )  # fmt: skip
    assert "  (default)\n" in angarium("config", "show", "--defaults", path, "binding", "b")[1]


def test_json_and_xml(path: Path) -> None:
    code, output = angarium("config", "show", "--json", path, "esmtp_listener")
    assert (code, json.loads(output)) == (0, {"listen": {"*:25": {"idle_time": 5}}})
    code, output = angarium("config", "show", "--xml", path)
    assert code == 0
    assert ElementTree.fromstring(output).findtext("./option[@name='retry_interval']") == "1200"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("binding", "c"), "there is no such stanza in the configuration: binding c"),
        (("retry_interval",), "retry_interval is an option: ask `angarium config eval`"),
        (("dommain", "x"), "there is no option or stanza dommain at the top of the file"),
    ],
)
def test_a_wrong_place_is_wrong_usage(path: Path, words: tuple[str, ...], message: str) -> None:
    code, output = angarium("config", "show", path, *words)
    assert code == 2
    assert output.startswith(message)


def test_octets_of_a_file_are_printed_as_they_are(tmp_path: Path) -> None:
    path = file(tmp_path, b'ec_logger "\xff" { }')
    code, _ = angarium("config", "show", path)
    assert code in (0, 1)
