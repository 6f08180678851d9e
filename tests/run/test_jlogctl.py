"""jlogctl: what it prints, does, and ends with."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from angarium.events.jlog import Jlog, Place, Writer
from angarium.run.jlogctl import command


@pytest.fixture
def jlog(tmp_path: Path) -> Jlog:
    writer = Writer(tmp_path / "q", "me")
    writer.limit = 60
    left = [b"message %d\n" % number for number in range(5)]
    while left:
        del left[: writer.append(left, 1.0)]
    writer.close()
    return writer.jlog


def said(jlog: Jlog, *words: str, code: int = 0) -> str:
    ended = CliRunner().invoke(command, [*words, str(jlog.path)])
    assert ended.exit_code == code, ended.output
    return ended.output.replace(str(jlog.path), "Q")


def test_subscribers_and_segments_are_listed(jlog: Jlog) -> None:
    assert said(jlog, "-s") == f"Q\n\t{'me':>32} @ 00000000:00000000\n"
    assert said(jlog, "-l", "-i") == (
        "Q\n"
        "\t00000000 [       78 bytes] 1 pending readers\n"
        "\t\t idx: 3 messages (00000003), closed\n"
        "\t00000001 [       52 bytes] 1 pending readers\n"
        "\t\t idx: 2 messages (00000002), open\n"
    )


def test_what_a_subscriber_reads_next(jlog: Jlog) -> None:
    jlog.move("me", Place(0, 1))
    assert said(jlog, "-p", "me") == (
        "Q\n--------------------\n"
        "  Perspective of the 'me' subscriber\n"
        "    current checkpoint: 00000000:00000001\n"
        "Last write: 00000001:00000002\n"
        "\t     next interval: [00000000:00000002, 00000000:00000003]\n"
        "--------------------\n\n"
    )
    jlog.move("me", Place(1, 2))
    assert "next interval: [00000001:00000002, 00000001:00000002]" in said(jlog, "-p", "me")
    assert "no such subscriber" in said(jlog, "-p", "who", code=1)


def test_subscribers_come_and_go(jlog: Jlog) -> None:
    assert said(jlog, "-a", "other") == "Q\nAdded subscriber 'other' -> 00000000:00000000\n"
    assert "it is there" in said(jlog, "-a", "other", code=1)
    assert said(jlog, "-e", "me") == "Q\nErased subscriber 'me'\n"
    assert "there is none" in said(jlog, "-e", "me", code=1)
    assert list(jlog.subscribers()) == ["other"]


def test_what_nobody_needs_is_removed(jlog: Jlog) -> None:
    assert said(jlog, "-c", "-v") == "Q\n\t0 segments removed\n"
    jlog.move("me", Place(1, 0))
    assert said(jlog, "-c", "-v") == "Q\n\t1 segments removed\n"
    assert jlog.segments() == [1]


def test_damage_is_told_and_repaired(jlog: Jlog) -> None:
    assert said(jlog, "-d", "-v") == "Q\n\t0 faults\n"
    path = jlog.segment(0)
    path.write_bytes(b"rubbish" + path.read_bytes())
    assert said(jlog, "-d", code=1) == "Q\n\t00000000: no records from 0 to 7\n"
    assert said(jlog, "-r") == "Q\n\t00000000: no records from 0 to 7\n\trepaired\n"
    assert said(jlog, "-d") == "Q\n"
    assert len(list(jlog.read(Place(0, 0)))) == 5


def test_what_is_no_jlog_is_told(tmp_path: Path) -> None:
    assert "No such file" in said(Jlog(tmp_path / "none"), "-s", code=1)
    (tmp_path / "metastore").write_bytes(b"?")
    assert "metastore of the jlog damaged" in said(Jlog(tmp_path), "-s", code=1)
