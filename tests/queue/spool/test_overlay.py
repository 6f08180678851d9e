"""A disk over another: it behaves as one, and the other stays as it was."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.journal.disk import Disk
from angarium.queue.spool import overlay
from angarium.queue.spool.overlay import Overlay
from helpers.disk import MemoryDisk


def below() -> MemoryDisk:
    disk = MemoryDisk()
    disk.make_dir("/d")
    for name, octets in (("a", b"a" * 50), ("b", b"b" * 300)):
        handle = disk.open(f"/d/{name}", create=True)
        disk.write(handle, [octets], 0)
        disk.close(handle)
    return disk


def content(disk: Disk, path: str) -> bytes:
    handle = disk.open(path, readonly=True)
    octets = disk.read(handle, 10_000, 0)
    assert len(octets) == disk.size(handle)
    disk.close(handle)
    return octets


def write(disk: Disk, name: str, at: int, octets: bytes) -> None:
    handle = disk.open(f"/d/{name}", create=True)
    disk.write(handle, [octets[:2], octets[2:]], at)
    disk.sync(handle)
    disk.close(handle)


def resize(disk: Disk, name: str, size: int, _: bytes) -> None:
    handle = disk.open(f"/d/{name}", create=True)
    disk.truncate(handle, size)
    disk.allocate(handle, 20)
    disk.close(handle)


def rename(disk: Disk, name: str, number: int, _: bytes) -> None:
    if name in disk.names("/d"):
        disk.rename(f"/d/{name}", f"/d/{'abc'[number % 3]}{name}")


def unlink(disk: Disk, name: str, _number: int, _: bytes) -> None:
    if name in disk.names("/d"):
        disk.unlink(f"/d/{name}")


Step = Callable[[Disk, str, int, bytes], None]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([write, resize, rename, unlink]),
            st.sampled_from(["a", "b", "c", "aa", "ba"]),
            st.integers(0, 400),
            st.binary(min_size=1, max_size=90),
        ),
        max_size=12,
    )
)
def test_whatever_is_done_it_is_a_disk_and_nothing_is_done_below(
    steps: list[tuple[Step, str, int, bytes]],
) -> None:
    real, under = below(), below()
    before = {path: bytes(file.cached) for path, file in under.names_cached.items()}
    over = Overlay(under)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(overlay, "PAGE", 32)
        for step, name, number, octets in steps:
            step(real, name, number, octets)
            step(over, name, number, octets)
            assert over.names("/d") == real.names("/d")
            for each in real.names("/d"):
                assert content(over, f"/d/{each}") == content(real, f"/d/{each}")
    assert before == {path: bytes(file.cached) for path, file in under.names_cached.items()}


def test_what_is_not_there_is_not_found() -> None:
    over = Overlay(below())
    for absent in (over.open, over.unlink):
        with pytest.raises(FileNotFoundError):
            absent("/d/x")
    over.unlink("/d/a")
    with pytest.raises(FileNotFoundError):
        over.open("/d/a")


def test_a_file_that_was_only_read_is_not_kept_open() -> None:
    under = below()
    over = Overlay(under)
    content(over, "/d/a")
    assert not under.handles
