"""Messages in files, whatever their line ends."""

import io
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.run.messagefile import read, taken


@pytest.mark.parametrize(
    ("octets", "message", "plain"),
    [
        (b"A: b\n\nc\n", b"A: b\r\n\r\nc\r\n", True),
        (b"A: b\r\n\r\nc\r\n", b"A: b\r\n\r\nc\r\n", False),
        (b"A: b\r\n\nc\rd\r\n", b"A: b\r\n\r\nc\rd\r\n", False),
        (b"From joe Mon Jan\nA: b\n\nc", b"A: b\r\n\r\nc", True),
        (b"From joe", b"", False),
        (b"From: joe", b"From: joe", False),
        (b"", b"", False),
    ],
)
def test_lines_end_in_crlf_and_that_of_an_mbox_is_left_out(
    octets: bytes, message: bytes, plain: bool
) -> None:
    found = taken(octets)
    assert (found.octets, found.plain) == (message, plain)


@given(st.text("\r\nab: ").map(str.encode))
def test_what_had_line_ends_of_one_kind_comes_out_as_it_went_in(octets: bytes) -> None:
    lines = octets.replace(b"\r", b"")
    for one in (lines, lines.replace(b"\n", b"\r\n")):
        found = taken(one)
        assert b"\n" not in found.octets.replace(b"\r\n", b"")
        assert found.again(found.octets) == one


def test_a_dash_is_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "-").write_bytes(b"no")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"A: b\n")))
    assert read("-").octets == b"A: b\r\n"
    assert read("./-").octets == b"no"
