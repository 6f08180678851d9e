"""angarium policy test: transcripts are played, and their exit code tells."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from angarium.run.programs.policy_test import command

ROOT = Path(__file__).parents[3]
GOOD = "policy p.py\nconnect 192.0.2.1\n< 220\n"
SCRIPT = (
    "from angarium.policy.script import Session, on\n"
    "@on.connect\ndef look(session: Session) -> None: ...\n"
    "@on.hello\ndef never(session: Session) -> None: ...\n"
)


def run(*words: str) -> Result:
    return CliRunner().invoke(command, list(words))


def folder(tmp_path: Path, **texts: str) -> Path:
    (tmp_path / "p.py").write_text(SCRIPT)
    (tmp_path / "p.py").chmod(0o644)
    for name, text in texts.items():
        (tmp_path / f"{name}.test").write_text(text)
    return tmp_path


@pytest.mark.parametrize("language", ["policy", "policy-lua"])
def test_the_examples_hold(language: str) -> None:
    result = run(str(ROOT / "examples" / language))
    assert result.exit_code == 0, result.output
    assert "0 failed" in result.output


def test_what_fails_is_told_with_file_and_line(tmp_path: Path) -> None:
    place = folder(tmp_path, good=GOOD, bad=GOOD + "> NOOP\n< 999\n", odd="what is this\n")
    result = run(str(place))
    assert result.exit_code == 1
    assert "1 held, 2 failed" in result.output
    assert f"FAILED  {place}/bad.test:5: it was to hear '999'" in result.output
    assert f"FAILED  {place}/odd.test:1: 'what' begins no line" in result.output


def test_coverage_names_what_was_never_called(tmp_path: Path) -> None:
    result = run("--coverage", str(folder(tmp_path, good=GOOD)))
    assert "never called: validate_ehlo p never" in result.output


def test_the_outcome_as_json(tmp_path: Path) -> None:
    place = folder(tmp_path, good=GOOD)
    result = run("--json", str(place / "good.test"))
    (outcome,) = json.loads(result.output)
    assert outcome["held"]
    assert [each["calls"] for each in outcome["handlers"]] == [1, 0]


def test_a_folder_without_transcripts_is_wrong_usage(tmp_path: Path) -> None:
    assert run(str(tmp_path)).exit_code == 2


def test_the_guide_shows_the_recipes_as_they_are() -> None:
    guide = (ROOT / "docs" / "guide" / "policy-python.md").read_text()
    for path in sorted((ROOT / "examples" / "policy").glob("*.py")):
        lines = path.read_text().rstrip().split("\n")
        shown = "\n".join(f"    {line}" if line else "" for line in lines)
        assert shown in guide, f"{path.name} is not shown, or shown otherwise"
