"""`angarium config diff`: what it says, and how it ends."""

import json
from pathlib import Path

from helpers.tools import angarium, file


def test_equal_in_meaning_is_silence(tmp_path: Path) -> None:
    one = file(tmp_path, "retry_interval = 1200 # seconds\n", "one")
    two = file(tmp_path, '/* minutes */ Retry_Interval = "20 minutes"\n', "two")
    assert angarium("config", "diff", one, two) == (0, "")
    assert angarium("config", "diff", "--json", one, two) == (0, "[]\n")


def test_each_difference_is_a_line(tmp_path: Path) -> None:
    one = file(tmp_path, "retry_interval = 1200\nbinding b { }\n", "one")
    two = file(tmp_path, "retry_interval = 600\n", "two")
    assert angarium("config", "diff", one, two) == (
        1, "global: retry_interval: 1200 -> 600\nbinding b: the stanza is gone\n"
    )  # fmt: skip
    code, output = angarium("config", "diff", "--json", one, two)
    assert code == 1
    assert [each["path"] for each in json.loads(output)] == ["", "binding b"]


def test_a_faulty_file_is_an_error_and_no_difference(tmp_path: Path) -> None:
    one, two = file(tmp_path, "x", "one"), file(tmp_path, "", "two")
    code, output = angarium("config", "diff", one, two)
    assert code == 2
    assert output.startswith(f"{one}:1:1: ")
    assert angarium("config", "diff", two, tmp_path / "none")[0] == 2
