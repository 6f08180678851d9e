"""`angarium completion` prints what a shell reads; the shells are asked what they make of it."""

import contextlib
import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.tools import angarium

PATIENCE_SECONDS = 90.0
ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[ -/]*[@-~]|[=>])|\r|\x08")


@pytest.fixture
def environment() -> dict[str, str]:
    """Return that of somebody who has our command in his path."""
    ours = str(Path(sys.executable).parent)
    return os.environ | {"PATH": f"{ours}:{os.environ['PATH']}", "TERM": "dumb"}


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str], Path]:
    def made(shell: str) -> Path:
        path = tmp_path / f"completion.{shell}"
        path.write_text(angarium("completion", shell)[1])
        return path

    return made


def said(words: list[str], environment: dict[str, str], folder: Path) -> list[str]:
    """Run a shell; return the lines it printed."""
    run = subprocess.run(
        words, check=False, capture_output=True, text=True, env=environment, cwd=folder,
        timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    assert (run.returncode, run.stderr) == (0, "")
    return run.stdout.splitlines()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_asks_our_program(shell: str) -> None:
    code, output = angarium("completion", shell)
    assert code == 0
    assert f"_ANGARIUM_COMPLETE={shell}_complete" in output


def test_another_shell_is_wrong_usage() -> None:
    assert angarium("completion", "tcsh")[0] == 2


@pytest.mark.slow
def test_bash_completes_a_command(
    script: Callable[[str], Path], environment: dict[str, str], tmp_path: Path
) -> None:
    asked = (
        f"source {script('bash')}; COMP_WORDS=(angarium con) COMP_CWORD=1; "
        "_angarium_completion angarium con; printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    assert said(["bash", "--norc", "-c", asked], environment, tmp_path) == ["config", "console"]


@pytest.mark.slow
@pytest.mark.peer
def test_fish_completes_commands_with_the_whole_of_what_they_are_for(
    program: Callable[[str], str],
    script: Callable[[str], Path],
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    (tmp_path / "mail.conf").touch()

    def completed(line: str) -> list[str]:
        asked = f"source {script('fish')}; complete -C '{line}'"
        home = environment | {"HOME": str(tmp_path)}
        return said([program("fish"), "--no-config", "-c", asked], home, tmp_path)

    assert completed("angarium con") == [
        "config\tcheck, show, explain and compare configurations",
        "console\task a running server, and change what it does",
    ]
    [option] = completed("angarium config explain max_request_s")
    assert option.startswith("max_request_size\tOctets of a request with its header, and")
    assert completed("angarium config check mail") == ["mail.conf"]


class Zsh:
    """A zsh at a terminal, as somebody types into it."""

    def __init__(self, path: str, environment: dict[str, str], folder: Path) -> None:
        self._terminal, its = os.openpty()
        self._process = subprocess.Popen(
            [path, "-f", "-i"], stdin=its, stdout=its, stderr=its, cwd=folder,
            env=environment, start_new_session=True,
        )  # fmt: skip
        os.close(its)
        self._seen = ""

    def types(self, text: str, until: str) -> None:
        """Type, and wait for what is shown."""
        self._seen = ""
        os.write(self._terminal, text.encode())
        end = time.monotonic() + PATIENCE_SECONDS
        while until not in ESCAPES.sub("", self._seen):
            left = end - time.monotonic()
            ready, _, _ = select.select([self._terminal], [], [], max(left, 0.0))
            assert ready, f"waited for {until!r}: {self._seen!r}"
            self._seen += os.read(self._terminal, 65536).decode("utf-8", "replace")

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._terminal)


@pytest.mark.slow
@pytest.mark.peer
def test_zsh_completes_what_is_typed(
    program: Callable[[str], str],
    script: Callable[[str], Path],
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    (tmp_path / "mail.conf").touch()
    with contextlib.closing(Zsh(program("zsh"), environment, tmp_path)) as zsh:
        zsh.types(
            f"autoload -U compinit; compinit -u -d {tmp_path / 'dump'}; source {script('zsh')}; "
            "PS1='re''ady> '\n",
            "ready> ",
        )
        zsh.types("angarium con\t", "-- ask a running server, and change what it does")
        zsh.types("\x15angarium comp\t", "angarium completion ")
        zsh.types("\x15angarium config check ma\t", "angarium config check mail.conf")
