"""A disk which is soon full: a file system in memory of so many octets and inodes.

    with small_disk(tmp_path / "disk", octets=16 << 20) as disk:
        disk.fill(leave=1 << 20)       nobody else finds more room than that
        disk.free()

Mounting needs root; elsewhere the test is skipped by name.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

PAGE: Final = os.sysconf("SC_PAGE_SIZE")


class SmallDisk:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._ballast = path / "ballast"
        self._inodes = path / "inodes"

    @property
    def left(self) -> int:
        """Octets which are free."""
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize

    def fill(self, leave: int = 0) -> None:
        """Take all room but so many octets."""
        with self._ballast.open("ab", buffering=0) as file:
            end = file.seek(0, os.SEEK_END)
            size = self.left - leave
            if size > 0:
                os.posix_fallocate(file.fileno(), end, size)

    def fill_inodes(self, leave: int = 0) -> None:
        """Take all inodes but so many."""
        self._inodes.mkdir(exist_ok=True)
        for number in range(os.statvfs(self.path).f_favail - leave):
            (self._inodes / str(number)).touch()

    def free(self) -> None:
        """Give back what `fill` and `fill_inodes` took."""
        self._ballast.unlink(missing_ok=True)
        shutil.rmtree(self._inodes, ignore_errors=True)


@contextmanager
def small_disk(path: Path, octets: int, inodes: int = 1000) -> Iterator[SmallDisk]:
    """Mount it; unmounted at the end, whoever still has files there."""
    path.mkdir(parents=True)
    options = f"size={octets},nr_inodes={inodes},mode=755"
    command = ["mount", "-t", "tmpfs", "-o", options, "angarium-test", str(path)]
    if os.geteuid() != 0 or subprocess.run(command, check=False).returncode != 0:
        pytest.skip("mounting a small disk needs root")
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


class Device:
    """A file system of its own on a device of its own, which can be taken away.

    The device is a sparse file on a small disk: when that is full, the device fails with EIO, as
    a thin pool does. So what the kernel does with a failed write is the kernel's.

    The loop driver takes a write of which the file below took a part for one that is done (Linux
    since 6.15, drivers/block/loop.c, lo_complete_rq): that is a device which lies, of which nobody
    can be safe. So each request is one page, which the file below takes or refuses.
    """

    def __init__(self, path: Path, below: SmallDisk) -> None:
        self.path = path
        self.below = below
        self._image = below.path / "image"

    def make(self, octets: int) -> None:
        with self._image.open("wb") as file:
            file.truncate(octets)
        # Few inodes, and no work of the kernel on them later: what fails is what we write.
        eager = ("-E", "lazy_itable_init=0,lazy_journal_init=0")
        _run(
            *("mkfs.ext4", "-q", "-b", str(PAGE), "-N", "512", *eager, "-J", "size=4"),
            str(self._image),
        )
        self.path.mkdir(parents=True, exist_ok=True)
        self.mount()

    def mount(self) -> None:
        _run("mount", "-o", "loop", str(self._image), str(self.path))
        number = self.path.stat().st_dev
        queue = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}/queue")
        (queue / "max_sectors_kb").write_text(str(PAGE >> 10), encoding="ascii")

    def abort(self) -> None:
        """Let the file system find itself damaged: it is read-only from now on."""
        _run("mount", "-o", "remount,abort", str(self.path))

    def mend(self) -> None:
        """What an operator does: unmount, check, mount. Nobody may have files open there."""
        # The kernel lets go of the files of a process some time after its end.
        for _ in range(900):
            if subprocess.run(["umount", str(self.path)], check=False).returncode == 0:
                break
            time.sleep(0.1)  # noqa: TID251 - no clock of ours tells when the kernel is done
        else:
            raise AssertionError(f"{self.path} cannot be unmounted: somebody has files open there")
        _run("e2fsck", "-fy", str(self._image), good=(0, 1))  # 1: mended
        self.mount()

    def close(self) -> None:
        _run("umount", "--lazy", str(self.path))


def _run(*command: str, good: tuple[int, ...] = (0,)) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode in good, f"{command}: {done.stdout}{done.stderr}"


@contextmanager
def device(path: Path, octets: int, room: int) -> Iterator[Device]:
    """Give a device of so many octets, of which so many can be written; needs root and ext4."""
    if shutil.which("mkfs.ext4") is None or not Path("/dev/loop-control").exists():
        pytest.skip("a device of its own needs mkfs.ext4 and loop devices")
    with small_disk(path.with_name(f"{path.name}.below"), room) as below:
        made = Device(path, below)
        made.make(octets)
        try:
            yield made
        finally:
            made.close()
