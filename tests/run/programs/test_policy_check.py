"""angarium policy check: what is wrong with a script, with file and line."""

from pathlib import Path

from click.testing import CliRunner, Result

from angarium.run.programs.policy_check import command


def run(path: Path, text: str) -> Result:
    path.write_text(text)
    path.chmod(0o644)
    return CliRunner().invoke(command, [str(path)])


def test_a_script_which_is_well_says_what_it_handles(tmp_path: Path) -> None:
    text = "from angarium.policy.script import on\n@on.connect\ndef look() -> None: ...\n"
    result = run(tmp_path / "p.py", text)
    assert result.exit_code == 0
    assert result.output == f"{tmp_path}/p.py: validate_connect p look\n"


def test_a_faulty_script_is_told_with_its_line(tmp_path: Path) -> None:
    result = run(tmp_path / "p.py", "x = 1\ndef (\n")
    assert result.exit_code == 1
    assert f"{tmp_path}/p.py:2: script p: invalid syntax" in result.output


def test_a_script_which_handles_nothing_is_told(tmp_path: Path) -> None:
    result = run(tmp_path / "p.py", "x = 1\n")
    assert result.exit_code == 1
    assert "it handles no hook" in result.output
