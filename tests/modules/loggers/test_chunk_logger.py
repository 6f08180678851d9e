"""chunk_logger: what scripts say is written, whole and in order, and nobody waits for it."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from angarium.config.load import load_text
from angarium.modules.loggers import chunk_logger
from angarium.modules.loggers.chunk_logger import ChunkLogger
from helpers.clock import FakeClock


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(6000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


class Bench:
    def __init__(self, folder: Path, options: str) -> None:
        configuration = load_text(f"chunk_logger {{ {options} }}")
        self.folder = folder
        self.panics: list[str] = []
        self.clock = FakeClock()
        means: Any = SimpleNamespace(
            configuration=configuration,
            loop=asyncio.get_running_loop(),
            clock=self.clock,
            state=folder,
            panic=lambda module, text: self.panics.append(f"{module}: {text}"),
        )
        stanza: Any = configuration.instances("chunk_logger")[0][1]
        self.logger = ChunkLogger("", stanza, means)

    async def written(self, name: str = "c.log") -> str:
        """Return what stands in the file when all is written."""
        await until(lambda: self.logger._timer is None and self.logger._writing is None)
        path = self.folder / name
        return path.read_text() if path.exists() else ""


@pytest.mark.effect("chunk_logger.destination", "chunk_logger.add_newline")
async def test_texts_are_written_in_order_each_on_a_line(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 'destination = "c.log"')
    for number in range(3):
        bench.logger.log(b"text %d" % number)
    assert await bench.written() == "text 0\ntext 1\ntext 2\n"
    bench.logger.log(b"more")
    assert (await bench.written()).endswith("more\n")
    bench.logger.log(b"last")
    bench.logger.stop()
    assert (tmp_path / "c.log").read_text().endswith("last\n")
    plain = Bench(tmp_path, 'destination = "d.log" add_newline = false')
    plain.logger.log(b"a")
    plain.logger.log(b"b")
    assert await plain.written("d.log") == "ab"
    plain.logger.stop()


@pytest.mark.effect("chunk_logger.timestamp_format")
async def test_a_text_begins_with_the_time_as_it_is_wanted(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 'destination = "c.log" timestamp_format = "%Y-%m-%d "')
    bench.logger.log(b"x")
    day = time.strftime("%Y-%m-%d", time.localtime(bench.clock.time()))
    assert await bench.written() == f"{day} x\n"
    bench.logger.stop()


@pytest.mark.effect("chunk_logger.enabled")
async def test_off_it_writes_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 'destination = "c.log" enabled = false')
    bench.logger.log(b"x")
    assert await bench.written() == ""


async def test_a_file_which_was_renamed_is_opened_anew(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 'destination = "sub/c.log"')
    bench.logger.log(b"one")
    assert await bench.written("sub/c.log") == "one\n"
    (tmp_path / "sub/c.log").rename(tmp_path / "old")
    bench.logger.log(b"two")
    assert await bench.written("sub/c.log") == "two\n"
    bench.logger.stop()


async def test_what_cannot_be_written_is_told_and_what_is_too_much_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunk_logger, "MOST", 10)
    (tmp_path / "c.log").mkdir()
    bench = Bench(tmp_path, 'destination = "c.log"')
    bench.logger.log(b"12345678")
    bench.logger.log(b"12345678")
    await until(lambda: len(bench.panics) == 2)
    assert "could not be written" in bench.panics[0]
    assert "1 texts of scripts are lost" in bench.panics[1]
    bench.logger.stop()
