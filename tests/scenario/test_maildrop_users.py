"""A maildrop with its owner, a user and an enemy: who can do what. Root is each of them."""

import codecs
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from angarium.run.submission.collect import Collector
from angarium.run.submission.envelope import Envelope
from angarium.run.submission.maildrop import MAGIC, MODE, HostileError, Maildrop, MaildropError
from angarium.run.submission.post import Server
from angarium.run.submission.settings import Settings
from helpers.mailhost import MailHost

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can be several users")

SERVER, USER, ENEMY = 64001, 64002, 64003
ONE = Envelope("me@h.test", ("a@x.test",), 0, "ab12", 1795642760.0)


def as_user(uid: int, work: Callable[[], object]) -> bool:
    """Do something as somebody else, in a process of its own; say whether it was done."""
    codecs.lookup("idna")  # of which the other user may not read the file
    child = os.fork()
    if not child:
        code = 1
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1] == 0


@pytest.fixture
def drop() -> Iterator[Path]:
    # Not below tmp_path, into which no other user gets.
    folder = Path("/tmp") / f"maildrop-{os.getpid()}"
    folder.mkdir()
    os.chown(folder, SERVER, SERVER)
    folder.chmod(MODE)
    before = os.umask(0o022)  # who runs the tests may have a stricter one
    yield folder
    os.umask(before)


def put(drop: Path) -> None:
    with Maildrop(drop) as opened:
        opened.put(ONE, [b"Subject: x\r\n\r\nx\r\n"])


def test_who_may_do_what(drop: Path) -> None:
    try:
        assert as_user(USER, lambda: put(drop))
        [letter] = drop.iterdir()
        found = letter.stat()
        assert (found.st_uid, found.st_gid) == (USER, SERVER)
        assert stat.S_IMODE(found.st_mode) == 0o640

        def list_it() -> None:
            with Maildrop(drop) as opened:
                opened.names()

        assert not as_user(ENEMY, list_it)
        assert not as_user(ENEMY, letter.read_bytes)
        assert not as_user(ENEMY, letter.unlink)
        assert not as_user(ENEMY, lambda: os.rename(letter, drop / "mail.mine"))

        def enemy() -> None:
            (drop / "mail.0.link").symlink_to("/etc/shadow")
            os.mkfifo(drop / "mail.0.pipe")
            forged = MAGIC + ONE.encode() + b"Subject: forged\r\n\r\n"
            (drop / "mail.0.forged").write_bytes(forged)  # says that it is root's
            (drop / "mail.0.forged").chmod(0o644)
            (drop / "mail.0.folder").mkdir()

        assert as_user(ENEMY, enemy)
        with MailHost() as host:

            def collect() -> None:
                told: list[str] = []
                settings = Settings(hostname="h.test")
                with Maildrop(drop) as opened, opened.collecting() as ours:
                    assert ours
                    collector = Collector(opened, settings, told.append)
                    collected = collector.collect(lambda: Server("127.0.0.1", host.port, "h.test"))
                assert collected.sent == 2, (collected, told)
                assert collected.aside == 3

            assert as_user(SERVER, collect)
        by = [mail[2].splitlines()[0] for mail in host.mails]
        assert by == [
            f"Received: by h.test (Angarium, from userid {uid})".encode() for uid in (ENEMY, USER)
        ]
        # A directory of somebody else cannot be moved: it stays, and is told each time.
        assert {each.name for each in drop.iterdir()} == {"refused", "mail.0.folder"}
        assert not as_user(ENEMY, lambda: os.listdir(drop / "refused"))
    finally:
        for each in sorted(drop.rglob("*"), reverse=True):
            each.rmdir() if each.is_dir() and not each.is_symlink() else each.unlink()
        drop.rmdir()


def test_a_user_who_holds_the_name_of_the_folder_gets_nothing(drop: Path) -> None:
    try:
        assert as_user(ENEMY, lambda: (drop / "refused").mkdir(mode=0o777))
        (drop / "mail.0.junk").write_bytes(b"junk")
        os.chown(drop / "mail.0.junk", USER, SERVER)

        def aside() -> None:
            with Maildrop(drop) as opened:
                with pytest.raises((HostileError, MaildropError)):
                    opened.open("mail.0.junk", 1000)
                with pytest.raises(PermissionError):
                    opened.put_aside("mail.0.junk")

        assert as_user(SERVER, aside)
    finally:
        for each in sorted(drop.rglob("*"), reverse=True):
            each.rmdir() if each.is_dir() else each.unlink()
        drop.rmdir()
