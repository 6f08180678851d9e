"""Letters in a tar file: nothing is lost on the way, and what is no archive is told."""

import asyncio
import io
import json
import tarfile

import pytest

from angarium.queue.spool import archive, offline
from angarium.queue.spool.archive import ArchiveError, Writer, letters, read
from angarium.queue.spool.letter import Letter
from helpers.clock import FakeClock
from helpers.disk import MemoryDisk
from helpers.spool import HOME, Life


@pytest.fixture
def life() -> Life:
    return Life(MemoryDisk()).start()


def written(
    life: Life, *, compress: bool = False, damaged: bool = False
) -> tuple[bytes, list[int]]:
    life.pass_time(0.1)
    file, skipped = io.BytesIO(), []

    async def export() -> None:
        writer = Writer(file, compress=compress)
        async with offline.read(life.disk, HOME, FakeClock()) as shard:
            for each in letters(
                shard, lambda *_: True, lambda ident, _: skipped.append(ident), damaged=damaged
            ):
                writer.add(each)
        writer.close()

    asyncio.run(export())
    return file.getvalue(), skipped


def back(octets: bytes) -> list[tuple[Letter, bytes]]:
    return [(each, b"".join(each.octets())) for each in read(io.BytesIO(octets))]


@pytest.mark.parametrize("compress", [False, True])
def test_what_is_written_is_read(life: Life, compress: bool) -> None:
    one, other = life.put("a@x.test", "b@x.test", body=b"x" * 70_000, variables={"k": "v"})
    life.spool.defer(one, 2, 1_800_000_000, None)
    life.spool.isolate(other)
    life.put("c@x.test", body=b"")
    octets, skipped = written(life, compress=compress)
    [(first, content), (second, empty)] = back(octets)
    assert not skipped
    assert content == b"Received: x\r\n" + b"x" * 70_000
    assert empty == b"Received: x\r\n"
    assert first.envelope.variables == {"k": "v"}
    assert first.envelope.header == 13
    states = {each.ident: (each.attempts, each.due, each.aside) for each in first.receivers}
    assert states == {one: (2, 1_800_000_000, False), other: (0, 0, True)}
    assert [each.target.address for each in second.receivers] == ["c@x.test"]


def test_any_program_reads_it(life: Life) -> None:
    life.put("a@x.test", body=b"Subject: x\r\n\r\nhi\r\n")
    with tarfile.open(fileobj=io.BytesIO(written(life)[0])) as tar:
        about, message = (tar.extractfile(each) for each in tar.getmembers())
        assert about is not None
        assert message is not None
        assert message.read().endswith(b"Subject: x\r\n\r\nhi\r\n")
        known = json.load(about)
    assert known["angarium"] == 1
    assert known["recipients"][0]["address"] == "a@x.test"
    assert known["envelope"]["sender"] == "sender@example.com"


def test_a_damaged_content_is_left_out_or_marked(life: Life) -> None:
    (bad,) = life.put(body=b"x" * 200)
    writer = life.spool.large()
    writer.write(b"y" * 3000)
    (large,) = life.put(body=writer.finish())
    life.pass_time(0.1)
    segment = f"{HOME}/data/0000000001.seg"
    life.disk.damage(segment, life.disk.content(segment).find(b"x" * 200) + 7, b"z")
    [name] = life.disk.names(f"{HOME}/large")
    life.disk.damage(f"{HOME}/large/{name}", 7, b"z")
    octets, skipped = written(life)
    assert (back(octets), skipped) == ([], [bad, large])
    octets, skipped = written(life, damaged=True)
    assert not skipped
    [(one, content), (other, body)] = back(octets)
    assert "damaged" in one.damaged
    assert "damaged" in other.damaged
    assert content.endswith(b"x" * 7 + b"z" + b"x" * 192)
    assert body.endswith(b"y" * 7 + b"z" + b"y" * 2992)


@pytest.mark.parametrize("cut", [0, 700, 1500, -11_000])
def test_an_archive_that_is_cut_off_is_told(life: Life, cut: int) -> None:
    life.put(body=b"x" * 3000)
    life.put(body=b"y" * 3000)
    octets = written(life)[0]
    with pytest.raises(ArchiveError):
        back(octets[:cut])


def test_a_changed_content_is_told(life: Life) -> None:
    life.put(body=b"x" * 3000)
    octets = written(life)[0].replace(b"x" * 3000, b"x" * 2999 + b"y")
    with pytest.raises(ArchiveError, match="not what was written"):
        back(octets)


def test_another_version_and_another_file_are_told(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    life.put()
    octets = written(life)[0]
    monkeypatch.setattr(archive, "VERSION", 0)
    with pytest.raises(ArchiveError, match="newer version"):
        back(octets)
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("etc/passwd"))
    for other in (b"junk" * 1000, file.getvalue()):
        with pytest.raises(ArchiveError):
            back(other)
