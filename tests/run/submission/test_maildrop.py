"""The maildrop: what is left is whole, and what is no letter does no harm."""

import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from angarium.run.submission import maildrop
from angarium.run.submission.envelope import Envelope
from angarium.run.submission.maildrop import MAGIC, HostileError, Maildrop, MaildropError

ONE = Envelope("a@b.test", ("c@d.test",), os.getuid(), "ab12", 12.5)
MOST = 1 << 20


@pytest.fixture
def drop(tmp_path: Path) -> Iterator[Maildrop]:
    with Maildrop(tmp_path) as opened:
        yield opened


def test_what_was_left_is_found(drop: Maildrop) -> None:
    first = drop.put(ONE, [b"A: 1\r\n\r\n", b"x\r\n"])
    second = drop.put(ONE.to(("e@f.test",)), [b"y"])
    assert drop.names() == [first, second]
    waiting = drop.open(first, MOST)
    with waiting.content as content:
        assert content.read() == b"A: 1\r\n\r\nx\r\n"
    assert waiting.envelope == ONE
    assert waiting.size == 11
    assert stat.S_IMODE((drop.path / first).stat().st_mode) == 0o640
    drop.remove(first)
    assert drop.names() == [second]


def test_a_letter_which_cannot_be_written_leaves_nothing(drop: Maildrop) -> None:
    def failing() -> Iterator[bytes]:
        yield b"x"
        raise OSError(28, "No space left on device")

    with pytest.raises(MaildropError):
        drop.put(ONE, failing())
    assert list(drop.path.iterdir()) == []


def test_one_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(MaildropError):
        Maildrop(tmp_path / "missing")
    (tmp_path / "file").write_text("")
    with pytest.raises(MaildropError):
        Maildrop(tmp_path / "file")


def test_only_one_collects(drop: Maildrop) -> None:
    with drop.collecting() as ours, drop.collecting() as theirs:
        assert (ours, theirs) == (True, False)
    with drop.collecting() as ours:
        assert ours


def test_a_draft_is_no_letter_and_goes_when_its_writer_is_dead(
    drop: Maildrop, monkeypatch: pytest.MonkeyPatch
) -> None:
    (drop.path / "tmp.1.a").write_bytes(MAGIC)
    assert drop.names() == []
    assert (drop.path / "tmp.1.a").exists()
    monkeypatch.setattr(maildrop, "DRAFT_SECONDS", -60)
    assert drop.names() == []
    assert not (drop.path / "tmp.1.a").exists()


def planted(drop: Maildrop, octets: bytes) -> str:
    (drop.path / "mail.1.a").write_bytes(octets)
    return "mail.1.a"


@pytest.mark.parametrize(
    "octets",
    [
        b"", b"x" * 5000, MAGIC, MAGIC + b"{}\n", MAGIC + b"[" * 200_000 + b"\n",
        MAGIC + ONE.encode().replace(b"c@d.test", b"c@d.test>\\r\\nDATA"),
        MAGIC[:-1] + ONE.encode(),
    ],
)  # fmt: skip
def test_what_is_no_letter_is_told(drop: Maildrop, octets: bytes) -> None:
    with pytest.raises(HostileError):
        drop.open(planted(drop, octets), MOST)


def test_a_link_a_pipe_and_a_directory_are_not_opened(drop: Maildrop, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(MAGIC + ONE.encode() + b"secret")
    (drop.path / "mail.1.link").symlink_to(secret)
    os.mkfifo(drop.path / "mail.2.pipe")
    (drop.path / "mail.3.folder").mkdir()
    os.link(secret, drop.path / "mail.4.hard")
    assert len(drop.names()) == 4
    for name in drop.names():
        with pytest.raises(HostileError):
            drop.open(name, MOST)


def test_one_too_large_is_not_read(drop: Maildrop) -> None:
    name = planted(drop, MAGIC + ONE.encode())
    with (drop.path / name).open("r+b") as file:
        file.truncate(1 << 40)  # of no blocks
    with pytest.raises(HostileError):
        drop.open(name, MOST)


def test_a_letter_of_another_user_speaks_for_that_user_only(
    drop: Maildrop, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = drop.put(replace(ONE, uid=4711), [b"x"])
    (drop.path / name).chmod(0o640)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 5)
    waiting = drop.open(name, MOST)
    waiting.content.close()
    # As root the tests write what the collector might have written itself.
    assert waiting.envelope.uid == (4711 if os.getuid() == 0 else os.getuid())
    if os.getuid() == 0:
        os.chown(drop.path / name, 1234, -1)
        waiting = drop.open(name, MOST)
        waiting.content.close()
        assert waiting.envelope.uid == 1234


def test_the_content_is_a_copy(drop: Maildrop) -> None:
    name = drop.put(ONE, [b"before"])
    waiting = drop.open(name, MOST)
    with (drop.path / name).open("ab") as file:
        file.write(b"after")
    with waiting.content as content:
        assert content.read() == b"before"


def test_putting_aside(drop: Maildrop) -> None:
    name = planted(drop, b"junk")
    drop.put_aside(name)
    assert drop.names() == []
    assert (drop.path / "refused" / name).read_bytes() == b"junk"
    assert stat.S_IMODE((drop.path / "refused").stat().st_mode) == 0o700


def test_a_link_in_place_of_the_folder_is_not_followed(drop: Maildrop, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (drop.path / "refused").symlink_to(elsewhere)
    name = planted(drop, b"junk")
    with pytest.raises(OSError, match="refused"):
        drop.put_aside(name)
    assert list(elsewhere.iterdir()) == []
