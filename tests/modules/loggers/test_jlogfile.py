"""A log in a jlog: each line once, whatever dies, and nothing that was written is taken back."""

from pathlib import Path

from angarium.events.jlog import Jlog, Place
from angarium.modules.loggers.jlogfile import JlogLog


def log(tmp_path: Path) -> JlogLog:
    made = JlogLog(tmp_path / "queue", "me", 0o640, lambda: 1.5)
    made._writer.limit = 64
    made.open()
    return made


def there(tmp_path: Path) -> list[bytes]:
    return [message for _, message in Jlog(tmp_path / "queue").read(Place(0, 0))]


def write(made: JlogLog, *lines: bytes) -> None:
    made.add(lines)
    assert made.flush()


def test_lines_are_messages_with_their_ends(tmp_path: Path) -> None:
    made = log(tmp_path)
    assert not made.flush()
    write(made, b"a", b"b")
    made.sync()
    assert there(tmp_path) == [b"a\n", b"b\n"]
    assert (tmp_path / "queue" / "metastore").stat().st_mode & 0o777 == 0o640


def test_what_was_written_after_the_checkpoint_does_not_come_again(tmp_path: Path) -> None:
    first = log(tmp_path)
    write(first, b"known", b"same")
    known = first.state
    write(first, b"after 1", b"same", b"same", b"after 2 which fills a segment", b"last")
    first.close()
    assert known is not None
    again = log(tmp_path)
    assert again.restore(known) == 5
    # The streams tell it again, in whatever order, and then something new.
    write(again, b"same", b"last", b"after 1", b"same", b"same", b"new")
    again.add([b"after 2 which fills a segment"])
    again.flush()
    again.regained()
    write(again, b"last")
    assert there(tmp_path) == [
        *(b"known\n", b"same\n", b"after 1\n", b"same\n", b"same\n"),
        *(b"after 2 which fills a segment\n", b"last\n", b"same\n", b"new\n", b"last\n"),
    ]


def test_a_jlog_that_was_removed_has_nothing_to_remember(tmp_path: Path) -> None:
    made = log(tmp_path)
    write(made, b"a")
    known = made.state
    assert known is not None
    made.close()
    fresh = JlogLog(tmp_path / "other", "me", 0o640)
    assert fresh.state is None
    assert fresh.restore(known) == 0


def test_after_close_nothing_waits(tmp_path: Path) -> None:
    made = log(tmp_path)
    made.add([b"a"])
    made.close()
    made.open()
    assert not made.flush()
    assert there(tmp_path) == []
