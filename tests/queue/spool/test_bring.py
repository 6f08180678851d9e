"""Brought in once, whenever it is interrupted and however often it is done."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from angarium.journal.disk import FileDisk
from angarium.queue.spool.bring import Bringing, Brought
from angarium.queue.spool.foreign import letter
from angarium.queue.spool.letter import Letter
from helpers.clock import FakeClock
from helpers.spool import Life


def brought(state: Path, letters: Iterator[Letter], name: str = "004") -> Brought:
    bringing = Bringing(FileDisk(), state, name, FakeClock(), lambda _: None)
    return asyncio.run(bringing.run(letters))


def some(count: int = 5, size: int = 10) -> Iterator[Letter]:
    for number in range(count):
        octets = b"Subject: %d\r\n\r\n" % number + b"x" * size + b"\r\n.\r\n"
        yield letter(octets, "s@x.test", [f"r{number}@x.test", f"q{number}@x.test"], 100.0)


def found(state: Path, name: str = "004") -> dict[str, bytes]:
    life = Life(FileDisk(), start=9e9).start(str(state / "spool" / name))  # type: ignore[arg-type]
    messages = [life.spool.load(ident) for ident in life.spool.live]
    content = {recipient.address: message.body.whole() for message, recipient in messages}
    life.stop()
    return content


def test_letters_become_a_shard_and_only_once(tmp_path: Path) -> None:
    done = brought(tmp_path, some())
    assert (done.letters, done.receivers, done.known, done.shard) == (5, 10, 0, "004")
    again = brought(tmp_path, some(6), "005")
    assert (again.letters, again.receivers, again.known, again.shard) == (1, 2, 10, "005")
    assert len(found(tmp_path)) == 10
    assert found(tmp_path, "005").keys() == {"r5@x.test", "q5@x.test"}
    assert sorted(each.suffix for each in (tmp_path / "imports").iterdir()) == [".marks"] * 2


def test_they_are_not_brought_in_again_when_they_are_delivered(tmp_path: Path) -> None:
    brought(tmp_path, some())
    for path in (tmp_path / "spool").iterdir():
        path.rename(tmp_path / "retired")
    assert brought(tmp_path, some()).receivers == 0


def test_a_large_body_is_a_file(tmp_path: Path) -> None:
    brought(tmp_path, some(1, size=300_000))
    assert len(list((tmp_path / "spool/004/large").iterdir())) == 1
    assert len(found(tmp_path)["r0@x.test"]) > 300_000


def test_all_or_none(tmp_path: Path) -> None:
    def breaking() -> Iterator[Letter]:
        yield from some(3)
        raise OSError(5, "the archive ends here")

    with pytest.raises(OSError, match="ends here"):
        brought(tmp_path, breaking())
    assert not list((tmp_path / "imports").iterdir())
    assert not (tmp_path / "spool").exists()
    assert brought(tmp_path, some()).receivers == 10


@pytest.mark.parametrize("when", ["before", "after"])
def test_who_dies_around_the_last_step_has_done_all_or_nothing(
    tmp_path: Path, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed, nothing is cleaned up."""
    rename = Path.rename

    def dying(path: Path, target: Path) -> Path:
        if when == "after":
            rename(path, target)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", dying)
        patch.setattr(Path, "unlink", lambda *_, **__: None)
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt):
            brought(tmp_path, some())
    assert brought(tmp_path, some(), "005").receivers == (0 if when == "after" else 10)
    assert len(found(tmp_path, "004" if when == "after" else "005")) == 10


def test_what_is_in_the_spool_already_is_left_out(tmp_path: Path) -> None:
    def own() -> Iterator[Letter]:
        for each in some(2):
            for number, receiver in enumerate(each.receivers):
                receiver.ident = 7 + number
            yield each

    present = {7: "r0@x.test", 8: "somebody@else.test"}
    bringing = Bringing(FileDisk(), tmp_path, "004", FakeClock(), present.get)
    done = asyncio.run(bringing.run(own()))
    assert (done.receivers, done.known) == (3, 1)
