"""Logs read line by line, compressed or not."""

import bz2
import gzip
import lzma
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from angarium.run.trace import sources
from angarium.run.trace.sources import SourceError, of, of_stream

TEXT = b"one\ntwo\r\n\xff\nlast"
LINES = ["one", "two", "\udcff", "last"]


@pytest.mark.parametrize("compress", [bytes, bz2.compress, gzip.compress, lzma.compress])
def test_lines_of_a_file(tmp_path: Path, compress: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "log"
    path.write_bytes(compress(TEXT))
    source = of(path)
    assert list(source.lines()) == LINES
    assert list(source.lines()) == LINES


def test_a_stream_is_read_once_or_copied() -> None:
    assert list(of_stream(BytesIO(TEXT), once=True).lines()) == LINES
    copied = of_stream(BytesIO(TEXT), once=False)
    assert list(copied.lines()) == LINES
    assert list(copied.lines()) == LINES


def test_a_line_too_long_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "LONGEST", 10)
    path = tmp_path / "log"
    path.write_bytes(b"short\n" + b"x" * 25 + b"\nnext\n" + b"y" * 9 + b"\n" + b"z" * 40)
    source = of(path)
    assert list(source.lines()) == ["short", "next", "y" * 9]
    assert source.too_long == 2


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        list(of(tmp_path / "missing").lines())
    for compress in (bz2.compress, gzip.compress, lzma.compress):
        path = tmp_path / "half"
        path.write_bytes(compress(TEXT * 5000)[:-20])
        with pytest.raises(SourceError):
            list(of(path).lines())
