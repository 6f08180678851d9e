"""`angarium config check`: what it says, and how it ends."""

import json
from pathlib import Path

from helpers.configurations import SHIPPED
from helpers.tools import angarium, file

FAULTY = """\
retry_intervall = 5
domain "a.example" { spoolbase = /x }
"""


def test_all_faults_are_told_with_their_places_and_counted(tmp_path: Path) -> None:
    path = file(tmp_path, FAULTY)
    code, output = angarium("config", "check", path)
    assert (code, output.splitlines()) == (
        1,
        [
            f"{path}:1:1: there is no option retry_intervall at the top of the file; "
            "did you mean retry_interval?",
            f"{path}:2:22: the option spoolbase may not stand in domain stanzas; "
            "it may stand in: global",
            f"{path}: 2 errors",
        ],
    )


def test_a_sound_file_has_nothing_to_say(tmp_path: Path) -> None:
    path = file(tmp_path, "retry_interval = 300\n")
    assert angarium("config", "check", path) == (0, f"{path}: nothing to say, it can be used\n")


def test_what_we_ship_has_nothing_to_say() -> None:
    named = [each for each in SHIPPED if "tls_certificate" in each.read_text("utf-8")]
    assert named
    whole = [each for each in SHIPPED if each not in named]
    for words, files in (([], whole), (["--without-files"], named)):
        code, output = angarium("config", "check", "--strict", *words, *files)
        assert code == 0, output
        assert output.count("nothing to say") == len(files)


def test_files_of_another_machine_are_not_looked_at_if_that_is_wanted(tmp_path: Path) -> None:
    path = file(tmp_path, 'tls_certificate = "/nowhere/mx.crt"\n')
    code, output = angarium("config", "check", path)
    assert (code, "/nowhere/mx.crt cannot be read" in output) == (1, True)
    assert angarium("config", "check", "--without-files", path)[0] == 0
    code, output = angarium("config", "eval", path, "tls_certificate")
    assert (code, "/nowhere/mx.crt" in output) == (0, True)


def test_options_without_effect_are_notes_and_no_failure(tmp_path: Path) -> None:
    path = file(tmp_path, 'license = "/nowhere"\n')
    code, output = angarium("config", "check", path)
    assert code == 0
    assert output.startswith(f"{path}:1:1: note: license is understood and without effect")
    assert output.endswith(f"{path}: 1 note\n")
    assert angarium("config", "check", "--strict", path)[0] == 0


def test_a_warning_is_a_failure_if_that_is_wanted(tmp_path: Path) -> None:
    path = file(tmp_path, "retry_interval = 300\nretry_interval = 400\n")
    code, output = angarium("config", "check", path)
    assert (code, output.splitlines()[-1]) == (0, f"{path}: 1 warning")
    assert angarium("config", "check", "--strict", path)[0] == 1


def test_of_several_files_each_is_told_and_the_worst_counts(tmp_path: Path) -> None:
    good, bad = file(tmp_path, "", "good"), file(tmp_path, "x", "bad")
    code, output = angarium("config", "check", good, bad, tmp_path / "none")
    assert code == 2
    assert f"{good}: nothing to say" in output
    assert f"{bad}: 1 error" in output
    assert f"{tmp_path}/none: cannot be read: No such file or directory\n" in output


def test_the_json_has_all_of_it(tmp_path: Path) -> None:
    path = file(tmp_path, FAULTY + "retry_interval = 1\nretry_interval = 2\n")
    code, output = angarium("config", "check", "--json", path)
    found = json.loads(output)[str(path)]
    assert code == 1
    assert (found["usable"], found["errors"], found["warnings"], found["notes"]) == (False, 2, 1, 0)
    assert found["faults"][0] == {
        "file": str(path),
        "line": 1,
        "column": 1,
        "severity": "error",
        "message": "there is no option retry_intervall at the top of the file",
        "advice": "did you mean retry_interval?",
    }


def test_a_fault_is_one_line_whatever_the_name_of_its_file(tmp_path: Path) -> None:
    path = file(tmp_path, "nothing", "a\n\x1b[2Jb.conf")
    code, output = angarium("config", "check", path)
    assert code == 1
    assert "\x1b" not in output
    assert len(output.splitlines()) == 2
