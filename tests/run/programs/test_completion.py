"""`angarium completion` prints what a shell reads."""

import subprocess

import pytest

from helpers.tools import angarium


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_asks_our_program(shell: str) -> None:
    code, output = angarium("completion", shell)
    assert code == 0
    assert f"_ANGARIUM_COMPLETE={shell}_complete" in output


def test_bash_understands_it() -> None:
    script = angarium("completion", "bash")[1]
    run = subprocess.run(["bash", "-n"], check=False, input=script, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")


def test_another_shell_is_wrong_usage() -> None:
    assert angarium("completion", "tcsh")[0] == 2
