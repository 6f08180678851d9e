"""What an operator types goes out, what the server answers comes in, and a batch stops in time."""

import io
from pathlib import Path
from typing import Any

import pytest

from angarium.console.client import ConsoleError
from angarium.console.converse import Conversation, banner, command_of, prompt
from angarium.wire.control import VERSION, Bye, End, Greeting, Line, Message, Note, Part
from helpers.answering import answering, echo


def spoken(folder: Path, lines: list[str], *, batch: bool) -> tuple[bool, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with answering(folder, echo) as client:
        failed = Conversation(client, out, err, batch=batch).run(iter(lines))
    return failed, out.getvalue(), err.getvalue()


@pytest.mark.parametrize("batch", [True, False])
def test_lines_are_asked_one_by_one(tmp_path: Path, batch: bool) -> None:
    lines = ["one\n", "# a comment\n", "\n", " two \n", "quit\n", "three\n"]
    assert spoken(tmp_path, lines, batch=batch) == (False, "one\ntwo\n", "")


def test_a_batch_ends_with_the_first_command_that_fails(tmp_path: Path) -> None:
    assert spoken(tmp_path, ["one", "bad", "two"], batch=True) == (True, "one\n", "bad\n")


def test_a_person_goes_on_after_one_that_failed(tmp_path: Path) -> None:
    assert spoken(tmp_path, ["bad", "two"], batch=False) == (True, "two\n", "bad\n")


def test_the_prompt_tells_of_an_open_transaction(tmp_path: Path) -> None:
    with answering(tmp_path, echo) as client:
        shown = [prompt(client, "here")]
        list(client.ask("begin"))
        shown.append(prompt(client, "here"))
    assert [each.partition(" ")[2] for each in shown] == ["here> ", "here (transaction)> "]


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["config set hostname x"], "config set hostname x"),
        (["config", "set", "hostname", "x"], "config set hostname x"),
        (["config", "set", "static_banner", "220 hi"], 'config set static_banner "220 hi"'),
        (["config", "set", "a", "=", "( b c )"], "config set a = ( b c )"),
        (["config", "set", "a", 'b "c"'], 'config set a "b \\"c\\""'),
        (["config", "set", "a", ""], 'config set a ""'),
    ],
)
def test_arguments_of_a_shell_are_a_line(arguments: list[str], meant: str) -> None:
    assert command_of(arguments) == meant


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_watch_gives_a_command_again_and_again_until_ctrl_c(tmp_path: Path) -> None:
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            raise KeyboardInterrupt

    out = Screen()
    with answering(tmp_path, echo) as client:
        talk = Conversation(client, out, io.StringIO(), sleep=sleep)
        assert not talk.run(iter(["watch 2.5 summary all", "done"]))
    assert pauses == [2.5] * 3
    assert out.getvalue().count("summary all\n") == 3
    assert out.getvalue().endswith("done\n")


def test_watch_ends_with_a_command_that_fails(tmp_path: Path) -> None:
    assert spoken(tmp_path, ["watch 1 bad", "two"], batch=True) == (True, "", "bad\n")


def test_long_answers_go_through_the_pager_if_it_is_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "paged"
    monkeypatch.setenv("PAGER", f"tee {kept}")

    def script(_: Any) -> list[Message]:
        return [Part("a line\n" * 200), End()]

    out, err = Screen(), io.StringIO()
    with answering(tmp_path, script) as client:
        talk = Conversation(client, out, err)
        talk.run(iter(["one"]))
        assert out.getvalue().count("\n") == 200
        talk.run(iter(["\\pager", "one", "\\pager"]))
    assert out.getvalue().count("\n") == 200
    assert kept.read_text().count("\n") == 200
    assert err.getvalue() == "pager on\npager off\n"


def test_notes_go_beside_the_answer(tmp_path: Path) -> None:
    out, err = io.StringIO(), io.StringIO()
    with answering(
        tmp_path, lambda asked: [Note("half"), Line("a"), Part("all\n"), End()]
    ) as client:
        Conversation(client, out, err).run(iter(["one"]))
    assert (out.getvalue(), err.getvalue()) == ("a\nall\n", "half\n")


def test_the_banner_is_that_of_the_manual() -> None:
    lines = banner(Greeting(VERSION, "0.1", "alice", 1.0)).splitlines()
    assert lines == ["#" * 46, "# Angarium version: 0.1", "#" * 46]


def test_who_sits_there_is_connected_again_and_nothing_is_repeated(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.mkdir()
    second.mkdir()
    out, err = io.StringIO(), io.StringIO()
    with answering(first, lambda _: [Bye("too late")]) as gone, answering(second, echo) as there:
        talk = Conversation(gone, out, err, batch=False, renew=lambda: there)
        assert talk.run(iter(["one", "two"]))
    assert out.getvalue() == "two\n"
    assert err.getvalue() == "too late; connected again, and nothing was repeated\n"


def test_a_batch_is_not_connected_again(tmp_path: Path) -> None:
    with (
        pytest.raises(ConsoleError, match="too late"),
        answering(tmp_path, lambda _: [Bye("too late")]) as client,
    ):
        Conversation(client, io.StringIO(), io.StringIO()).run(iter(["one"]))
