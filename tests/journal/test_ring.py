"""Chains that the kernel carries out: real files, a real ring. Older kernels have none."""

import asyncio
import errno
import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from angarium.journal.ring import LONGEST, Ring, Sync, Write


@pytest.fixture
def ring() -> Iterator[Ring]:
    ring = Ring.open()
    if ring is None:
        pytest.skip("this kernel has no io_uring, or does not let us have it")
    yield ring
    ring.close()


@pytest.fixture
def handle(tmp_path: Path) -> Iterator[int]:
    handle = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    yield handle
    os.close(handle)


def ended(ring: Ring, *chains: list[Write | Sync]) -> list[tuple[int, int]]:
    """Submit all chains at once; return how each of them ended."""
    results: list[tuple[int, int] | None] = [None] * len(chains)

    async def run() -> None:
        loop = asyncio.get_running_loop()
        done = loop.create_future()

        def told(which: int, step: int, result: int) -> None:
            results[which] = step, result
            if None not in results:
                done.set_result(None)

        loop.add_reader(ring.fileno(), ring.reap)
        for which, chain in enumerate(chains):
            ring.submit(chain, lambda step, result, which=which: told(which, step, result))  # type: ignore[misc]
        await asyncio.wait_for(done, 90)
        loop.remove_reader(ring.fileno())

    asyncio.run(run())
    return [each for each in results if each is not None]


def test_the_last_step_tells_of_the_whole_chain(ring: Ring, handle: int) -> None:
    chain: list[Write | Sync] = [
        Write(handle, [b"Angarium", b"/", b"1"], 4),
        Sync(handle),
        Write(handle, [b"end"], 30),
    ]
    assert ended(ring, chain) == [(2, 3)]
    assert os.pread(handle, 100, 4) == b"Angarium/1".ljust(26, b"\0") + b"end"


def test_many_pieces_and_large_ones_are_written_in_their_order(ring: Ring, handle: int) -> None:
    pieces = [bytes([n]) * (n * 997) for n in range(1, 40)]  # together more than is joined
    assert ended(ring, [Write(handle, pieces, 0), Sync(handle)]) == [(1, 0)]
    assert os.pread(handle, 1 << 20, 0) == b"".join(pieces)


def test_a_step_which_fails_ends_the_chain_and_those_behind_are_not_begun(
    ring: Ring, handle: int
) -> None:
    bad = 1 << 20  # no file has this number
    assert ended(ring, [Write(bad, [b"x"], 0), Write(handle, [b"y"], 0)]) == [(0, -errno.EBADF)]
    assert ended(ring, [Write(handle, [b"a"], 0), Sync(bad), Write(handle, [b"b"], 1)]) == [
        (1, -errno.EBADF)
    ]
    assert os.pread(handle, 10, 0) == b"a"


def test_a_sync_which_fails_is_told_of_although_the_kernel_goes_on(ring: Ring, handle: int) -> None:
    # A pipe cannot be synced. To the kernel that is no failed link, so it does the next one.
    out, into = os.pipe()
    try:
        assert ended(ring, [Sync(out), Write(handle, [b"x"], 0)]) == [(0, -errno.EINVAL)]
        assert ended(ring, [Sync(handle), Sync(out), Sync(handle)]) == [(1, -errno.EINVAL)]
        assert ended(ring, [Sync(out), Write(1 << 20, [b"x"], 0), Sync(handle)]) == [
            (0, -errno.EINVAL)
        ]
    finally:
        os.close(out)
        os.close(into)


def test_a_write_that_does_not_fit_says_how_much_was_written(ring: Ring, handle: int) -> None:
    # What RLIMIT_FSIZE cuts off is written in part, as at the end of a disk.
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        found = ended(ring, [Write(handle, [b"0123456789abcdef"], 0), Sync(handle)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert found == [(0, 10)]


def test_several_chains_may_be_under_way_and_each_is_told_of(ring: Ring, handle: int) -> None:
    chains: list[list[Write | Sync]] = [
        [Write(handle, [bytes([n])], n), Sync(handle)] for n in range(40)
    ]
    assert ended(ring, *chains) == [(1, 0)] * 40
    assert os.pread(handle, 100, 0) == bytes(range(40))


def test_the_ring_goes_round(ring: Ring, handle: int) -> None:
    for turn in range(5):
        long: list[Write | Sync] = [Write(handle, [b"%d" % turn], n) for n in range(LONGEST)]
        assert ended(ring, long) == [(LONGEST - 1, 1)]
    assert os.pread(handle, 100, 0) == b"4" * LONGEST
