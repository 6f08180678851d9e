"""The prompt on a real terminal: history, completion, Ctrl-C, Ctrl-D."""

import stat
from pathlib import Path

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from angarium.console.interactive import Words, history_file, typed


def typing(keys: str, history: Path | None = None) -> list[str]:
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        pipe.send_text(keys)
        return list(typed(lambda: "> ", ["config get", "memory", "pid"], history))


def test_lines_come_until_ctrl_d() -> None:
    assert typing("pid\rmemory\r\x04") == ["pid", "memory"]


def test_ctrl_c_forgets_a_line() -> None:
    assert typing("flush everything\x03pid\r\x04") == ["pid"]


def test_tab_completes_a_word() -> None:
    found = Words(["config get", "memory"]).get_completions(Document("help me"), CompleteEvent())
    assert [(each.text, each.start_position) for each in found] == [("memory", -2)]


def test_the_history_is_kept_for_its_owner_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    path = history_file()
    assert path is not None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert typing("pid\r\x04", path) == ["pid"]
    assert typing("\x1b[A\r\x04", path) == ["pid"]


def test_where_no_history_can_be_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert history_file() is None
