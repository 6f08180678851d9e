"""The last lines of a log."""

from pathlib import Path

from angarium.console.questions.logs import TAIL, Last, last


def test_only_whole_lines_of_the_end_are_read(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("x" * TAIL + "\na\nb\n")
    assert last(path, 10) == Last(["a", "b"])
    assert last(path, 1) == Last(["b"])


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in last(tmp_path / "none", 1).reason


def test_of_two_looks_the_later_one_counts() -> None:
    assert Last(["1"]) + Last(["1", "2"]) == Last(["1", "2"])
