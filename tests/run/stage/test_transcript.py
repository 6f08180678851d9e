"""Transcripts are read, whatever octets they are."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.run.stage.transcript import SETUP, STEPS, TranscriptError, parse, read

HERE = Path("x.test")


def test_a_line_has_a_word_a_rest_and_a_block() -> None:
    found = parse("policy a.py\n    x = 1\n\n# a comment\n>EHLO x\nmessage\n\tA: 1\n\n\tb\n", HERE)
    assert [(each.word, each.rest, each.line, each.block) for each in found.steps] == [
        ("policy", "a.py", 1, ["x = 1"]),
        (">", "EHLO x", 5, []),
        ("message", "", 6, ["A: 1", "", "b"]),
    ]
    assert [each.word for each in found.setup] == ["policy"]
    assert [each.word for each in found.acts] == [">", "message"]


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("policy a\nexpext x\n", "'expext' begins no line", 2),
        ("\n    x\n", "nothing stands above", 2),
    ],
)
def test_what_says_nothing_is_told_with_its_line(text: str, said: str, line: int) -> None:
    with pytest.raises(TranscriptError, match=said) as raised:
        parse(text, HERE)
    assert raised.value.fields == {"file": HERE, "line": line}


PIECES = [*STEPS, " ", "\n", "    ", "\t", "#", "x", "\r", "é", "\0"]


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_any_text_is_a_transcript_or_an_error(text: str) -> None:
    try:
        found = parse(text, HERE)
    except TranscriptError as error:
        assert error.fields["line"]
        return
    assert all(each.word in STEPS for each in found.steps)
    assert set(SETUP) >= {each.word for each in found.setup}


@given(st.binary(max_size=200))
def test_any_octets_are_a_transcript_or_an_error(octets: bytes) -> None:
    with contextlib.suppress(TranscriptError):
        parse(octets.decode("utf-8", "replace"), HERE)


def test_a_file_which_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.test").write_bytes(b"\xff")
    with pytest.raises(TranscriptError, match="no UTF-8"):
        read(tmp_path / "a.test")
    with pytest.raises(TranscriptError, match="cannot be read"):
        read(tmp_path)
