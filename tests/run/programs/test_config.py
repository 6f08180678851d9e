"""`angarium config`: its subcommands, and that no octets of a file make any of them fall over."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from angarium.run.programs.config import SUBCOMMANDS
from helpers.configurations import stanzas
from helpers.tools import angarium, file

ON_A_FILE = (
    ("check",),
    ("check", "--json", "--strict"),
    ("eval",),
    ("eval", "--json", "--domain", "a.example"),
    ("show",),
    ("show", "--effective"),
    ("show", "--defaults", "--json"),
    ("show", "--xml", "--secrets"),
    ("explain", "retry_interval"),
)


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_every_subcommand_named_is_there_with_its_help(name: str) -> None:
    command = importlib.import_module(f"angarium.run.programs.config_{name}").command
    assert isinstance(command, click.Command)
    code, output = angarium("config", name, "--help")
    assert (code, output[:6]) == (0, "Usage:")


def test_help_lists_them_with_what_they_are_for() -> None:
    code, output = angarium("config", "--help")
    assert code == 0
    assert all(name in output for name in SUBCOMMANDS)
    assert angarium("config", "chekc")[0] == 2


def without_traceback(words: tuple[str, ...], path: Path) -> int:
    name, *rest = words
    place = [path] if name != "explain" else []
    after = [path] if name == "explain" else []
    return angarium("config", name, *place, *rest, *after)[0]


@settings(max_examples=40)
@given(st.one_of(st.binary(max_size=60), stanzas().map(str.encode)))
def test_any_octets_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, octets: bytes
) -> None:
    path = file(tmp_path_factory.mktemp("any"), octets)
    for words in ON_A_FILE:
        assert without_traceback(words, path) in (0, 1)
    assert angarium("config", "diff", path, path)[0] in (0, 2)


AWKWARD = [
    b'ec_logger "\xff\x1b[2J" { mainlog = x }',
    b'scriptlet "scriptlet" { script "a" { source = "b" note = "\xff\x00\n" } }',
    b'include "\xff\xfe"',
    b'domain "/\xff/" { }',
    b"\xef\xbb\xbfretry_interval = 5",
    b"retry_interval = \xff",
]


@pytest.mark.parametrize("octets", AWKWARD, ids=repr)
@pytest.mark.parametrize("words", ON_A_FILE, ids=" ".join)
def test_awkward_octets_are_told_or_shown(
    octets: bytes, words: tuple[str, ...], tmp_path: Path
) -> None:
    assert without_traceback(words, file(tmp_path, octets)) in (0, 1)


def test_a_file_whose_name_is_no_utf_8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff.conf")
    path.write_text("retry_interval = 5")
    for words in ON_A_FILE:
        assert without_traceback(words, path) == 2


@pytest.mark.parametrize("words", ON_A_FILE, ids=" ".join)
def test_what_cannot_be_read_is_wrong_usage(words: tuple[str, ...], tmp_path: Path) -> None:
    assert without_traceback(words, tmp_path / "nowhere") == 2
    assert without_traceback(words, tmp_path) == 2


@pytest.mark.slow
def test_a_reader_which_goes_away_is_no_failure_to_tell(tmp_path: Path) -> None:
    lines = "".join(f'domain "d{n}.example" {{ retry_interval = 60 }}\n' for n in range(20_000))
    command = [sys.executable, "-m", "angarium.run.programs.cli", "config", "show"]
    command.append(str(file(tmp_path, lines)))
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert run.stdout is not None
        assert run.stdout.read(10) == b'domain "d0'
        run.stdout.close()
        assert run.stderr is not None
        assert run.stderr.read() == b""


def test_no_server_and_no_loop_is_imported_for_them() -> None:
    code = (
        "import sys; from angarium.run.programs.cli import main\n"
        "try: main(['config', 'schema'])\n"
        "except SystemExit: print(*sorted(sys.modules), file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert not {"angarium.run.supervisor", "angarium.run.worker"} & set(run.stderr.split())
