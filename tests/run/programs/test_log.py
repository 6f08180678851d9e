"""The group of programs on logs."""

from helpers.tools import angarium


def test_it_lists_its_programs() -> None:
    code, told = angarium("log", "--help")
    assert code == 0
    assert "trace" in told
