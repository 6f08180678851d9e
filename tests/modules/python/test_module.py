"""The module python: scripts of a stanza, loaded with a generation and stopped with it."""

import asyncio
from pathlib import Path

import pytest

from angarium.config.load import load_text
from angarium.core.errors import Error
from angarium.run.stage.stage import Stage
from angarium.run.stage.virtual import VirtualLoop

HEAD = "from angarium.policy.script import Server, Session, on\n"
LISTENER = 'esmtp_listener { listen "127.0.0.1:2525" { } }\n'


def staged(tmp_path: Path, stanza: str, seconds: float = 0.0, **scripts: str) -> list[str]:
    """Return what paniclog says after so many seconds and the end of a generation."""
    for name, text in scripts.items():
        path = tmp_path / f"{name}.py"
        path.write_text(HEAD + text)
        path.chmod(0o644)
    loop = VirtualLoop()

    async def run() -> list[str]:
        stage = Stage(load_text(LISTENER + stanza, path=str(tmp_path / "c.conf")), loop)
        stage.connect("192.0.2.1")
        await asyncio.sleep(seconds)
        stage.close()
        await stage.quiet()
        return stage.panics

    try:
        return loop.run_until_complete(run())
    finally:
        loop.close()


@pytest.mark.effect("python.script.source")
def test_scripts_run_in_the_order_of_the_file_with_their_settings(tmp_path: Path) -> None:
    text = "@on.connect\ndef c(server: Server) -> None: server.log(str(dict(server.settings)))\n"
    stanza = 'python { script "b" { source = "b.py" } script "a" { source = "a.py" n = 3 } }'
    assert staged(tmp_path, stanza, a=text, b=text) == [
        "python: b: {}",
        "python: a: {'n': '3'}",
    ]


def test_moments_are_called_and_what_they_begin_ends(tmp_path: Path) -> None:
    text = """
@on.start
async def begin(server: Server) -> None: server.log("start")
@on.every(10)
def again(server: Server) -> None: server.log("again")
@on.every(10)
def fails(server: Server) -> None: 1 / 0
@on.stop
def end(server: Server) -> None: server.log("stop")
"""
    told = staged(tmp_path, 'python { script "a" { source = "a.py" } }', 25.0, a=text)
    assert told.count("python: a: again") == 2
    assert sum("ZeroDivisionError" in line for line in told) == 2
    assert (told[0], told[-1]) == ("python: a: start", "python: a: stop")


@pytest.mark.effect("python.enabled")
def test_a_module_that_is_off_does_nothing(tmp_path: Path) -> None:
    text = """
@on.start
def begin(server: Server) -> None: server.log("start")
@on.connect
def c(server: Server) -> None: server.log("connect")
"""
    stanza = 'python { enabled = false script "a" { source = "a.py" } }'
    assert staged(tmp_path, stanza, a=text) == []


@pytest.mark.parametrize(
    ("stanza", "said"),
    [
        ('python { script "a" { } }', "script a has no source"),
        ('python { script "a" { source = "none.py" } }', "there is no file none.py; looked at"),
        ('python { script "a" { source = "bad.py" } }', "its parameter x is of no type"),
    ],
)
def test_what_cannot_be_used_refuses_the_generation(tmp_path: Path, stanza: str, said: str) -> None:
    bad = "@on.connect\ndef f(x: int) -> None: ...\n"
    with pytest.raises(Error, match=said):
        staged(tmp_path, stanza, bad=bad)
